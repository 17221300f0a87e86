//! `audit`, `clean` and `maintain`: what is found, what would go, what goes, and what a kill leaves.

#![allow(clippy::unwrap_used, reason = "a test has nobody to hand an error to")]

use std::time::Duration;

use pgfleet_testkit::client_command;

use crate::stage::{Stage, assert_says};

const SCHEMA: &str = "
CREATE TYPE user_role AS ENUM ('admin', 'user');
CREATE TABLE companies (id serial PRIMARY KEY, name text NOT NULL, deleted_at timestamptz);
CREATE TABLE users (id int PRIMARY KEY, email text, role text,
    company_id int REFERENCES companies ON DELETE SET NULL, manager int REFERENCES users ON DELETE CASCADE);
CREATE TABLE orders (id int PRIMARY KEY, user_id int REFERENCES users ON DELETE CASCADE, quantity int);
CREATE TABLE lines (order_id int REFERENCES orders ON DELETE CASCADE, user_id int REFERENCES users ON DELETE CASCADE);
CREATE TABLE invoices (id int PRIMARY KEY, user_id int REFERENCES users);
CREATE TABLE sessions (id int PRIMARY KEY, user_id int, expires_at timestamptz);
INSERT INTO companies (name, deleted_at) SELECT 'c' || g, CASE WHEN g = 1 THEN now() END FROM generate_series(1, 5) g;
INSERT INTO users SELECT g, 'u' || g || '@corp.fr', CASE WHEN g % 100 = 0 THEN 'Admin' ELSE 'admin' END, 1 + g % 5
    FROM generate_series(1, 400) g;
UPDATE users SET manager = 1 WHERE id BETWEEN 390 AND 400;
INSERT INTO users VALUES (900, 'test@corp.fr', 'user'), (901, 'U1@corp.fr', 'user'), (902, NULL, 'user');
INSERT INTO orders SELECT g, g % 400 + 1, CASE WHEN g = 7 THEN -1 ELSE 1 END FROM generate_series(1, 1000) g;
INSERT INTO lines SELECT g, g % 400 + 1 FROM generate_series(1, 1000) g;
INSERT INTO sessions SELECT g, g % 400 + 1, now() - interval '1 day' FROM generate_series(1, 300) g;
INSERT INTO sessions VALUES (999, 12345, now() + interval '1 day');
";

const RULES: &str = "
[[clean]]
name = 'pilot users'
table = 'users'
where = 't.id <= 200'
reason = 'left from the pilot'

[[clean]]
name = 'deleted companies'
table = 'companies'
where = 't.deleted_at IS NOT NULL'
reason = 'deleted'
priority = 200

[[maintain]]
name = 'old sessions'
table = 'sessions'
where = \"t.expires_at < now()\"
reason = 'expired'
";

fn stage() -> Stage {
    let stage = Stage::of(&[]);
    stage.db.sql(SCHEMA);
    stage.project.write("pgfleet.toml", RULES);
    stage
}

#[test]
fn an_audit_finds_what_was_planted() {
    let stage = stage();
    stage.db.sql(
        "SET session_replication_role = replica; INSERT INTO orders VALUES (5000, 7777, 1);
         RESET session_replication_role; INSERT INTO companies VALUES (50, '', NULL);
         CREATE TABLE log (at timestamptz, what text); INSERT INTO log VALUES ('2026-01-01', 'a'), ('2026-01-01', 'a');
         CREATE INDEX one ON orders (user_id); CREATE INDEX two ON orders (user_id);
         UPDATE orders SET quantity = -5 WHERE id = 8;",
    );
    let output = stage.run(&["audit", "--html", "audit.html"]);
    assert_eq!(output.code, 1, "{}", output.stderr);
    assert_says(
        &output.stdout,
        &[
            "public.orders.user_id  1 rows refer to no row of public.users",
            "some of them: 5000",
            "public.sessions.user_id  1 rows without counterpart",
            "public.users.company_id  80 live rows whose row in public.companies is marked",
            "public.companies_id_seq  1 rows of public.companies.id",
            "public.companies.name  1 rows with an empty value",
            "public.users.email  1 values that several rows have",
            "public.users.role  4 values that the enum user_role does not have",
            "public.orders.quantity  2 values below 0",
            "public.log  1 rows that are there more than once",
            "public.log  the table has no primary key",
            "public.two  the index does the same as one",
            "public.lines (order_id)  no index to find the rows of public.orders",
            "public.sessions.expires_at  300 rows whose time is over",
            "public.users.email  1 rows that look like tests",
        ],
    );
    let page = stage.project.read("audit.html");
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("orphan-likely"));
    let json = stage.run(&["audit", "--output", "json", "--fail-on", "never"]).assert_success();
    assert_says(
        &json.stdout,
        &["\"category\": \"references\"", "\"samples\"", "\"recommendation\""],
    );
    let annotations = stage.run(&["audit", "--output", "github", "--fail-on", "never"]);
    assert_says(&annotations.stdout, &["::error title=PF551", "orphan"]);
}

