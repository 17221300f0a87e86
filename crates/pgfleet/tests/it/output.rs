//! Output for machines, and readers that go away.

use std::path::Path;

use pgfleet_testkit::cli::Cli;
use serde_json::Value;

use crate::stage::{Stage, assert_says};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}:\n{text}"))
}

fn two() -> Stage {
    Stage::of(&[("0001_a.sql", "CREATE TABLE a (id int);"), ("0002_b.sql", "SELECT nothing;")])
}

#[test]
fn a_failed_run_is_valid_json() {
    let stage = two();
    let output = stage.run(&["apply", "--output", "json"]);
    assert_eq!(output.code, 4);
    let found = json(&output.stdout);
    assert_eq!(found["version"], 1);
    assert_eq!(found["command"], "apply");
    let outcomes: Vec<_> = found["targets"][0]["run"]["migrations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(outcomes, ["done", "failed"]);
    let place = &found["errors"][0]["place"];
    assert_eq!((&place["line"], &place["column"]), (&1.into(), &8.into()), "{found}");
    for line in output.stderr.lines() {
        json(line);
    }
}

#[test]
fn refusals_are_valid_json_too() {
    let stage = two();
    let refused: &[&[&str]] = &[
        &["apply", "--url", "postgres://127.0.0.1:1/x", "--dir", "migrations"],
        &["apply", "--dir", "nowhere"],
        &["rollback", "--to", "9", "--url", "postgres://127.0.0.1:1/x", "--dir", "migrations"],
        &["resolve", "--applied", "9"],
    ];
    for args in refused {
        let output = stage.project.pgfleet(args.iter().copied()).args(["--output", "json"]).run();
        assert_ne!(output.code, 0);
        assert!(!json(&output.stdout)["errors"].as_array().unwrap().is_empty(), "{args:?}");
    }
}

#[test]
fn other_forms_are_written_too() {
    let stage = two();
    for (form, wanted) in
        [("junit", "<testsuites"), ("sarif", "\"$schema\""), ("github", "::error")]
    {
        let output = stage.run(&["apply", "--output", form]);
        assert_eq!(output.code, 4, "{}", output.stderr);
        assert_says(&output.stdout, &[wanted]);
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let stage = two();
    let pgfleet = Path::new(env!("CARGO_BIN_EXE_pgfleet")).display().to_string();
    let url = stage.db.url();
    let script = format!(
        "{{ {pgfleet} plan --url '{url}' --dir migrations; echo \"code $?\" >&2; }} | true"
    );
    let output =
        Cli::of_program(Path::new("/bin/sh"), stage.project.path()).args(["-c", &script]).run();
    assert_says(&output.stderr, &["code 0"]);
    assert!(!output.stderr.contains("panicked"), "{}", output.stderr);
}

#[test]
fn reports_of_runs_are_written() {
    let stage = two();
    stage.ends(&["apply"], 4);
    let runs = std::fs::read_dir(stage.project.path().join(".pgfleet/runs")).unwrap();
    let runs: Vec<_> = runs.map(|run| run.unwrap().path()).collect();
    assert_eq!(runs.len(), 1);
    let names = ["run.json", "run.md", "run.html"];
    let found = std::fs::read_dir(&runs[0]).unwrap().count();
    assert!(found >= names.len(), "{found} files");
}
