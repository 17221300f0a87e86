//! `rollback` and `reset`.

use pgfleet_testkit::TestDb;

use crate::stage::{Stage, assert_says};

const PLAIN: &str = "[migrations]\nformat = 'plain'\n";

fn reversible() -> Stage {
    let stage = Stage::of(&[]);
    stage.project.write("pgfleet.toml", PLAIN);
    for n in 1..=5 {
        stage.write(&format!("{n:04}_t.up.sql"), format!("CREATE TABLE t{n} (id int);"));
        stage.write(&format!("{n:04}_t.down.sql"), format!("DROP TABLE t{n};"));
    }
    stage.apply();
    stage
}

#[test]
fn the_last_some_and_all_are_taken_back() {
    let stage = reversible();
    assert_says(&stage.ends(&["rollback"], 5), &["PF402", "t5"]);
    stage.run(&["rollback", "--allow-data-loss"]).assert_success();
    assert_eq!(stage.versions(), "0001 0002 0003 0004");
    stage.run(&["rollback", "--steps", "2", "--allow-data-loss"]).assert_success();
    assert_eq!(stage.versions(), "0001 0002");
    stage.apply();
    stage.run(&["rollback", "--to", "0003", "--allow-data-loss"]).assert_success();
    assert_eq!(stage.versions(), "0001 0002 0003");
    stage.run(&["rollback", "--to", "0", "--allow-data-loss"]).assert_success();
    assert_eq!(stage.versions(), "");
    assert_eq!(stage.schema(), Stage::of(&[]).schema());
    let output = stage.run(&["rollback", "--allow-data-loss"]).assert_success();
    assert_says(&output.stdout, &["Nothing to do"]);
    stage.apply();
    assert_eq!(stage.versions(), "0001 0002 0003 0004 0005");
}

#[test]
fn what_has_no_way_back_is_refused_before_anything_is_done() {
    let stage = reversible();
    std::fs::remove_file(stage.project.path().join("migrations/0003_t.down.sql")).unwrap();
    let stderr = stage.ends(&["rollback", "--to", "0", "--allow-data-loss"], 5);
    assert_says(&stderr, &["PF409", "0003"]);
    assert_eq!(stage.versions(), "0001 0002 0003 0004 0005");
}

#[test]
fn a_missing_file_cannot_be_taken_back() {
    let stage = reversible();
    for way in ["up", "down"] {
        std::fs::remove_file(stage.project.path().join(format!("migrations/0005_t.{way}.sql")))
            .unwrap();
    }
    assert_says(&stage.ends(&["rollback", "--allow-data-loss"], 5), &["PF410", "0005"]);
    assert_says(&stage.ends(&["rollback", "--to", "0009", "--allow-data-loss"], 2), &["PF132"]);
}

#[test]
fn a_failed_way_back_leaves_its_migration() {
    let stage = reversible();
    stage.db.sql("CREATE VIEW v AS SELECT * FROM t4");
    let stderr = stage.ends(&["rollback", "--steps", "3", "--allow-data-loss"], 4);
    assert_says(&stderr, &["PF309", "migrations/0004_t.down.sql:1:1"]);
    assert_eq!(stage.versions(), "0001 0002 0003 0004");
}

#[test]
fn listed_objects_go_dependents_first() {
    let stage = reversible();
    stage.db.sql("CREATE VIEW v AS SELECT * FROM t1");
    stage.ends(&["rollback", "--objects", "t1,v"], 5);
    stage.run(&["rollback", "--objects", "t1,v", "--allow-data-loss"]).assert_success();
    assert_eq!(
        stage.db.value("SELECT to_regclass('t1') IS NULL AND to_regclass('v') IS NULL"),
        "t"
    );
}

#[test]
fn reset_empties_a_development_database_only() {
    let stage = reversible();
    assert_says(&stage.ends(&["reset"], 5), &["PF402"]);
    stage.project.write("pgfleet.toml", format!("{PLAIN}[database]\ndevelopment = false\n"));
    assert_says(&stage.ends(&["reset", "--allow-data-loss"], 5), &["PF412"]);
    let remote =
        stage.cli_at("postgres://u@db.example.com/x", &["reset", "--allow-data-loss"]).run();
    assert_eq!(remote.code, 5);
    assert_eq!(stage.versions(), "0001 0002 0003 0004 0005");
    stage.project.write("pgfleet.toml", format!("{PLAIN}[database]\ndevelopment = true\n"));
    stage.run(&["reset", "--allow-data-loss"]).assert_success();
    assert_eq!(stage.schema(), Stage::on(TestDb::new(), &[]).schema(), "as a new database");
    assert!(stage.is_untouched());
    stage.apply();
}

#[test]
fn apply_after_half_a_way_back_says_so() {
    let stage = Stage::of(&[
        ("0001_a.up.sql", "CREATE TABLE a (id int);\nCREATE INDEX CONCURRENTLY i ON a (id);"),
        ("0001_a.down.sql", "DROP INDEX CONCURRENTLY i;\nSELECT nothing;\nDROP TABLE a;"),
    ]);
    stage.project.write("pgfleet.toml", PLAIN);
    stage.apply();
    stage.ends(&["rollback", "--allow-data-loss"], 4);
    assert_says(&stage.ends(&["apply"], 5), &["PF404", "pgfleet rollback"]);
    stage.write("0001_a.down.sql", "DROP INDEX CONCURRENTLY i;\nDROP TABLE a;");
    stage.run(&["rollback", "--allow-data-loss"]).assert_success();
    stage.apply();
    assert_eq!(stage.db.value("SELECT to_regclass('i') IS NOT NULL"), "t");
}
