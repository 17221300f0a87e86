//! Several at once: our lock, other tools' locks, busy tables, Ctrl-C.

use std::time::{Duration, Instant};

use pgfleet_testkit::{Project, TestDb, migrations};

use crate::{
    resume::{block, terminate},
    stage::{Stage, assert_says, ended, wait_until},
};

fn slow() -> Stage {
    Stage::of(&[
        ("0001_a.sql", "CREATE TABLE log (t text);"),
        ("0002_b.sql", "SELECT pg_sleep(1.5); INSERT INTO log VALUES ('b');"),
        ("0003_c.sql", "CREATE INDEX CONCURRENTLY i ON log (t);"),
        ("0004_d.sql", "INSERT INTO log VALUES ('d');"),
    ])
}

const SLEEPS: &str = "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";

#[test]
fn of_several_at_once_one_works_and_the_others_wait() {
    for appliers in [2, 4] {
        let stage = slow();
        let running: Vec<_> = (0..appliers).map(|_| stage.spawn(&["apply"])).collect();
        let outputs: Vec<_> =
            running.into_iter().map(|running| running.wait().assert_success()).collect();
        let worked =
            outputs.iter().filter(|output| !output.stdout.contains("Nothing to do")).count();
        assert_eq!(worked, 1, "{outputs:?}");
        assert_eq!(stage.db.value("SELECT string_agg(t, ' ') FROM log"), "b d");
        assert_eq!(stage.versions(), "0001 0002 0003 0004");
    }
}

#[test]
fn who_will_not_wait_is_told_who_holds_the_lock() {
    let stage = slow();
    stage.project.write("pgfleet.toml", "[apply]\nlock_wait_ms = 200\n");
    let first = stage.spawn(&["apply"]);
    wait_until(&stage.db, SLEEPS);
    let stderr = stage.ends(&["apply"], 5);
    assert_says(&stderr, &["PF401", "user postgres, application pgfleet", "pid "]);
    first.wait().assert_success();
}

#[test]
fn ctrl_c_ends_the_waiting() {
    let stage = slow();
    let first = stage.spawn(&["apply"]);
    wait_until(&stage.db, SLEEPS);
    let mut second = stage.spawn(&["apply"]);
    std::thread::sleep(Duration::from_millis(300));
    second.interrupt();
    assert!(second.wait_for(Duration::from_secs(1)), "it stops waiting");
    assert_says(&ended(second.wait(), 5), &["PF401"]);
    first.wait().assert_success();
}

#[test]
fn an_applier_that_waits_does_not_hinder_an_index_built_concurrently() {
    let stage = Stage::of(&[
        ("0001_a.sql", "CREATE TABLE a (id int); INSERT INTO a SELECT generate_series(1, 200000);"),
        ("0002_b.sql", "CREATE INDEX CONCURRENTLY i ON a (id);"),
        ("0003_c.sql", "CREATE INDEX CONCURRENTLY j ON a (id);"),
    ]);
    stage.run(&["apply", "--steps", "1"]).assert_success();
    let begun = Instant::now();
    let running: Vec<_> = (0..3).map(|_| stage.spawn(&["apply"])).collect();
    for running in running {
        running.wait().assert_success();
    }
    assert!(begun.elapsed() < Duration::from_secs(15));
    assert_eq!(
        stage
            .db
            .value("SELECT count(*) FROM pg_index WHERE indrelid = 'a'::regclass AND indisvalid"),
        "2"
    );
}

#[test]
fn the_lock_of_the_team_s_own_tool_is_respected() {
    let project = Project::of(migrations::Format::Prisma, &migrations::one_table_each(2));
    project.write("pgfleet.toml", "[apply]\nlock_wait_ms = 100\n");
    let stage = Stage { project, db: TestDb::new() };
    let db = &stage.db;
    let apply =
        || stage.project.pgfleet(["apply", "--url", &db.url(), "--dir", "prisma/migrations"]);
    let blocker = block(&stage, "SELECT pg_advisory_lock(72707369)");
    let stderr = ended(apply().run(), 5);
    assert_says(&stderr, &["PF401", "the format's own tool", "the blocker"]);
    assert_eq!(db.value("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"), "0");
    drop(blocker);
    wait_until(
        db,
        "SELECT count(*) = 0 FROM pg_locks WHERE locktype = 'advisory' AND objid = 72707369",
    );
    apply().run().assert_success();
}

fn busy(settings: &str) -> Stage {
    let stage = Stage::of(&[
        ("0001_a.sql", "CREATE TABLE a (id int);"),
        ("0002_b.sql", "CREATE TABLE b (id int); ALTER TABLE busy ADD c int;"),
        ("0003_c.sql", "CREATE TABLE c (id int);"),
    ]);
    stage.db.sql("CREATE TABLE busy (id int)");
    stage.project.write("pgfleet.toml", settings);
    stage
}

#[test]
fn a_busy_table_is_tried_again_and_then_given_up_with_its_blockers() {
    let stage = busy("[apply]\nlock_timeout_ms = 150\nattempts = 3\n");
    let blocker = block(&stage, "SELECT * FROM busy");
    let stderr = stage.ends(&["apply", "--verbose"], 4);
    assert_says(&stderr, &["PF305", "the blocker", "migrations/0002_b.sql:1:26"]);
    assert_eq!(stage.versions(), "0001");
    assert_eq!(stage.db.value("SELECT to_regclass('b') IS NULL AND to_regclass('c') IS NULL"), "t");
    drop(blocker);
}

