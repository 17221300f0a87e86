//! sqlx folders: `<version>_name.sql`, or reversible pairs `.up.sql` and `.down.sql`.
//!
//! Invariant: versions are 64-bit integers in numeric order, and the checksum is the SHA-384 of
//! the file that is applied. Source: `sqlx-core/src/migrate/source.rs` of launchbadge/sqlx.

use std::collections::BTreeMap;

use super::reading::{Reading, by_number, canonical_integer};
use super::{FileTree, Format, MigrationSet, TransactionMode};
use crate::diagnose::{Code, Problem};

const NO_TRANSACTION: &str = "-- no-transaction";

/// Reads a folder of sqlx-cli.
pub fn read(tree: &FileTree) -> MigrationSet {
    let mut reading = Reading::new(tree, Format::Sqlx);
    let mut downs = down_files(&mut reading);
    for path in reading.paths().filter(|path| !path.ends_with(".down.sql")) {
        if let Some((version, description)) = parse_name(path) {
            read_file(&mut reading, path, &version, &description, downs.remove(&version));
        } else {
            report_bad_version(&mut reading, path);
        }
    }
    for (_, path) in downs {
        report_lone_down(&mut reading, path);
    }
    reading.finish(by_number)
}

fn down_files<'tree>(reading: &mut Reading<'tree>) -> BTreeMap<String, &'tree str> {
    let downs = reading.paths().filter(|path| path.ends_with(".down.sql"));
    downs.filter_map(|path| Some((parse_name(path)?.0, path))).collect()
}

fn read_file(
    reading: &mut Reading<'_>,
    path: &str,
    version: &str,
    description: &str,
    down: Option<&str>,
) {
    let down = down.and_then(|path| reading.down_body(path));
    let Some(up) = reading.body(path) else { return };
    let mut migration = reading.migration(version, description, path, up);
    if migration.up.chunks.iter().any(|chunk| chunk.sql.starts_with(NO_TRANSACTION)) {
        migration.transaction = TransactionMode::Never;
    }
    migration.down = down;
    migration.checksum = Some(reading.sha384(path));
    reading.migrations.push(migration);
}

/// `VERSION_description`, as sqlx records them: the version without leading zeros, the description
/// with blanks for underscores.
fn parse_name(path: &str) -> Option<(String, String)> {
    let (version, rest) = path.split_once('_').filter(|_| !path.contains('/'))?;
    let endings = [".up.sql", ".down.sql", ".sql"];
    let ending = endings.into_iter().find(|ending| rest.ends_with(ending))?;
    let description = rest.trim_end_matches(ending).replace('_', " ");
    Some((canonical_integer(version)?, description))
}

/// sqlx stops at a file whose name has an underscore and no integer before it.
fn report_bad_version(reading: &mut Reading<'_>, path: &str) {
    if path.contains('/') || !path.contains('_') || !path.ends_with(".sql") {
        return;
    }
    reading.place_file(path);
    let what = format!("{} does not begin with a version", reading.tree.display(path));
    reading.problems.push(
        Problem::error(Code::FileUnplaced, what)
            .at(reading.place(path))
            .because(
                "sqlx expects an integer before the first underscore and stops at any other name.",
            )
            .fix("Rename the file to VERSION_name.sql, or move it out of the folder."),
    );
}

fn report_lone_down(reading: &mut Reading<'_>, path: &str) {
    reading.place_file(path);
    let what = format!("{} takes back a migration that is not there", reading.tree.display(path));
    let problem = Problem::warning(Code::FileUnplaced, what).at(reading.place(path));
    reading.problems.push(problem.fix("Add the .up.sql file, or remove this one."));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_recorded_as_sqlx_does() {
        let parsed = |name| parse_name(name).map(|(version, name)| format!("{version}|{name}"));
        assert_eq!(parsed("001_add_users.up.sql").as_deref(), Some("1|add users"));
        assert_eq!(parsed("20200718111257_todos.sql").as_deref(), Some("20200718111257|todos"));
        assert_eq!(parsed("x_todos.sql"), None);
        assert_eq!(parsed("1todos.sql"), None);
    }
}
