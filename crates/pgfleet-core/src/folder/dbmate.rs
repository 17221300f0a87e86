//! dbmate folders: `<version>name.sql` with `-- migrate:up` and `-- migrate:down` sections.
//!
//! Invariant: files are applied in the order of their names, and what dbmate refuses is an error
//! here. Source: `pkg/dbmate/migration.go` and `db.go` of amacneil/dbmate.

use super::reading::{Reading, has_statement, leading_digits, section};
use super::{Chunk, FileTree, Format, Migration, MigrationSet, SqlBody, TransactionMode};
use crate::diagnose::{Code, Problem};
use crate::place::Place;

/// Reads a dbmate migrations folder.
pub fn read(tree: &FileTree) -> MigrationSet {
    let mut reading = Reading::new(tree, Format::Dbmate);
    for path in reading.paths() {
        if let Some((version, name)) = parse_name(path) {
            read_file(&mut reading, path, version, name);
        }
    }
    reading.finish(|a, b| a.file.cmp(&b.file))
}

/// `^(\d+).*\.sql$`.
fn parse_name(path: &str) -> Option<(&str, &str)> {
    let stem = path.strip_suffix(".sql").filter(|_| !path.contains('/'))?;
    let (version, rest) = leading_digits(stem)?;
    Some((version, rest.strip_prefix('_').unwrap_or(rest)))
}

fn read_file(reading: &mut Reading<'_>, path: &str, version: &str, name: &str) {
    let Some(text) = reading.text(path) else { return };
    match sections(&text) {
        Ok(found) => {
            let migration = assemble(reading, path, &text, &found);
            if !migration.up.chunks.iter().any(|chunk| has_statement(&chunk.sql)) {
                reading.report_empty(path);
            }
            let (version, name) = (version.to_owned(), name.to_owned());
            reading.migrations.push(Migration { version, name, ..migration });
        }
        Err((line, why)) => report_refused(reading, path, line, why),
    }
}

fn assemble(reading: &Reading<'_>, path: &str, text: &str, found: &[Section]) -> Migration {
    let display = reading.tree.display(path);
    let chunks = |way: Way| -> Vec<Chunk> {
        let wanted = found.iter().filter(|section| section.way == way);
        wanted.map(|part| section(&display, text, part.start, part.end)).collect()
    };
    let mut migration = reading.migration("", "", path, SqlBody { chunks: chunks(Way::Up) });
    let downs: Vec<Chunk> = chunks(Way::Down).into_iter().rev().collect();
    migration.down =
        downs.iter().any(|chunk| has_statement(&chunk.sql)).then_some(SqlBody { chunks: downs });
    if found.iter().any(|section| section.way == Way::Up && section.without_transaction) {
        migration.transaction = TransactionMode::Never;
    }
    migration
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Up,
    Down,
}

/// One section: from the line of its directive to the next directive.
struct Section {
    way: Way,
    start: usize,
    end: usize,
    without_transaction: bool,
}

/// The sections of a file, or the line (0: the file) and the reason why dbmate refuses it.
fn sections(text: &str) -> Result<Vec<Section>, (u32, &'static str)> {
    let mut found: Vec<Section> = Vec::new();
    let mut offset = 0;
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        if let Some((way, options)) = directive(line) {
            open_section(&mut found, way, number)?;
            if let Some(last) = found.last_mut() {
                last.end = offset;
            }
            let without_transaction = last_transaction_option(options) == Some("false");
            found.push(Section { way, start: offset, end: text.len(), without_transaction });
        } else if found.is_empty() && !is_blank_or_comment(line) {
            return Err((number, "a statement stands before the section '-- migrate:up'"));
        }
        offset += line.len();
    }
    match found.last().map(|section| section.way) {
        None => Err((0, "it has no section '-- migrate:up'")),
        Some(Way::Up) => Err((0, "it has no section '-- migrate:down'")),
        Some(Way::Down) => Ok(found),
    }
}

fn open_section(found: &mut [Section], way: Way, line: u32) -> Result<(), (u32, &'static str)> {
    match (found.last().map(|section| section.way), way) {
        (None, Way::Down) => Err((line, "'-- migrate:down' stands before '-- migrate:up'")),
        (Some(Way::Up), Way::Up) => {
            Err((line, "the section '-- migrate:up' before this one has no '-- migrate:down'"))
        }
        (Some(Way::Down), Way::Down) => Err((line, "there is a second section '-- migrate:down'")),
        _ => Ok(()),
    }
}

/// `^--\s*migrate:(up|down)(\s*$|\s+\S+)`: the direction and the options behind it.
fn directive(line: &str) -> Option<(Way, &str)> {
    let rest = line.strip_prefix("--")?.trim_start().strip_prefix("migrate:")?;
    let (way, rest) = match rest.strip_prefix("up") {
        Some(rest) => (Way::Up, rest),
        None => (Way::Down, rest.strip_prefix("down")?),
    };
    (rest.is_empty() || rest.starts_with(char::is_whitespace)).then_some((way, rest))
}

/// The value of the last `transaction:value`.
fn last_transaction_option(options: &str) -> Option<&str> {
    let mut pairs = options.split_whitespace().filter_map(|pair| pair.split_once(':'));
    pairs.rfind(|(key, value)| *key == "transaction" && !value.contains(':')).map(|pair| pair.1)
}

fn is_blank_or_comment(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with("--")
}

fn report_refused(reading: &mut Reading<'_>, path: &str, line: u32, why: &str) {
    let shown = reading.tree.display(path);
    reading.problems.push(
        Problem::error(Code::FileUnplaced, format!("{shown} is not a dbmate migration: {why}"))
            .at(Place::at(&shown, line, 0))
            .because("dbmate refuses such a file.")
            .fix(
                "Write '-- migrate:up', the statements, then '-- migrate:down' (it may be empty).",
            ),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_dbmate_refuses_is_refused_with_its_line() {
        for (text, line) in [
            ("select 1;", 1),
            ("-- migrate:down\n-- migrate:up\n", 1),
            ("-- migrate:up\nselect 1;", 0),
            ("-- migrate:up\n-- migrate:down\n-- migrate:down\n", 3),
            ("-- migrate:upwards\n", 0),
        ] {
            assert_eq!(sections(text).err().map(|error| error.0), Some(line), "{text}");
        }
        assert_eq!(
            sections("-- x\n\n--migrate:up\n-- migrate:down").map(|s| s.len()).ok(),
            Some(2)
        );
    }

    #[test]
    fn options_are_read_from_the_directive() {
        assert_eq!(last_transaction_option(" transaction:false"), Some("false"));
        assert_eq!(last_transaction_option(" a:b transaction:true"), Some("true"));
        assert_eq!(last_transaction_option(" transaction"), None);
    }
}
