//! Statements that no transaction can hold, interrupted at the wrong moment: the catalog tells
//! whether they happened.

use pgfleet_testkit::{Cluster, TestDb};

use crate::resume::{block, terminate};
use crate::stage::{Stage, assert_says, wait_until};

const APPLY: &[&str] = &["apply"];

/// Says in the journal that the last migration's statement was begun, and nothing more: as a kill
/// leaves it between the deed and its record.
fn forget_outcome(stage: &Stage, version: &str) {
    stage.db.sql(&format!(
        "UPDATE pgfleet.steps SET state = 'intent', closed = false WHERE version = '{version}'; \
         DELETE FROM pgfleet.migrations WHERE version = '{version}'"
    ));
}

/// Each statement, what undoes it, and a query that is `t` when it has happened.
#[test]
fn what_happened_is_not_run_again_and_what_did_not_is_run() {
    let prepare = "CREATE TABLE p (id int) PARTITION BY RANGE (id); \
                   CREATE TABLE \"P1\" PARTITION OF p FOR VALUES FROM (0) TO (10); \
                   SET allow_in_place_tablespaces = on;";
    for (sql, undo, happened) in [
        (
            "ALTER TABLE p DETACH PARTITION \"P1\" CONCURRENTLY;",
            "ALTER TABLE p ATTACH PARTITION \"P1\" FOR VALUES FROM (0) TO (10)",
            "SELECT NOT EXISTS (SELECT FROM pg_inherits)",
        ),
        (
            "SET allow_in_place_tablespaces = on;\nCREATE TABLESPACE settled LOCATION '';",
            "DROP TABLESPACE settled",
            "SELECT EXISTS (SELECT FROM pg_tablespace WHERE spcname = 'settled')",
        ),
    ] {
        let cluster = Cluster::fresh().start();
        let stage = Stage::on(TestDb::on(&cluster), &[("0001_a.sql", sql)]);
        stage.db.sql(prepare);
        stage.apply();
        assert_eq!(stage.db.value(happened), "t", "{sql}");
        forget_outcome(&stage, "0001");
        stage.apply();
        assert_eq!(stage.versions(), "0001", "{sql}");
        forget_outcome(&stage, "0001");
        stage.db.sql(undo);
        stage.apply();
        assert_eq!(stage.db.value(happened), "t", "{sql}");
    }
}

#[test]
fn a_detaching_that_was_killed_is_finished() {
    let stage = Stage::of(&[(
        "0001_a.sql",
        "CREATE TABLE other (id int);\nALTER TABLE p DETACH PARTITION p1 CONCURRENTLY;\nINSERT INTO other VALUES (1);",
    )]);
    stage.db.sql(
        "CREATE TABLE p (id int) PARTITION BY RANGE (id); \
         CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)",
    );
    let blocker = block(&stage, "SELECT count(*) FROM p");
    let mut running = stage.spawn(APPLY);
    wait_until(&stage.db, "SELECT EXISTS (SELECT FROM pg_inherits WHERE inhdetachpending)");
    running.kill();
    terminate(&stage, true);
    drop(blocker);
    drop(running);
    assert_eq!(stage.db.value("SELECT inhdetachpending FROM pg_inherits"), "t");
    stage.apply();
    assert_eq!(stage.db.value("SELECT count(*) FROM pg_inherits"), "0");
    assert_eq!(stage.db.value("SELECT count(*) FROM other"), "1");
    stage.ends(APPLY, 0);
}

#[test]
fn a_detaching_that_waited_too_long_is_finished_too() {
    let stage = Stage::of(&[("0001_a.sql", "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY;")]);
    stage.project.write("pgfleet.toml", "[apply]\nlock_timeout_ms = 300\nattempts = 2\n");
    stage.db.sql(
        "CREATE TABLE p (id int) PARTITION BY RANGE (id); \
         CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)",
    );
    let blocker = block(&stage, "SELECT count(*) FROM p");
    assert_says(&stage.ends(APPLY, 4), &["PF305"]);
    drop(blocker);
    stage.apply();
    assert_eq!(stage.db.value("SELECT count(*) FROM pg_inherits"), "0");
}

