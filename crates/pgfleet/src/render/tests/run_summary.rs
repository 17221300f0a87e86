use insta::assert_snapshot;
use pgfleet_core::report::{MigrationOutcome, MigrationRun, RunReport};

use super::both;
use crate::render::run_summary;

fn report(outcomes: &[MigrationOutcome]) -> RunReport {
    let run = |(at, outcome): (usize, &MigrationOutcome)| MigrationRun {
        version: format!("{at:03}"),
        name: "x".into(),
        file: format!("migrations/{at:03}_x.sql"),
        outcome: *outcome,
        elapsed_ms: (*outcome != MigrationOutcome::NotRun).then_some(900.0 * at as f64),
        statements: 3,
    };
    RunReport {
        version: 1,
        run_id: "20260101T120000-ab12".into(),
        target: "local".into(),
        server: "localhost:5432/app".into(),
        command: "apply".into(),
        started_at: "2026-01-01T12:00:00Z".into(),
        elapsed_ms: 5400.0,
        migrations: outcomes.iter().enumerate().map(run).collect(),
        problems: vec![],
    }
}

#[test]
fn a_complete_run() {
    let report = report(&[MigrationOutcome::Done; 4]);
    assert_snapshot!(both(|out, style| run_summary(out, style, &report, true)));
}

#[test]
fn a_run_that_stopped() {
    use MigrationOutcome::{Done, Failed, NotRun};
    let report = report(&[Done, Failed, NotRun, NotRun]);
    assert_snapshot!(both(|out, style| run_summary(out, style, &report, true)));
}

#[test]
fn a_run_with_nothing_to_do() {
    assert_snapshot!(both(|out, style| run_summary(out, style, &report(&[]), true)));
}