#[test]
fn a_table_that_is_free_in_time_is_changed() {
    let stage = busy("[apply]\nlock_timeout_ms = 150\nattempts = 10\n");
    let blocker = block(&stage, "SELECT * FROM busy");
    let running = stage.spawn(&["apply", "--verbose"]);
    std::thread::sleep(Duration::from_millis(500));
    drop(blocker);
    running.wait().assert_success();
    assert_eq!(stage.versions(), "0001 0002 0003");
}

#[test]
fn ctrl_c_cancels_the_statement_and_says_where_it_stands() {
    let stage = Stage::of(&[
        ("0001_a.sql", "CREATE TABLE a (id int);"),
        ("0002_b.sql", "CREATE TABLE b (id int); SELECT pg_sleep(30);"),
        ("0003_c.sql", "CREATE TABLE c (id int);"),
    ]);
    interrupt_when(&stage, SLEEPS, &["0002_b"]);
    assert_eq!(stage.versions(), "0001");
    assert_eq!(stage.db.value("SELECT to_regclass('b') IS NULL AND to_regclass('c') IS NULL"), "t");
    stage.write("0002_b.sql", "CREATE TABLE b (id int);");
    stage.apply();
    assert_eq!(stage.versions(), "0001 0002 0003");
}

fn interrupt_when(stage: &Stage, condition: &str, says: &[&str]) {
    let mut running = stage.spawn(&["apply"]);
    wait_until(&stage.db, condition);
    running.interrupt();
    assert!(running.wait_for(Duration::from_secs(5)), "it stops at once");
    let stderr = ended(running.wait(), 4);
    assert_says(&stderr, &["PF311"]);
    assert_says(&stderr, says);
}

#[test]
fn ctrl_c_during_an_index_built_concurrently_leaves_nothing_half_made() {
    let stage = Stage::of(&[
        ("0001_a.sql", "CREATE TABLE a (id int);"),
        ("0002_b.sql", "CREATE INDEX CONCURRENTLY i ON a (id);"),
        ("0003_c.sql", "CREATE TABLE c (id int);"),
    ]);
    stage.project.write("pgfleet.toml", "[apply]\nlock_timeout_ms = 20000\n");
    stage.run(&["apply", "--steps", "1"]).assert_success();
    let blocker = block(&stage, "INSERT INTO a VALUES (1)");
    let waits = "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%CONCURRENTLY%'";
    interrupt_when(&stage, waits, &["0002_b"]);
    drop(blocker);
    stage.apply();
    assert_eq!(stage.versions(), "0001 0002 0003");
    assert_eq!(stage.db.value("SELECT string_agg(indexrelid::regclass || ' ' || indisvalid, ',') FROM pg_index WHERE indrelid = 'a'::regclass"), "i true");
}

#[test]
fn rollback_and_reset_wait_for_the_lock_too() {
    let stage = slow();
    stage.project.write("pgfleet.toml", "[apply]\nlock_wait_ms = 100\n");
    let first = stage.spawn(&["apply"]);
    wait_until(&stage.db, SLEEPS);
    for command in [
        &["reset", "--allow-data-loss"][..],
        &["resolve", "--applied", "0003"],
        &["baseline", "0004"],
    ] {
        assert_says(&stage.ends(command, 5), &["PF401"]);
    }
    first.wait().assert_success();
}

#[test]
fn a_run_that_lost_its_lock_is_not_joined_by_another() {
    let stage = slow();
    let first = stage.spawn(&["apply"]);
    wait_until(&stage.db, SLEEPS);
    terminate(&stage, false);
    let second = stage.run(&["apply", "--verbose"]);
    assert_says(&ended(second, 0), &["the work of an earlier run"]);
    ended(first.wait(), 0);
    assert_eq!(stage.db.value("SELECT string_agg(t, ' ') FROM log"), "b d");
}

#[test]
fn one_of_those_who_wait_takes_over_from_a_killed_run() {
    let stage = slow();
    let mut first = stage.spawn(&["apply"]);
    wait_until(&stage.db, SLEEPS);
    let others: Vec<_> = (0..3).map(|_| stage.spawn(&["apply"])).collect();
    std::thread::sleep(Duration::from_millis(300));
    first.kill();
    for other in others {
        other.wait().assert_success();
    }
    assert_eq!(stage.db.value("SELECT string_agg(t, ' ') FROM log"), "b d");
    assert_eq!(stage.versions(), "0001 0002 0003 0004");
}

/// Functions of the database may let go of every lock of the session that calls them.
#[test]
fn a_lock_that_a_function_let_go_of_is_noticed_before_the_next_migration() {
    let stage = Stage::of(&[
        ("0001_a.sql", "CREATE TABLE log (t text);"),
        ("0002_b.sql", "SELECT tidy(); INSERT INTO log VALUES ('b');"),
        ("0003_c.sql", "INSERT INTO log VALUES ('c');"),
    ]);
    stage.db.sql(
        "CREATE FUNCTION tidy() RETURNS void LANGUAGE sql AS 'SELECT pg_advisory_unlock_all()'",
    );
    let stderr = stage.ends(&["apply"], 4);
    assert_says(&stderr, &["a migration let go of the lock", "0003"]);
    assert_eq!(stage.versions(), "0001 0002");
    stage.apply();
    assert_eq!(stage.db.value("SELECT string_agg(t, ' ') FROM log"), "b c");
}

/// Where the file itself says it, the locks are another session's from the beginning.
#[test]
fn a_migration_that_lets_go_of_its_locks_is_safe() {
    let stage = Stage::of(&[
        ("0001_a.sql", "CREATE TABLE log (t text); SELECT pg_advisory_unlock_all();"),
        ("0002_b.sql", "INSERT INTO log VALUES ('b');"),
    ]);
    stage.apply();
    assert_eq!(stage.versions(), "0001 0002");
}
