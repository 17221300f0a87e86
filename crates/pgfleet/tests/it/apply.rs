//! `apply`: order, transactions, selection, plans, consent.

use std::{fmt::Write as _, time::Duration};

use pgfleet_testkit::proxy::Proxy;

use crate::stage::{Stage, assert_says, ended};

#[test]
fn files_run_in_order_and_are_recorded_with_their_checksums() {
    let stage = Stage::of(&[
        ("0002_b.sql", "ALTER TABLE a ADD COLUMN b int;"),
        ("0001_a.sql", "CREATE TABLE a (id int);"),
        ("0010_c.sql", "ALTER TABLE a ADD COLUMN c int;"),
    ]);
    stage.apply();
    assert_eq!(stage.versions(), "0001 0002 0010");
    let complete = "SELECT count(*) FROM pgfleet.migrations WHERE checksum IS NOT NULL AND name <> '' AND elapsed_ms >= 0";
    assert_eq!(stage.db.value(complete), "3");
    let journal = "SELECT string_agg(DISTINCT state || closed, ' ') FROM pgfleet.steps";
    assert_eq!(stage.db.value(journal), "donetrue");
}

#[test]
fn each_file_is_one_transaction() {
    let stage = Stage::of(&[
        ("0001_a.sql", "CREATE TABLE a (id int); CREATE TABLE txid AS SELECT txid_current() AS t;"),
        (
            "0002_b.sql",
            "INSERT INTO txid SELECT txid_current(); INSERT INTO txid SELECT txid_current();",
        ),
    ]);
    stage.apply();
    assert_eq!(stage.db.value("SELECT count(DISTINCT t) FROM txid"), "2");
}

#[test]
fn a_second_run_does_nothing_and_costs_one_round_trip_after_connecting() {
    let stage = Stage::of(&[("0001_a.sql", "CREATE TABLE a (id int);")]);
    stage.apply();
    let before = stage.db.value("SELECT count(*) FROM pgfleet.runs");
    let proxy = Proxy::before(stage.db.cluster(), Duration::from_millis(20));
    let output = stage.cli_at(&proxy.through(&stage.db.url()), &["apply"]).run().assert_success();
    assert_says(&output.stdout, &["Nothing to do"]);
    let traffic = proxy.traffic();
    assert_eq!(traffic.connections, 1);
    // Asking for TLS, the start-up message, one question, and the goodbye, which is not answered.
    assert_eq!(traffic.exchanges, 4, "{traffic:?}");
    assert_eq!(stage.db.value("SELECT count(*) FROM pgfleet.runs"), before);
}

#[test]
fn a_hundred_migrations_cost_few_round_trips() {
    let stage = Stage::of(&[]);
    for number in 1..=100 {
        stage.write(&format!("{number:04}_t.sql"), format!("CREATE TABLE t{number} (id int);"));
    }
    let proxy = Proxy::before(stage.db.cluster(), Duration::from_millis(5));
    stage.cli_at(&proxy.through(&stage.db.url()), &["apply"]).run().assert_success();
    assert_eq!(stage.versions().split(' ').count(), 100);
    let traffic = proxy.traffic();
    assert_eq!(traffic.connections, 1, "the working session holds the locks");
    assert!(traffic.exchanges < 45, "{traffic:?}");
}

#[test]
fn to_and_steps_choose() {
    let stage = three_tables();
    stage.run(&["apply", "--steps", "1"]).assert_success();
    assert_eq!(stage.versions(), "0001");
    stage.run(&["apply", "--to", "0002"]).assert_success();
    assert_eq!(stage.versions(), "0001 0002");
    assert_says(&stage.ends(&["apply", "--to", "0007"], 2), &["PF132", "0007"]);
    stage.run(&["apply", "--to", "c"]).assert_success();
    assert_eq!(stage.versions(), "0001 0002 0003");
}

