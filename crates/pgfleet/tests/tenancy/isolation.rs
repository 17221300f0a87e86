//! The border between tenants: tried as the application's role, and looked for in its statements.

use pgfleet_testkit::{Cluster, TestDb};
use serde_json::Value;

use crate::stage::{Stage, assert_says};

const TENANCY: &str = r#"
[tenancy]
column = "org"
type = "int"
constant = 1
tables = ["notes", "open_notes", '"Odd s"', "empty"]
setting = "app.org"
"#;

/// Three tables are isolated, one is not; views and functions go around the border.
fn stage() -> (Stage, String) {
    let stage = Stage::of(&[]);
    stage.project.write("pgfleet.toml", TENANCY);
    let role = format!("app_{}", stage.db.name());
    let policy = "USING (org = current_setting('app.org')::int)";
    stage.db.sql(&format!(
        "CREATE ROLE {role}; CREATE TABLE orgs (id int PRIMARY KEY); INSERT INTO orgs VALUES (1), (2); \
         CREATE TABLE notes (id serial PRIMARY KEY, org int NOT NULL REFERENCES orgs, t text NOT NULL, up text GENERATED ALWAYS AS (upper(t)) STORED); \
         INSERT INTO notes (org, t) SELECT 1 + g % 2, 'n' FROM generate_series(1, 9) g; \
         CREATE TABLE open_notes (id int PRIMARY KEY, org int NOT NULL); INSERT INTO open_notes VALUES (1, 1), (2, 2); \
         CREATE TABLE \"Odd s\" (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, org int NOT NULL); INSERT INTO \"Odd s\" (org) VALUES (1), (1); \
         CREATE TABLE empty (id uuid PRIMARY KEY, org int NOT NULL, kind text NOT NULL, at timestamptz NOT NULL); \
         ALTER TABLE notes ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON notes {policy}; \
         ALTER TABLE \"Odd s\" ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON \"Odd s\" {policy}; \
         ALTER TABLE empty ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON empty {policy}; \
         CREATE VIEW around AS SELECT * FROM notes; CREATE VIEW honest WITH (security_invoker = true) AS SELECT id, org FROM around_ok; \
         CREATE MATERIALIZED VIEW kept AS SELECT count(*) FROM notes; CREATE VIEW counted AS SELECT count(*) FROM notes; ",
    ).replace("FROM around_ok", "FROM notes"));
    stage.db.sql(&format!(
        "CREATE FUNCTION all_notes() RETURNS SETOF notes LANGUAGE sql SECURITY DEFINER AS 'SELECT * FROM notes'; \
         CREATE FUNCTION notes_of(int) RETURNS SETOF notes LANGUAGE sql SECURITY DEFINER AS 'SELECT * FROM notes WHERE org = $1'; \
         GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {role}"
    ));
    (stage, role)
}