#[test]
fn subscriptions_are_settled_from_the_catalog() {
    let cluster = Cluster::fresh().setting("wal_level", "logical").start();
    let publisher = TestDb::on(&cluster);
    publisher.sql("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY); CREATE PUBLICATION p FOR TABLE t; CREATE PUBLICATION q FOR TABLE u");
    let stage = Stage::of(&[
        ("0001_a.sql", "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY);"),
        (
            "0002_b.sql",
            &format!(
                "CREATE SUBSCRIPTION \"S\" CONNECTION '{}' PUBLICATION p WITH (slot_name = 's');",
                publisher.url()
            ),
        ),
    ]);
    stage.apply();
    forget_outcome(&stage, "0002");
    stage.apply();
    let subscriptions = "SELECT count(*) FROM pg_subscription";
    assert_eq!(stage.db.value(subscriptions), "1");
    for (name, sql, wanted) in [
        ("0003", "ALTER SUBSCRIPTION \"S\" ADD PUBLICATION q;", "{p,q}"),
        ("0004", "ALTER SUBSCRIPTION \"S\" DROP PUBLICATION q;", "{p}"),
        ("0005", "ALTER SUBSCRIPTION \"S\" REFRESH PUBLICATION;", "{p}"),
    ] {
        stage.write(&format!("{name}_s.sql"), sql);
        stage.apply();
        forget_outcome(&stage, name);
        stage.apply();
        assert_eq!(stage.db.value("SELECT subpublications FROM pg_subscription"), wanted);
    }
    stage.write("0006_s.sql", "DROP SUBSCRIPTION \"S\";");
    stage.run(&["apply", "--allow-data-loss"]).assert_success();
    assert_eq!(stage.db.value(subscriptions), "0");
    forget_outcome(&stage, "0006");
    stage.run(&["apply", "--allow-data-loss"]).assert_success();
    assert_eq!(publisher.value("SELECT count(*) FROM pg_replication_slots"), "0");
}

/// The server waits for the migration's own transaction before it makes the slot.
#[test]
fn a_subscription_that_was_killed_while_its_slot_was_made_is_made_again() {
    let cluster = Cluster::fresh().setting("wal_level", "logical").start();
    let stage = Stage::on(TestDb::on(&cluster), &[]);
    let publisher = TestDb::on(&cluster);
    publisher.sql("CREATE TABLE t (id int PRIMARY KEY); CREATE PUBLICATION p FOR TABLE t");
    stage.db.sql("CREATE TABLE t (id int PRIMARY KEY)");
    let create = |slot: &str| {
        let url = publisher.url();
        format!("CREATE SUBSCRIPTION s CONNECTION '{url}' PUBLICATION p{slot};")
    };
    stage.write("0001_a.sql", create(""));
    let mut running = stage.spawn(APPLY);
    wait_until(&publisher, "SELECT EXISTS (SELECT FROM pg_replication_slots)");
    running.kill();
    terminate(&stage, true);
    drop(running);
    assert_eq!(stage.db.value("SELECT count(*) FROM pg_subscription"), "0");
    publisher.sql("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active");
    publisher.sql("SELECT pg_create_logical_replication_slot('s', 'pgoutput') WHERE NOT EXISTS (SELECT FROM pg_replication_slots)");
    let stderr = stage.ends(APPLY, 4);
    assert_says(&stderr, &["PF300", "already exists", "SELECT pg_drop_replication_slot('s')"]);
    stage.write("0001_a.sql", create(" WITH (create_slot = false, slot_name = 's')"));
    stage.apply();
    assert_eq!(stage.db.value("SELECT count(*) FROM pg_subscription"), "1");
    stage.db.sql("ALTER SUBSCRIPTION s DISABLE");
    stage.db.sql("ALTER SUBSCRIPTION s SET (slot_name = NONE)");
    stage.db.sql("DROP SUBSCRIPTION s");
}