fn three_tables() -> Stage {
    Stage::of(&[
        ("0001_a.sql", "CREATE TABLE a (id int);"),
        ("0002_b.sql", "CREATE TABLE b (id int);"),
        ("0003_c.sql", "CREATE TABLE c (id int);"),
    ])
}

#[test]
fn an_error_stops_the_run_and_names_the_place() {
    let stage = Stage::of(&[]);
    for number in 1..=100 {
        stage.write(&format!("{number:04}_t.sql"), format!("CREATE TABLE t{number} (id int);"));
    }
    let wrong = "-- Größe: ünïcödé\nCREATE TABLE x (id int);\nSELECT 'äöü', nothing\n  FROM x;\n";
    stage.write("0050_t.sql", wrong);
    let stderr = stage.ends(&["apply"], 4);
    assert_says(&stderr, &["migrations/0050_t.sql:3:15", "nothing"]);
    assert_eq!(stage.versions().split(' ').count(), 49);
    let later = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(stage.db.value(later), "49", "the failed file and all after it left nothing");
    stage.write("0050_t.sql", "CREATE TABLE t50 (id int);");
    stage.apply();
    assert_eq!(stage.versions().split(' ').count(), 100);
}

#[test]
fn an_error_without_a_position_is_placed_by_its_statement() {
    let stage = Stage::of(&[
        (
            "0001_a.sql",
            "CREATE TABLE a (id int PRIMARY KEY);\nINSERT INTO a VALUES (1);\n\nINSERT INTO a VALUES (1);\nSELECT 1;",
        ),
        ("0002_b.sql", "CREATE TABLE b (id int);"),
    ]);
    assert_says(&stage.ends(&["apply"], 4), &["migrations/0001_a.sql:4:1"]);
    assert_eq!(stage.schema(), Stage::of(&[]).schema());
}

#[test]
fn a_syntax_error_is_placed_and_its_successors_do_not_run() {
    let stage = Stage::of(&[
        ("0001_a.sql", "CREATE TABLE a (id int);"),
        ("0002_b.sql", "CREATE TABLE b (id int);\nCREATE TABEL c (id int);\n"),
        ("0003_c.sql", "CREATE TABLE c (id int);"),
    ]);
    assert_says(&stage.ends(&["apply"], 4), &["migrations/0002_b.sql:2:8"]);
    assert_eq!(stage.versions(), "0001");
    assert_eq!(stage.db.value("SELECT to_regclass('b') IS NULL AND to_regclass('c') IS NULL"), "t");
}

#[test]
fn a_constraint_that_fails_at_commit_stops_what_was_sent_behind_it() {
    let stage = Stage::of(&[
        (
            "0001_a.sql",
            "CREATE TABLE a (id int PRIMARY KEY, b int REFERENCES a DEFERRABLE INITIALLY DEFERRED);",
        ),
        ("0002_b.sql", "INSERT INTO a VALUES (1, 7);"),
        ("0003_c.sql", "CREATE TABLE c (id int);"),
        ("0004_d.sql", "CREATE TABLE d (id int);"),
    ]);
    let stderr = stage.ends(&["apply"], 4);
    assert_says(&stderr, &["0002_b", "violates foreign key"]);
    assert_eq!(stage.versions(), "0001");
    assert_eq!(stage.db.value("SELECT to_regclass('c') IS NULL AND to_regclass('d') IS NULL"), "t");
}

#[test]
fn on_error_continue_runs_the_others() {
    let stage = Stage::of(&[
        ("0001_a.sql", "CREATE TABLE a (id int);"),
        ("0002_b.sql", "SELECT nothing;"),
        ("0003_c.sql", "CREATE TABLE c (id int);"),
        ("0004_d.sql", "CREATE INDEX CONCURRENTLY ON nowhere (id);"),
        ("0005_e.sql", "CREATE TABLE e (id int);"),
    ]);
    let stderr = stage.ends(&["apply", "--on-error", "continue"], 4);
    assert_says(&stderr, &["0002_b", "0004_d"]);
    assert_eq!(stage.versions(), "0001 0003 0005");
    stage.write("0002_b.sql", "CREATE TABLE nowhere (id int);");
    assert_says(&stage.ends(&["apply"], 5), &["PF406", "--on-error continue"]);
    stage.run(&["apply", "--on-error", "continue"]).assert_success();
    assert_eq!(stage.versions(), "0001 0003 0005 0002 0004");
}

