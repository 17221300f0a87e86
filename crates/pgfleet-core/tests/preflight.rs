//! Runs `corpus/preflight`: every folder is a plain migration folder with an `expected.txt` that
//! holds what preflight says of it, and optionally an `environment.txt`. A folder without its
//! expectation fails. `UPDATE_CORPUS=1` writes the expectations anew.

#![allow(clippy::unwrap_used, reason = "a corpus that cannot be read must fail the test")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use pgfleet_core::diagnose::Problem;
use pgfleet_core::folder::{self, FileTree, Format};
use pgfleet_core::preflight::{KnownObjects, preflight};
use pgfleet_core::program;

fn cases() -> Vec<PathBuf> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/preflight");
    let entries = fs::read_dir(corpus).unwrap();
    let mut cases: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(!cases.is_empty());
    cases
}

fn tree_of(case: &Path) -> FileTree {
    let mut tree = FileTree { root: ".".to_owned(), ..FileTree::default() };
    for entry in fs::read_dir(case).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "sql") {
            let name = path.file_name().unwrap().to_str().unwrap();
            tree.insert(name, fs::read(&path).unwrap());
        }
    }
    tree
}

fn known_in(case: &Path) -> KnownObjects {
    match fs::read_to_string(case.join("environment.txt")) {
        Err(_) => KnownObjects::none(),
        Ok(name) if name.trim() == "supabase" => KnownObjects::supabase(),
        Ok(name) if name.trim() == "open" => KnownObjects::open(),
        Ok(name) => panic!("{}: unknown environment {name}", case.display()),
    }
}

fn said_of(case: &Path) -> String {
    let set = folder::read(&tree_of(case), Format::Plain);
    let programs: Vec<_> = set
        .migrations
        .iter()
        .enumerate()
        .map(|(at, migration)| (at, program::build(&migration.up, &|_, _, _| None)))
        .collect();
    let found = preflight(&set, &programs, &known_in(case));
    assert_eq!(found.migrations.len(), set.migrations.len(), "{}", case.display());
    found.problems.iter().map(shown).collect()
}

fn shown(problem: &Problem) -> String {
    let place = problem.place.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut text = format!("{:?} {} {place}\n  {}\n", problem.severity, problem.code, problem.what);
    for snippet in problem.snippet.iter().filter(|snippet| snippet.column > 0) {
        let marked = snippet.line_text.chars().skip(snippet.column as usize - 1);
        let marked: String = marked.take(snippet.length as usize).collect();
        writeln!(text, "  marked: {marked}").unwrap();
    }
    for detail in &problem.details {
        writeln!(text, "  - {detail}").unwrap();
    }
    if let Some(cause) = &problem.cause {
        writeln!(text, "  cause: {cause}").unwrap();
    }
    for fix in &problem.fixes {
        let command = fix.command.as_ref().map(|command| format!(" {command}")).unwrap_or_default();
        writeln!(text, "  fix: {}{command}", fix.text).unwrap();
    }
    text
}

#[test]
fn folders_are_judged_as_expected() {
    for case in cases() {
        let found = said_of(&case);
        let place = case.join("expected.txt");
        if std::env::var_os("UPDATE_CORPUS").is_some() {
            fs::write(&place, &found).unwrap();
        }
        let expected = fs::read_to_string(&place)
            .unwrap_or_else(|e| panic!("{} has no expectation: {e}", case.display()));
        assert_eq!(found, expected, "{}", case.display());
    }
}
