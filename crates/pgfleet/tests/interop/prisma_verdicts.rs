//! A Prisma project of 13 migrations in every state that a history can be in.

use std::{collections::BTreeMap, fs};

use pgfleet_testkit::{
    Project, TestDb,
    migrations::{Format, one_table_each},
    peers::npm,
};

use super::peer::pgfleet;

fn folder(number: usize) -> String {
    format!("2024010100{number:04}_t{number}")
}

fn script(number: usize) -> String {
    format!("prisma/migrations/{}/migration.sql", folder(number))
}

fn prisma(project: &Project, db: &TestDb, args: &[&str]) {
    npm::prisma(project.path(), &db.url(), args).assert_success();
}

/// 1 to 8 applied, of which 3 is edited afterwards and 5 deleted; 9 failed; 10 failed and was
/// resolved as rolled back; 11 is an empty directory; 12 and 13 are pending.
fn thirteen() -> (TestDb, Project) {
    let changes = one_table_each(13);
    let (db, project) = (TestDb::new(), Project::of(Format::Prisma, &changes[..8]));
    prisma(&project, &db, &["migrate", "deploy"]);
    fail(&project, &db, 10);
    prisma(&project, &db, &["migrate", "resolve", "--rolled-back", &folder(10)]);
    hide(&project, 10);
    fail(&project, &db, 9);
    project.write(script(10), &changes[9].up);
    project.write(script(12), &changes[11].up);
    project.write(script(13), &changes[12].up);
    project.write(script(3), "CREATE TABLE t3 (id int);\n");
    hide(&project, 5);
    (db, project)
}

fn fail(project: &Project, db: &TestDb, number: usize) {
    project.write(script(number), "SELECT 1 / 0;\n");
    let deployed = npm::prisma(project.path(), &db.url(), &["migrate", "deploy"]);
    assert_ne!(deployed.code, 0, "{}", deployed.stdout);
}

fn hide(project: &Project, number: usize) {
    let folder = project.path().join("prisma/migrations").join(folder(number));
    fs::remove_dir_all(folder).expect("remove a migration");
}

/// The verdict of each migration by its number.
fn verdicts(project: &Project, db: &TestDb) -> BTreeMap<usize, String> {
    let said = pgfleet(project, db, &["status", "--output", "json"]);
    let status: serde_json::Value = serde_json::from_str(&said.stdout).expect("status is JSON");
    let migrations = status["targets"][0]["migrations"].as_array().expect("a list");
    let number = |version: &str| version.rsplit_once("_t").and_then(|(_, n)| n.parse().ok());
    let entry = |migration: &serde_json::Value| {
        let version = migration["version"].as_str().and_then(number).expect("a version");
        (version, migration["verdict"].as_str().unwrap_or_default().to_owned())
    };
    migrations.iter().map(entry).collect()
}

#[test]
fn every_state_has_its_verdict() {
    let (db, project) = thirteen();
    let expected = [
        (1, "applied"),
        (2, "applied"),
        (3, "changed"),
        (4, "applied"),
        (5, "missing_file"),
        (6, "applied"),
        (7, "applied"),
        (8, "applied"),
        (9, "failed"),
        (10, "pending"),
        (12, "pending"),
        (13, "pending"),
    ];
    let expected = expected.map(|(number, verdict)| (number, verdict.to_owned()));
    assert_eq!(verdicts(&project, &db), BTreeMap::from(expected));
    let said = pgfleet(&project, &db, &["status", "--exit-code"]);
    assert_eq!(said.code, 1, "{}", said.stderr);
    assert!(said.stdout.contains("division by zero"), "{}", said.stdout);
}

#[test]
fn an_empty_directory_is_an_error_as_prisma_has_it() {
    let (db, project) = (TestDb::new(), Project::of(Format::Prisma, &one_table_each(2)));
    let empty = project.path().join("prisma/migrations").join(folder(11));
    fs::create_dir_all(empty).expect("make an empty directory");
    let said = pgfleet(&project, &db, &["check"]);
    assert_eq!(said.code, 1, "{}", said.stdout);
    let all = format!("{}{}", said.stdout, said.stderr);
    assert!(all.contains("P3015") && all.contains(&folder(11)), "{all}");
    let theirs = npm::prisma(project.path(), &db.url(), &["migrate", "deploy"]);
    assert!(theirs.code != 0 && theirs.stderr.contains("P3015"), "{theirs:?}");
}

#[test]
fn a_failure_stops_the_run_until_it_is_resolved() {
    let (db, project) = thirteen();
    let refused = pgfleet(&project, &db, &["apply"]);
    assert_eq!(refused.code, 5, "{refused:?}");
    assert_eq!(db.value("SELECT to_regclass('t12') IS NULL"), "t");
    pgfleet(&project, &db, &["resolve", "--rolled-back", &folder(9)]).assert_success();
    project.write(script(9), &one_table_each(9)[8].up);
    pgfleet(&project, &db, &["resolve", "--checksum", &folder(3)]).assert_success();
    pgfleet(&project, &db, &["apply"]).assert_success();
    let left: Vec<_> =
        verdicts(&project, &db).into_iter().filter(|(_, verdict)| verdict != "applied").collect();
    let expected = [(5, "missing_file".to_owned())];
    assert_eq!(left, expected);
}
