//! `inspect`, `diff` and `drift`: sides, proof, exit codes.

use std::fs;
use std::path::Path;

use pgfleet_testkit::{Cluster, TestDb};

use crate::stage::{Stage, assert_says};

const FILES: &[(&str, &str)] = &[
    ("0001_a.sql", "CREATE TABLE a (id int PRIMARY KEY, v text);"),
    ("0002_b.sql", "CREATE VIEW b AS SELECT id FROM a;"),
];

#[test]
fn a_snapshot_is_a_side_that_equals_its_database() {
    let stage = Stage::of(FILES);
    stage.apply();
    let shown = stage.cli(&["inspect", "--out", "schema.json"]).run().assert_success();
    assert_says(&shown.stdout, &["1 view", "public.a", "2 columns", "fingerprint "]);
    let same = stage.cli(&["diff", "schema.json", "target", "--exit-code"]).run();
    assert_eq!((same.code, same.stdout.as_str()), (0, ""), "{}", same.stderr);
    stage.db.sql("ALTER TABLE a ADD COLUMN w date");
    let other = stage.cli(&["diff", "schema.json", "target", "--exit-code"]).run();
    assert_eq!(other.code, 1, "{}", other.stderr);
    let lock = "-- lock: ACCESS EXCLUSIVE on public.a: blocks readers and writers\n";
    assert_eq!(other.stdout, format!("{lock}ALTER TABLE public.a ADD COLUMN w date;\n"));
}

/// A migration leaves the time at which it ran where all databases of a cluster see it.
const CLOCK: &str = "CREATE TABLE clock (id int);
    DO $$ BEGIN EXECUTE format('COMMENT ON ROLE pg_monitor IS %L', clock_timestamp()); END $$;";

#[test]
fn what_migrations_make_is_replayed_when_something_that_decides_it_has_changed() {
    let cluster = Cluster::fresh().start();
    let stage = Stage::on(cluster.database(), &[("0001_a.sql", CLOCK)]);
    let ran = || {
        let diff = ["diff", "empty", "migrations", "--no-proof"];
        let shown = stage.cli(&diff).run().assert_success();
        assert_says(&shown.stdout, &["CREATE TABLE public.clock"]);
        stage.db.value("SELECT shobj_description('pg_monitor'::regrole, 'pg_authid')")
    };
    let first = ran();
    assert_eq!(ran(), first, "what was made is kept");
    let cache = stage.project.path().join(".pgfleet/cache/replays");
    let entries = || fs::read_dir(&cache).unwrap().map(|entry| entry.unwrap().path());
    let entry = entries().next().unwrap();
    fs::write(&entry, &fs::read_to_string(&entry).unwrap()[..200]).unwrap();
    let second = ran();
    assert_ne!(second, first, "a damaged entry is none");
    assert_eq!(ran(), second, "and is replaced");
    stage.project.write("migrations/0002_b.sql", "CREATE TABLE another (id int);");
    let third = ran();
    assert_ne!(third, second, "a file more is another folder");
    assert_eq!(entries().count(), 2);
    stage.db.sql("CREATE ROLE somebody");
    let fourth = ran();
    assert_ne!(fourth, third, "a script may ask for a role");
    stage.cli(&["diff", "empty", "migrations", "--no-proof", "--no-cache"]).run().assert_success();
    let fifth = stage.db.value("SELECT shobj_description('pg_monitor'::regrole, 'pg_authid')");
    assert_ne!(fifth, fourth, "--no-cache replays");
    assert_eq!(entries().count(), 3);
}

#[test]
fn schemas_that_do_not_count_are_left_out_and_named() {
    let stage = Stage::of(FILES);
    stage.apply();
    stage.db.sql("CREATE SCHEMA audit; CREATE TABLE audit.log (a int)");
    let all = stage.cli(&["diff", "migrations", "target", "--exit-code"]).run();
    assert_eq!(all.code, 1, "{}", all.stderr);
    let diff = ["diff", "migrations", "target", "--exit-code", "--exclude-schema", "audit"];
    let some = stage.cli(&diff).run();
    assert_eq!(
        (some.code, some.stdout.as_str()),
        (0, "-- left out: schema audit\n"),
        "{}",
        some.stderr
    );
    let only = stage.cli(&["diff", "migrations", "target", "--schema", "audit"]).run();
    assert_says(&only.stdout, &["CREATE TABLE audit.log", "-- left out: schema public"]);
}

