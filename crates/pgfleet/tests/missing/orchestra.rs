//! The whole story of the example: 29 tables, 8 missing, one of them with a migration.

use std::fs;
use std::path::Path;

use pgfleet_testkit::{Project, TestDb, peers::npm};
use serde_json::Value;

use super::{generated_sql, json, run, service};

const LAST_APPLIED: &str = "20251017105500_add_push_tokens";
const PENDING: &str = "20251017_add_session_model";
const EMPTY: &str = "20251017110131_add_push_tokens";
/// What Prisma's own schema engine writes for the difference between the schema as of the last
/// migration and `schema.prisma` (`@prisma/schema-engine-wasm` 8.1.0-2.59be4fda, `diff`).
const PRISMA_DIFF: &str = include_str!("prisma_diff.sql");
const NEED_ONE: [&str; 7] = [
    "attachments",
    "holidays",
    "organization_services",
    "reports",
    "school_holidays",
    "system_settings",
    "user_service_assignments",
];

fn example() -> Project {
    let project = Project::new();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/orchestra");
    copy(&from, &from, &project);
    project
}

fn copy(root: &Path, folder: &Path, project: &Project) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            copy(root, &path, project);
        } else {
            project.write(path.strip_prefix(root).unwrap(), fs::read(&path).unwrap());
        }
    }
}

/// 12 of 13 migrations applied, and an empty directory left behind.
fn scene() -> (Project, TestDb) {
    let (project, db) = (example(), TestDb::new());
    run(&project, &db, &["apply", "--to", LAST_APPLIED]).assert_success();
    fs::create_dir(project.path().join("prisma/migrations").join(EMPTY)).unwrap();
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(db.value(tables), "30", "29 tables and Prisma's own");
    (project, db)
}

fn migrations(project: &Project) -> Vec<String> {
    let folder = fs::read_dir(project.path().join("prisma/migrations")).unwrap();
    let paths = folder.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    paths.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn missing_tables_are_told_as_the_team_would() {
    let (project, db) = scene();
    let (code, target) = json(&project, &db, &["missing"]);
    assert_eq!(code, 1);
    let models = target["models"].as_array().unwrap();
    assert_eq!(models.len(), 37);
    let missing: Vec<_> = models.iter().filter(|row| row["exists"] == false).collect();
    assert_eq!(missing.len(), 8);
    let (has, needs): (Vec<&Value>, Vec<&Value>) =
        missing.into_iter().partition(|row| row["migration"].is_string());
    assert_eq!(has.len(), 1);
    assert_eq!((&has[0]["model"], &has[0]["table"]), (&"Session".into(), &"sessions".into()));
    assert_eq!(has[0]["migration"], PENDING);
    let mut tables: Vec<_> = needs.iter().map(|row| row["table"].as_str().unwrap()).collect();
    tables.sort_unstable();
    assert_eq!(tables, NEED_ONE);
    let output = run(&project, &db, &["missing"]);
    assert_eq!(output.code, 1);
    let lines: Vec<_> = output.stdout.lines().map(|l| l.split_whitespace().collect()).collect();
    let row: Vec<&str> = vec!["SchoolHoliday", "school_holidays", "no", "❌", "needs", "one"];
    assert!(lines.contains(&row), "{}", output.stdout);
    assert!(output.stderr.contains(EMPTY), "the empty directory is named: {}", output.stderr);
}

#[test]
fn the_story_ends_well() {
    let (project, db) = scene();
    let api = service::start(db.url());
    let verify = || {
        let verify = project.pgfleet(["verify"]).env("DATABASE_URL", db.url());
        verify.env("API_URL", &api).run()
    };
    let before = verify();
    assert!(before.code == 1 && before.stdout.contains("500"), "{before:?}");

    let refused = run(&project, &db, &["generate", "add_missing_tables"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.stderr.contains(EMPTY) && refused.stderr.contains("--remove-empty"));

    let known = migrations(&project);
    let known: Vec<_> = known.iter().map(String::as_str).collect();
    let generate = ["generate", "add missing tables", "--remove-empty"];
    let generated = run(&project, &db, &generate).assert_success();
    assert!(!project.path().join("prisma/migrations").join(EMPTY).exists());
    let sql = generated_sql(&project, &known);
    assert!(generated.stdout.contains(&sql), "it is shown: {}", generated.stdout);
    assert_eq!(sql, PRISMA_DIFF);
    for table in NEED_ONE {
        assert!(sql.contains(&format!("CREATE TABLE \"{table}\" (")), "{table}: {sql}");
    }
    assert_eq!(sql.matches("CREATE TABLE").count(), NEED_ONE.len());
    assert_eq!(sql.matches("CREATE TYPE").count(), 2);
    let untouched = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(db.value(untouched), "30", "generating changes nothing");

    run(&project, &db, &["apply"]).assert_success();
    let (code, target) = json(&project, &db, &["missing"]);
    assert_eq!(code, 0, "{target}");
    let after = verify();
    assert_eq!(after.code, 0, "{after:?}");
    let status = npm::prisma(project.path(), &db.url(), &["migrate", "status"]);
    let status = status.assert_success();
    assert!(status.stdout.contains("Database schema is up to date"), "{}", status.stdout);
    let again = run(&project, &db, &["generate", "more"]).assert_success();
    assert!(again.stdout.starts_with("Nothing to generate"), "{}", again.stdout);
}
