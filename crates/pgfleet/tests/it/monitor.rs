//! `monitor`: figures, attention, growth, Prometheus; and the operating commands on a group.

#![allow(clippy::unwrap_used, reason = "a test has nobody to hand an error to")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use pgfleet_testkit::{Cluster, Project, TestDb, client_command};

use crate::stage::{Stage, assert_says, wait_until};

#[test]
fn a_look_shows_figures_and_growth_since_the_last_one() {
    let stage = Stage::of(&[]);
    stage.db.sql("CREATE TABLE big AS SELECT g, md5(g::text) FROM generate_series(1, 5000) g");
    let first = stage.run(&["monitor"]).assert_success().stdout;
    assert_says(
        &first,
        &[
            "connections",
            "of 400 on the server",
            "cache hit",
            "shared_buffers",
            "public.big",
            "database",
        ],
    );
    assert!(!first.contains("growth in"), "{first}");
    stage.db.sql("INSERT INTO big SELECT g, md5(g::text) FROM generate_series(1, 50000) g");
    let second = stage.run(&["monitor", "--output", "json"]).assert_success().stdout;
    assert_says(&second, &["\"growth\"", "\"table\": \"public.big\"", "\"connections_max\": 400"]);
    let third = stage.run(&["monitor"]).assert_success().stdout;
    assert_says(&third, &["growth in"]);
}

/// pg_receivewal is a standby as far as the server knows.
#[test]
fn statements_standbys_and_dead_rows_are_shown() {
    let cluster = Cluster::fresh()
        .setting("shared_preload_libraries", "pg_stat_statements")
        .setting("wal_level", "replica")
        .setting("max_wal_senders", 4)
        .setting("autovacuum", "off")
        .start();
    let stage = Stage::on(cluster.database(), &[]);
    stage.db.sql(
        "CREATE EXTENSION pg_stat_statements; SELECT pg_create_physical_replication_slot('standby', true); \
         CREATE TABLE t (id int); INSERT INTO t SELECT generate_series(1, 1000); DELETE FROM t WHERE id <= 400",
    );
    stage.db.psql("SELECT pg_sleep(0.3)").assert_success();
    let received = Project::new();
    let mut standby = client_command("pg_receivewal");
    standby.arg("-D").arg(received.path()).args(["-S", "standby", "-d", &cluster.url("postgres")]);
    let mut standby = standby.spawn().unwrap();
    let there = "SELECT count(*) = 1 FROM pg_stat_replication WHERE state = 'streaming'";
    wait_until(&stage.db, there);
    wait_until(&stage.db, "SELECT pg_stat_get_dead_tuples('t'::regclass) = 400");
    let look = stage.run(&["monitor"]).assert_success().stdout;
    let page = stage.run(&["monitor", "--output", "json"]).assert_success().stdout;
    standby.kill().unwrap();
    standby.wait().unwrap();
    let said = [
        "400 dead of 1000 rows",
        "Statements that took most time",
        "SELECT pg_sleep($1)",
        "1 calls, 3",
        "pg_receivewal  streaming",
        "slot standby  holds back",
    ];
    assert_says(&look, &said);
    assert_says(&page, &["\"replicas\"", "\"lag_bytes\"", "\"statements\"", "\"mean_ms\""]);
}

#[test]
fn who_blocks_whom_is_named() {
    let stage = Stage::of(&[]);
    stage.db.sql("CREATE TABLE t (id int); INSERT INTO t VALUES (1)");
    let run = |sql: &'static str| {
        let url = stage.db.url();
        std::thread::spawn(move || {
            let mut psql = client_command("psql");
            psql.args(["-X", "-d", &url, "-c", sql]).output().unwrap()
        })
    };
    let holder = run("BEGIN; UPDATE t SET id = 2; SELECT pg_sleep(6); ROLLBACK");
    wait_until(
        &stage.db,
        "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(6)%' AND wait_event = 'PgSleep'",
    );
    let waiter = run("UPDATE t SET id = 3");
    wait_until(
        &stage.db,
        "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    );
    let output = stage.run(&["monitor", "--exit-code"]);
    assert_eq!(output.code, 1, "{}", output.stderr);
    assert_says(&output.stdout, &["waits for pid", "Open transactions", "UPDATE t SET id = 3"]);
    holder.join().unwrap();
    waiter.join().unwrap();
}

#[test]
fn prometheus_is_answered() {
    let stage = Stage::of(&[]);
    stage.db.sql("CREATE TABLE t (id int)");
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("127.0.0.1:{port}");
    let running = stage.spawn(&["monitor", "--listen", &address]);
    let get = |path: &str| {
        let mut stream = (0..100)
            .find_map(|_| {
                std::thread::sleep(Duration::from_millis(50));
                TcpStream::connect(&address).ok()
            })
            .unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let page = get("/metrics");
    assert_says(
        &page,
        &[
            "200 OK",
            "version=0.0.4",
            "pgfleet_up{target=\"database\"} 1",
            "pgfleet_table_bytes{target=\"database\",table=\"public.t\"}",
        ],
    );
    assert_says(&get("/other"), &["404"]);
    running.interrupt();
    assert_eq!(running.wait().code, 0);
}

#[test]
fn watching_ends_with_control_c() {
    let stage = Stage::of(&[]);
    let running = stage.spawn(&["monitor", "--watch", "1"]);
    std::thread::sleep(Duration::from_millis(2500));
    running.interrupt();
    let output = running.wait().assert_success();
    assert!(output.stdout.matches("cache hit").count() >= 2, "{}", output.stdout);
}

#[test]
fn a_group_is_audited_backed_up_cleaned_and_looked_at() {
    let stage = Stage::of(&[]);
    let other = TestDb::new();
    for db in [&stage.db, &other] {
        db.sql("CREATE TABLE s (id int PRIMARY KEY, old bool); INSERT INTO s SELECT g, g < 5 FROM generate_series(1, 9) g");
    }
    let toml = format!(
        "[targets.a]\nurl = '{}'\n[targets.b]\nurl = '{}'\n[groups.both]\ntargets = ['a', 'b']\n\
         [[clean]]\ntable = 's'\nwhere = 't.old'\nreason = 'old'\n",
        stage.db.url(),
        other.url()
    );
    stage.project.write("pgfleet.toml", toml);
    let run =
        |args: &[&str]| stage.project.pgfleet(args.iter().copied()).args(["--group", "both"]).run();
    assert_says(&run(&["audit"]).assert_success().stdout, &["a", "b", "0 errors"]);
    assert_says(&run(&["backup", "--verify", "--no-globals"]).assert_success().stdout, &["good"]);
    assert_says(&run(&["clean"]).assert_success().stdout, &["4 rows would be deleted"]);
    assert_says(
        &run(&["clean", "--execute", "--allow-data-loss"]).assert_success().stdout,
        &["4 rows deleted"],
    );
    assert_eq!(other.value("SELECT count(*) FROM s"), "5");
    assert_says(&run(&["monitor"]).assert_success().stdout, &["nothing needs attention"]);
    let list = run(&["backup", "list", "--output", "json"]).assert_success().stdout;
    assert_eq!(list.matches("\"state\": \"good\"").count(), 4, "{list}");
}
