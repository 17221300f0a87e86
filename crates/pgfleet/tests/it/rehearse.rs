//! `plan --rehearse` and `apply --rehearse`: what is seen on a copy is what happens on the target.

use serde_json::Value;

use crate::stage::{Stage, assert_says};

const PLAIN: &str = "[migrations]\nformat = 'plain'\n";

/// A shop with rows, and migrations that are pending.
fn shop(pending: &[(&str, &str)]) -> Stage {
    let stage = Stage::of(&[(
        "0001_base.sql",
        "CREATE TABLE customers (id int PRIMARY KEY, email text NOT NULL, boss int REFERENCES customers);
         CREATE TABLE orders (id int PRIMARY KEY, customer int NOT NULL REFERENCES customers,
                              total int NOT NULL, note text);",
    )]);
    stage.project.write("pgfleet.toml", PLAIN);
    stage.apply();
    stage.db.sql(
        "INSERT INTO customers SELECT n, 'c' || n || '@example.org', nullif(n / 2, 0)
           FROM generate_series(1, 400) n;
         INSERT INTO orders SELECT n, 1 + n % 400, n, 'note ' || n FROM generate_series(1, 2000) n;
         ANALYZE;",
    );
    for (name, sql) in pending {
        stage.write(name, sql);
    }
    stage
}

/// What `plan --rehearse` says as JSON.
fn rehearse(stage: &Stage, args: &[&str]) -> Value {
    let all: Vec<_> =
        ["plan", "--rehearse", "--output", "json"].iter().chain(args).copied().collect();
    let output = stage.run(&all).assert_success();
    let envelope: Value = serde_json::from_str(&output.stdout).expect("JSON");
    envelope["targets"][0].clone()
}

/// What a statement did to a relation.
fn touched<'v>(entry: &'v Value, place: &str, relation: &str) -> &'v Value {
    let at = |statement: &&Value| {
        let found = &statement["place"];
        format!("{}:{}", found["file"].as_str().expect("text"), found["line"])
            == format!("migrations/{place}")
    };
    let statements = entry["rehearsal"]["statements"].as_array().expect("a list");
    let statement =
        statements.iter().find(at).unwrap_or_else(|| panic!("{place}: {statements:#?}"));
    let touched = statement["touched"].as_array().expect("a list");
    let of = touched.iter().find(|one| one["relation"] == relation);
    of.unwrap_or_else(|| panic!("{relation} of {place}: {statement:#}"))
}

fn verdicts(entry: &Value) -> Vec<(String, String)> {
    let text = |one: &Value, key: &str| one[key].as_str().expect("text").to_owned();
    let reversals = entry["rehearsal"]["reversals"].as_array().expect("a list");
    reversals.iter().map(|one| (text(one, "migration"), text(one, "verdict"))).collect()
}

