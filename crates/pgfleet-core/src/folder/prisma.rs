//! Prisma folders: `<name>/migration.sql`, with `migration_lock.toml` beside them.
//!
//! Invariant: migrations are applied in the byte order of their directories' names, and a
//! migration's checksum is the SHA-256 of its script. Source: `schema-connector/src/migrations_directory.rs`
//! and `checksum.rs` of prisma/prisma-engines.

use super::reading::Reading;
use super::{FileTree, Format, MigrationSet};
use crate::diagnose::{Code, Problem};

const SCRIPT: &str = "migration.sql";
const LOCK_FILE: &str = "migration_lock.toml";

/// Reads a `prisma/migrations` folder.
pub fn read(tree: &FileTree) -> MigrationSet {
    let mut reading = Reading::new(tree, Format::Prisma);
    for directory in tree.directories.iter().filter(|path| !path.contains('/')) {
        read_directory(&mut reading, directory);
    }
    check_provider(&mut reading);
    reading.finish(|a, b| a.name.cmp(&b.name))
}

fn read_directory(reading: &mut Reading<'_>, directory: &str) {
    let path = format!("{directory}/{SCRIPT}");
    if !reading.tree.files.contains_key(&path) {
        if !reading.tree.unreadable.contains_key(&path) && !directory.starts_with('.') {
            report_without_script(reading, directory);
        }
        return;
    }
    let down = format!("{directory}/down.sql");
    let down = reading.tree.files.contains_key(&down).then(|| reading.body(&down)).flatten();
    if let Some(up) = reading.body(&path) {
        let mut migration = reading.migration(directory, directory, &path, up);
        migration.checksum = Some(reading.sha256(&path));
        migration.down = down;
        reading.migrations.push(migration);
    }
}

fn report_without_script(reading: &mut Reading<'_>, directory: &str) {
    let shown = reading.tree.display(directory);
    reading.problems.push(
        Problem::error(Code::MigrationEmpty, format!("{shown} has no {SCRIPT}"))
            .at(reading.place(directory))
            .because("Prisma refuses a folder with such a directory (its error P3015).")
            .fix_with("Remove the directory.", format!("rm -r {}", shell_quote(&shown)))
            .fix(format!("Or write {shown}/{SCRIPT}.")),
    );
}

fn shell_quote(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if path.chars().all(plain) {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}

/// The lock file names the database for which the scripts were written.
fn check_provider(reading: &mut Reading<'_>) {
    if !reading.tree.files.contains_key(LOCK_FILE) {
        return;
    }
    let Some(text) = reading.text(LOCK_FILE) else { return };
    let Some(provider) = text.lines().find_map(provider_of) else { return };
    if !["postgresql", "postgres", "cockroachdb"].contains(&provider) {
        let what = format!("the migrations were written for {provider}, not for PostgreSQL");
        let problem = Problem::error(Code::FormatUnclear, what).at(reading.place(LOCK_FILE));
        reading
            .problems
            .push(problem.fix("Name the folder of the PostgreSQL migrations with --dir."));
    }
}

fn provider_of(line: &str) -> Option<&str> {
    let value = line.trim().strip_prefix("provider")?.trim_start().strip_prefix('=')?.trim();
    value.strip_prefix('"')?.split('"').next()
}
