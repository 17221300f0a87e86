//! drizzle-kit folders: `meta/_journal.json` and the files it lists, or the newer layout
//! `<timestamp>_name/migration.sql`.
//!
//! Invariant: the identity is the journal's `when` (milliseconds; in the newer layout, the time in
//! the directory's name), and the hash is the SHA-256 of the file. Source: `migrator.js` of the npm
//! package drizzle-orm.

use serde::Deserialize;

use super::reading::{Reading, by_number, has_statement, section};
use super::{Chunk, FileTree, Format, MigrationSet, SqlBody};
use crate::diagnose::{Code, Problem};
use crate::place::Place;

const JOURNAL: &str = "meta/_journal.json";
const BREAKPOINT: &str = "--> statement-breakpoint";

#[derive(Deserialize)]
struct Journal {
    #[serde(default)]
    dialect: Option<String>,
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    when: i64,
    tag: String,
}

/// Reads a folder of drizzle-kit.
pub fn read(tree: &FileTree) -> MigrationSet {
    let mut reading = Reading::new(tree, Format::Drizzle);
    if tree.files.contains_key(JOURNAL) {
        read_journal(&mut reading);
    } else {
        read_directories(&mut reading);
    }
    for path in
        reading.paths().filter(|path| path.starts_with("meta/") || path.ends_with("/snapshot.json"))
    {
        reading.place_file(path);
    }
    reading.finish(by_number)
}

fn read_journal(reading: &mut Reading<'_>) {
    let Some(text) = reading.text(JOURNAL) else { return };
    let journal: Journal = match serde_json::from_str(&text) {
        Ok(journal) => journal,
        Err(error) => return report_bad_journal(reading, &error),
    };
    if let Some(dialect) = journal.dialect.filter(|name| name != "postgresql" && name != "pg") {
        let what = format!("the migrations were written for {dialect}, not for PostgreSQL");
        let problem = Problem::error(Code::FormatUnclear, what).at(reading.place(JOURNAL));
        reading
            .problems
            .push(problem.fix("Name the folder of the PostgreSQL migrations with --dir."));
    }
    for entry in &journal.entries {
        let path = format!("{}.sql", entry.tag);
        if reading.tree.files.contains_key(&path) {
            read_file(reading, &path, &entry.when.to_string(), &entry.tag);
        } else if !reading.tree.unreadable.contains_key(&path) {
            report_missing(reading, &path);
        }
    }
}

fn report_bad_journal(reading: &mut Reading<'_>, error: &serde_json::Error) {
    let shown = reading.tree.display(JOURNAL);
    let place = Place::at(&shown, line_of(error.line()), line_of(error.column()));
    let problem =
        Problem::error(Code::FileUnreadable, format!("{shown} is not a journal: {error}"));
    let problem = problem.at(place);
    reading.problems.push(problem.fix("Restore the file from version control."));
}

fn line_of(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn report_missing(reading: &mut Reading<'_>, path: &str) {
    let shown = reading.tree.display(path);
    reading.problems.push(
        Problem::error(Code::FileUnreadable, format!("{shown} does not exist"))
            .at(reading.place(JOURNAL))
            .because("The journal lists it.")
            .fix("Restore the file from version control, or remove its entry from the journal."),
    );
}

fn read_directories(reading: &mut Reading<'_>) {
    for directory in reading.tree.directories.iter().filter(|path| !path.contains('/')) {
        let path = format!("{directory}/migration.sql");
        if !reading.tree.files.contains_key(&path) {
            continue;
        }
        match milliseconds(directory) {
            Some(when) => read_file(reading, &path, &when.to_string(), directory),
            None => report_no_time(reading, directory),
        }
    }
}

fn report_no_time(reading: &mut Reading<'_>, directory: &str) {
    let shown = reading.tree.display(directory);
    let problem = Problem::error(Code::FileUnplaced, format!("{shown} does not begin with a time"));
    let problem = problem.at(reading.place(directory));
    reading.problems.push(problem.fix("Name it YYYYMMDDHHMMSS_name, as drizzle-kit does."));
}

fn read_file(reading: &mut Reading<'_>, path: &str, version: &str, name: &str) {
    let Some(text) = reading.text(path) else { return };
    if !has_statement(&text.replace(BREAKPOINT, "")) {
        reading.report_empty(path);
    }
    let chunks = split_breakpoints(&reading.tree.display(path), &text);
    let mut migration = reading.migration(version, name, path, SqlBody { chunks });
    migration.checksum = Some(reading.sha256(path));
    reading.migrations.push(migration);
}

/// The parts between the markers, which drizzle-orm sends one by one.
fn split_breakpoints(display: &str, text: &str) -> Vec<Chunk> {
    let mut start = 0;
    let mut ranges = Vec::new();
    for (at, marker) in text.match_indices(BREAKPOINT) {
        ranges.push(start..at);
        start = at + marker.len();
    }
    ranges.push(start..text.len());
    let filled = ranges.into_iter().filter(|range| has_statement(&text[range.clone()]));
    filled.map(|range| section(display, text, range.start, range.end)).collect()
}

/// Milliseconds since 1970 of the `YYYYMMDDHHMMSS` (UTC) at the beginning of a name.
fn milliseconds(name: &str) -> Option<i64> {
    let digits = name.get(..14).filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    let part = |range: std::ops::Range<usize>| digits.get(range)?.parse::<i64>().ok();
    let (year, month, day) = (part(0..4)?, part(4..6)?, part(6..8)?);
    let (hour, minute, second) = (part(8..10)?, part(10..12)?, part(12..14)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    Some(seconds * 1000)
}

/// Days of the Gregorian calendar, counted in years that begin in March so that the leap day is the
/// last of its year.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = if month <= 2 { month + 9 } else { month - 3 };
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year
        - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_directories_are_times() {
        assert_eq!(milliseconds("19700101000000_a"), Some(0));
        // date -u -d '2024-02-29 12:34:56' +%s
        assert_eq!(milliseconds("20240229123456_a"), Some(1_709_210_096_000));
        assert_eq!(milliseconds("20241329123456_a"), None);
        assert_eq!(milliseconds("2024"), None);
    }
}
