//! The folder a throwaway cluster lives in, and the sweeping of those whose owner was killed.
//!
//! Invariant: an owner holds a lock on `owner.lock` in its folder for as long as it lives, and the
//! system drops that lock with the process. So a folder whose lock is free is abandoned, whatever
//! became of the process number.

use std::{
    env,
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use super::{Account, ServerError, postmaster};

const PREFIX: &str = "pgfleet-scratch-";
const LOCK: &str = "owner.lock";
/// Socket paths are limited to 103 bytes (macOS) or 107 (Linux); `.s.PGSQL.65535` takes 14 and our
/// own names up to 40.
const LONGEST_BASE: usize = 45;
/// A folder this young may still be waiting for its owner's lock.
const GRACE: Duration = Duration::from_secs(2);

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A cluster's folder, with its data and socket folders inside.
#[derive(Debug)]
pub(super) struct ClusterRoot {
    pub(super) path: PathBuf,
    /// Held for its lock; none when the folder outlives us.
    _owner: Option<File>,
}

impl ClusterRoot {
    /// A new folder under the system's temporary folder, owned by this process.
    pub(super) fn owned(account: Account) -> Result<Self, ServerError> {
        let name = format!("{PREFIX}{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = base().join(name);
        if path.exists() {
            // Left by an earlier process of our number; the sweep has not come to it yet.
            remove_abandoned(&path);
        }
        make_dir(&path, account)?;
        let lock = path.join(LOCK);
        let owner = File::create(&lock).map_err(ServerError::io("create", &lock))?;
        owner.lock().map_err(ServerError::io("lock", &lock))?;
        Ok(Self { path, _owner: Some(owner) }).and_then(|root| root.with_folders(account))
    }

    /// A new folder at `path` that nobody sweeps.
    pub(super) fn detached(path: &Path, account: Account) -> Result<Self, ServerError> {
        make_dir(path, account)?;
        Self { path: path.to_owned(), _owner: None }.with_folders(account)
    }

    fn with_folders(self, account: Account) -> Result<Self, ServerError> {
        for dir in [self.data(), self.sockets()] {
            DirBuilder::new().mode(0o700).create(&dir).map_err(ServerError::io("create", &dir))?;
            account.own(&dir).map_err(ServerError::io("hand over", &dir))?;
        }
        Ok(self)
    }

    pub(super) fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    pub(super) fn sockets(&self) -> PathBuf {
        self.path.join("s")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.path.join("server.log")
    }
}

/// Stops the servers and removes the files of throwaway clusters whose owner no longer lives.
/// Returns how many there were. Files of other users are left alone.
pub fn sweep_abandoned() -> usize {
    sweep(&base(), GRACE)
}

/// Stops the server of a [`super::Lifetime::Detached`] cluster and removes its folder. Does nothing when
/// there is none.
///
/// # Errors
/// [`ServerError::Io`] when the folder cannot be removed.
pub fn remove_detached(path: &Path) -> Result<(), ServerError> {
    postmaster::stop_recorded(&path.join("data"));
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(ServerError::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}

fn sweep(base: &Path, grace: Duration) -> usize {
    let Ok(entries) = fs::read_dir(base) else { return 0 };
    let ours = entries
        .filter_map(|entry| entry.ok())
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX))
        .map(|entry| entry.path())
        .filter(|path| is_ours_and_older_than(path, grace));
    ours.filter(|path| remove_abandoned(path)).count()
}

fn is_ours_and_older_than(path: &Path, grace: Duration) -> bool {
    let Ok(meta) = fs::symlink_metadata(path) else { return false };
    let age = meta.modified().ok().and_then(|modified| modified.elapsed().ok());
    meta.is_dir()
        && meta.uid() == rustix::process::geteuid().as_raw()
        && age.is_some_and(|age| age >= grace)
}

/// Removes one folder if its owner's lock is free. Returns whether it did.
fn remove_abandoned(path: &Path) -> bool {
    let lock = File::open(path.join(LOCK));
    match &lock {
        Ok(file) if file.try_lock().is_err() => return false,
        Err(error) if error.kind() != io::ErrorKind::NotFound => return false,
        _ => {}
    }
    postmaster::stop_recorded(&path.join("data"));
    fs::remove_dir_all(path).is_ok()
}

/// The temporary folder, unless its name would make socket paths too long.
fn base() -> PathBuf {
    let base = env::temp_dir();
    if base.as_os_str().len() <= LONGEST_BASE { base } else { PathBuf::from("/tmp") }
}

/// The server's account must be able to pass through a folder that stays root's.
fn make_dir(path: &Path, account: Account) -> Result<(), ServerError> {
    let mode = if account == Account::Own { 0o700 } else { 0o711 };
    DirBuilder::new().mode(mode).create(path).map_err(ServerError::io("create", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_whose_owner_is_gone_are_swept() {
        let base = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            let path = base.path().join(name);
            fs::create_dir(&path).unwrap();
            let lock = File::create(path.join(LOCK)).unwrap();
            (path, lock)
        };
        let (alive, alive_lock) = folder("pgfleet-scratch-1-0");
        alive_lock.lock().unwrap();
        let (dead, _) = folder("pgfleet-scratch-2-0");
        let (foreign, _) = folder("somebody-elses");
        assert_eq!(sweep(base.path(), GRACE), 0, "all are younger than the grace time");
        assert_eq!(sweep(base.path(), Duration::ZERO), 1);
        assert!(alive.exists() && foreign.exists() && !dead.exists());
    }
}