#[test]
fn a_rule_that_cannot_be_asked_is_a_finding() {
    let stage = stage();
    stage
        .db
        .sql("CREATE FUNCTION wipe() RETURNS int LANGUAGE sql AS 'DELETE FROM lines RETURNING 1'");
    stage.project.write(
        "audit.toml",
        "[[audit]]\nname = 'broken'\nsql = 'SELECT * FROM nowhere'\n\
         [[audit]]\nname = 'slow'\nsql = 'SELECT pg_sleep(9)'\n\
         [[audit]]\nname = 'writes'\nsql = 'SELECT wipe()'\n\
         [[audit]]\nname = 'big orders'\nsql = 'SELECT id FROM orders WHERE quantity > 0 LIMIT 3'\nseverity = 'error'\n\
         [[audit]]\nskip = 'required-null'\n",
    );
    let args = ["audit", "--rules", "audit.toml", "--timeout-ms", "700", "--fail-on", "never"];
    let said = stage.run(&args).assert_success().stdout;
    assert_says(
        &said,
        &[
            "relation \"nowhere\" does not exist",
            "statement timeout",
            "big orders  3 rows",
            "read-only",
        ],
    );
    assert!(!said.contains("required-null"), "{said}");
    assert_says(&stage.ends(&["audit", "--skip", "nothing"], 2), &["PF173", "--list-rules"]);
    stage.project.write("audit.toml", "[[audit]]\nsql = 'SELECT 1; SELECT 2'\n");
    assert_says(&stage.ends(&["audit", "--rules", "audit.toml"], 2), &["PF173", "one query"]);
    assert_says(&stage.run(&["audit", "--list-rules"]).stdout, &["foreign-key-index", "bloat"]);
}

#[test]
fn a_preview_counts_every_row_once_and_changes_nothing() {
    let stage = stage();
    let before = stage.db.value("SELECT count(*) FROM users");
    let said = stage.run(&["clean"]).assert_success().stdout;
    assert_says(
        &said,
        &[
            "public.users  200 deleted",
            "public.orders  599 deleted  by orders_user_id_fkey",
            "public.users  11 deleted  by users_manager_fkey",
            "public.companies  1 deleted",
            "set to NULL or default  by users_company_id_fkey",
            "Nothing was changed",
        ],
    );
    assert_eq!(stage.db.value("SELECT count(*) FROM users"), before);
    assert!(stage.is_untouched());
    // The lines of both ways, each once.
    let real = "WITH u AS (SELECT id FROM users WHERE id <= 200 OR manager <= 200), \
                o AS (SELECT id FROM orders WHERE user_id IN (SELECT id FROM u)) SELECT count(*) FROM lines \
                WHERE order_id IN (SELECT id FROM o) OR user_id IN (SELECT id FROM u)";
    let lines: u64 = stage.db.value(real).parse().unwrap();
    let counted = said.lines().filter(|line| line.contains("public.lines"));
    let number = |line: &str| line.split_whitespace().find_map(|word| word.parse::<u64>().ok());
    assert_eq!(counted.filter_map(number).sum::<u64>(), lines, "{said}");
}

#[test]
fn what_goes_is_what_was_shown_and_comes_after_a_proven_backup() {
    let stage = stage();
    assert_says(&stage.ends(&["clean", "--execute"], 5), &["PF402", "rows would be deleted"]);
    let json = stage.run(&["clean", "--output", "json"]).assert_success().stdout;
    let shown: u64 = json
        .lines()
        .scan(String::new(), |effect, line| {
            if line.contains("\"effect\"") {
                *effect = line.to_owned();
            }
            let rows = line.trim().strip_prefix("\"rows\": ").map(|n| n.trim_end_matches(','));
            Some(rows.filter(|_| effect.contains("deleted")).and_then(|n| n.parse::<u64>().ok()))
        })
        .flatten()
        .sum();
    let count = "SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM orders) + \
                 (SELECT count(*) FROM lines) + (SELECT count(*) FROM companies)";
    let before: u64 = stage.db.value(count).parse().unwrap();
    let args = ["clean", "--execute", "--allow-data-loss"];
    let said = stage.run(&args).assert_success().stdout;
    let after: u64 = stage.db.value(count).parse().unwrap();
    assert_eq!(before - after, shown);
    assert_says(&said, &["rows deleted", "They are in the backup", "changed"]);
    let journal = "SELECT sum(deleted) FROM pgfleet.cleaned";
    assert_eq!(stage.db.value(journal), shown.to_string());
    assert_says(&stage.run(&["backup", "list"]).stdout, &["good"]);
    assert_says(&stage.run(&args).assert_success().stdout, &["Nothing to do"]);
}

