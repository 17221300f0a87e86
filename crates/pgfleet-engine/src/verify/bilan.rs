//! The example project passes its own checklist.

use std::path::{Path, PathBuf};

use pgfleet_core::config;
use pgfleet_testkit::TestDb;

use super::tests::session;
use super::*;
use crate::environment::prelude;

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/bilan")
}

fn sql_files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(example().join(folder)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = paths.filter(|path| path.is_file()).collect();
    files.sort();
    files
}

fn run_file(database: &TestDb, file: &Path) {
    database.sql(&std::fs::read_to_string(file).unwrap());
}

#[tokio::test]
async fn the_example_passes_its_checklist_and_its_down_files_lead_back() {
    let database = TestDb::new();
    database.sql(&prelude("supabase").unwrap());
    let files = sql_files("migrations");
    assert_eq!(files.len(), 17);
    files.iter().for_each(|file| run_file(&database, file));

    let toml = std::fs::read_to_string(example().join("pgfleet.toml")).unwrap();
    let checks = config::parse(&toml, "pgfleet.toml").unwrap().check;
    let problems = pgfleet_core::verify::declaration_problems(&checks, "pgfleet.toml");
    assert!(problems.is_empty(), "{problems:?}");
    let session = session(&database).await;
    let options = Options { probes: false, ..Options::default() };
    let names = ["SUPABASE_URL", "SUPABASE_ANON_KEY", "SUPABASE_SERVICE_ROLE_KEY"];
    let variables = names.map(|name| (name.to_owned(), "x".to_owned())).into();
    let verdicts = run(Some(&session), &checks, &variables, options).await;
    let failed: Vec<_> = verdicts.iter().filter(|verdict| verdict.failed()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!(verdicts.iter().filter(|verdict| verdict.ok).count(), checks.len() - 1);

    let before = database.dump_schema();
    let down = sql_files("migrations/down");
    down.iter().rev().for_each(|file| run_file(&database, file));
    assert_ne!(database.dump_schema(), before);
    files[17 - down.len()..].iter().for_each(|file| run_file(&database, file));
    assert_eq!(database.dump_schema(), before);
}

#[test]
fn the_broken_folder_fails_on_rows_that_are_there() {
    let database = TestDb::new();
    let files = sql_files("broken");
    run_file(&database, &files[0]);
    let said = database.psql(&std::fs::read_to_string(&files[1]).unwrap());
    assert!(said.stderr.contains("contains null values"), "{said:?}");
}
