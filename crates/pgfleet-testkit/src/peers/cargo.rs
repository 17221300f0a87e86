//! Peers that are built by cargo: sqlx-cli, refinery_cli, diesel_cli.
//!
//! `PGFLEET_PEERS_CARGO_BIN` names a folder that already holds their programs; without it they are
//! built into `.tools/cargo`, which takes about ten minutes the first time.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use super::peer;
use crate::{ProgramOutput, tools};

/// Package, version and features of each. diesel_cli links the system's libpq.
const PACKAGES: [(&str, &str, &str); 3] = [
    ("sqlx-cli", "0.9.0", "postgres"),
    ("refinery_cli", "0.10.0", "postgresql"),
    ("diesel_cli", "2.3.14", "postgres"),
];

/// The folder with the programs `sqlx`, `refinery` and `diesel`, built if need be.
pub fn install() -> PathBuf {
    if let Some(bin) = env::var_os("PGFLEET_PEERS_CARGO_BIN") {
        return PathBuf::from(bin);
    }
    let contents = PACKAGES.map(|(name, version, _)| format!("{name} {version}\n")).concat();
    let dir = tools::installed(&tools::tools_dir(), "cargo", &contents, |dir| {
        for (name, version, features) in PACKAGES {
            let chosen = ["--no-default-features", "--features", features];
            build(&[&[name, "--version", version], chosen.as_slice()].concat(), dir);
        }
    });
    dir.join("bin")
}

/// sqlx on `migrations`, as `sqlx migrate ARGS`: `run`, `info`, `revert`.
pub fn sqlx(project: &Path, url: &str, args: &[&str]) -> ProgramOutput {
    let mut command = peer(&install().join("sqlx"), project, url);
    ProgramOutput::of(command.arg("migrate").args(args))
}

/// refinery on `migrations`, as `refinery migrate -e DATABASE_URL ARGS`; `-g` for one transaction.
pub fn refinery(project: &Path, url: &str, args: &[&str]) -> ProgramOutput {
    let mut command = peer(&install().join("refinery"), project, url);
    ProgramOutput::of(command.args(["migrate", "-e", "DATABASE_URL"]).args(args))
}

/// diesel on `migrations`, as `diesel migration ARGS`: `run`, `list`, `revert`.
pub fn diesel(project: &Path, url: &str, args: &[&str]) -> ProgramOutput {
    let mut command = peer(&install().join("diesel"), project, url);
    command.args(["migration", "--migration-dir", "migrations"]);
    ProgramOutput::of(command.args(args))
}

/// `cargo install` of a package, by its name and more words, into a folder.
pub(super) fn build(package: &[&str], root: &Path) {
    let mut cargo = Command::new("cargo");
    cargo.args(["install", "--locked"]).args(package).arg("--root").arg(root);
    // The build of the tests that asked for it holds the lock of the checkout's target folder.
    cargo.env("CARGO_TARGET_DIR", root.join("target"));
    tools::run_installer("cargo", "install Rust from https://rustup.rs", &mut cargo);
}