#[test]
fn the_schemas_of_the_platform_are_left_out_unless_asked_for() {
    let stage = Stage::of(FILES);
    stage.apply();
    stage
        .db
        .sql("CREATE SCHEMA IF NOT EXISTS storage; CREATE TABLE storage.of_the_platform (a int)");
    let drift = stage.cli(&["drift", "--environment", "supabase"]).run();
    assert_says(&drift.stdout, &["left out: schema ", "storage"]);
    assert!(!drift.stdout.contains("of_the_platform"), "{}", drift.stdout);
    let shown = stage.cli(&["inspect", "--environment", "supabase"]).run().assert_success();
    assert!(!shown.stdout.contains("of_the_platform"), "{}", shown.stdout);
    let asked = stage.cli(&["inspect", "--environment", "supabase", "--schema", "storage"]).run();
    assert_says(&asked.stdout, &["storage.of_the_platform"]);
}

#[test]
fn the_statements_of_a_diff_make_the_folder_s_schema() {
    let stage = Stage::of(FILES);
    let script = stage.cli(&["diff", "empty", "migrations"]).run().assert_success().stdout;
    let made = TestDb::new();
    made.sql(&script);
    let url = made.url();
    let rest = stage.cli(&["diff", &url, "migrations", "--exit-code"]).run();
    assert_eq!((rest.code, rest.stdout.as_str()), (0, ""), "{}", rest.stderr);
}

#[test]
fn a_file_is_a_side_and_one_that_is_none_is_named() {
    let stage = Stage::of(FILES);
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/schema/enum-add-value/to.sql");
    let file = file.to_string_lossy().into_owned();
    let shown = stage.cli(&["diff", "empty", &file]).run().assert_success();
    assert_says(&shown.stdout, &["CREATE TYPE public.e AS ENUM", "CREATE TABLE public.t"]);
    let missing = stage.cli(&["diff", "empty", "nowhere.sql"]).run();
    assert_eq!(missing.code, 2);
    assert_says(&missing.stderr, &["nowhere.sql cannot be read"]);
    let broken = stage.cli(&["diff", "empty", "nowhere.json"]).run();
    assert_eq!(broken.code, 2);
    assert_says(&broken.stderr, &["PF133"]);
}

#[test]
fn drift_is_what_the_history_does_not_explain() {
    let stage = Stage::of(FILES);
    stage.apply();
    let none = stage.cli(&["drift"]).run().assert_success();
    assert_says(&none.stdout, &["No drift"]);
    stage.db.sql("CREATE INDEX by_hand ON a (v); DROP VIEW b");
    let drift = stage.cli(&["drift", "--sql"]).run();
    assert_eq!(drift.code, 1, "{}", drift.stderr);
    assert_says(
        &drift.stdout,
        &["+ index public.by_hand", "- view public.b", "DROP INDEX CONCURRENTLY public.by_hand;"],
    );
}

/// What a table with rows needs to become, one of each online form.
const WANTED: &str = "CREATE TABLE a (id int PRIMARY KEY, v text NOT NULL UNIQUE,
        code uuid NOT NULL DEFAULT gen_random_uuid(), b int, CONSTRAINT positive CHECK (b > 0));
    CREATE INDEX a_b ON a (b);
    CREATE TABLE c (a int REFERENCES a);";

#[test]
fn existing_tables_stay_usable_and_the_script_is_for_psql() {
    let stage = Stage::of(FILES);
    stage.apply();
    stage.db.sql(
        "DROP VIEW b; ALTER TABLE a ADD b int; CREATE INDEX a_v ON a (v);
        INSERT INTO a SELECT i, i::text, i FROM generate_series(1, 50) i",
    );
    stage.project.write("wanted.sql", WANTED);
    let shown = stage.cli(&["diff", "target", "wanted.sql", "--out", "change.sql"]).run();
    insta::assert_snapshot!(stage.redact(&shown.assert_success().stdout));
    stage.db.psql_file(&stage.project.path().join("change.sql")).assert_success();
    let rest = stage.cli(&["diff", "target", "wanted.sql", "--exit-code"]).run();
    assert_eq!((rest.code, rest.stdout.as_str()), (0, ""), "{}", rest.stderr);
    assert_eq!(stage.db.value("SELECT count(DISTINCT code) FROM a"), "50");
}

#[test]
fn plain_forms_are_one_transaction() {
    let stage = Stage::of(FILES);
    stage.apply();
    stage.project.write("wanted.sql", WANTED);
    let shown = stage.cli(&["diff", "target", "wanted.sql", "--no-online"]).run().assert_success();
    assert!(!shown.stdout.contains("CONCURRENTLY") && !shown.stdout.contains("NOT VALID"));
    assert_eq!(shown.stdout.matches("BEGIN;").count(), 1, "{}", shown.stdout);
    assert_says(&shown.stdout, &["rewrite: writes every row of public.a anew"]);
}
