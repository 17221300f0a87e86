//! diesel_cli.

use std::path::Path;

use pgfleet_testkit::{TestDb, migrations::Format, peers::cargo};

use super::peer::{Peer, apply, roll_back, status};

const DIESEL: Peer = Peer {
    format: Format::Diesel,
    runs_concurrently: true,
    apply: |project, url| cargo::diesel(project, url, &["run"]),
    assert_clean: |project, url| assert_pending(project, url, 0),
    rows: "SELECT version FROM __diesel_schema_migrations ORDER BY version",
};

#[track_caller]
fn assert_pending(project: &Path, url: &str, count: usize) {
    let list = cargo::diesel(project, url, &["list"]).assert_success().stdout;
    assert_eq!(list.matches("[ ]").count(), count, "{list}");
    assert!(list.contains("[X]"), "{list}");
}

#[test]
fn diesel_then_pgfleet() {
    DIESEL.goes_first();
}

#[test]
fn pgfleet_then_diesel() {
    DIESEL.goes_second();
}

#[test]
fn each_sees_what_the_other_took_back() {
    let (db, project) = (TestDb::new(), DIESEL.project(&DIESEL.changes()));
    DIESEL.apply(&project, &db);
    roll_back(&project, &db);
    assert_pending(project.path(), &db.url(), 1);
    cargo::diesel(project.path(), &db.url(), &["revert"]).assert_success();
    let said = status(&project, &db);
    assert!(said.code == 1 && said.stdout.contains("2 pending"), "{}", said.stdout);
    apply(&project, &db);
    DIESEL.assert_agreement(&project, &db);
}