fn drop_role(stage: &Stage, role: &str) {
    stage.db.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[test]
fn every_way_across_the_border_is_tried_and_taken_back() {
    let (stage, role) = stage();
    let before = stage.db.value("SELECT (SELECT count(*) FROM notes) || ' ' || (SELECT string_agg(org::text, '') FROM \"Odd s\") || ' ' || (SELECT count(*) FROM empty)");
    let output = stage.run(&["isolation", "--role", &role, "--output", "json"]);
    assert_eq!(output.code, 1, "{}\n{}", output.stdout, output.stderr);
    let json: Value = serde_json::from_str(&output.stdout).unwrap();
    let attempts = json["targets"][0]["attempts"].as_array().unwrap();
    let verdict = |table: &str, operation: &str, through: Option<&str>| {
        let is = |one: &&Value| {
            one["table"] == table
                && one["operation"] == operation
                && through
                    .is_none_or(|name| one["through"].as_str().unwrap_or_default().contains(name))
        };
        let found =
            attempts.iter().find(is).unwrap_or_else(|| panic!("{table} {operation} {attempts:#?}"));
        found["verdict"].as_str().unwrap().to_owned()
    };
    for operation in ["select", "insert", "update", "move", "delete"] {
        for table in ["public.notes", "public.\"Odd s\"", "public.empty"] {
            assert_eq!(
                verdict(table, operation, None),
                "isolated",
                "{table} {operation} {attempts:#?}"
            );
        }
        assert_eq!(verdict("public.open_notes", operation, None), "reached", "{operation}");
    }
    assert_eq!(verdict("public.notes", "view", Some("around")), "reached");
    assert_eq!(verdict("public.notes", "view", Some("honest")), "isolated");
    for view in ["kept", "counted"] {
        assert_eq!(verdict("public.notes", "view", Some(view)), "not_tried", "{view}");
    }
    assert_eq!(verdict("public.notes", "function", Some("all_notes")), "reached");
    assert_eq!(verdict("public.notes", "function", Some("notes_of")), "not_tried");
    assert_says(&output.stdout, &["PF570"]);
    let after = stage.db.value("SELECT (SELECT count(*) FROM notes) || ' ' || (SELECT string_agg(org::text, '') FROM \"Odd s\") || ' ' || (SELECT count(*) FROM empty)");
    assert_eq!(before, after, "everything is taken back");
    drop_role(&stage, &role);
}

#[test]
fn isolation_is_a_kind_of_check() {
    let (stage, role) = stage();
    let checks = |tables: &str| {
        format!(
            "[[check]]\nkind = 'isolation'\ntables = [{tables}]\ncolumn = 'org'\nrole = '{role}'\nsetting = 'app.org'\n"
        )
    };
    stage.project.write("ok.toml", checks("'empty', '\"Odd s\"'"));
    let good = stage.run(&["verify", "--checks", "ok.toml"]).assert_success();
    assert_says(&good.stdout, &["10 of 10 attempts isolated"]);
    stage.project.write("bad.toml", checks("'open_notes'"));
    let bad = stage.run(&["verify", "--checks", "bad.toml"]);
    assert_eq!(bad.code, 1);
    assert_says(&bad.stdout, &["public.open_notes delete: reached 1 row"]);
    // Without the setting the role sees nothing of its own, which proves nothing.
    stage.project.write("blind.toml", checks("'notes'").replace("app.org", "other.org"));
    let blind = stage.run(&["verify", "--checks", "blind.toml"]);
    assert_eq!(blind.code, 1, "{}", blind.stdout);
    assert_says(&blind.stdout, &["not tried"]);
    drop_role(&stage, &role);
}

#[test]
fn what_the_server_ran_is_listed_with_its_calls() {
    let cluster =
        Cluster::fresh().setting("shared_preload_libraries", "pg_stat_statements").start();
    let stage = Stage::on(TestDb::on(&cluster), &[]);
    stage.project.write("pgfleet.toml", TENANCY);
    stage.db.sql("CREATE EXTENSION pg_stat_statements; CREATE TABLE notes (id int, org int)");
    for id in 1..4 {
        stage.db.sql(&format!("SELECT id FROM notes WHERE id = {id}"));
    }
    stage.db.sql("SELECT id FROM notes WHERE id = 1 AND org = 2");
    let output = stage.run(&["isolation", "queries", "--output", "json"]);
    assert_eq!(output.code, 1, "{}\n{}", output.stdout, output.stderr);
    let json: Value = serde_json::from_str(&output.stdout).unwrap();
    let found = json["targets"][0]["statements"].as_array().unwrap();
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0]["calls"], 3, "{found:#?}");
    assert_says(found[0]["statement"].as_str().unwrap(), &["WHERE id = $1"]);
}

#[test]
fn a_role_must_be_named() {
    let (stage, role) = stage();
    assert_says(&stage.ends(&["isolation"], 2), &["PF191", "--role"]);
    drop_role(&stage, &role);
}

#[test]
fn statements_without_the_tenant_are_listed_with_their_place() {
    let (stage, role) = stage();
    stage.project.write("src/a/notes.ts", "const q = `SELECT * FROM notes\n WHERE id = ${id}`;\nconst r = 'SELECT * FROM notes WHERE org = $1';\n");
    stage.project.write("src/b.py", "x = \"\"\"DELETE FROM open_notes WHERE id = %s\"\"\"\n");
    stage.project.write("src/node_modules/c.js", "`SELECT * FROM notes`");
    let output = stage.run(&["isolation", "queries", "src"]);
    let said = crate::stage::ended(output, 1);
    assert_says(&said, &["PF571", "2 statements"]);
    let output = stage.run(&["isolation", "queries", "src"]);
    assert_says(&output.stdout, &["notes  src/a/notes.ts:1:12", "open_notes  src/b.py:1:8"]);
    stage.project.write("good/a.sql", "SELECT * FROM notes WHERE org = 1;");
    stage.run(&["isolation", "queries", "good"]).assert_success();
    assert_says(
        &stage.ends(&["isolation", "queries"], 2),
        &["pg_stat_statements", "isolation queries src"],
    );
    drop_role(&stage, &role);
}
