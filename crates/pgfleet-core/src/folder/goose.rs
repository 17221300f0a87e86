//! goose folders: `<version>_name.sql` with `-- +goose Up` and `-- +goose Down` sections.
//!
//! Invariant: versions are positive integers in numeric order; what goose refuses is an error here.
//! Source: `internal/sqlparser/parser.go`, `provider_collect.go` and `migration.go` of
//! pressly/goose. Statements are cut by PostgreSQL's rules, so that `StatementBegin` and
//! `StatementEnd` need not be there.

use super::reading::{
    Reading, base_name, by_number, canonical_integer, has_statement, section, versioned_name,
};
use super::{Chunk, FileTree, Format, MigrationSet, SqlBody, TransactionMode};
use crate::diagnose::{Code, Problem};
use crate::place::Place;

/// Reads a goose folder.
pub fn read(tree: &FileTree) -> MigrationSet {
    let mut reading = Reading::new(tree, Format::Goose);
    for path in reading.paths().filter(|path| !path.contains('/')) {
        match parse_name(path) {
            Some((version, name)) if path.ends_with(".go") => {
                read_code(&mut reading, path, &version, name);
            }
            Some((version, name)) => read_file(&mut reading, path, &version, name),
            None if path.ends_with(".go") => reading.place_file(path),
            None => {}
        }
    }
    reading.finish(by_number)
}

fn parse_name(path: &str) -> Option<(String, &str)> {
    let stem = match path.strip_suffix(".sql") {
        Some(stem) => stem,
        None => path.strip_suffix(".go").filter(|stem| !stem.ends_with("_test"))?,
    };
    let (version, name) = versioned_name(base_name(stem))?;
    let version = canonical_integer(version).filter(|version| version != "0")?;
    Some((version, name))
}

/// Go code is run by the team's own program: it stays in the order, marked.
fn read_code(reading: &mut Reading<'_>, path: &str, version: &str, name: &str) {
    let Some(text) = reading.text(path) else { return };
    let registers =
        |line: &str| line.contains("AddMigration") || line.contains("AddNamedMigration");
    let line = (1..).zip(text.lines()).find(|(_, line)| registers(line)).map_or(1, |(at, _)| at);
    let place = Place::at(reading.tree.display(path), line, 0);
    let what = format!("{} is Go code, which pgfleet cannot run", reading.tree.display(path));
    reading.problems.push(
        Problem::warning(Code::CodeOpaque, what)
            .at(place.clone())
            .fix("Run this migration with the team's own goose program, then apply the rest.")
            .fix("Or write it as SQL."),
    );
    let mut migration = reading.migration(version, name, path, SqlBody::default());
    migration.opaque = Some(place);
    reading.migrations.push(migration);
}

fn read_file(reading: &mut Reading<'_>, path: &str, version: &str, name: &str) {
    let Some(text) = reading.text(path) else { return };
    let display = reading.tree.display(path);
    let parsed = match parse(&text) {
        Ok(parsed) => parsed,
        Err((line, why)) if why == ENVSUB => {
            return mark_envsub(reading, path, (version, name), line);
        }
        Err((line, why)) => return report_refused(reading, &display, line, &why),
    };
    let body =
        |range: &std::ops::Range<usize>| vec![section(&display, &text, range.start, range.end)];
    let up: Vec<Chunk> = body(&parsed.up);
    if !has_statement(&text[parsed.up.clone()]) {
        reading.report_empty(path);
    }
    let mut migration = reading.migration(version, name, path, SqlBody { chunks: up });
    migration.down = parsed
        .down
        .filter(|range| has_statement(&text[range.clone()]))
        .map(|range| SqlBody { chunks: body(&range) });
    if parsed.without_transaction {
        migration.transaction = TransactionMode::Never;
    }
    reading.migrations.push(migration);
}

/// The byte ranges of a file's sections.
#[derive(Debug, Default)]
struct Parsed {
    up: std::ops::Range<usize>,
    down: Option<std::ops::Range<usize>>,
    without_transaction: bool,
}

/// Why goose refuses a file, and the line (0: the file).
type Refusal = (u32, String);

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Up,
    Down,
}

