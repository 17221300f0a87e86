//! Which format a folder is in, by its content and names.
//!
//! Invariant: a guess between formats with different history tables is never made in silence; where
//! names do not decide, the history table that exists in the target does.

use super::hint::hints;
use super::reading::{base_name, leading_digits};
use super::{FileTree, Format};
use crate::diagnose::{Code, Problem};
use crate::place::Place;

/// The folder's format.
///
/// # Errors
/// `FormatUnclear` when files fit several formats equally well, or none.
pub fn detect(tree: &FileTree) -> Result<Format, Box<Problem>> {
    let guess = guess(tree);
    match guess.candidates.first() {
        Some(format) if guess.certain => Ok(*format),
        _ => Err(Box::new(unclear(tree, &guess.candidates))),
    }
}

/// The formats that the files fit, the likeliest first. When there are several, the one whose
/// history table exists in the target is the right one.
pub fn detect_candidates(tree: &FileTree) -> Vec<Format> {
    guess(tree).candidates
}

/// What the files say.
struct Guess {
    candidates: Vec<Format>,
    /// The first candidate may be taken without asking.
    certain: bool,
}

impl Guess {
    fn certain(candidates: &[Format]) -> Self {
        Self { candidates: candidates.to_vec(), certain: true }
    }

    fn open(candidates: &[Format]) -> Self {
        Self { candidates: candidates.to_vec(), certain: false }
    }
}

fn guess(tree: &FileTree) -> Guess {
    let rules = [by_layout, by_annotation, by_flyway_names, by_pairs, by_code, by_numbers];
    let mut guess = rules.iter().find_map(|rule| rule(tree)).unwrap_or_else(|| Guess::open(&[]));
    let hints = hints(tree);
    if let Some(hint) = hints.first().filter(|_| tree.files.is_empty()) {
        return Guess::certain(&[hint.format]);
    }
    let hinted = hints.into_iter();
    let hinted = hinted.filter_map(|hint| guess.candidates.iter().position(|f| *f == hint.format));
    if let Some(at) = hinted.into_iter().next() {
        guess.candidates[..=at].rotate_right(1);
        guess.certain = true;
    }
    guess
}

/// Directories and marker files that only one tool has.
fn by_layout(tree: &FileTree) -> Option<Guess> {
    let ends = |ending: &str| {
        tree.files.keys().any(|path| path.matches('/').count() == 1 && path.ends_with(ending))
    };
    let format = if tree.files.contains_key("meta/_journal.json") || ends("/snapshot.json") {
        Format::Drizzle
    } else if tree.files.contains_key("migration_lock.toml") || ends("/migration.sql") {
        Format::Prisma
    } else if ends("/up.sql") {
        Format::Diesel
    } else if is_supabase_root(&tree.root) {
        Format::Supabase
    } else {
        return None;
    };
    Some(Guess::certain(&[format]))
}

fn is_supabase_root(root: &str) -> bool {
    let mut parts = root.trim_end_matches('/').rsplit('/');
    parts.next() == Some("migrations") && parts.next() == Some("supabase")
}

/// Comments that only one tool understands.
fn by_annotation(tree: &FileTree) -> Option<Guess> {
    if any_line(tree, ".sql", is_goose_annotation)
        || any_line(tree, ".go", |line| line.contains("pressly/goose"))
    {
        Some(Guess::certain(&[Format::Goose]))
    } else if any_line(tree, ".sql", |line| directive(line).starts_with("migrate:up")) {
        Some(Guess::certain(&[Format::Dbmate]))
    } else {
        None
    }
}

fn is_goose_annotation(line: &str) -> bool {
    directive(line).starts_with("+goose")
}

fn directive(line: &str) -> &str {
    line.strip_prefix("--").map_or("", str::trim_start)
}

/// `V1__name.sql`. Both tools share the name, Flyway's is the one most folders belong to.
fn by_flyway_names(tree: &FileTree) -> Option<Guess> {
    let names = || tree.files.keys().map(|path| base_name(path));
    let versioned = |name: &str, prefixes: &[char]| {
        name.strip_prefix(prefixes)
            .and_then(leading_digits)
            .is_some_and(|(_, rest)| rest.contains("__"))
    };
    let rust = names().any(|name| name.ends_with(".rs") && versioned(name, &['V', 'U']));
    let sql = || names().filter(|name| name.ends_with(".sql"));
    let flyway_only = sql().any(|name| versioned(name, &['B']) || name.starts_with("R__"));
    if rust {
        Some(Guess::certain(&[Format::Refinery]))
    } else if flyway_only || names().any(|name| name.ends_with(".sql.conf")) {
        Some(Guess::certain(&[Format::Flyway]))
    } else if !sql().any(|name| versioned(name, &['V'])) {
        None
    } else if sql().filter_map(undone).any(|rest| sql().any(|name| is_undone_by(name, rest))) {
        Some(Guess::certain(&[Format::Flyway]))
    } else if sql().filter(|name| versioned(name, &['V', 'U'])).count() * 2 > sql().count() {
        Some(Guess::certain(&[Format::Flyway, Format::Refinery]))
    } else {
        None
    }
}

