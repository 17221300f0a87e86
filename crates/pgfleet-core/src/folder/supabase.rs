//! Supabase folders: `supabase/migrations/<timestamp>_name.sql`.
//!
//! Invariant: files are applied in the order of their names, and those that the Supabase CLI skips
//! are reported. Source: `pkg/migration/list.go` of supabase/cli.

use super::reading::{Reading, versioned_name};
use super::{FileTree, Format, MigrationSet};
use crate::diagnose::{Code, Problem};

/// The first file is skipped when it is named so and is older than this.
const OLD_INIT_BEFORE: u64 = 20_211_209_000_000;

/// Reads a Supabase migrations folder.
pub fn read(tree: &FileTree) -> MigrationSet {
    let mut reading = Reading::new(tree, Format::Supabase);
    let first = reading.paths().find(|path| !path.contains('/'));
    for path in reading.paths().filter(|path| !path.contains('/')) {
        if first == Some(path) && is_old_init(path) {
            report_old_init(&mut reading, path);
        } else if let Some((version, name)) = parse_name(path)
            && let Some(up) = reading.body(path)
        {
            let migration = reading.migration(version, name, path, up);
            reading.migrations.push(migration);
        }
    }
    reading.finish(|a, b| a.file.cmp(&b.file))
}

/// `^([0-9]+)_(.*)\.sql$`.
fn parse_name(path: &str) -> Option<(&str, &str)> {
    versioned_name(path.strip_suffix(".sql")?)
}

fn is_old_init(path: &str) -> bool {
    let version = path.strip_suffix("_init.sql").filter(|version| version.len() == 14);
    version.and_then(|digits| digits.parse::<u64>().ok()).is_some_and(|at| at < OLD_INIT_BEFORE)
}

fn report_old_init(reading: &mut Reading<'_>, path: &str) {
    reading.place_file(path);
    let what = format!("{} is not run", reading.tree.display(path));
    reading.problems.push(
        Problem::warning(Code::FileUnplaced, what)
            .at(reading.place(path))
            .because(
                "The Supabase CLI skips a first file of this name, which its early versions wrote.",
            )
            .fix("Replace \"init\" in its name with another word to have it run."),
    );
}
