//! Prisma's own schema engine, from npm as WebAssembly: the judge of what schema.prisma means, and of
//! whether a folder, its history and a database belong together.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::peer;
use crate::{ProgramOutput, tools};

/// The engine's version.
pub const VERSION: &str = "8.1.0-2.59be4fda12412a79eeb9c2ae727b6aa723593323";
const SCRIPT: &str = include_str!("schema_engine.mjs");

/// What Prisma writes for an empty database; `files` are all files of one schema. The database is
/// only connected to.
pub fn ddl(files: &[PathBuf], url: &str) -> ProgramOutput {
    ProgramOutput::of(engine(url).arg("ddl").args(files))
}

/// What Prisma would change in the database so that it is as the schema says; a comment alone when
/// it is.
pub fn rest(files: &[PathBuf], url: &str) -> ProgramOutput {
    ProgramOutput::of(engine(url).arg("rest").args(files))
}

/// Prisma's diagnosis of a folder of migrations against the database, as JSON: `drift`, `history`,
/// `failedMigrationNames`, `editedMigrationNames`, `errorInUnappliedMigration`. It replays the
/// folder in a database of its own beside.
pub fn diagnose(migrations: &Path, url: &str) -> ProgramOutput {
    ProgramOutput::of(engine(url).arg("diagnose").arg(migrations))
}

fn engine(url: &str) -> Command {
    let dir = install();
    let mut command = peer(Path::new("node"), &dir, url);
    command.arg(dir.join("engine.mjs"));
    command
}

fn install() -> PathBuf {
    let packages = [
        &format!("@prisma/schema-engine-wasm@{VERSION}"),
        "@prisma/adapter-pg@7.10.1",
        "pg@8.23.1",
    ];
    let contents = format!("{}\n{SCRIPT}", packages.join("\n"));
    tools::installed(&tools::tools_dir(), "prisma-engine", &contents, |dir| {
        tools::npm_install(dir, &packages);
        patch_adapter(&dir.join("node_modules/@prisma/adapter-pg/dist/index.mjs"));
        fs::write(dir.join("engine.mjs"), SCRIPT).expect("write the engine's script");
    })
}

/// The adapter refuses types that the engine's own catalog queries return (`name[]`, `"char"`), cuts
/// scripts at every semicolon, and drops the shadow database while it is connected to it.
fn patch_adapter(path: &Path) {
    let text = fs::read_to_string(path).expect("read Prisma's adapter");
    let types = "return fieldTypeId === 1003 ? ColumnTypeEnum.TextArray : fieldTypeId === 18 \
                 ? ColumnTypeEnum.Character : ColumnTypeEnum.Text;";
    let drop = "await conn.executeScript(`DROP DATABASE \"${database}\"`);";
    let end = "await client.end();";
    let patches = [
        ("throw new UnsupportedNativeDataType(fieldTypeId);", types.to_owned()),
        ("= script.split(\";\")", "= [script]".to_owned()),
        (drop, format!("{end}\n      {drop}\n      await conn.dispose();\n      return;")),
    ];
    let patched = patches.into_iter().fold(text, |text, (old, new)| {
        assert_eq!(text.matches(old).count(), 1, "{} has no {old}", path.display());
        text.replace(old, &new)
    });
    fs::write(path, patched).expect("patch Prisma's adapter");
}