/// The version of an undo migration, with the `__` behind it.
fn undone(name: &str) -> Option<&str> {
    let rest = name.strip_prefix('U').filter(|rest| leading_digits(rest).is_some())?;
    Some(&rest[..rest.find("__")? + 2])
}

/// `U1__name.sql` takes `V1__name.sql` back in Flyway; refinery's `U` has versions of its own.
fn is_undone_by(name: &str, version: &str) -> bool {
    name.strip_prefix('V').is_some_and(|rest| rest.starts_with(version))
}

/// `.up.sql` and `.down.sql`: sqlx and golang-migrate name them alike.
fn by_pairs(tree: &FileTree) -> Option<Guess> {
    let mut ups = tree.files.keys().filter(|path| path.ends_with(".up.sql"));
    if !ups.any(|path| super::reading::versioned_name(base_name(path)).is_some()) {
        return None;
    }
    let sqlx_hint = any_line(tree, ".sql", is_sqlx_line);
    Some(if sqlx_hint {
        Guess::certain(&[Format::Sqlx, Format::GolangMigrate])
    } else {
        Guess::open(&[Format::GolangMigrate, Format::Sqlx])
    })
}

/// The comments that sqlx-cli reads, and those that it writes into new files.
fn is_sqlx_line(line: &str) -> bool {
    let templates = [
        "-- Add migration script here",
        "-- Add up migration script here",
        "-- Add down migration script here",
    ];
    line.starts_with("-- no-transaction") || templates.contains(&line.trim_end())
}

fn by_code(tree: &FileTree) -> Option<Guess> {
    let code = tree.files.keys().any(|path| {
        [".ts", ".js", ".mjs", ".cjs", ".mts", ".cts"].iter().any(|ending| path.ends_with(ending))
    });
    (code
        && any_line(tree, "s", |line| {
            line.contains("MigrationInterface") || line.contains("queryRunner")
        }))
    .then(|| Guess::certain(&[Format::Typeorm]))
}

/// Numbered files: ordered SQL, whoever runs it.
fn by_numbers(tree: &FileTree) -> Option<Guess> {
    let sql = || {
        tree.files
            .keys()
            .filter(|path| !path.contains('/') && path.to_ascii_lowercase().ends_with(".sql"))
    };
    sql().next()?;
    let numbered = sql().all(|path| super::reading::versioned_name(path).is_some());
    Some(if numbered && any_line(tree, ".sql", is_sqlx_line) {
        Guess::certain(&[Format::Sqlx, Format::Plain])
    } else if numbered {
        Guess::certain(&[Format::Plain, Format::Sqlx, Format::Supabase])
    } else {
        Guess::certain(&[Format::Plain])
    })
}

/// Whether a line of a file with this ending satisfies the test. Bytes that are not UTF-8 do not
/// matter here.
fn any_line(tree: &FileTree, ending: &str, test: impl Fn(&str) -> bool) -> bool {
    let files = tree.files.iter().filter(|(path, _)| path.ends_with(ending));
    files.into_iter().any(|(_, bytes)| {
        bytes.split(|byte| *byte == b'\n').any(|line| std::str::from_utf8(line).is_ok_and(&test))
    })
}

fn unclear(tree: &FileTree, candidates: &[Format]) -> Problem {
    let folder = if tree.root.is_empty() { "." } else { &tree.root };
    if tree.files.is_empty() {
        let what = format!("{folder} holds no migrations");
        return Problem::error(Code::FolderEmpty, what)
            .at(Place::file(folder))
            .fix("Name the right folder with --dir.");
    }
    let problem =
        Problem::error(Code::FormatUnclear, format!("the format of {folder} could not be told"))
            .at(Place::file(folder));
    if candidates.is_empty() {
        let names: Vec<_> = Format::ALL.into_iter().map(Format::name).collect();
        return problem
            .because("None of its files looks like a migration.")
            .fix(format!("Name the format with --format: {}.", names.join(", ")));
    }
    let names: Vec<_> = candidates.iter().map(|format| format.name()).collect();
    let problem =
        problem.because(format!("Its files are named as those of {}.", names.join(" and ")));
    candidates.iter().fold(problem, |problem, format| {
        problem.fix_with(format!("If {format} runs it:"), format!("--format {format}"))
    })
}
