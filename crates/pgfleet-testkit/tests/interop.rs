//! Each peer that cargo builds works here, on the folders that the testkit makes for it.
//! Run by `make interop`: building the peers takes minutes.

use pgfleet_testkit::{
    Project, TestDb,
    migrations::{Format, mixed, one_table_each},
    peers::cargo,
};

const TABLES: &str = "SELECT count(*) FROM pg_class WHERE relname ~ '^t[0-9]+$'";

#[test]
fn sqlx_applies_both_kinds_and_reverts() {
    let changes = mixed(1, 20);
    let (db, project) = (TestDb::new(), Project::of(Format::Sqlx, &changes));
    cargo::sqlx(project.path(), &db.url(), &["run"]).assert_success();
    assert_eq!(db.value("SELECT count(*) FROM _sqlx_migrations WHERE success"), "20");
    cargo::sqlx(project.path(), &db.url(), &["revert"]).assert_success();
    let info = cargo::sqlx(project.path(), &db.url(), &["info"]).assert_success();
    assert_eq!(info.stdout.matches("/pending").count(), 1, "{}", info.stdout);
}

#[test]
fn refinery_applies() {
    let (db, project) = (TestDb::new(), Project::of(Format::Refinery, &one_table_each(2)));
    cargo::refinery(project.path(), &db.url(), &[]).assert_success();
    assert_eq!(db.value(TABLES), "2");
    assert_eq!(db.value("SELECT count(*) FROM refinery_schema_history"), "2");
}

#[test]
fn diesel_applies_both_kinds_and_lists() {
    let changes = mixed(1, 20);
    let (db, project) = (TestDb::new(), Project::of(Format::Diesel, &changes));
    cargo::diesel(project.path(), &db.url(), &["run"]).assert_success();
    assert_eq!(db.value("SELECT count(*) FROM __diesel_schema_migrations"), "20");
    let list = cargo::diesel(project.path(), &db.url(), &["list"]).assert_success();
    assert_eq!(list.stdout.matches("[X]").count(), 20, "{}", list.stdout);
}
