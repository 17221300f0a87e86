//! Reports for the tests of this folder, with text that every format must escape.

use super::{MigrationOutcome, MigrationRun, RunReport};
use crate::diagnose::{Code, Problem, Snippet};
use crate::place::Place;

pub(super) const HOSTILE: &str =
    "<script>alert(\"1 & 2\")</script> | `x` ]]> \u{1b}[31m\n::error::x";

pub(super) fn problem() -> Problem {
    let mut problem = Problem::error(Code::ObjectExists, format!("relation {HOSTILE} exists"))
        .in_target("shop")
        .at(Place::at("migrations/002_a,b:c.sql", 3, 14))
        .because("an earlier run stopped half-way")
        .detail("public.users has 12 columns; the migration would give it 13")
        .fix_with("Compare the two.", "pgfleet diff --table users")
        .fix("Drop it if nothing is in it.");
    problem.sqlstate = Some("42P07".to_owned());
    problem.snippet = Some(Snippet {
        line_text: "CREATE TABLE users (é <id> int);".into(),
        column: 14,
        length: 5,
    });
    problem
}

pub(super) fn report() -> RunReport {
    let migration = |version: &str, name: &str, outcome, elapsed_ms| MigrationRun {
        version: version.to_owned(),
        name: name.to_owned(),
        file: format!("migrations/{version}_{name}.sql"),
        outcome,
        elapsed_ms,
        statements: 4,
    };
    RunReport {
        version: 1,
        run_id: "20260102T030405Z-1f".to_owned(),
        target: "shop".to_owned(),
        server: "db.example:5432/shop".to_owned(),
        command: "apply".to_owned(),
        started_at: "2026-01-02T03:04:05Z".to_owned(),
        elapsed_ms: 1534.2,
        migrations: vec![
            migration("001", "create_schema", MigrationOutcome::Done, Some(1200.0)),
            migration("002", HOSTILE, MigrationOutcome::Failed, Some(30.5)),
            migration("003", "more", MigrationOutcome::NotRun, None),
        ],
        problems: vec![problem(), Problem::warning(Code::VersionGap, "004 is missing")],
    }
}
