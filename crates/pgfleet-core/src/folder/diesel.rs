//! Diesel folders: `<version>_name/up.sql`, optionally with `down.sql` and `metadata.toml`.
//!
//! Invariant: the version is the directory's name up to the first `_`, without hyphens, and
//! versions are ordered as strings. Source: `migrations_internals/src/lib.rs` and
//! `migration_harness.rs` of diesel-rs/diesel.

use super::reading::{Reading, has_statement};
use super::{FileTree, Format, MigrationSet, TransactionMode};
use crate::diagnose::{Code, Problem};

/// Reads a Diesel migrations folder.
pub fn read(tree: &FileTree) -> MigrationSet {
    let mut reading = Reading::new(tree, Format::Diesel);
    for directory in tree.directories.iter().filter(|path| is_migration(path)) {
        read_directory(&mut reading, directory);
    }
    reading.finish(|a, b| a.version.cmp(&b.version).then_with(|| a.file.cmp(&b.file)))
}

fn is_migration(directory: &str) -> bool {
    !directory.contains('/') && !directory.starts_with('.')
}

fn read_directory(reading: &mut Reading<'_>, directory: &str) {
    if !reading.tree.holds_files(directory) {
        return;
    }
    let up_path = format!("{directory}/up.sql");
    if !reading.tree.files.contains_key(&up_path) {
        return report_without_up(reading, directory);
    }
    let transaction = transaction_mode(reading, &format!("{directory}/metadata.toml"));
    let down = read_down(reading, &format!("{directory}/down.sql"));
    let Some(up) = reading.body(&up_path) else { return };
    let (version, name) = directory.split_once('_').unwrap_or((directory, ""));
    let mut migration = reading.migration(version.replace('-', ""), name, &up_path, up);
    migration.down = down;
    migration.transaction = transaction;
    reading.migrations.push(migration);
}

/// An empty `down.sql` is how Diesel users say that there is no way back.
fn read_down(reading: &mut Reading<'_>, path: &str) -> Option<super::SqlBody> {
    reading.tree.files.get(path)?;
    let text = reading.text(path)?;
    let place = crate::place::Place::at(reading.tree.display(path), 1, 1);
    has_statement(&text).then(|| super::SqlBody::verbatim(text, place))
}

fn report_without_up(reading: &mut Reading<'_>, directory: &str) {
    if reading.tree.unreadable.keys().any(|path| path.starts_with(&format!("{directory}/"))) {
        return;
    }
    let what = format!("{} has no up.sql", reading.tree.display(directory));
    reading.problems.push(
        Problem::error(Code::MigrationEmpty, what)
            .at(reading.place(directory))
            .because("Diesel refuses a folder with such a directory.")
            .fix("Write up.sql, or remove the directory."),
    );
}

/// Diesel falls back to its default, a transaction, for a file that it cannot read; a file without
/// the key means none.
fn transaction_mode(reading: &mut Reading<'_>, path: &str) -> TransactionMode {
    if !reading.tree.files.contains_key(path) {
        return TransactionMode::Auto;
    }
    let text = reading.text(path).unwrap_or_default();
    let key = text.lines().find_map(|line| {
        let value = line.trim().strip_prefix("run_in_transaction")?.trim_start();
        Some(value.strip_prefix('=')?.trim_start().starts_with("true"))
    });
    if key == Some(true) { TransactionMode::Auto } else { TransactionMode::Never }
}
