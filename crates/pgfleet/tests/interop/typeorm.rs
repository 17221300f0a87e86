//! TypeORM 1.

use std::path::Path;

use pgfleet_testkit::{Project, TestDb, migrations::Format, peers::npm};

use super::peer::{Peer, apply, roll_back, status};

const TYPEORM: Peer = Peer {
    format: Format::TypeOrm,
    runs_concurrently: true,
    apply: |project, url| npm::typeorm(project, url, &["migration:run", "-t", "each"]),
    assert_clean: |project, url| assert_pending(project, url, 0),
    rows: "SELECT * FROM migrations ORDER BY id",
};

/// `migration:show` exits with 1 when something is pending.
#[track_caller]
fn assert_pending(project: &Path, url: &str, count: usize) {
    let shown = npm::typeorm(project, url, &["migration:show"]);
    assert_eq!(shown.stdout.matches("[ ]").count(), count, "{shown:?}");
    assert!(shown.stdout.contains("[X]"), "{shown:?}");
}

#[test]
fn typeorm_then_pgfleet() {
    TYPEORM.goes_first();
}

#[test]
fn pgfleet_then_typeorm() {
    TYPEORM.goes_second();
}

#[test]
fn each_sees_what_the_other_took_back() {
    let changes = TYPEORM.changes();
    let (db, project) = (TestDb::new(), Project::of(Format::TypeOrm, &changes));
    apply(&project, &db);
    roll_back(&project, &db);
    assert_pending(project.path(), &db.url(), 1);
    npm::typeorm(project.path(), &db.url(), &["migration:revert", "-t", "each"]).assert_success();
    let said = status(&project, &db);
    assert!(said.code == 1 && said.stdout.contains("2 pending"), "{}", said.stdout);
    apply(&project, &db);
    TYPEORM.assert_agreement(&project, &db);
}
