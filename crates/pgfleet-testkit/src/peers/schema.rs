//! Peers that compare schemas, for `make bench`: migra (from PyPI, which needs python3 with venv),
//! pg-delta (from npm) and pgmold (by cargo).

use std::{path::PathBuf, process::Command};

use super::cargo;
use crate::{ProgramOutput, tools};

/// migra's version.
pub const MIGRA: &str = "3.0.1663481299";
/// pg-delta's version.
pub const PG_DELTA: &str = "1.0.0-alpha.34";

/// pgmold's version.
pub const PGMOLD: &str = "0.34.17";

/// The program `migra`, installed if need be. It ends with 2 when schemas differ.
pub fn migra() -> PathBuf {
    let contents = format!("migra {MIGRA}");
    let dir = tools::installed(&tools::tools_dir(), "migra", &contents, |dir| {
        let mut venv = Command::new("python3");
        venv.args(["-m", "venv"]).arg(dir);
        tools::run_installer("python3", "install python3-venv", &mut venv);
        // setuptools has the module by which it looks for its parts; later ones have not.
        // SQLAlchemy 2.1 takes another driver by default.
        let rest = ["psycopg2-binary==2.9.13", "setuptools==65.5.0", "sqlalchemy==2.0.58"];
        let mut pip = Command::new(dir.join("bin/pip"));
        ProgramOutput::of(
            pip.args(["install", "--quiet"]).arg(format!("migra=={MIGRA}")).args(rest),
        )
        .assert_success();
    });
    dir.join("bin/migra")
}

/// pg-delta's script for Node, installed if need be.
pub fn pg_delta() -> PathBuf {
    let package = format!("@supabase/pg-delta@{PG_DELTA}");
    let dir = tools::installed(&tools::tools_dir(), "pg-delta", &package, |dir| {
        tools::npm_install(dir, &[&package]);
    });
    dir.join("node_modules/@supabase/pg-delta/dist/cli/main.js")
}

/// The program `pgmold`, built if need be, which takes minutes.
pub fn pgmold() -> PathBuf {
    let contents = format!("pgmold {PGMOLD}");
    let dir = tools::installed(&tools::tools_dir(), "pgmold", &contents, |dir| {
        cargo::build(&["pgmold", "--version", PGMOLD], dir);
    });
    dir.join("bin/pgmold")
}
