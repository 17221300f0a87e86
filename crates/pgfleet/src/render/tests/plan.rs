use insta::assert_snapshot;
use pgfleet_core::folder::Format;
use pgfleet_core::place::Place;
use pgfleet_core::plan::{
    Direction, Hazard, HazardKind, HistoryBase, PLAN_VERSION, Plan, PlanSource, PlannedStatement,
    Settle, SqlStep, Step, Unit,
};

use super::both;
use crate::render::plan;

fn statement(label: &str) -> PlannedStatement {
    PlannedStatement {
        sql: format!("{label} x;"),
        label: label.into(),
        place: Place::at("migrations/a.sql", 1, 1),
        verbatim: true,
        copy_data: None,
        if_not_exists: None,
        sets_session: false,
    }
}

fn step(name: &str, size_bytes: u64, units: Vec<Unit>, creates: &[String]) -> Step {
    Step::Sql(SqlStep {
        version: name[..3].into(),
        name: name[4..].into(),
        label: name.into(),
        file: format!("migrations/{name}.sql"),
        size_bytes,
        direction: Direction::Up,
        units,
        record_started: vec![],
        record_done: vec![],
        record_failed: vec![],
        creates: creates.to_vec(),
    })
}

fn hazard(kind: HazardKind, migration: &str, line: u32, what: &str) -> Hazard {
    let place = Place::at(format!("migrations/{migration}.sql"), line, 1);
    Hazard { kind, migration: migration.into(), place, what: what.into() }
}

fn sample() -> Plan {
    let transaction = |count| Unit::Transaction { statements: vec![statement("SELECT"); count] };
    let alone = Unit::Alone {
        statement: Box::new(statement("CREATE INDEX CONCURRENTLY")),
        settle: Settle::Ask,
    };
    let mut creates: Vec<_> = (1..=11).map(|n| format!("table t{n}")).collect();
    creates.extend((1..=17).map(|n| format!("index i{n}")));
    creates.extend(["materialized view mv".into(), "policy p".into(), "policy q".into()]);
    Plan {
        version: PLAN_VERSION,
        source: PlanSource::Folder(HistoryBase {
            format: Format::Plain,
            history_table: "pgfleet.migrations".into(),
            base: "b".into(),
        }),
        fingerprint: "3f2a91c0e1d24b5586".into(),
        setup: vec!["CREATE SCHEMA pgfleet".into()],
        steps: vec![
            step("001_init", 4321, vec![transaction(31)], &creates),
            step("002_index", 80, vec![transaction(1), alone], &["index users_email_key".into()]),
            step("003_drop", 1 << 21, vec![transaction(2)], &[]),
        ],
        hazards: vec![
            hazard(
                HazardKind::NoTransaction,
                "002_index",
                0,
                "runs as 2 separate units; a failure keeps those before it",
            ),
            hazard(
                HazardKind::Lock,
                "003_drop",
                3,
                "ALTER TABLE blocks reads and writes of users while it reads the whole table",
            ),
            hazard(HazardKind::DataLoss, "003_drop", 9, "DROP TABLE old_users"),
        ],
        location: std::path::PathBuf::new(),
    }
}

#[test]
fn a_plan_with_hazards() {
    assert_snapshot!(both(|out, style| plan(out, style, &sample())));
}

#[test]
fn an_empty_plan() {
    let empty = Plan { steps: vec![], hazards: vec![], ..sample() };
    assert_snapshot!(both(|out, style| plan(out, style, &empty)));
}
