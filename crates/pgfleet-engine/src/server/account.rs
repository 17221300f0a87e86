//! Who runs the server: PostgreSQL refuses to run as root.
//!
//! Invariant: programs started through an [`Account`] never run as root.

use std::{
    fs, io,
    os::unix::{fs::chown, process::CommandExt},
    path::Path,
    process::Command,
};

use super::ServerError;

/// Users to drop to, best first. Both exist on every Debian that has the server package.
const ORDINARY_USERS: [&str; 2] = ["postgres", "nobody"];

/// The account that server programs run under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// We are not root: ours.
    Own,
    /// We are root: this ordinary user's.
    Other {
        /// User id.
        uid: u32,
        /// Its primary group id.
        gid: u32,
    },
}

impl Account {
    /// Our own account, or an ordinary one when we are root.
    ///
    /// # Errors
    /// [`ServerError::NoOrdinaryUser`] when we are root and there is none.
    pub fn ordinary() -> Result<Self, ServerError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(Self::Own);
        }
        let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
        find_user(&passwd).ok_or(ServerError::NoOrdinaryUser)
    }

    /// A command that runs under this account. Supplementary groups are dropped with root.
    pub fn command(self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        if let Self::Other { uid, gid } = self {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Hands `path` to this account.
    ///
    /// # Errors
    /// The system's, when it refuses.
    pub fn own(self, path: &Path) -> io::Result<()> {
        match self {
            Self::Own => Ok(()),
            Self::Other { uid, gid } => chown(path, Some(uid), Some(gid)),
        }
    }
}

/// The first of [`ORDINARY_USERS`] in the text of /etc/passwd.
fn find_user(passwd: &str) -> Option<Account> {
    ORDINARY_USERS.iter().find_map(|user| {
        let line = passwd.lines().find(|line| line.split(':').next() == Some(user))?;
        let mut ids = line.split(':').skip(2).map(str::parse);
        let (uid, gid) = (ids.next()?.ok()?, ids.next()?.ok()?);
        (uid != 0).then_some(Account::Other { uid, gid })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOBODY: &str = "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";

    #[test]
    fn postgres_is_preferred_and_an_alias_of_root_is_not_taken() {
        let postgres = format!("{NOBODY}postgres:x:101:104:,,,:/var/lib/postgresql:/bin/bash\n");
        assert_eq!(find_user(&postgres), Some(Account::Other { uid: 101, gid: 104 }));
        let aliased = format!("{NOBODY}postgres:x:0:0:,,,:/root:/bin/bash\n");
        assert_eq!(find_user(&aliased), Some(Account::Other { uid: 65534, gid: 65534 }));
        assert_eq!(find_user("root:x:0:0:root:/root:/bin/bash\n"), None);
    }
}
