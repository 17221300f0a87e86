//! golang-migrate 4.

use std::path::Path;

use pgfleet_testkit::{TestDb, migrations::Format, peers::installed};

use super::peer::{Peer, apply, pgfleet, roll_back, status};

const MIGRATE: Peer = Peer {
    format: Format::GolangMigrate,
    runs_concurrently: true,
    apply: |project, url| installed::migrate(project, url, &["up"]),
    assert_clean: |project, url| {
        let again = installed::migrate(project, url, &["up"]).assert_success();
        assert!(again.stderr.contains("no change"), "{}", again.stderr);
    },
    rows: "SELECT version, dirty FROM schema_migrations",
};

/// What golang-migrate takes for the newest applied version.
#[track_caller]
fn version(project: &Path, url: &str) -> usize {
    let said = installed::migrate(project, url, &["version"]).assert_success().stderr;
    said.trim().parse().unwrap_or_else(|_| panic!("{said}"))
}

#[test]
fn golang_migrate_then_pgfleet() {
    MIGRATE.goes_first();
}

#[test]
fn pgfleet_then_golang_migrate() {
    MIGRATE.goes_second();
}

#[test]
fn each_sees_what_the_other_took_back() {
    let (db, project) = (TestDb::new(), MIGRATE.project(&MIGRATE.changes()));
    MIGRATE.apply(&project, &db);
    let newest = version(project.path(), &db.url());
    roll_back(&project, &db);
    assert_eq!(version(project.path(), &db.url()), newest - 1);
    installed::migrate(project.path(), &db.url(), &["down", "1"]).assert_success();
    let said = status(&project, &db);
    assert!(said.code == 1 && said.stdout.contains("2 pending"), "{}", said.stdout);
    apply(&project, &db);
    MIGRATE.assert_agreement(&project, &db);
}

#[test]
fn what_golang_migrate_left_dirty_is_named() {
    let (db, project) = (TestDb::new(), MIGRATE.project(&MIGRATE.changes()));
    MIGRATE.apply(&project, &db);
    project.write("migrations/000900_broken.up.sql", "SELECT nothing;");
    project.write("migrations/000900_broken.down.sql", "SELECT 1;");
    assert_ne!(installed::migrate(project.path(), &db.url(), &["up"]).code, 0);
    let refused = pgfleet(&project, &db, &["apply"]);
    assert_eq!(refused.code, 5, "{}", refused.stderr);
    assert!(refused.stderr.contains("000900"), "{}", refused.stderr);
    pgfleet(&project, &db, &["resolve", "--rolled-back", "900"]).assert_success();
    project.write("migrations/000900_broken.up.sql", "SELECT 1;");
    MIGRATE.apply(&project, &db);
    MIGRATE.assert_agreement(&project, &db);
}
