//! Where the server programs are.
//!
//! Invariant: a folder that was named explicitly (`PGFLEET_PG_BIN`) is used or is an error; it is
//! never silently replaced by another one.

use std::{
    cmp::Reverse,
    env,
    ffi::OsString,
    fmt, fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::ServerError;

/// Folders that packages use. `*` stands for any text within one path component.
const USUAL_FOLDERS: &[&str] = &[
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/opt/local/lib/postgresql*/bin",
    "/opt/postgresql*/bin",
    "/opt/pgsql*/bin",
    "/usr/libexec/postgresql*",
];

/// A server's version: `15.18` is major 15, minor 18.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServerVersion {
    /// The major version, which decides what SQL and catalogs there are.
    pub major: u16,
    /// The minor version; 0 for betas.
    pub minor: u16,
}

impl ServerVersion {
    /// Reads what `postgres --version` prints, such as `postgres (PostgreSQL) 15.18 (Debian …)`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let number = text.split_whitespace().find(|word| word.starts_with(char::is_numeric))?;
        let mut parts = number.split(|c: char| !c.is_ascii_digit()).map(str::parse);
        let major = parts.next()?.ok()?;
        let minor = if number.contains('.') { parts.next()?.ok()? } else { 0 };
        Some(Self { major, minor })
    }
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// A folder that holds at least `initdb` and `postgres`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// The folder.
    pub bin_dir: PathBuf,
    /// What its `postgres --version` says.
    pub version: ServerVersion,
}

impl Installation {
    /// Finds the server programs: `PGFLEET_PG_BIN`, then `pg_config --bindir`, then the folders
    /// that packages use (newest version first), then `PATH`.
    ///
    /// # Errors
    /// [`ServerError::NotFound`] names the package to install; [`ServerError::Unusable`] when
    /// `PGFLEET_PG_BIN` names a folder without server programs.
    pub fn find() -> Result<Self, ServerError> {
        Search::from_environment().run()
    }

    /// Takes the programs in `bin_dir`.
    ///
    /// # Errors
    /// [`ServerError::Unusable`] when one is missing or does not say its version.
    pub fn at(bin_dir: impl Into<PathBuf>) -> Result<Self, ServerError> {
        let bin_dir = bin_dir.into();
        match probe(&bin_dir) {
            Ok(version) => Ok(Self { bin_dir, version }),
            Err(reason) => Err(ServerError::Unusable { bin_dir, reason }),
        }
    }

    /// The path of `name` in this installation, if it is there: small packages have no `psql`.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        Some(self.bin_dir.join(name)).filter(|path| path.is_file())
    }
}

/// Where to look, in order. [`Search::from_environment`] fills it for this machine.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// The folder that was named explicitly.
    pub named: Option<PathBuf>,
    /// What `pg_config --bindir` prints.
    pub pg_config: Option<PathBuf>,
    /// Folders that packages use; `*` stands for any text within one path component.
    pub folders: Vec<String>,
    /// The folders of `PATH`.
    pub path: Vec<PathBuf>,
}

impl Search {
    /// Looks where [`Installation::find`] says.
    pub fn from_environment() -> Self {
        let path: OsString = env::var_os("PATH").unwrap_or_default();
        Self {
            named: env::var_os("PGFLEET_PG_BIN").filter(|dir| !dir.is_empty()).map(PathBuf::from),
            pg_config: bindir_of_pg_config(),
            folders: USUAL_FOLDERS.iter().map(|&folder| folder.to_owned()).collect(),
            path: env::split_paths(&path).collect(),
        }
    }

    /// The first usable installation.
    ///
    /// # Errors
    /// As [`Installation::find`].
    pub fn run(&self) -> Result<Installation, ServerError> {
        if let Some(named) = &self.named {
            return Installation::at(named);
        }
        let mut searched = Vec::new();
        if let Some(found) = first_usable(self.pg_config.iter().cloned(), &mut searched) {
            return Ok(found);
        }
        for pattern in &self.folders {
            let found = expand(pattern).into_iter().filter_map(|dir| Installation::at(dir).ok());
            if let Some(newest) = found.min_by_key(|installation| Reverse(installation.version)) {
                return Ok(newest);
            }
            searched.push(PathBuf::from(pattern));
        }
        first_usable(self.path.iter().cloned(), &mut searched)
            .ok_or(ServerError::NotFound { searched })
    }
}

