//! sqlx-cli.

use std::path::Path;

use pgfleet_testkit::{TestDb, migrations::Format, peers::cargo};

use super::peer::{Peer, apply, roll_back, status};

const SQLX: Peer = Peer {
    format: Format::Sqlx,
    runs_concurrently: true,
    apply: |project, url| cargo::sqlx(project, url, &["run"]),
    assert_clean: |project, url| assert_pending(project, url, 0),
    rows: "SELECT version, description, success, checksum FROM _sqlx_migrations ORDER BY version",
};

#[track_caller]
fn assert_pending(project: &Path, url: &str, count: usize) {
    let info = cargo::sqlx(project, url, &["info"]).assert_success().stdout;
    assert_eq!(info.matches("/pending").count(), count, "{info}");
    assert!(info.contains("/installed") && !info.contains("different checksum"), "{info}");
}

#[test]
fn sqlx_then_pgfleet() {
    SQLX.goes_first();
}

#[test]
fn pgfleet_then_sqlx() {
    SQLX.goes_second();
}

#[test]
fn each_sees_what_the_other_took_back() {
    let (db, project) = (TestDb::new(), SQLX.project(&SQLX.changes()));
    SQLX.apply(&project, &db);
    roll_back(&project, &db);
    assert_pending(project.path(), &db.url(), 1);
    cargo::sqlx(project.path(), &db.url(), &["revert"]).assert_success();
    let said = status(&project, &db);
    assert!(said.code == 1 && said.stdout.contains("2 pending"), "{}", said.stdout);
    apply(&project, &db);
    SQLX.assert_agreement(&project, &db);
}
