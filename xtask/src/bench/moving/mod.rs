//! Rows from one database into another: `pgfleet split run` against `pg_dump | pg_restore`, pgcopydb
//! and bare COPY; and what checksums cost against reading the rows.
//!
//! Invariant: everybody fills an empty database of the same server from the same rows, and what
//! arrived is counted.

use std::{path::Path, path::PathBuf, process::Command, time::Instant};

use pgfleet_core::backup::{Algorithm, ChecksumColumn, TableShape, checksum_sql};
use pgfleet_sql::QualifiedName;
use pgfleet_testkit::{Cluster, Project, TestDb, client_command};

use super::{
    Options,
    contender::{Contender, Role},
    contest::entry,
    figures::median,
    process,
    results::Results,
};

const TABLES_SQL: &str = include_str!("tables.sql");
const KEYS_SQL: &str = include_str!("keys.sql");
const ROWS_SQL: &str = include_str!("rows.sql");
const TABLES: [&str; 4] = ["events", "order_lines", "orders", "customers"];
/// Orders, with what belongs to them, that make a gigabyte of tables.
const ORDERS_PER_GB: f64 = 1_050_000.0;
/// The database that is filled.
const FILLED: &str = "filled";

const SPLIT_TOML: &str = r#"
[families.filled]
database = "filled"
dir = "migrations"
[[table]]
into = "filled.customers"
[[table]]
into = "filled.orders"
[[table]]
into = "filled.order_lines"
[[table]]
into = "filled.events"
"#;

/// Measures moves and checksums.
pub(super) fn measure(options: &Options, pgfleet: &Path, results: &mut Results) {
    let title = format!("moving {} GB of rows", options.gigabytes);
    if !options.wants(&title) {
        return;
    }
    let cluster = super::cluster_for_many_rows();
    let source = source(&cluster, options.gigabytes);
    let contenders = all(pgfleet);
    let mut samples: Vec<Vec<_>> = contenders.iter().map(|_| Vec::new()).collect();
    let mut moving_ms = Vec::new();
    for round in 1..=options.rounds {
        for (contender, samples) in contenders.iter().zip(&mut samples) {
            renew(&source, contender);
            let sample = process::run(contender, &contender.apply, &source.url(), &cluster);
            check(&source, contender);
            eprintln!("round {round}: {:<40} {:>9.0} ms", contender.name, sample.elapsed_ms);
            if contender.role == Role::Ours {
                moving_ms.push(phases(contender));
            }
            samples.push(sample);
        }
    }
    let ours = &contenders[0];
    renew(&source, ours);
    let peak = process::peak_mb(ours, &ours.apply, &source.url());
    let entries = contenders.iter().zip(samples).map(|(contender, samples)| {
        entry(contender, &samples, (contender.role == Role::Ours).then_some(peak))
    });
    results.contest(&title, entries.collect());
    results.phases(&medians(&moving_ms));
    results.checksums(&checksums(&source));
}

fn source(cluster: &Cluster, gigabytes: f64) -> TestDb {
    let source = TestDb::on(cluster);
    let rows = Project::new();
    #[allow(clippy::cast_possible_truncation)] // a number of rows, rounded
    let orders = (gigabytes * ORDERS_PER_GB) as i64;
    let rows_sql = ROWS_SQL.replace(":orders", &orders.to_string());
    let file = rows.write("rows.sql", format!("{TABLES_SQL}{rows_sql}{KEYS_SQL}VACUUM ANALYZE;"));
    source.psql_file(&file).assert_success();
    source.sql("CHECKPOINT");
    source
}

/// Drops what the last contender filled; those that bring no database with them find an empty one.
fn renew(source: &TestDb, contender: &Contender) {
    source.sql(&format!("DROP DATABASE IF EXISTS {FILLED}"));
    source.sql("DROP SCHEMA IF EXISTS pgfleet CASCADE");
    if contender.role != Role::Ours {
        source.sql(&format!("CREATE DATABASE {FILLED}"));
    }
    let _ = std::fs::remove_dir_all(contender.project.path().join("dump"));
    source.sql("CHECKPOINT");
}

fn check(source: &TestDb, contender: &Contender) {
    let count = "SELECT (SELECT count(*) FROM order_lines) + (SELECT count(*) FROM events)";
    let mut psql = client_command("psql");
    let url = source.url().replace(source.name(), FILLED);
    let filled = pgfleet_testkit::ProgramOutput::of(psql.args(["-XAtc", count, "-d", &url]));
    let filled = filled.assert_success().stdout.trim().to_owned();
    assert_eq!(filled, source.value(count), "rows moved by {}", contender.name);
}

