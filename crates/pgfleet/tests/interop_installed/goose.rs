//! goose 3.

use std::path::Path;

use pgfleet_testkit::{TestDb, migrations::Format, peers::installed};

use super::peer::{Peer, apply, roll_back, status};

const GOOSE: Peer = Peer {
    format: Format::Goose,
    runs_concurrently: true,
    apply: |project, url| installed::goose(project, url, &["up"]),
    assert_clean: |project, url| assert_pending(project, url, 0),
    rows: "SELECT id, version_id, is_applied FROM goose_db_version ORDER BY id",
};

#[track_caller]
fn assert_pending(project: &Path, url: &str, count: usize) {
    let status = installed::goose(project, url, &["status"]).assert_success();
    let said = format!("{}{}", status.stdout, status.stderr);
    assert_eq!(said.matches("Pending").count(), count, "{said}");
    assert!(said.contains("_function_f.sql"), "{said}");
}

#[test]
fn goose_then_pgfleet() {
    GOOSE.goes_first();
}

#[test]
fn pgfleet_then_goose() {
    GOOSE.goes_second();
}

#[test]
fn each_sees_what_the_other_took_back() {
    let (db, project) = (TestDb::new(), GOOSE.project(&GOOSE.changes()));
    GOOSE.apply(&project, &db);
    roll_back(&project, &db);
    assert_pending(project.path(), &db.url(), 1);
    installed::goose(project.path(), &db.url(), &["down"]).assert_success();
    let said = status(&project, &db);
    assert!(said.code == 1 && said.stdout.contains("2 pending"), "{}", said.stdout);
    apply(&project, &db);
    GOOSE.assert_agreement(&project, &db);
}