#[test]
fn locks_rewrites_and_scans_are_those_of_the_server() {
    let stage = shop(&[
        (
            "0002_a.sql",
            "ALTER TABLE orders ADD COLUMN paid boolean NOT NULL DEFAULT false;
ALTER TABLE orders ALTER COLUMN total TYPE bigint;
DO $$ BEGIN EXECUTE 'ALTER TABLE customers ALTER COLUMN id TYPE bigint'; END $$;",
        ),
        (
            "0003_b.sql",
            "CREATE INDEX CONCURRENTLY by_note ON orders (note);
ALTER TABLE orders ADD CONSTRAINT positive CHECK (total >= 0) NOT VALID;
ALTER TABLE orders VALIDATE CONSTRAINT positive;
CREATE INDEX ON customers (email);",
        ),
    ]);
    let before = stage.schema();
    let entry = rehearse(&stage, &[]);

    let added = touched(&entry, "0002_a.sql:1", "public.orders");
    assert_eq!(added["lock"], "ACCESS EXCLUSIVE");
    assert_eq!(added["rewritten"], Value::Null, "a constant default writes nothing anew: {added}");
    assert_eq!(added["size"]["rows"], 2000, "as the target has it");
    let retyped = touched(&entry, "0002_a.sql:2", "public.orders");
    assert_eq!((&retyped["rewritten"], &retyped["held_before"]), (&true.into(), &true.into()));
    let hidden = touched(&entry, "0002_a.sql:3", "public.customers");
    assert_eq!((&hidden["lock"], &hidden["rewritten"]), (&"ACCESS EXCLUSIVE".into(), &true.into()));
    let online = touched(&entry, "0003_b.sql:1", "public.orders");
    assert_eq!(online["lock"], "SHARE UPDATE EXCLUSIVE");
    let unchecked = touched(&entry, "0003_b.sql:2", "public.orders");
    assert_eq!(unchecked["scanned"], Value::Null, "{unchecked}");
    let checked = touched(&entry, "0003_b.sql:3", "public.orders");
    assert_eq!(
        (&checked["lock"], &checked["scanned"]),
        (&"SHARE UPDATE EXCLUSIVE".into(), &true.into())
    );
    let index = touched(&entry, "0003_b.sql:4", "public.customers");
    assert_eq!((&index["lock"], &index["scanned"]), (&"SHARE".into(), &true.into()));

    let hazards = entry["plan"]["hazards"].to_string();
    assert_says(
        &hazards,
        &["DO really takes ACCESS EXCLUSIVE on public.customers", "DO really rewrites"],
    );
    assert!(!hazards.contains("CREATE INDEX really"), "its text told it: {hazards}");
    assert_eq!(stage.schema(), before, "the target is as it was");
    assert_eq!(stage.versions(), "0001");
}

#[test]
fn every_way_back_gets_the_verdict_that_it_earned() {
    let stage = shop(&[
        ("0002_good.up.sql", "CREATE INDEX by_total ON orders (total);"),
        ("0002_good.down.sql", "DROP INDEX by_total;"),
        ("0003_loses.up.sql", "ALTER TABLE orders DROP COLUMN note; CREATE TABLE notes (id int);"),
        ("0003_loses.down.sql", "DROP TABLE notes; ALTER TABLE orders ADD COLUMN note text;"),
        ("0004_forgets.up.sql", "CREATE TYPE state AS ENUM ('new'); CREATE TABLE s (state state);"),
        ("0004_forgets.down.sql", "DROP TABLE s;"),
        ("0005_fails.up.sql", "CREATE VIEW v AS SELECT id FROM orders;"),
        ("0005_fails.down.sql", "DROP TABLE v;"),
        ("0006_none.sql", "ALTER TABLE customers RENAME COLUMN email TO mail;"),
        (
            "0007_once.up.sql",
            "CREATE TABLE IF NOT EXISTS kept (id int); INSERT INTO kept VALUES (1);",
        ),
        ("0007_once.down.sql", "DROP TABLE kept;"),
    ]);
    let output = stage.run(&["plan", "--rehearse"]).assert_success();
    let text = output.stdout;
    assert_says(
        &text,
        &[
            "0002_good     proven reversible by its down part",
            "0003_loses    reversible by its down part, except for:",
            "column public.orders.note, which the migration drops",
            "what was written to table public.notes",
            "0004_forgets  not reversible by its down part: the schema is not as it was before",
            "it leaves enum public.state",
            "0005_fails    not reversible by its down part: it fails",
            "\"v\" is not a table",
            "0006_none     proven reversible by a derived way back",
        ],
    );
    assert_says(&output.stderr, &["PF530", "0004_forgets", "0005_fails"]);
    let entry = rehearse(&stage, &[]);
    let verdicts = verdicts(&entry);
    let of = |name: &str| verdicts.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    assert_eq!(of("0002_good"), Some("proven"));
    assert_eq!(of("0003_loses"), Some("proven_with_loss"));
    assert_eq!(of("0004_forgets"), Some("not_reversible"));
    assert_eq!(of("0005_fails"), Some("not_reversible"));
    assert_eq!(of("0007_once"), Some("proven_with_loss"));
}