fn all(pgfleet: &Path) -> Vec<Contender> {
    let project = Project::with([
        ("split.toml", SPLIT_TOML.to_owned()),
        ("migrations/0001_tables.sql", format!("{TABLES_SQL}{KEYS_SQL}")),
    ]);
    let run = ["split", "run", "--idle", "--output", "json", "--quiet", "--url", "URL"];
    let ours = Contender::once(
        "pgfleet split run",
        Role::Ours,
        pgfleet.to_owned(),
        run.map(str::to_owned).to_vec(),
        project,
        TABLES.len(),
    );
    let filled = format!("filled=\"${{DATABASE_URL%/*}}/{FILLED}\"");
    let dump = |options: &str| {
        format!(
            "{filled}; pg_dump -Fd -j2 {options} -f dump \"$DATABASE_URL\" && \
             pg_restore -j2 -d \"$filled\" dump"
        )
    };
    let copydb = format!(
        "{filled}; exec pgcopydb clone --source \"$DATABASE_URL\" --target \"$filled\" \
         --table-jobs 2 --index-jobs 2 --no-acl --no-owner --dir dump"
    );
    let psql = "psql -X -q -v ON_ERROR_STOP=1";
    let copy = format!(
        "{filled}; export filled; {psql} -f tables.sql -d \"$filled\" && \
         printf '%s\\n' {} | xargs -P4 -I+ sh -c '{psql} -d \"$DATABASE_URL\" \
         -c \"COPY + TO STDOUT (FORMAT binary)\" | {psql} -d \"$filled\" \
         -c \"COPY + FROM STDIN (FORMAT binary)\"'",
        TABLES.join(" ")
    );
    let with_keys = format!("{copy} && {psql} -f keys.sql -d \"$filled\"");
    let mut all = vec![
        ours,
        shell("pg_dump -Fd -j2, pg_restore -j2", Role::Peer, dump("")),
        shell("the same, not compressed (-Z0)", Role::Peer, dump("-Z0")),
        shell("bare COPY by psql, four at a time: rows only", Role::Floor, copy),
        shell("the same, then keys and indexes", Role::Floor, with_keys),
    ];
    // Debian's package; where it is missing the others are measured all the same.
    if is_there("pgcopydb") {
        all.push(shell("pgcopydb clone", Role::Peer, copydb));
    }
    all
}

fn shell(name: &str, role: Role, script: String) -> Contender {
    let project = Project::with([("tables.sql", TABLES_SQL), ("keys.sql", KEYS_SQL)]);
    let words = vec!["-c".to_owned(), script];
    Contender::once(name, role, PathBuf::from("sh"), words, project, TABLES.len())
}

/// What pgfleet says about its own time: phase and milliseconds.
fn phases(contender: &Contender) -> Vec<(String, f64)> {
    let log = contender.project.read("bench.log");
    let mut objects = serde_json::Deserializer::from_str(&log).into_iter::<serde_json::Value>();
    let is_report = |object: &serde_json::Value| object.get("targets").is_some();
    let report = objects.find_map(|object| object.ok().filter(is_report)).expect("a report");
    let phases = report["targets"][0]["split"]["phases"].as_array().expect("phases").clone();
    let phase = |phase: &serde_json::Value| {
        let name = phase["phase"].as_str().expect("a name").to_owned();
        (name, phase["elapsed_ms"].as_f64().expect("a time"))
    };
    phases.iter().map(phase).collect()
}

fn medians(rounds: &[Vec<(String, f64)>]) -> Vec<(String, f64)> {
    let Some(first) = rounds.first() else { return Vec::new() };
    let of = |at: usize| rounds.iter().filter_map(move |round| round.get(at)).map(|(_, ms)| *ms);
    let phase = |(at, (name, _)): (usize, &(String, f64))| (name.clone(), median(of(at).collect()));
    first.iter().enumerate().map(phase).collect()
}

/// How fast one session reads all tables: counting rows, by the checksum of splits and backups, and
/// by the sum of a hash of the row's text; in MB of heap a second.
fn checksums(source: &TestDb) -> Vec<(String, f64)> {
    let bytes = TABLES.map(|table| format!("pg_relation_size('{table}')")).join(" + ");
    let megabytes: f64 =
        source.value(&format!("SELECT ({bytes})::float8 / 1e6")).parse().expect("a size");
    let text =
        |table: &str| format!("SELECT sum(hashtextextended(t::text, 0)::numeric) FROM {table} t");
    let ways: [(&str, Vec<String>); 3] = [
        ("count(*)", TABLES.map(|table| format!("SELECT count(*) FROM {table}")).to_vec()),
        ("checksum", TABLES.map(|table| checksum(source, table)).to_vec()),
        ("sum of hashtextextended(row::text)", TABLES.map(text).to_vec()),
    ];
    let speed = |(name, queries): (&str, Vec<String>)| {
        let begun = Instant::now();
        source.sql(&format!("SET max_parallel_workers_per_gather = 0; {}", queries.join("; ")));
        (name.to_owned(), megabytes / begun.elapsed().as_secs_f64())
    };
    ways.into_iter().map(speed).collect()
}

fn checksum(source: &TestDb, table: &str) -> String {
    let sql = format!(
        "SELECT a.attname, t.typname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
         WHERE a.attrelid = '{table}'::regclass AND a.attnum > 0"
    );
    let column = |row: Vec<Option<String>>| {
        let mut cells = row.into_iter().flatten();
        let mut cell = || cells.next().unwrap_or_default();
        ChecksumColumn { name: cell(), base_type: cell() }
    };
    let columns = source.rows(&sql).into_iter().map(column).collect();
    let name = QualifiedName::new("public", table);
    checksum_sql(&TableShape { name, columns, pages: 1, bytes: 1 }, Algorithm::Record2, None)
}

fn is_there(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}
