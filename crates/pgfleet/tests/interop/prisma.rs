//! Prisma 6. It takes nothing back by itself; `migrate resolve` changes its history.

use std::path::Path;

use pgfleet_testkit::{Project, TestDb, migrations::Format, peers::npm};

use super::peer::{Peer, apply, pgfleet, status};

pub const PRISMA: Peer = Peer {
    format: Format::Prisma,
    runs_concurrently: true,
    apply: |project, url| npm::prisma(project, url, &["migrate", "deploy"]),
    assert_clean,
    rows: "SELECT checksum, migration_name, logs, rolled_back_at, applied_steps_count, \
           finished_at IS NULL, length(id) FROM _prisma_migrations ORDER BY migration_name",
};

fn assert_clean(project: &Path, url: &str) {
    let said = npm::prisma(project, url, &["migrate", "status"]).assert_success();
    assert!(said.stdout.contains("Database schema is up to date"), "{}", said.stdout);
}

#[test]
fn prisma_then_pgfleet() {
    PRISMA.goes_first();
}

#[test]
fn pgfleet_then_prisma() {
    PRISMA.goes_second();
}

#[test]
fn what_one_resolves_the_other_takes_so() {
    let changes = PRISMA.changes();
    let (db, project) = (TestDb::new(), Project::of(Format::Prisma, &changes[..3]));
    let resolve = |as_what: &str, migration: &str| {
        let args = ["migrate", "resolve", as_what, migration];
        npm::prisma(project.path(), &db.url(), &args).assert_success();
    };
    db.sql(&changes[0].up);
    resolve("--applied", "20240101000001_t1");
    pgfleet(&project, &db, &["apply", "--steps", "1"]).assert_success();
    db.sql(&changes[2].up);
    let last = format!("20240101000003_{}", changes[2].name);
    pgfleet(&project, &db, &["resolve", "--applied", &last]).assert_success();
    assert_clean(project.path(), &db.url());
    status(&project, &db).assert_success();
    let rows = "SELECT migration_name, applied_steps_count FROM _prisma_migrations ORDER BY 1";
    let steps = |at: usize| db.rows(rows)[at][1].clone();
    assert_eq!((steps(0), steps(2)), (steps(2), steps(0)), "a resolved row counts alike");
}

#[test]
fn a_failure_that_prisma_left_is_seen_and_resolved() {
    let project = Project::of(Format::Prisma, &PRISMA.changes()[..2]);
    let db = TestDb::new();
    let broken = "prisma/migrations/20240102000000_broken/migration.sql";
    project.write(broken, "CREATE TABLE half (id int);\nSELECT 1 / 0;\n");
    assert_ne!(npm::prisma(project.path(), &db.url(), &["migrate", "deploy"]).code, 0);
    let said = status(&project, &db);
    assert!(said.code == 1 && said.stdout.contains("1 failed"), "{}", said.stdout);
    let refused = pgfleet(&project, &db, &["apply"]);
    assert_eq!(refused.code, 5, "{refused:?}");
    let resolve = ["resolve", "--rolled-back", "20240102000000_broken"];
    pgfleet(&project, &db, &resolve).assert_success();
    project.write(broken, "CREATE TABLE half (id int);\n");
    apply(&project, &db);
    assert_clean(project.path(), &db.url());
}
