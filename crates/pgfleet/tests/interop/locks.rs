//! Prisma's advisory lock keeps both from working at the same time.

use std::{
    thread,
    time::{Duration, Instant},
};

use pgfleet_testkit::{Project, TestDb, migrations::Format, peers::npm};

use super::peer::{apply, pgfleet, status};
use super::prisma::PRISMA;

/// Waits until somebody opens the gate, and makes a table that can be made only once.
const GATED: &str = "DO $$ BEGIN\n\
    WHILE NOT EXISTS (SELECT FROM gate) LOOP PERFORM pg_sleep(0.02); END LOOP;\nEND $$;\n\
    CREATE TABLE made_once (id int);\n";
const IN_THE_GATE: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = \
    current_database() AND state = 'active' AND wait_event = 'PgSleep'";
/// Of Prisma's key; see `history/prisma.rs`.
const WAITING: &str = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND \
    objid = 72707369 AND NOT granted AND database = (SELECT oid FROM pg_database WHERE \
    datname = current_database())";
const DEPLOY: &[&str] = &["migrate", "deploy"];
const PATIENCE: Duration = Duration::from_secs(60);

fn gated() -> (TestDb, Project) {
    let (db, project) = (TestDb::new(), Project::of(Format::Prisma, &PRISMA.changes()[..1]));
    apply(&project, &db);
    project.write("prisma/migrations/20240102000000_gated/migration.sql", GATED);
    db.sql("CREATE TABLE gate (id int)");
    (db, project)
}

fn wait_for_one(db: &TestDb, query: &str) {
    let deadline = Instant::now() + PATIENCE;
    while db.value(query) == "0" {
        assert!(Instant::now() < deadline, "nobody came: {query}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// The gate, which opens with the value: a test that fails must not leave anybody in it.
struct Gate<'db>(&'db TestDb);

impl Drop for Gate<'_> {
    fn drop(&mut self) {
        self.0.sql("INSERT INTO gate VALUES (1)");
    }
}

fn assert_done_once(project: &Project, db: &TestDb) {
    let rows = "SELECT count(*) FROM _prisma_migrations";
    assert_eq!(db.value(rows), "2");
    status(project, db).assert_success();
}

#[test]
fn prisma_waits_while_pgfleet_works() {
    let (db, project) = gated();
    thread::scope(|scope| {
        let gate = Gate(&db);
        let ours = scope.spawn(|| pgfleet(&project, &db, &["apply"]));
        wait_for_one(&db, IN_THE_GATE);
        let theirs = scope.spawn(|| npm::prisma(project.path(), &db.url(), DEPLOY));
        wait_for_one(&db, WAITING);
        drop(gate);
        ours.join().expect("pgfleet runs").assert_success();
        let theirs = theirs.join().expect("prisma runs").assert_success();
        assert!(theirs.stdout.contains("No pending migrations"), "{}", theirs.stdout);
    });
    assert_done_once(&project, &db);
}

#[test]
fn pgfleet_waits_while_prisma_works() {
    let (db, project) = gated();
    thread::scope(|scope| {
        let gate = Gate(&db);
        let theirs = scope.spawn(|| npm::prisma(project.path(), &db.url(), DEPLOY));
        wait_for_one(&db, IN_THE_GATE);
        let mut ours = project.pgfleet(["apply", "--yes", "--url", &db.url()]).spawn();
        if ours.wait_for(Duration::from_secs(2)) {
            panic!("pgfleet does not wait: {:?}", ours.wait());
        }
        drop(gate);
        theirs.join().expect("prisma runs").assert_success();
        let ours = ours.wait().assert_success();
        assert!(ours.stderr.contains("waiting"), "{}", ours.stderr);
        assert!(ours.stdout.contains("Nothing to do"), "{}", ours.stdout);
    });
    assert_done_once(&project, &db);
}