#[test]
fn what_keys_forbid_is_refused_before_anything_is_done() {
    let stage = stage();
    stage.db.sql("INSERT INTO invoices SELECT g, g FROM generate_series(1, 12) g");
    let warned = stage.run(&["clean"]).assert_success();
    assert_says(&warned.stdout, &["public.invoices  12 forbid it", "Keys forbid it until"]);
    assert!(!warned.stdout.contains("Do it"), "{}", warned.stdout);
    let refused = stage.ends(&["clean", "--execute", "--allow-data-loss"], 5);
    assert_says(&refused, &["PF474", "12 rows of", "public.invoices", "invoices_user_id_fkey"]);
    assert!(stage.is_untouched());
    let rules = format!(
        "{RULES}[[clean]]\ntable = 'invoices'\nwhere = 't.user_id <= 200'\nreason = 'with their users'\n"
    );
    stage.project.write("pgfleet.toml", rules);
    stage.run(&["clean", "--execute", "--allow-data-loss"]).assert_success();
    assert_eq!(stage.db.value("SELECT count(*) FROM invoices"), "0");
}

#[test]
fn a_backup_that_is_not_proven_is_not_enough() {
    let stage = stage();
    stage.run(&["backup", "--name", "one", "--no-globals"]).assert_success();
    let args = ["clean", "--execute", "--allow-data-loss", "--backup", "one"];
    assert_says(&stage.ends(&args, 5), &["PF475", "never restored"]);
    stage.run(&["backup", "verify", "one"]).assert_success();
    stage.run(&args).assert_success();
}

#[test]
fn rules_that_are_none_are_named() {
    let stage = stage();
    for (rule, wanted) in [
        ("table = 'user'\nwhere = 'true'\nreason = 'r'", "users is there"),
        ("table = 'users'\nwhere = 't.nothing = 1'\nreason = 'r'", "was refused"),
        ("table = 'users'\nwhere = 'true; DROP TABLE users'\nreason = 'r'", "one condition"),
        ("table = 'users'\nwhere = 'true'", "reason"),
    ] {
        stage.project.write("clean.toml", format!("[[clean]]\n{rule}\n"));
        let said = stage.ends(&["clean", "--rules", "clean.toml"], 2);
        assert_says(&said, &["PF173", wanted]);
    }
    stage.project.write("pgfleet.toml", "");
    assert_says(&stage.ends(&["maintain"], 2), &["PF173", "[[maintain]]"]);
}

#[test]
fn maintenance_runs_again_and_again() {
    let stage = stage();
    assert_says(
        &stage.run(&["maintain"]).assert_success().stdout,
        &["public.sessions  300 deleted"],
    );
    let args = ["maintain", "--execute", "--allow-data-loss"];
    assert_says(&stage.run(&args).assert_success().stdout, &["300 rows deleted"]);
    assert_says(&stage.run(&args).assert_success().stdout, &["Nothing to do"]);
    stage.db.sql("INSERT INTO sessions VALUES (1, 1, now() - interval '1 day')");
    assert_says(&stage.run(&args).assert_success().stdout, &["1 rows deleted"]);
}

#[test]
fn rows_that_others_hold_are_waited_for_and_then_named() {
    let stage = stage();
    stage
        .project
        .write("pgfleet.toml", format!("{RULES}[apply]\nlock_timeout_ms = 100\nattempts = 2\n"));
    let url = stage.db.url();
    let holder = std::thread::spawn(move || {
        let mut psql = client_command("psql");
        let sql =
            "BEGIN; SELECT FROM sessions WHERE id = 5 FOR UPDATE; SELECT pg_sleep(4); ROLLBACK";
        psql.args(["-X", "-d", &url, "-c", sql]).output().unwrap()
    });
    std::thread::sleep(Duration::from_millis(700));
    let args = ["maintain", "--execute", "--allow-data-loss"];
    assert_says(&stage.ends(&args, 4), &["PF371", "other transactions hold them"]);
    assert_eq!(stage.db.value("SELECT count(*) FROM sessions WHERE expires_at < now()"), "1");
    holder.join().unwrap();
    let said = stage.run(&args).assert_success().stdout;
    assert_says(&said, &["300 rows deleted, with those of the interrupted run"]);
}

#[test]
fn a_killed_run_is_continued_and_its_counts_are_exact() {
    let stage = stage();
    stage.db.sql(
        "INSERT INTO sessions SELECT g, g, now() - interval '1 day' FROM generate_series(1000, 200000) g;
         CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.02); RETURN NULL; END $$;
         CREATE TRIGGER slow AFTER DELETE ON sessions EXECUTE FUNCTION slow()",
    );
    let expired = "SELECT count(*) FROM sessions WHERE expires_at < now()";
    let before: u64 = stage.db.value(expired).parse().unwrap();
    let args = ["maintain", "--execute", "--allow-data-loss"];
    for round in 0..8_u64 {
        let mut running = stage.spawn(&args);
        running.wait_for(Duration::from_millis(60 + 37 * round));
        running.kill();
    }
    std::thread::sleep(Duration::from_millis(300));
    stage.run(&args).assert_success();
    assert_eq!(stage.db.value(expired), "0");
    let counted = "SELECT sum(deleted) FROM pgfleet.cleaned";
    assert_eq!(stage.db.value(counted), before.to_string());
}
