//! Runs the corpus: every `corpus/split/NAME.sql` against `NAME.pieces`, every
//! `corpus/classify/NAME.sql` against `NAME.facts`. A script without its expectation fails, as does
//! an expectation without its script. `UPDATE_CORPUS=1` writes the expectations anew.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use pgfleet_sql::{Facts, PieceKind, Rerun, classify, split};

fn corpus(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus").join(folder)
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|found| found == extension));
    files.sort();
    files
}

fn check(folder: &str, extension: &str, describe: impl Fn(&str) -> String) {
    let folder = corpus(folder);
    let scripts = files(&folder, "sql");
    assert!(!scripts.is_empty(), "{} is empty", folder.display());
    for expectation in files(&folder, extension) {
        let script = expectation.with_extension("sql");
        assert!(script.exists(), "{} has no script", expectation.display());
    }
    for script in scripts {
        let found = describe(&fs::read_to_string(&script).unwrap());
        let place = script.with_extension(extension);
        if std::env::var_os("UPDATE_CORPUS").is_some() {
            fs::write(&place, &found).unwrap();
        }
        let expected = fs::read_to_string(&place)
            .unwrap_or_else(|e| panic!("{} has no expectation: {e}", script.display()));
        assert_eq!(found, expected, "{}", script.display());
    }
}

#[test]
fn scripts_are_split_as_expected() {
    check("split", "pieces", |text| {
        let pieces = split(text).into_iter();
        let joined: String = pieces.clone().map(|piece| &text[piece.range]).collect();
        assert_eq!(joined, text);
        let shown = pieces.filter(|piece| piece.kind != PieceKind::Trivia);
        shown.fold(String::new(), |mut lines, piece| {
            writeln!(lines, "{:?}: {:?}", piece.kind, &text[piece.range]).unwrap();
            lines
        })
    });
}

#[test]
fn statements_are_classified_as_expected() {
    check("classify", "facts", |text| {
        let statements = split(text).into_iter().filter(|piece| piece.kind == PieceKind::Statement);
        statements.map(|piece| describe(&text[piece.range])).collect()
    });
}

/// The statement on one line, then what is not the default.
fn describe(statement: &str) -> String {
    let facts = classify(statement);
    let mut lines = format!("{}\n", statement.split_whitespace().collect::<Vec<_>>().join(" "));
    writeln!(lines, "  {} ({:?}, {:?})", facts.label, facts.kind, facts.transaction).unwrap();
    for lock in &facts.locks {
        let relation = lock.relation.as_ref().map_or("?".to_owned(), ToString::to_string);
        writeln!(lines, "  lock {:?} {relation}", lock.mode).unwrap();
    }
    describe_objects(&facts, &mut lines);
    describe_effects(&facts, &mut lines);
    lines
}

fn describe_objects(facts: &Facts, lines: &mut String) {
    let groups = [
        ("creates", &facts.creates),
        ("drops", &facts.drops),
        ("alters", &facts.alters),
        ("uses", &facts.uses),
    ];
    for (verb, objects) in groups {
        for object in objects {
            let on = object.on.as_ref().map_or(String::new(), |on| format!(" on {on}"));
            writeln!(lines, "  {verb} {:?} {}{on}", object.kind, object.name).unwrap();
        }
    }
    for column in &facts.columns {
        let null = if column.not_null { " not null" } else { "" };
        writeln!(lines, "  column {} {}{null}", column.name, column.type_text).unwrap();
    }
}

fn describe_effects(facts: &Facts, lines: &mut String) {
    let flags = [
        ("scans", facts.scans),
        ("if not exists", facts.if_not_exists),
        ("if exists", facts.if_exists),
        ("or replace", facts.or_replace),
        ("sets session", facts.sets_session),
        ("sets search_path", facts.sets_search_path),
        ("opaque", facts.opaque),
    ];
    for (flag, _) in flags.into_iter().filter(|(_, on)| *on) {
        writeln!(lines, "  {flag}").unwrap();
    }
    if let Some(reason) = &facts.rewrites {
        writeln!(lines, "  rewrites: {reason}").unwrap();
    }
    if let Some(loss) = &facts.data_loss {
        writeln!(lines, "  loses ({:?}): {}", loss.severity, loss.what).unwrap();
    }
    if let Some((name, value)) = &facts.added_enum_value {
        writeln!(lines, "  adds {value} to {name}").unwrap();
    }
    if let Rerun::Unsafe(reason) = &facts.rerun {
        writeln!(lines, "  again: {reason}").unwrap();
    }
}
