//! dbmate 2.

use std::path::Path;

use pgfleet_testkit::{Project, TestDb, migrations::Format, peers::npm};

use super::peer::{Peer, apply, roll_back, status};

const DBMATE: Peer = Peer {
    format: Format::Dbmate,
    runs_concurrently: true,
    apply: |project, url| npm::dbmate(project, url, &["up"]),
    assert_clean: |project, url| assert_pending(project, url, 0),
    rows: "SELECT * FROM schema_migrations ORDER BY version",
};

#[track_caller]
fn assert_pending(project: &Path, url: &str, count: usize) {
    let status = npm::dbmate(project, url, &["status"]).assert_success();
    assert!(status.stdout.contains(&format!("Pending: {count}")), "{}", status.stdout);
}

#[test]
fn dbmate_then_pgfleet() {
    DBMATE.goes_first();
}

#[test]
fn pgfleet_then_dbmate() {
    DBMATE.goes_second();
}

#[test]
fn each_sees_what_the_other_took_back() {
    let changes = DBMATE.changes();
    let (db, project) = (TestDb::new(), Project::of(Format::Dbmate, &changes));
    DBMATE.apply(&project, &db);
    roll_back(&project, &db);
    assert_pending(project.path(), &db.url(), 1);
    npm::dbmate(project.path(), &db.url(), &["rollback"]).assert_success();
    let said = status(&project, &db);
    assert!(said.code == 1 && said.stdout.contains("2 pending"), "{}", said.stdout);
    apply(&project, &db);
    DBMATE.assert_agreement(&project, &db);
}
