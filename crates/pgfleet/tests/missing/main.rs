//! Missing tables: found, generated, applied and verified, on the example `orchestra` and beyond.

#![allow(clippy::unwrap_used, reason = "these are tests, their helpers included")]

mod engine;
mod generated;
mod orchestra;
mod other_formats;
mod service;

use pgfleet_testkit::{ProgramOutput, Project, TestDb};
use serde_json::Value;

/// A Prisma project with this schema and these migrations, by name.
fn prisma_project(schema: &str, migrations: &[(&str, &str)]) -> Project {
    let project = Project::new();
    let head = "datasource db {\n  provider = \"postgresql\"\n}\n";
    project.write("prisma/schema.prisma", format!("{head}{schema}"));
    for (name, sql) in migrations {
        project.write(format!("prisma/migrations/{name}/migration.sql"), sql);
    }
    project
}

fn run(project: &Project, db: &TestDb, args: &[&str]) -> ProgramOutput {
    project.pgfleet(args.iter().copied()).env("DATABASE_URL", db.url()).run()
}

/// The command's answer for its only target.
fn json(project: &Project, db: &TestDb, args: &[&str]) -> (i32, Value) {
    let output = run(project, db, &[args, &["--output", "json"]].concat());
    let value: Value = serde_json::from_str(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}\n{}\n{}", output.stdout, output.stderr));
    (output.code, value["targets"][0].clone())
}

/// The only migration that is not one of `known`.
fn generated_sql(project: &Project, known: &[&str]) -> String {
    let folder = project.path().join("prisma/migrations");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let new: Vec<_> = entries
        .filter(|path| path.is_dir())
        .filter(|path| !known.contains(&path.file_name().unwrap().to_str().unwrap()))
        .collect();
    assert_eq!(new.len(), 1, "{new:?}");
    std::fs::read_to_string(new[0].join("migration.sql")).unwrap()
}
