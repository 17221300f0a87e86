//! Flyway, the free edition, which takes nothing back.

use std::path::Path;

use pgfleet_testkit::{TestDb, migrations::Format, peers::installed};

use super::peer::{Peer, apply, pgfleet};

const FLYWAY: Peer = Peer {
    format: Format::Flyway,
    // Flyway's own lock is a transaction that such a statement would wait for, unless it is set up
    // otherwise.
    runs_concurrently: false,
    apply: |project, url| installed::flyway(project, url, "migrate"),
    // It fails on pending migrations and on checksums that are not its own.
    assert_clean: |project, url| {
        installed::flyway(project, url, "validate").assert_success();
    },
    rows: "SELECT installed_rank, version, description, type, script, checksum, installed_by, success \
           FROM flyway_schema_history ORDER BY installed_rank",
};

#[test]
fn flyway_then_pgfleet() {
    FLYWAY.goes_first();
}

#[test]
fn pgfleet_then_flyway() {
    FLYWAY.goes_second();
}

#[test]
fn repeatable_migrations_are_run_again_by_either() {
    let (db, project) = (TestDb::new(), FLYWAY.project(&FLYWAY.changes()));
    let view = |columns: &str| {
        let text = format!("CREATE OR REPLACE VIEW seen AS SELECT {columns};\n");
        project.write("migrations/R__seen.sql", text);
    };
    view("1 AS a");
    FLYWAY.apply(&project, &db);
    assert_eq!(validity(project.path(), &db), 0);
    view("1 AS a, 2 AS b");
    assert_ne!(validity(project.path(), &db), 0);
    apply(&project, &db);
    FLYWAY.assert_agreement(&project, &db);
    view("1 AS a, 2 AS b, 3 AS c");
    FLYWAY.apply(&project, &db);
    FLYWAY.assert_agreement(&project, &db);
    assert_eq!(db.value("SELECT c FROM seen"), "3");
}

#[test]
fn an_edited_migration_is_repaired_by_either() {
    let (db, project) = (TestDb::new(), FLYWAY.project(&FLYWAY.changes()));
    apply(&project, &db);
    let file = "migrations/V2__function_f.sql";
    let text = project.read(file);
    project.write(file, format!("-- Edited.\r\n{text}"));
    assert_ne!(validity(project.path(), &db), 0);
    pgfleet(&project, &db, &["resolve", "--checksum", "2"]).assert_success();
    FLYWAY.assert_agreement(&project, &db);
    project.write(file, text);
    installed::flyway(project.path(), &db.url(), "repair").assert_success();
    FLYWAY.assert_agreement(&project, &db);
}

fn validity(project: &Path, db: &TestDb) -> i32 {
    installed::flyway(project, &db.url(), "validate").code
}
