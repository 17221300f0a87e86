//! What guards a history table of its own accord is not blamed on the migration.

use pgfleet_testkit::{Project, TestDb, migrations::Format};

use super::peer::{apply, pgfleet};

/// LemmyNet/lemmy keeps Diesel's tool away from its history in this way.
const GUARD: &str = "CREATE FUNCTION keep_out() RETURNS trigger LANGUAGE plpgsql AS \
    'BEGIN RAISE ''use our own runner''; END'; CREATE TRIGGER keep_out BEFORE INSERT ON \
    __diesel_schema_migrations EXECUTE FUNCTION keep_out()";

#[test]
fn a_history_that_refuses_the_row_is_named() {
    let changes = pgfleet_testkit::migrations::one_table_each(2);
    let (db, project) = (TestDb::new(), Project::of(Format::Diesel, &changes[..1]));
    apply(&project, &db);
    db.sql(GUARD);
    for (path, text) in pgfleet_testkit::migrations::render(Format::Diesel, &changes) {
        project.write(path, text);
    }
    let refused = pgfleet(&project, &db, &["apply"]);
    assert_eq!(refused.code, 4, "{}", refused.stderr);
    for part in ["use our own runner", "recorded in the history", "keep_out"] {
        assert!(refused.stderr.contains(part), "{}", refused.stderr);
    }
    assert_eq!(db.value("SELECT to_regclass('t2') IS NULL"), "t");
}
