//! Plans of differences: executed exactly, refused elsewhere, finished after a kill.

use std::thread::sleep;
use std::time::Instant;

use pgfleet_testkit::TestDb;

use crate::stage::{Stage, assert_says, ended, wait_until};

const BEFORE: &str = "CREATE TABLE customers (id int PRIMARY KEY, mail text, age int);
    CREATE TABLE old (id int);
    INSERT INTO customers SELECT g, g, g FROM generate_series(1, 500) g;";

/// A rename, a column that becomes NOT NULL, two indexes built concurrently, a table that goes.
const AFTER: &str = "CREATE TABLE clients (id int PRIMARY KEY, mail text NOT NULL, age bigint);
    CREATE INDEX clients_mail ON clients (mail);
    CREATE TABLE orders (id int PRIMARY KEY, client int REFERENCES clients);
    CREATE INDEX clients_age ON clients (age);";

const DIFF: &[&str] =
    &["diff", "target", "after.sql", "--rename", "customers=clients", "--out", "plan.json"];
const APPLY: &[&str] = &["apply", "--plan", "plan.json", "--allow-data-loss"];

/// A database that is `BEFORE`, and the plan that makes it `AFTER`.
fn stage() -> Stage {
    let stage = Stage::of(&[]);
    stage.db.sql(BEFORE);
    stage.project.write("after.sql", AFTER);
    stage.project.write("pgfleet.toml", "[apply]\nlock_timeout_ms = 10000\nlock_wait_ms = 60000\n");
    stage
}

fn is_done(stage: &Stage) {
    let rest = stage.run(&["diff", "target", "after.sql", "--exit-code"]).assert_success();
    assert_eq!(rest.stdout, "");
    let open = "SELECT count(*) FROM pgfleet.steps WHERE NOT closed";
    let invalid = "SELECT count(*) FROM pg_index WHERE NOT indisvalid";
    let (rows, open) = (stage.db.value("SELECT count(*) FROM clients"), stage.db.value(open));
    assert_eq!((rows.as_str(), open.as_str(), stage.db.value(invalid).as_str()), ("500", "0", "0"));
}

#[test]
fn a_plan_of_a_difference_is_executed_exactly_and_once() {
    let stage = stage();
    stage.run(DIFF).assert_success();
    let plan: serde_json::Value = serde_json::from_str(&stage.project.read("plan.json")).unwrap();
    let seen = (&plan["version"], &plan["source"]["of"], &plan["source"]["proven"]);
    assert_eq!(seen, (&2.into(), &"difference".into(), &true.into()));
    let refused = stage.ends(&["apply", "--plan", "plan.json"], 5);
    assert_says(
        &refused,
        &["PF402", "drops table public.old", "apply --plan plan.json --allow-data-loss"],
    );
    let dry = stage.run(&[APPLY, &["--dry-run"]].concat()).assert_success();
    assert_says(&dry.stdout, &["nothing was changed"]);
    assert!(stage.is_untouched());
    let rehearsed = stage.run(&[APPLY, &["--rehearse"]].concat()).assert_success();
    assert_says(&rehearsed.stdout, &["rewritten", "1 difference applied"]);
    is_done(&stage);
    let again = stage.run(APPLY).assert_success();
    assert_says(&again.stdout, &["Nothing to do"]);
    let history = "SELECT to_regclass('pgfleet.migrations') IS NULL";
    assert_eq!(stage.db.value(history), "t", "a difference is in no history");
}

#[test]
fn a_target_that_is_neither_schema_is_refused() {
    let stage = stage();
    stage.run(DIFF).assert_success();
    stage.db.sql("ALTER TABLE customers ADD hotfix int");
    let said = stage.ends(APPLY, 5);
    assert_says(&said, &["PF403", "the target's schema is not the one", "pgfleet diff target TO"]);
    assert!(stage.is_untouched());
    stage.db.sql("ALTER TABLE customers DROP hotfix");
    let plan = stage.project.read("plan.json");
    stage.project.write("plan.json", plan.replace("clients_mail ON", "clients_mail2 ON"));
    assert_says(&stage.ends(APPLY, 2), &["PF131", "edited", "pgfleet diff FROM TO"]);
    stage.project.write("plan.json", plan.replace("\"version\": 2", "\"version\": 1"));
    assert_says(&stage.ends(APPLY, 2), &["PF131", "version 1, not 2"]);
}

#[test]
fn rows_that_would_break_the_plan_are_counted_before_anything_runs() {
    let stage = stage();
    stage.run(DIFF).assert_success();
    stage.db.sql("UPDATE customers SET mail = NULL WHERE id <= 7");
    let said = stage.ends(APPLY, 5);
    assert_says(&said, &["PF425", "7 rows of public.customers have no mail", "(id) = (1)"]);
    assert_eq!(said.matches("error[").count(), 1, "{said}");
    assert!(stage.is_untouched());
}

