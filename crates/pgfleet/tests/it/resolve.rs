//! `baseline` and `resolve`: what is written into the history without running anything.

use crate::stage::{Stage, assert_says};

fn three() -> Stage {
    Stage::of(&[
        ("0001_a.sql", "CREATE TABLE a (id int);"),
        ("0002_b.sql", "CREATE TABLE b (id int);"),
        ("0003_c.sql", "CREATE TABLE c (id int);"),
    ])
}

#[test]
fn baseline_records_and_runs_nothing() {
    let stage = three();
    stage.db.sql("CREATE TABLE a (id int); CREATE TABLE b (id int)");
    stage.run(&["baseline", "0002"]).assert_success();
    assert_eq!(stage.versions(), "0001 0002");
    stage.apply();
    assert_eq!(stage.versions(), "0001 0002 0003");
    let again = stage.run(&["baseline", "0003"]).assert_success();
    assert_says(&again.stdout, &["Nothing to do"]);
    assert_says(&stage.ends(&["baseline", "0009"], 2), &["PF132"]);
}

#[test]
fn a_pending_migration_is_said_to_be_applied() {
    let stage = three();
    stage.run(&["resolve", "--applied", "0001"]).assert_success();
    assert_eq!(stage.versions(), "0001");
    assert_eq!(stage.db.value("SELECT to_regclass('a') IS NULL"), "t");
    assert_says(&stage.ends(&["resolve", "--applied", "0001"], 2), &["PF100", "applied already"]);
    assert_says(&stage.ends(&["resolve", "--applied", "0009"], 2), &["PF132"]);
}

#[test]
fn an_applied_migration_is_said_to_be_rolled_back() {
    let stage = three();
    stage.apply();
    stage.run(&["resolve", "--rolled-back", "0003"]).assert_success();
    assert_eq!(stage.versions(), "0001 0002");
    assert_eq!(stage.db.value("SELECT to_regclass('c') IS NOT NULL"), "t");
    assert_says(&stage.ends(&["resolve", "--rolled-back", "0003"], 2), &["PF100"]);
}

#[test]
fn an_edited_migration_gets_its_new_checksum() {
    let stage = three();
    stage.apply();
    stage.write("0002_b.sql", "CREATE TABLE b (id int); -- a comment");
    stage.write("0004_d.sql", "CREATE TABLE d (id int);");
    assert_says(&stage.ends(&["apply"], 5), &["PF405", "migrations/0002_b.sql", "--checksum 0002"]);
    stage.run(&["resolve", "--checksum", "0002"]).assert_success();
    stage.apply();
    assert_eq!(stage.versions(), "0001 0002 0003 0004");
    assert_says(&stage.ends(&["resolve", "--checksum", "0004"], 0), &[]);
    stage.write("0005_e.sql", "CREATE TABLE e (id int);");
    assert_says(&stage.ends(&["resolve", "--checksum", "0005"], 2), &["PF100"]);
}

#[test]
fn a_half_applied_migration_is_resolved_either_way() {
    for (flag, history) in [("--applied", "0001"), ("--rolled-back", "")] {
        let stage =
            Stage::of(&[("0001_a.sql", "CREATE TABLE a (id int);\nVACUUM a;\nSELECT nothing;")]);
        stage.ends(&["apply"], 4);
        stage.run(&["resolve", flag, "0001"]).assert_success();
        assert_eq!(stage.versions(), history);
        assert_eq!(stage.db.value("SELECT count(*) FROM pgfleet.steps WHERE NOT closed"), "0");
    }
}

#[test]
fn a_missing_file_is_named() {
    let stage = three();
    stage.apply();
    std::fs::remove_file(stage.project.path().join("migrations/0002_b.sql")).unwrap();
    assert_says(&stage.run(&["status"]).assert_success().stdout, &["missing"]);
    assert_says(&stage.ends(&["resolve", "--rolled-back", "0002"], 5), &["PF410", "0002"]);
}

#[test]
fn what_the_history_claims_and_is_not_there_is_named() {
    let stage = Stage::of(&[
        ("0001_a.sql", "CREATE TABLE a (id int, \"Mixed, 'é'\" int, c int);"),
        ("0002_b.sql", "CREATE TABLE \"B b\" (id int);"),
        ("0003_c.sql", "CREATE TABLE kept (id int); ALTER TABLE a ADD d int;"),
    ]);
    stage.apply();
    assert!(!stage.run(&["status"]).assert_success().stderr.contains("PF408"));
    stage.db.sql("ALTER TABLE a DROP \"Mixed, 'é'\", DROP d; DROP TABLE \"B b\"");
    let said = stage.run(&["status"]).assert_success().stderr;
    assert_says(
        &said,
        &["PF408", "the table public.a lacks Mixed, 'é', d,", "its table public.\"B b\" is not"],
    );
    assert!(!said.contains("kept"), "{said}");
    stage.db.sql("DROP TABLE kept");
    assert_says(&stage.run(&["status"]).assert_success().stderr, &["0003 is applied"]);
}