#[test]
fn a_plan_is_executed_exactly_or_refused() {
    let stage = three_tables();
    stage.run(&["plan", "--out", "plan.json"]).assert_success();
    assert!(stage.is_untouched(), "plan changes nothing");
    stage.write("0003_c.sql", "CREATE TABLE other (id int);");
    stage.write("0004_d.sql", "CREATE TABLE d (id int);");
    stage.run(&["apply", "--plan", "plan.json"]).assert_success();
    assert_eq!(stage.versions(), "0001 0002 0003");
    assert_eq!(stage.db.value("SELECT to_regclass('c') IS NOT NULL"), "t", "as it was planned");
    assert_says(&stage.ends(&["apply", "--plan", "plan.json"], 5), &["PF403"]);
}

#[test]
fn a_plan_that_was_edited_is_refused() {
    let stage = three_tables();
    stage.run(&["plan", "--out", "plan.json"]).assert_success();
    let plan = stage.project.read("plan.json").replace("CREATE TABLE b", "CREATE TABLE sneaked");
    stage.project.write("plan.json", plan);
    assert_says(&stage.ends(&["apply", "--plan", "plan.json"], 2), &["PF131"]);
    assert!(stage.is_untouched());
}

#[test]
fn dropping_what_was_there_needs_consent() {
    let stage = Stage::of(&[("0001_a.sql", "DROP TABLE old;")]);
    stage.db.sql("CREATE TABLE old (id int)");
    assert_says(&stage.ends(&["apply"], 5), &["PF402", "migrations/0001_a.sql:1:1", "old"]);
    assert!(stage.is_untouched());
    assert_says(&stage.ends(&["apply", "--yes"], 5), &["PF402"]);
    stage.run(&["apply", "--allow-data-loss"]).assert_success();
    assert_eq!(stage.db.value("SELECT to_regclass('old') IS NULL"), "t");
}

#[test]
fn dropping_what_the_plan_itself_creates_needs_none() {
    let stage = Stage::of(&[
        ("0001_a.sql", "CREATE TABLE a (id int); CREATE TABLE b (id int);"),
        ("0002_b.sql", "DROP TABLE a; ALTER TABLE b DROP COLUMN id;"),
    ]);
    stage.db.sql("CREATE TABLE old (id int)");
    stage.apply();
}

#[test]
fn a_dropped_and_created_table_of_the_same_name_needs_consent() {
    let stage = Stage::of(&[(
        "0001_a.sql",
        "DROP TABLE IF EXISTS old; CREATE TABLE IF NOT EXISTS keep (id int); DROP TABLE keep;",
    )]);
    stage.db.sql("CREATE TABLE keep (id int); INSERT INTO keep VALUES (1)");
    assert_says(&stage.ends(&["apply"], 5), &["PF402", "keep"]);
    assert_eq!(stage.db.value("SELECT count(*) FROM keep"), "1");
}

#[test]
fn dropping_another_database_needs_consent_even_when_this_one_is_empty() {
    let stage = Stage::of(&[("0001_a.sql", "DROP DATABASE IF EXISTS no_such_database;")]);
    assert_says(&stage.ends(&["apply"], 5), &["PF402", "no_such_database"]);
}

#[test]
fn an_empty_migration_is_recorded() {
    let stage =
        Stage::of(&[("0001_a.sql", ""), ("0002_b.sql", "-- nothing yet\n"), ("0003_c.sql", ";;")]);
    stage.apply();
    assert_eq!(stage.versions(), "0001 0002 0003");
}