/// `CREATE INDEX CONCURRENTLY` waits for an older transaction, and is killed there.
#[test]
fn a_plan_that_is_killed_outside_of_a_transaction_is_finished() {
    let stage = stage();
    stage.db.sql("CREATE TABLE waits (id int)");
    stage.project.write("after.sql", format!("{AFTER} CREATE TABLE waits (id int);"));
    stage.run(DIFF).assert_success();
    let url = stage.db.url();
    let held = "BEGIN; INSERT INTO waits VALUES (1); SELECT * FROM waits; SELECT pg_sleep(600)";
    let mut holder =
        pgfleet_testkit::client_command("psql").args([&url, "-c", held]).spawn().unwrap();
    let holds = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'PgSleep' \
                 AND datname = current_database()";
    wait_until(&stage.db, holds);
    let mut running = stage.spawn(APPLY);
    wait_until(
        &stage.db,
        "SELECT count(*) > 0 FROM pg_index i JOIN pg_class c ON c.oid = indexrelid \
         WHERE relname LIKE 'clients_%' AND NOT indisvalid",
    );
    running.kill();
    drop(running);
    stage.db.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                  WHERE wait_event = 'PgSleep' AND datname = current_database()",
    );
    holder.wait().unwrap();
    ended(stage.run(APPLY), 0);
    is_done(&stage);
}

#[test]
fn a_plan_that_is_killed_anywhere_is_finished_by_the_same_command() {
    let kills = std::env::var("PGFLEET_KILLS").ok().and_then(|text| text.parse().ok());
    let kills: u32 = kills.unwrap_or(2);
    let undisturbed = stage();
    undisturbed.run(DIFF).assert_success();
    let begun = Instant::now();
    undisturbed.run(APPLY).assert_success();
    let usual = begun.elapsed();
    let mut between = 0;
    for at in 0..kills {
        let stage = stage();
        stage.run(DIFF).assert_success();
        let mut running = stage.spawn(APPLY);
        sleep(usual.mul_f64(0.5 + 0.5 * f64::from(at) / f64::from(kills)));
        running.kill();
        drop(running);
        let journal = stage.db.value("SELECT to_regclass('pgfleet.steps') IS NOT NULL") == "t";
        let open = "SELECT count(*) > 0 FROM pgfleet.steps WHERE NOT closed";
        between += u32::from(journal && stage.db.value(open) == "t");
        ended(stage.run(APPLY), 0);
        is_done(&stage);
    }
    println!("{between} of {kills} kills came between two units");
}

/// An event trigger does more than the plan says.
#[test]
fn a_plan_that_leads_elsewhere_is_told() {
    let stage = Stage::of(&[]);
    stage.db.sql(
        "CREATE TABLE a (id int);
         CREATE FUNCTION more() RETURNS event_trigger LANGUAGE plpgsql AS $$
         BEGIN EXECUTE 'CREATE TABLE IF NOT EXISTS public.audit (id int)'; END $$;
         CREATE EVENT TRIGGER more ON ddl_command_end WHEN TAG IN ('ALTER TABLE')
         EXECUTE FUNCTION more();",
    );
    let wanted = TestDb::new();
    wanted.sql(
        "CREATE TABLE a (id int, b int);
         CREATE FUNCTION more() RETURNS event_trigger LANGUAGE plpgsql AS $$
         BEGIN EXECUTE 'CREATE TABLE IF NOT EXISTS public.audit (id int)'; END $$;
         CREATE EVENT TRIGGER more ON ddl_command_end WHEN TAG IN ('ALTER TABLE')
         EXECUTE FUNCTION more();",
    );
    let diff = ["diff", "target", &wanted.url(), "--no-proof", "--out", "plan.json"];
    stage.run(&diff).assert_success();
    let output = stage.run(&["apply", "--plan", "plan.json"]);
    assert_says(&ended(output, 4), &["PF338", "pgfleet diff target"]);
    let rest = stage.run(&["diff", "target", &wanted.url(), "--no-proof"]).assert_success();
    assert_says(&rest.stdout, &["DROP TABLE public.audit"]);
}

#[test]
fn a_materialized_view_made_anew_is_no_loss() {
    let stage = Stage::of(&[]);
    stage.db.sql(
        "CREATE TABLE orders (id int, total int); INSERT INTO orders VALUES (1, 7);
         CREATE MATERIALIZED VIEW totals AS SELECT sum(total) AS sum FROM orders",
    );
    let after = "CREATE TABLE orders (id int, total int);
         CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS count FROM orders;";
    stage.project.write("after.sql", after);
    let diff = ["diff", "target", "after.sql", "--out", "plan.json"];
    let shown = stage.run(&diff).assert_success();
    assert_says(&shown.stdout, &["-- rewrite: makes public.totals anew: its query runs again"]);
    assert!(!shown.stdout.contains("LOSS"), "{}", shown.stdout);
    stage.run(&["apply", "--plan", "plan.json"]).assert_success();
    assert_eq!(stage.db.value("SELECT count FROM totals"), "1");
    stage.write(
        "0001_a.sql",
        "DROP MATERIALIZED VIEW totals;
         CREATE MATERIALIZED VIEW totals AS SELECT max(total) AS max FROM orders;",
    );
    let planned = stage.run(&["plan"]).assert_success();
    assert_says(&planned.stdout, &["rewrite: makes totals anew"]);
    stage.apply();
    stage.write("0002_b.sql", "DROP MATERIALIZED VIEW totals;");
    assert_says(&stage.ends(&["apply"], 5), &["PF402", "drops materialized view totals"]);
    // Two files need no database to be compared.
    stage.project.write("before.sql", stage.project.read("after.sql").replace("id int, ", ""));
    let files = stage.project.pgfleet(["diff", "before.sql", "after.sql", "--no-proof"]);
    let files = files.env("PGFLEET_SCRATCH_URL", stage.db.url()).run().assert_success();
    assert_says(&files.stdout, &["ADD COLUMN id integer"]);
    let own = stage.project.pgfleet(["diff", "plan.sql", "empty", "--no-proof"]).run();
    assert_eq!(own.code, 2);
    assert_says(&own.stderr, &["PF113", "plan.sql"]);
}
