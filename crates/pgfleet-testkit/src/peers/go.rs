//! Peers that Go builds: goose and golang-migrate. Their programs are in none of the registries that
//! the tests install from, so they are looked for on the PATH; `PGFLEET_PEERS_GO_BIN` names another
//! folder.

use std::{env, path::Path, path::PathBuf};

use super::{peer, without_tls};
use crate::ProgramOutput;

/// goose on `migrations`, as `goose -dir migrations postgres URL ARGS`: `up`, `down`, `status`.
pub fn goose(project: &Path, url: &str, args: &[&str]) -> ProgramOutput {
    let mut command = peer(&program("goose"), project, url);
    command.args(["-dir", "migrations", "postgres", &without_tls(url)]);
    ProgramOutput::of(command.args(args))
}

/// golang-migrate on `migrations`, as `migrate -path migrations -database URL ARGS`: `up`, `down 1`,
/// `version`.
pub fn migrate(project: &Path, url: &str, args: &[&str]) -> ProgramOutput {
    let mut command = peer(&program("migrate"), project, url);
    command.args(["-path", "migrations", "-database", &without_tls(url)]);
    ProgramOutput::of(command.args(args))
}

fn program(name: &str) -> PathBuf {
    let folders = match env::var_os("PGFLEET_PEERS_GO_BIN") {
        Some(folder) => vec![PathBuf::from(folder)],
        None => env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect(),
    };
    let found = folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| {
        panic!(
            "{name} is not on the PATH. Install it:\n  \
             go install github.com/pressly/goose/v3/cmd/goose@latest\n  \
             go install -tags postgres github.com/golang-migrate/migrate/v4/cmd/migrate@latest"
        )
    })
}