#[test]
fn files_are_included() {
    let stage = Stage::of(&[
        ("0001_a.sql", "\\i parts/table.sql\n\\ir parts/rows.sql\nSELECT nothing;"),
        ("parts/table.sql", "CREATE TABLE a (id int);"),
        ("parts/rows.sql", "INSERT INTO a VALUES (1);"),
    ]);
    assert_says(&stage.ends(&["apply"], 4), &["migrations/0001_a.sql:3:8"]);
    stage.write("0001_a.sql", "\\i parts/table.sql\n\\ir parts/rows.sql\n");
    stage.apply();
    assert_eq!(stage.db.value("SELECT count(*) FROM a"), "1");
}

#[test]
fn a_file_s_own_transaction_is_honoured() {
    let stage = Stage::of(&[
        ("0001_one.sql", "BEGIN;\nCREATE TABLE a (id int);\nCOMMIT;\n"),
        (
            "0002_several.sql",
            "BEGIN; CREATE TABLE b (id int); COMMIT;\nBEGIN; CREATE TABLE c (id int); COMMIT;\nCREATE INDEX CONCURRENTLY ON b (id);",
        ),
        (
            "0003_level.sql",
            "BEGIN ISOLATION LEVEL SERIALIZABLE;\nCREATE TABLE level AS SELECT current_setting('transaction_isolation') AS name;\nCOMMIT;\n",
        ),
        (
            "0004_rolled_back.sql",
            "BEGIN; CREATE TABLE never (id int); ROLLBACK; CREATE TABLE d (id int);",
        ),
        (
            "0005_set.sql",
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; INSERT INTO level SELECT current_setting('transaction_isolation');",
        ),
    ]);
    stage.apply();
    assert_eq!(stage.versions(), "0001 0002 0003 0004 0005");
    assert_eq!(
        stage.db.value("SELECT string_agg(name, ',') FROM level"),
        "serializable,repeatable read"
    );
    assert_eq!(stage.db.value("SELECT to_regclass('never') IS NULL"), "t");
}

#[test]
fn a_transaction_left_open_is_refused() {
    let stage = Stage::of(&[
        ("0001_a.sql", "CREATE TABLE a (id int);"),
        ("0002_b.sql", "SELECT 1;\nBEGIN;\nCREATE TABLE b (id int);"),
    ]);
    assert_says(&stage.ends(&["apply"], 4), &["PF313", "migrations/0002_b.sql:2:1"]);
    assert!(stage.is_untouched());
}

#[test]
fn transaction_control_inside_code_fails_and_leaves_nothing() {
    let stage = Stage::of(&[
        ("0001_a.sql", "CREATE TABLE a (id int); DO $$ BEGIN COMMIT; END $$;"),
        ("0002_b.sql", "CREATE TABLE b (id int);"),
    ]);
    assert_says(&stage.ends(&["apply"], 4), &["invalid transaction termination"]);
    assert_eq!(stage.schema(), Stage::of(&[]).schema());
    stage.write("0001_a.sql", "CREATE TABLE a (id int); DO $$ BEGIN ROLLBACK; END $$;");
    stage.ends(&["apply"], 4);
    assert_eq!(stage.schema(), Stage::of(&[]).schema());
}

#[test]
fn mixed_files_run_concurrently_what_must() {
    let stage = Stage::of(&[
        ("0001_a.sql", "CREATE TABLE a (id int, b int);"),
        (
            "0002_b.sql",
            "INSERT INTO a VALUES (1, 2);\nCREATE INDEX CONCURRENTLY a_id ON a (id);\nALTER TABLE a ADD c int;\nVACUUM a;\nREINDEX TABLE CONCURRENTLY a;\nDROP INDEX CONCURRENTLY a_id;\nCREATE INDEX CONCURRENTLY a_b ON a (b);",
        ),
        ("0003_c.sql", "ALTER TABLE a ADD d int;"),
    ]);
    stage.apply();
    assert_eq!(stage.versions(), "0001 0002 0003");
    assert_eq!(stage.db.value("SELECT string_agg(indexrelid::regclass::text, ',') FROM pg_index WHERE indrelid = 'a'::regclass AND indisvalid"), "a_b");
}