#[test]
fn rows_come_with_what_they_refer_to_and_are_measured() {
    let stage = shop(&[
        ("0002_zero.up.sql", "UPDATE orders SET total = 0;"),
        ("0002_zero.down.sql", "SELECT 1;"),
        ("0003_swap.up.sql", "UPDATE orders SET note = 'x' || note;"),
        ("0003_swap.down.sql", "UPDATE orders SET note = substr(note, 2);"),
    ]);
    for (rows, least, most) in [("10", 20, 150), ("5%", 60, 600), ("all", 2400, 2400)] {
        let entry = rehearse(&stage, &["--rows", rows]);
        let copied = entry["rehearsal"]["rows_copied"].as_u64().unwrap();
        assert!((least..=most).contains(&copied), "{rows}: {copied}");
        let wanted = [("0002_zero", "proven_with_loss"), ("0003_swap", "proven")];
        assert_eq!(verdicts(&entry), wanted.map(|(n, v)| (n.to_owned(), v.to_owned())), "{rows}");
    }
    let text = stage.run(&["plan", "--rehearse", "--rows", "all"]).assert_success().stdout;
    assert_says(&text, &["rows of public.orders, which are not as before (2000 then, 2000 now)"]);
    assert_eq!(stage.db.value("SELECT sum(total) FROM orders"), "2001000", "the target's stay");
}

#[test]
fn a_failed_rehearsal_leaves_the_target_alone() {
    let stage = shop(&[
        ("0002_a.sql", "CREATE TABLE fine (id int);"),
        (
            "0003_b.sql",
            "ALTER TABLE orders ADD COLUMN x int;\nALTER TABLE nowhere ADD COLUMN x int;",
        ),
    ]);
    let stderr = stage.ends(&["apply", "--rehearse"], 5);
    assert_says(&stderr, &["PF450", "PF302", "migrations/0003_b.sql:2:"]);
    let planned = stage.run(&["plan", "--rehearse"]);
    assert_eq!(planned.code, 4, "{}", planned.stderr);
    assert_says(&planned.stdout, &["0002_a", "the next one failed"]);
    assert_eq!(stage.versions(), "0001");
    // Rows decide: without them nothing breaks the key, which no look at the text foresees.
    let hidden = "DO $$ BEGIN EXECUTE 'ALTER TABLE orders ADD UNIQUE (customer)'; END $$;";
    stage.write("0003_b.sql", hidden);
    stage.run(&["plan", "--rehearse"]).assert_success();
    assert_says(&stage.ends(&["apply", "--rehearse", "--rows", "all"], 5), &["PF450", "PF307"]);
    stage.write("0003_b.sql", "ALTER TABLE orders ADD COLUMN x int;");
    let output = stage.run(&["apply", "--rehearse"]).assert_success();
    assert_says(&output.stdout, &["Rehearsed in", "ACCESS EXCLUSIVE on public.orders"]);
    assert_eq!(stage.versions(), "0001 0002 0003");
}

#[test]
fn a_plan_file_carries_its_rehearsal_and_is_executed() {
    let stage = shop(&[(
        "0002_a.sql",
        "DO $$ BEGIN EXECUTE 'ALTER TABLE customers ALTER COLUMN id TYPE bigint'; END $$;",
    )]);
    stage.run(&["plan", "--rehearse", "--out", "plan.json"]).assert_success();
    let path = stage.project.path().join("plan.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(file["rehearsal"]["complete"], true);
    assert_says(&file["hazards"].to_string(), &["DO really rewrites public.customers"]);
    stage.run(&["apply", "--plan", "plan.json"]).assert_success();
    assert_eq!(stage.versions(), "0001 0002");
    assert_says(&stage.ends(&["plan", "--rehearse", "--rows", "few"], 2), &["few"]);
    let nothing = stage.run(&["plan", "--rehearse"]).assert_success();
    assert_says(&nothing.stdout, &["Nothing to do"]);
}
