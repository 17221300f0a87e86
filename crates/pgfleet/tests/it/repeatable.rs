//! Flyway's repeatable migrations: they run after all others in a new database, and before the
//! newest ones where they ran already.

use crate::stage::{Stage, assert_says};

fn stage() -> Stage {
    let stage = Stage::of(&[
        ("V1__runs.sql", "CREATE TABLE runs (id int PRIMARY KEY, ext text);"),
        ("R__seen.sql", "CREATE OR REPLACE VIEW seen AS SELECT id, ext FROM runs;"),
    ]);
    stage.project.write("pgfleet.toml", "[migrations]\nformat = 'flyway'\n");
    stage.apply();
    stage
}

fn pending(stage: &Stage) -> String {
    let status = stage.run(&["status", "--output", "json"]).assert_success();
    let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap_or_default();
    let entries = status["targets"][0]["migrations"].as_array().cloned().unwrap_or_default();
    let pending = entries.iter().filter(|one| one["verdict"] == "pending");
    let versions: Vec<_> = pending.filter_map(|one| one["version"].as_str()).collect();
    versions.join(" ")
}

#[test]
fn the_last_versioned_migration_is_taken_back_and_the_repeatable_one_stays() {
    let stage = stage();
    let before = stage.schema();
    stage.write("V2__more.sql", "ALTER TABLE runs ADD COLUMN priority int;");
    stage.apply();
    stage.db.sql("INSERT INTO runs VALUES (1, 'x', 3)");
    stage.run(&["rollback", "--allow-data-loss"]).assert_success();
    assert_eq!((stage.schema(), pending(&stage)), (before, "2".to_owned()));
    assert_eq!(stage.db.value("SELECT ext FROM seen"), "x");
    stage.apply();
    stage.run(&["rollback", "--to", "1", "--allow-data-loss"]).assert_success();
    assert_eq!(pending(&stage), "2");
    stage.run(&["rollback", "--to", "0", "--allow-data-loss"]).assert_success();
    assert_eq!(pending(&stage), "1 2 R__seen");
}

#[test]
fn a_repeatable_one_that_ran_before_a_rename_hinders_neither_drift_nor_the_way_back() {
    let stage = stage();
    let before = stage.schema();
    stage.write("V2__rename.sql", "ALTER TABLE runs RENAME COLUMN ext TO external_key;");
    stage.apply();
    stage.run(&["drift"]).assert_success();
    stage.run(&["rollback", "--allow-data-loss"]).assert_success();
    assert_eq!((stage.schema(), pending(&stage)), (before, "2".to_owned()));
}

#[test]
fn what_a_generated_migration_breaks_in_a_new_database_is_said() {
    let stage = stage();
    let desired = "CREATE TABLE runs (id int PRIMARY KEY, external_key text);
                   CREATE VIEW seen AS SELECT id, external_key AS ext FROM runs;";
    stage.project.write("schema.sql", desired);
    let generate =
        ["generate", "rename", "--to", "schema.sql", "--rename", "runs.ext=external_key"];
    let output = stage.run(&generate).assert_success();
    assert_says(
        &output.stderr,
        &["PF416", "R__seen.sql", "in a new database the folder fails", "\"ext\" does not exist"],
    );
    stage.apply();
    stage.run(&["diff", "target", "schema.sql"]).assert_success();
    let corrected = "CREATE OR REPLACE VIEW seen AS SELECT id, external_key AS ext FROM runs;";
    stage.write("R__seen.sql", corrected);
    assert_eq!(pending(&stage), "R__seen");
    stage.apply();
    stage.run(&["drift"]).assert_success();
    stage.run(&["diff", "migrations", "schema.sql"]).assert_success();
}
