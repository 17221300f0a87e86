//! Connection parameters as written, before they are understood: name, value, and where from.
//!
//! Three notations lead here: URLs, `key=value` strings and environment variables (with service
//! files). Later settings of the same name win; messages never repeat a value, which may be secret.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pgfleet_core::diagnose::{Code, Problem};

/// Parameters by libpq's names.
pub(super) type Settings = BTreeMap<String, String>;

/// What surrounds the process and takes part in finding a server.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// Environment variables, also those of `.env` when the caller read one.
    pub variables: BTreeMap<String, String>,
    /// The operating system's user, PostgreSQL's default user.
    pub user: Option<String>,
    /// The home directory, where `.pgpass`, `.pg_service.conf` and `.postgresql/` are.
    pub home: Option<PathBuf>,
}

impl Surroundings {
    /// With these variables, the user that runs the process, and `HOME`.
    pub fn new(variables: BTreeMap<String, String>) -> Self {
        let home = variables.get("HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
        Self { variables, user: whoami::username().ok(), home }
    }

    /// The variable's value, when it is set and not empty (libpq ignores empty ones).
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// A problem of the connection string or of what completes it.
pub(super) fn invalid(what: impl Into<String>) -> Problem {
    Problem::error(Code::UrlInvalid, what)
}