fn first_usable(
    dirs: impl Iterator<Item = PathBuf>,
    searched: &mut Vec<PathBuf>,
) -> Option<Installation> {
    for dir in dirs {
        if let Ok(found) = Installation::at(&dir) {
            return Some(found);
        }
        searched.push(dir);
    }
    None
}

fn bindir_of_pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let bindir = String::from_utf8(output.stdout).ok()?;
    Some(bindir.trim()).filter(|dir| output.status.success() && !dir.is_empty()).map(PathBuf::from)
}

/// The existing folders that a pattern means.
fn expand(pattern: &str) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::from("/")];
    for component in pattern.split('/').filter(|component| !component.is_empty()) {
        found = match component.split_once('*') {
            None => found.iter().map(|dir| dir.join(component)).collect(),
            Some((before, after)) => {
                found.iter().flat_map(|dir| children(dir, before, after)).collect()
            }
        };
    }
    found.retain(|dir| dir.is_dir());
    found
}

fn children(dir: &Path, before: &str, after: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let matches = |name: &str| {
        name.len() >= before.len() + after.len()
            && name.starts_with(before)
            && name.ends_with(after)
    };
    entries
        .filter_map(|entry| entry.ok())
        .filter(|entry| entry.file_name().to_str().is_some_and(matches))
        .map(|entry| entry.path())
        .collect()
}

fn probe(bin_dir: &Path) -> Result<ServerVersion, String> {
    for name in ["initdb", "postgres"] {
        if !bin_dir.join(name).is_file() {
            return Err(format!("{name} is not there"));
        }
    }
    let output = Command::new(bin_dir.join("postgres"))
        .arg("--version")
        .output()
        .map_err(|error| format!("postgres --version: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    ServerVersion::parse(&text).ok_or_else(|| format!("postgres --version printed {text:?}"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn fake(bin_dir: &Path, version: &str) {
        fs::create_dir_all(bin_dir).unwrap();
        for name in ["initdb", "postgres"] {
            let script = format!("#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n");
            fs::write(bin_dir.join(name), script).unwrap();
            fs::set_permissions(bin_dir.join(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    #[test]
    fn versions_are_read_from_every_vendors_spelling() {
        let read = |text| ServerVersion::parse(text).map(|version| version.to_string());
        assert_eq!(
            read("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)").as_deref(),
            Some("15.18")
        );
        assert_eq!(read("postgres (PostgreSQL) 19beta2").as_deref(), Some("19.0"));
        assert_eq!(read("postgres (PostgreSQL) devel"), None);
    }

    #[test]
    fn the_newest_package_wins_by_number_not_by_name() {
        let dir = tempfile::tempdir().unwrap();
        fake(&dir.path().join("9/bin"), "9.6");
        fake(&dir.path().join("16/bin"), "16.3");
        let folders = vec![format!("{}/*/bin", dir.path().display())];
        let found = Search { folders, ..Search::default() }.run().unwrap();
        assert_eq!(found.version, ServerVersion { major: 16, minor: 3 });
    }

    #[test]
    fn a_named_folder_without_a_server_is_an_error_even_when_others_exist() {
        let dir = tempfile::tempdir().unwrap();
        fake(&dir.path().join("real"), "15.1");
        let named = Some(dir.path().join("wrong"));
        let search = Search { named, path: vec![dir.path().join("real")], ..Search::default() };
        let text = search.run().unwrap_err().to_string();
        assert!(text.contains("wrong") && text.contains("initdb is not there"), "{text}");
    }

    #[test]
    fn pg_config_without_a_server_falls_through_to_the_path() {
        let dir = tempfile::tempdir().unwrap();
        fake(&dir.path().join("real"), "15.1");
        let search = Search {
            pg_config: Some(dir.path().join("libpq-dev-only")),
            path: vec![dir.path().join("empty"), dir.path().join("real")],
            ..Search::default()
        };
        assert_eq!(search.run().unwrap().bin_dir, dir.path().join("real"));
    }

    #[test]
    fn nothing_found_names_the_package_for_each_system() {
        let text = Search::default().run().unwrap_err().to_string();
        for package in ["apt-get install postgresql", "postgresql-server", "brew install"] {
            assert!(text.contains(package), "{text}");
        }
    }
}
