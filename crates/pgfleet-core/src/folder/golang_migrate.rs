//! golang-migrate folders: `<version>_name.up.sql`, optionally with `.down.sql`.
//!
//! Invariant: versions are integers in numeric order. Source: `source/parse.go` and
//! `source/migration.go` of golang-migrate/migrate.

use std::collections::BTreeMap;

use super::reading::{Reading, by_number, canonical_integer, versioned_name};
use super::{FileTree, Format, MigrationSet};
use crate::diagnose::{Code, Problem};

/// Reads a golang-migrate folder.
pub fn read(tree: &FileTree) -> MigrationSet {
    let mut reading = Reading::new(tree, Format::GolangMigrate);
    let names: Vec<_> =
        reading.paths().filter_map(|path| Some((path, parse_name(path)?))).collect();
    let downs = names.iter().filter(|(_, name)| !name.up);
    let mut downs: BTreeMap<_, _> =
        downs.map(|(path, name)| (name.version.clone(), *path)).collect();
    for (path, name) in names.iter().filter(|(_, name)| name.up) {
        let down = downs.remove(&name.version).and_then(|path| reading.down_body(path));
        if let Some(up) = reading.body(path) {
            let mut migration = reading.migration(&name.version, name.title, path, up);
            migration.down = down;
            reading.migrations.push(migration);
        }
    }
    for path in downs.into_values() {
        report_lone_down(&mut reading, path);
    }
    reading.finish(by_number)
}

struct Name<'path> {
    version: String,
    title: &'path str,
    up: bool,
}

/// `^([0-9]+)_(.*)\.(down|up)\.(.*)$`; other endings than `.sql` are no SQL.
fn parse_name(path: &str) -> Option<Name<'_>> {
    let (version, rest) = versioned_name(path.strip_suffix(".sql")?)?;
    let (title, up) = match rest.strip_suffix(".up") {
        Some(title) => (title, true),
        None => (rest.strip_suffix(".down")?, false),
    };
    Some(Name { version: canonical_integer(version)?, title, up })
}

/// golang-migrate would count such a version; nothing would be run for it.
fn report_lone_down(reading: &mut Reading<'_>, path: &str) {
    reading.place_file(path);
    let what = format!("{} takes back a migration that is not there", reading.tree.display(path));
    let problem = Problem::warning(Code::FileUnplaced, what).at(reading.place(path));
    reading.problems.push(problem.fix("Add the .up.sql file, or remove this one."));
}
