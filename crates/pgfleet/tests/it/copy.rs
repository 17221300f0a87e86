//! `COPY … FROM stdin` in migrations.

use std::fmt::Write as _;

use pgfleet_testkit::{
    ProgramOutput, TestDb, client_command,
    proxy::{Direction, Proxy},
};

use crate::stage::{Stage, assert_says, ended, wait_until};

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

/// A script with this many rows, and with a statement that fails behind them when `fails`.
fn seed(rows: usize, newline: &str, fails: bool) -> String {
    let mut sql = format!("CREATE TABLE a (id int, t text);{newline}COPY a FROM stdin;{newline}");
    for number in 0..rows {
        write!(sql, "{number}\té{}{newline}", "x".repeat(140)).expect("to memory");
    }
    write!(sql, "\\.{newline}{}", if fails { "SELECT nothing;" } else { "SELECT 1;" })
        .expect("to memory");
    sql
}

fn utf16(text: &str) -> Vec<u8> {
    format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_be_bytes).collect()
}

#[test]
fn a_large_seed_takes_no_more_memory_than_a_small_one() {
    let wide = |rows| seed(rows, "\n", false).replace("\té", &format!("\t{}", "y".repeat(450)));
    let (small, large) = (wide(1_000), wide(100_000));
    let megabytes = large.len() / (1 << 20);
    assert!(megabytes > 54, "{megabytes}");
    // What the program itself takes depends on how it was built; both are streamed.
    assert!(small.len() > 256 << 10, "{}", small.len());
    let (small_kb, large_kb) = (peak_kb_of(&small, "1000"), peak_kb_of(&large, "100000"));
    assert!(large_kb < small_kb + (12 << 10), "{large_kb} kB, not {small_kb}, for {megabytes} MB");
}

/// The most memory that applying a file takes.
fn peak_kb_of(sql: &str, rows: &str) -> usize {
    let stage = Stage::of(&[("0001_a.sql", sql)]);
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
    assert_eq!(stage.db.value("SELECT count(*) FROM a"), rows);
    assert!(peak_kb > 0, "the run ended before anybody looked");
    peak_kb
}

#[test]
fn rows_in_a_file_are_planned_by_place_and_refused_when_they_changed() {
    let stage = Stage::of(&[("0001_a.sql", &seed(9000, "\n", false))]);
    stage.run(&["plan", "--out", "plan.json"]).assert_success();
    let plan = stage.project.read("plan.json");
    assert!(plan.len() < 20_000 && plan.contains("\"sha256\""), "{plan}");
    let file = stage.project.read("migrations/0001_a.sql");
    stage.write("0001_a.sql", file.replace("\n8999\té", "\n8999\tè"));
    let stderr = stage.ends(&["apply", "--plan", "plan.json"], 5);
    assert_says(&stderr, &["PF418", "migrations/0001_a.sql:2:1", "pgfleet plan --out"]);
    assert!(stage.is_untouched());
    std::fs::remove_file(stage.project.path().join("migrations/0001_a.sql")).unwrap();
    stage.write("0002_b.sql", "SELECT 1;");
    assert_says(&stage.ends(&["apply", "--plan", "plan.json"], 5), &["PF418", "No such file"]);
    stage.write("0001_a.sql", file);
    let sneaky = plan.replace("\"file\": \"0001_a.sql\"", "\"file\": \"../0001_a.sql\"");
    assert_ne!(sneaky, plan);
    stage.project.write("sneaky.json", sneaky);
    assert_says(&stage.ends(&["apply", "--plan", "sneaky.json"], 2), &["PF131"]);
    stage.run(&["apply", "--plan", "plan.json"]).assert_success();
    assert_eq!(stage.db.value("SELECT count(*) || ' ' || max(id) FROM a"), "9000 8999");
    assert_eq!(stage.versions(), "0001", "as it was planned");
}

#[test]
fn rows_that_change_while_a_run_waits_are_not_committed() {
    let stage = Stage::of(&[
        ("0001_a.sql", "SELECT pg_sleep(2);"),
        ("0002_b.sql", &seed(9000, "\n", false)),
    ]);
    let running = stage.spawn(&["apply"]);
    wait_until(
        &stage.db,
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'",
    );
    let file = stage.project.read("migrations/0002_b.sql");
    stage.write("0002_b.sql", file.replace("\n8999\té", "\n8999\tè"));
    assert_says(&ended(running.wait(), 4), &["PF418", "others"]);
    assert_eq!(stage.versions(), "0001");
    assert_eq!(stage.db.value("SELECT to_regclass('a') IS NULL"), "t");
    stage.apply();
    assert_eq!(stage.db.value("SELECT t FROM a WHERE id = 8999"), format!("è{}", "x".repeat(140)));
}

#[test]
fn encodings_line_ends_and_includes_change_nothing() {
    let (windows, unix) = (seed(9000, "\r\n", false), seed(9000, "\n", false));
    let marked = format!("\u{feff}{windows}").into_bytes();
    for (name, bytes) in [
        ("crlf", windows.clone().into_bytes()),
        ("marked", marked),
        ("utf16", utf16(&windows)),
        ("utf16_unix", utf16(&unix)),
    ] {
        let stage = Stage::of(&[]);
        stage.write("0001_a.sql", bytes);
        stage.apply();
        let sum = "SELECT count(*) || ' ' || sum(id) || ' ' || min(length(t)) || ' ' || max(length(t)) FROM a";
        assert_eq!(stage.db.value(sum), "9000 40495500 141 141", "{name}");
    }
    let stage = Stage::of(&[("0001_a.sql", "\\ir data/rows.sql\n")]);
    stage.write("data/rows.sql", &unix);
    stage.apply();
    assert_eq!(stage.db.value("SELECT count(*) FROM a"), "9000");
}

#[test]
fn errors_behind_many_rows_have_their_line() {
    for sql in [seed(9000, "\n", true).into_bytes(), utf16(&seed(9000, "\r\n", true))] {
        let stage = Stage::of(&[]);
        stage.write("0001_a.sql", sql);
        assert_says(&stage.ends(&["apply"], 4), &["migrations/0001_a.sql:9004:8", "nothing"]);
        assert_eq!(stage.db.value("SELECT to_regclass('a') IS NULL"), "t");
    }
}

#[test]
fn a_run_that_is_killed_among_rows_is_resumed() {
    let sql = seed(40_000, "\n", false).replace("SELECT 1;", "VACUUM a;");
    for round in 0..4u64 {
        let stage = Stage::of(&[("0001_a.sql", &sql)]);
        let proxy = Proxy::before(stage.db.cluster(), std::time::Duration::ZERO);
        proxy.cut_after(Direction::ToServer, 3000 + round * 1_800_000);
        let output = stage.cli_at(&proxy.through(&stage.db.url()), &["apply"]).run();
        assert!(matches!(output.code, 3 | 4), "{}\n{}", output.code, output.stderr);
        stage.apply();
        assert_eq!(stage.db.value("SELECT count(*) FROM a"), "40000");
        assert_eq!(stage.versions(), "0001");
    }
}