fn parse(text: &str) -> Result<Parsed, Refusal> {
    let (mut parsed, mut state, mut offset) = (Parsed::default(), State::Start, 0);
    let mut open_statement = None;
    for (number, line) in (1u32..).zip(text.split_inclusive('\n')) {
        let next = offset + line.len();
        let refuse = |why: &str| Err((number, why.to_owned()));
        match annotation(line).map(str::to_ascii_lowercase).as_deref() {
            Some("up") if state == State::Start => {
                (state, parsed.up) = (State::Up, next..text.len());
            }
            Some("up") => return refuse("there is a second '-- +goose Up'"),
            Some("down") if state == State::Up => {
                (state, parsed.up.end) = (State::Down, offset);
                parsed.down = Some(next..text.len());
            }
            Some("down") => return refuse("'-- +goose Down' must follow '-- +goose Up'"),
            Some("no transaction") => parsed.without_transaction = true,
            Some("statementbegin") if state == State::Start || open_statement.is_some() => {
                return refuse("'-- +goose StatementBegin' is out of place");
            }
            Some("statementbegin") => open_statement = Some(number),
            Some("statementend") if open_statement.take().is_none() => {
                return refuse("'-- +goose StatementEnd' has no StatementBegin before it");
            }
            Some("statementend" | "envsub off") => {}
            Some("envsub on") => return refuse(ENVSUB),
            Some(_) => return refuse("the annotation is not known"),
            None if state == State::Start && !is_blank_or_comment(line) => {
                return refuse("a statement stands before '-- +goose Up'");
            }
            None => {}
        }
        offset = next;
    }
    match (state, open_statement) {
        (State::Start, _) => Err((0, "it has no '-- +goose Up'".to_owned())),
        (_, Some(line)) => Err((line, "this StatementBegin has no StatementEnd".to_owned())),
        _ => Ok(parsed),
    }
}

const ENVSUB: &str = "ENVSUB puts environment variables into the SQL, which would make its effect \
                      depend on the machine it runs on";

/// The words behind `-- +goose`.
fn annotation(line: &str) -> Option<&str> {
    let comment = line.trim().strip_prefix("--")?;
    let (_, words) = comment.split_once("+goose")?;
    Some(words.trim())
}

fn is_blank_or_comment(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with("--")
}

/// What such a file runs is not in it, so it stays in the order, marked.
fn mark_envsub(reading: &mut Reading<'_>, path: &str, label: (&str, &str), line: u32) {
    let place = Place::at(reading.tree.display(path), line, 0);
    let what = format!("{} cannot be run as it is: {ENVSUB}", reading.tree.display(path));
    let problem = Problem::warning(Code::CodeOpaque, what).at(place.clone());
    reading
        .problems
        .push(problem.fix("Write the values into the file, and remove the annotation."));
    let mut migration = reading.migration(label.0, label.1, path, SqlBody::default());
    migration.opaque = Some(place);
    reading.migrations.push(migration);
}

fn report_refused(reading: &mut Reading<'_>, display: &str, line: u32, why: &str) {
    let what = format!("{display} is not a goose migration: {why}");
    reading.problems.push(
        Problem::error(Code::FileUnplaced, what)
            .at(Place::at(display, line, 0))
            .because("goose refuses such a file.")
            .fix("Write '-- +goose Up', the statements, then '-- +goose Down'."),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goose_refuses_is_refused_with_its_line() {
        for (text, line) in [
            ("select 1;", 1),
            ("", 0),
            ("-- +goose Down", 1),
            ("-- +goose Up\n-- +goose Up", 2),
            ("-- +goose Up\n-- +goose StatementBegin\nx", 2),
            ("-- +goose Up\n-- +goose StatementEnd\nx", 2),
            ("-- +goose Up\n-- +goose Sideways", 2),
            ("-- +goose Up\n-- +goose ENVSUB ON", 2),
        ] {
            assert_eq!(parse(text).err().map(|refusal| refusal.0), Some(line), "{text}");
        }
    }

    #[test]
    fn sections_are_ranges_of_the_file() {
        let text = "-- +goose NO TRANSACTION\n-- +goose Up\na;\n-- +goose down\nb;\n";
        let parsed = parse(text).unwrap();
        assert_eq!(&text[parsed.up], "a;\n");
        assert_eq!(&text[parsed.down.unwrap()], "b;\n");
        assert!(parsed.without_transaction);
    }
}