#[test]
fn notices_are_shown() {
    let stage = Stage::of(&[(
        "0001_a.sql",
        "DO $$ BEGIN RAISE NOTICE 'from the migration'; RAISE WARNING 'beware'; END $$;",
    )]);
    assert_says(&stage.ends(&["apply", "--verbose"], 0), &["from the migration", "beware"]);
}

#[test]
fn a_very_long_file_runs() {
    let stage = Stage::of(&[("0001_a.sql", "CREATE TABLE a (id int, t text);")]);
    let mut sql = String::new();
    for number in 0..20_000 {
        writeln!(sql, "INSERT INTO a VALUES ({number}, 'row number {number}');").unwrap();
    }
    stage.write("0002_b.sql", &sql);
    stage.apply();
    assert_eq!(stage.db.value("SELECT count(*) FROM a"), "20000");
}

#[test]
fn rows_that_a_migration_returns_do_no_harm() {
    let stage = Stage::of(&[
        (
            "0001_a.sql",
            "SELECT g FROM generate_series(1, 100000) g; VALUES (1); TABLE pg_class; SHOW ALL;",
        ),
        ("0002_b.sql", "CREATE TABLE b (id int);"),
    ]);
    stage.apply();
    assert_eq!(stage.versions(), "0001 0002");
}

#[test]
fn dry_run_changes_nothing() {
    let stage = three_tables();
    let output = stage.run(&["apply", "--dry-run"]).assert_success();
    assert_says(&output.stdout, &["nothing was changed"]);
    assert!(stage.is_untouched());
    stage.write("0002_b.sql", "SELECT nothing;");
    assert_says(&ended(stage.run(&["apply", "--dry-run"]), 4), &["migrations/0002_b.sql:1:8"]);
    assert!(stage.is_untouched());
}

/// The text does not tell whether a type is the wider one; the target's catalog does. So it is on the way
/// back, whether somebody wrote it or not.
#[test]
fn consent_is_asked_for_what_a_type_may_lose_and_not_for_a_wider_one() {
    let stage = Stage::of(&[(
        "0001_t.sql",
        "CREATE TABLE t (a int, b varchar(10), c numeric(5,2), d text); INSERT INTO t VALUES (1, 'x', 1.25, 'long')",
    )]);
    stage.apply();
    let wider = "ALTER TABLE t ADD e int; ALTER TABLE t ALTER a TYPE bigint, ALTER b TYPE varchar(20); \
                 ALTER TABLE public.t ALTER COLUMN c SET DATA TYPE numeric(9,2)";
    stage.write("0002_wider.sql", wider);
    let plan = stage.run(&["plan"]).assert_success();
    assert_says(&plan.stdout, &["integer and bigint are not stored alike"]);
    assert!(!plan.stdout.contains("may lose"), "{}", plan.stdout);
    stage.apply();
    for narrower in [
        "ALTER TABLE t ALTER a TYPE int",
        "ALTER TABLE t ALTER c TYPE numeric(9,1)",
        "ALTER TABLE t ALTER a TYPE numeric USING 1",
        "ALTER TABLE t RENAME b TO z; ALTER TABLE t RENAME d TO b; ALTER TABLE t ALTER b TYPE varchar(30)",
        "DO $$ BEGIN ALTER TABLE t ALTER a TYPE numeric; END $$; ALTER TABLE t ALTER a TYPE numeric",
    ] {
        stage.write("0003_narrower.sql", narrower);
        assert_says(&stage.ends(&["apply"], 5), &["PF402", "may lose what does not fit"]);
    }
    stage.write("0003_narrower.sql", "ALTER TABLE t ALTER a TYPE int, ALTER b TYPE varchar(10)");
    stage.run(&["apply", "--allow-data-loss"]).assert_success();
    stage.run(&["rollback"]).assert_success();
    assert_says(&stage.ends(&["rollback"], 5), &["PF402", "may lose what does not fit"]);
}
