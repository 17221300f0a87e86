//! The tools that teams use today, run as they run them, to prove that pgfleet agrees with each.
//!
//! npm's are installed into `.tools/npm` on the first use ([`npm`]); those that need a cargo build
//! into `.tools/cargo` ([`cargo`]), which takes minutes and is for `make interop` and `make bench`.
//! Those that no registry holds ([`installed`]) have to be there already, for
//! `make interop-installed`.

pub mod cargo;
pub mod installed;
pub mod npm;
pub mod schema;
pub mod schema_engine;

use std::{path::Path, process::Command};

use crate::database::remove_pg_variables;

/// A command that runs a peer in a project folder against a database, without this machine's
/// variables for databases.
fn peer(program: &Path, project: &Path, url: &str) -> Command {
    let mut command = Command::new(program);
    remove_pg_variables(&mut command);
    command.current_dir(project).env("DATABASE_URL", url).env("NO_COLOR", "1");
    // Settings and caches of the person who runs the tests do not belong into them.
    command.env("HOME", project).stdin(std::process::Stdio::null());
    command
}

/// The URL with `sslmode=disable`, for clients that insist on TLS otherwise.
fn without_tls(url: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}sslmode=disable")
}
