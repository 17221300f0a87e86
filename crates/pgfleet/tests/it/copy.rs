//! `COPY … FROM stdin` in migrations.

use std::fmt::Write as _;

use pgfleet_testkit::{ProgramOutput, TestDb, client_command};

use crate::stage::{Stage, assert_says};

#[test]
fn a_dump_with_rows_runs_and_leaks_no_setting() {
    let source = TestDb::new();
    source.sql("CREATE TABLE a (id int PRIMARY KEY, t text); INSERT INTO a VALUES (1, E'tab\\there'), (2, NULL), (3, E'back\\\\slash \\\\.');");
    let dump =
        ProgramOutput::of(client_command("pg_dump").arg(source.url())).assert_success().stdout;
    let stage = Stage::of(&[("0001_dump.sql", &dump), ("0002_b.sql", "CREATE TABLE b (id int);")]);
    stage.apply();
    let rows = "SELECT string_agg(a::text, ';' ORDER BY id) FROM a";
    assert_eq!(stage.db.value(rows), source.value(rows));
    assert_eq!(stage.db.value("SELECT to_regclass('public.b') IS NOT NULL"), "t");
}

#[test]
fn rows_that_do_not_fit_leave_nothing() {
    let stage = Stage::of(&[
        (
            "0001_a.sql",
            "CREATE TABLE a (id int);\nCOPY a FROM stdin;\n1\n2\nthree\n\\.\nSELECT 1;\n",
        ),
        ("0002_b.sql", "CREATE TABLE b (id int);"),
    ]);
    assert_says(&stage.ends(&["apply"], 4), &["migrations/0001_a.sql:2:1", "three"]);
    assert_eq!(stage.schema(), Stage::of(&[]).schema());
    stage.write(
        "0001_a.sql",
        "CREATE TABLE a (id int);\nCOPY a FROM stdin;\n1\n2\n\\.\nCOPY a FROM stdin;\n3\n\\.\n",
    );
    stage.apply();
    assert_eq!(stage.db.value("SELECT sum(id) FROM a"), "6");
}

#[test]
fn copy_outside_a_transaction_runs_once() {
    let stage = Stage::of(&[(
        "0001_a.sql",
        "CREATE TABLE a (id int);\nCOPY a FROM stdin;\n1\n2\n\\.\nCREATE INDEX CONCURRENTLY a_id ON a (id);\nSELECT nothing;\n",
    )]);
    assert_says(&stage.ends(&["apply"], 4), &["migrations/0001_a.sql:7:8"]);
    let fixed = stage.project.read("migrations/0001_a.sql").replace("SELECT nothing", "SELECT 1");
    stage.write("0001_a.sql", fixed);
    stage.apply();
    assert_eq!(stage.db.value("SELECT count(*) FROM a"), "2");
}

#[test]
fn copy_to_stdout_does_not_hang() {
    let stage = Stage::of(&[
        ("0001_a.sql", "COPY (SELECT 1) TO stdout;"),
        ("0002_b.sql", "CREATE TABLE b (id int);"),
    ]);
    let mut running = stage.spawn(&["apply"]);
    assert!(running.wait_for(std::time::Duration::from_secs(10)));
}

#[test]
fn a_large_seed_takes_little_more_memory_than_the_file() {
    let mut sql = String::from("CREATE TABLE a (id int, t text);\nCOPY a FROM stdin;\n");
    for number in 0..400_000 {
        writeln!(sql, "{number}\t{}", "x".repeat(140)).unwrap();
    }
    sql.push_str("\\.\n");
    let megabytes = sql.len() / (1 << 20);
    assert!(megabytes > 54, "{megabytes}");
    let stage = Stage::of(&[("0001_a.sql", &sql)]);
    let mut running = stage.spawn(&["apply"]);
    let mut peak_kb = 0;
    while !running.wait_for(std::time::Duration::from_millis(5)) {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", running.pid())).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmHWM:"));
        let seen = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<usize>().ok());
        peak_kb = peak_kb.max(seen.unwrap_or(0));
    }
    running.wait().assert_success();
    assert_eq!(stage.db.value("SELECT count(*) FROM a"), "400000");
    assert!(peak_kb / 1024 < megabytes * 5, "{} MB for a file of {megabytes} MB", peak_kb / 1024);
}
