//! Peers that none of the registries of the tests hold: goose, golang-migrate and Flyway. They are
//! looked for on the PATH; `PGFLEET_PEERS_BIN` names another folder.

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

/// Flyway on `migrations`, as `flyway -url=URL -user=USER -locations=filesystem:migrations COMMAND`:
/// `migrate`, `validate`, `repair`.
pub fn flyway(project: &Path, url: &str, command_name: &str) -> ProgramOutput {
    let (user, place) = url
        .split_once("://")
        .and_then(|(_, rest)| rest.split_once('@'))
        .unwrap_or_else(|| panic!("{url} names no user"));
    let user = user.split(':').next().unwrap_or(user);
    let mut command = peer(&program("flyway"), project, url);
    command.arg(format!("-url=jdbc:postgresql://{place}"));
    command.args([&format!("-user={user}"), "-password=", "-locations=filesystem:migrations"]);
    ProgramOutput::of(command.arg(command_name))
}

fn program(name: &str) -> PathBuf {
    let folders = match env::var_os("PGFLEET_PEERS_BIN") {
        Some(folder) => vec![PathBuf::from(folder)],
        None => env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect(),
    };
    let found = folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("{name} is not on the PATH: install it from its project"))
}
