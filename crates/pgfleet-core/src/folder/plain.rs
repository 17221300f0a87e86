//! Plain folders: `.sql` files in natural order, with optional files that take them back.
//!
//! Invariant: the order is by digits' value first (`2.sql` before `10.sql`), then by bytes; the
//! order of `ls -v`.

use std::collections::BTreeMap;

use super::reading::{Reading, base_name, leading_digits};
use super::{FileTree, Format, MigrationSet, SqlBody, TransactionMode};
use crate::diagnose::{Code, Problem};
use crate::history::compare_versions;

/// sqlx's words, and those of the npm package `postgres-migrations`.
const NO_TRANSACTION: [&str; 2] =
    ["-- no-transaction", "-- postgres-migrations disable-transaction"];
/// Versions this long are dates, which have gaps by nature.
const DATE_DIGITS: usize = 8;
/// Gaps beyond this many missing numbers are told as a range.
const LISTED_NUMBERS: u64 = 5;

/// Reads a folder of ordered `.sql` files.
pub fn read(tree: &FileTree) -> MigrationSet {
    let mut reading = Reading::new(tree, Format::Plain);
    let downs = down_files(&reading);
    for path in reading.paths().filter(|path| is_up_file(path)) {
        read_file(&mut reading, path, downs.get(&stem(path)).copied());
    }
    report_gaps(&mut reading);
    reading.finish(|a, b| compare_versions(base_name(&a.file), base_name(&b.file)))
}

fn read_file(reading: &mut Reading<'_>, path: &str, down: Option<&str>) {
    let down = down.and_then(|path| reading.body(path));
    let Some(up) = reading.body(path) else { return };
    let name = stem(path);
    let (version, name) = split_name(&name);
    let mut migration = reading.migration(version, name, path, up);
    if asks_for_none(&migration.up) {
        migration.transaction = TransactionMode::Never;
    }
    migration.down = down;
    migration.checksum = Some(reading.sha256(path));
    reading.migrations.push(migration);
}

/// Whether the comments that a file begins with ask for no transaction.
fn asks_for_none(up: &SqlBody) -> bool {
    let first = up.chunks.first().map(|chunk| chunk.sql.as_str()).unwrap_or_default();
    let mut comments = first.lines().map(str::trim).take_while(|line| line.starts_with("--"));
    comments.any(|line| NO_TRANSACTION.contains(&line))
}

/// The version is the leading number (with a `V` before it, if need be), else the whole name.
fn split_name(stem: &str) -> (String, String) {
    let numbered = stem.strip_prefix(['V', 'v']).filter(|rest| leading_digits(rest).is_some());
    match leading_digits(numbered.unwrap_or(stem)) {
        Some((version, rest)) => {
            let name = rest.trim_start_matches(['_', '-', '.', ' ']);
            (version.to_owned(), name.to_owned())
        }
        None => (stem.to_owned(), stem.to_owned()),
    }
}

fn is_up_file(path: &str) -> bool {
    !path.contains('/') && lower(path).ends_with(".sql") && down_stem(path).is_none()
}

/// The file that takes a migration back, by the stem of the migration.
fn down_files<'tree>(reading: &Reading<'tree>) -> BTreeMap<String, &'tree str> {
    reading.paths().filter_map(|path| Some((down_stem(path)?, path))).collect()
}

/// `NAME` of `NAME.down.sql`, `NAME.rollback.sql` and `down/NAME.sql`.
fn down_stem(path: &str) -> Option<String> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = stem(name);
    if !lower(name).ends_with(".sql") {
        return None;
    }
    match folder {
        "" => [".down", ".rollback"].iter().find_map(|ending| {
            lower(name)
                .strip_suffix(".sql")?
                .ends_with(ending)
                .then(|| stem[..stem.len() - ending.len()].to_owned())
        }),
        "down" | "rollback" => Some(stem),
        _ => None,
    }
}

/// The name without folder, `.sql` and `.up`.
fn stem(path: &str) -> String {
    let name = base_name(path);
    let name = strip_ending(name, ".sql");
    strip_ending(name, ".up").to_owned()
}

fn strip_ending<'a>(name: &'a str, ending: &str) -> &'a str {
    if lower(name).ends_with(ending) { &name[..name.len() - ending.len()] } else { name }
}

/// ASCII only, so that byte offsets stay the same.
fn lower(text: &str) -> String {
    text.to_ascii_lowercase()
}

fn report_gaps(reading: &mut Reading<'_>) {
    let versions = reading.migrations.iter().map(|migration| migration.version.as_str());
    let Some(mut numbers) = small_numbers(versions) else { return };
    numbers.sort_unstable();
    let step = [100, 10].into_iter().find(|step| numbers.iter().all(|n| n % step == 0));
    let step = step.unwrap_or(1);
    for pair in numbers.windows(2).filter(|pair| pair[1] - pair[0] > step) {
        reading.problems.push(gap(pair[0], pair[1], step));
    }
}

/// The versions as numbers, when all of them are and none is a date.
fn small_numbers<'a>(versions: impl Iterator<Item = &'a str>) -> Option<Vec<u64>> {
    versions
        .map(|version| if version.len() < DATE_DIGITS { version.parse().ok() } else { None })
        .collect()
}

fn gap(before: u64, after: u64, step: u64) -> Problem {
    let missing = (after - before) / step - 1;
    let (first, last) = (before + step, after - step);
    let what = if missing <= 1 {
        format!("version {first} is missing between {before} and {after}")
    } else if missing <= LISTED_NUMBERS {
        let all: Vec<_> = (1..=missing).map(|n| (before + n * step).to_string()).collect();
        format!("versions {} are missing", all.join(", "))
    } else {
        format!("versions {first} to {last} are missing")
    };
    Problem::warning(Code::VersionGap, what)
        .because("A file may have been forgotten, or renumbered.")
        .fix("Check that nobody still has the file; a gap alone stops nothing.")
}
