//! What can go wrong between looking for a server program and having it accept connections.

use std::{io, path::PathBuf};

/// Why no throwaway cluster could be had. The text names the fix where there is one.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// No folder with both `initdb` and `postgres` was found.
    #[error(
        "no PostgreSQL server programs (initdb, postgres) found; looked in {}. Install one of: \
         Debian or Ubuntu `apt-get install postgresql`, Fedora or RHEL `dnf install \
         postgresql-server`, macOS `brew install postgresql@18`; or set PGFLEET_PG_BIN to the \
         folder that holds initdb", list(.searched)
    )]
    NotFound {
        /// Every folder that was looked into, in order.
        searched: Vec<PathBuf>,
    },
    /// A folder that was named explicitly does not hold usable programs.
    #[error("{bin_dir} holds no usable PostgreSQL server programs: {reason}", bin_dir = .bin_dir.display())]
    Unusable {
        /// The folder.
        bin_dir: PathBuf,
        /// What is missing or failed.
        reason: String,
    },
    /// We are root and there is nobody to run the server as.
    #[error(
        "PostgreSQL refuses to run as root and neither user `postgres` nor `nobody` exists; create \
         one (`useradd --system postgres`) or run as an ordinary user"
    )]
    NoOrdinaryUser,
    /// A file operation failed.
    #[error("cannot {doing} {path}: {source}", path = .path.display())]
    Io {
        /// The verb, as in "create".
        doing: &'static str,
        /// What it was about.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// `initdb` failed.
    #[error("initdb failed: {output}")]
    Initdb {
        /// Its output.
        output: String,
    },
    /// The server ended before it accepted connections.
    #[error("the throwaway server did not start: {log}")]
    Start {
        /// The end of its log.
        log: String,
    },
    /// The server did not accept connections in time.
    #[error("the throwaway server accepted no connections within {waited_s} s: {log}")]
    Timeout {
        /// How long was waited, in seconds.
        waited_s: u64,
        /// The end of its log.
        log: String,
    },
}

impl ServerError {
    /// Wraps a system error with what was being done to which path.
    pub(super) fn io(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }
}

fn list(paths: &[PathBuf]) -> String {
    if paths.is_empty() {
        return "PATH".to_owned();
    }
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}
