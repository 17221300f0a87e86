//! `lint`: what is looked at with and without a database, outputs, exit codes.

use pgfleet_testkit::Project;

use crate::stage::{Stage, assert_says};

const FILES: &[(&str, &str)] = &[
    ("0001_a.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text);"),
    ("0002_b.sql", "CREATE INDEX users_email_idx\n    ON users (email);"),
];

#[test]
fn without_a_database_all_of_the_folder_is_looked_at() {
    let stage = Stage::of(FILES);
    let shown = stage.cli(&["lint", "--offline"]).run().assert_success();
    insta::assert_snapshot!("offline", stage.redact(&shown.stdout));
    let denied = stage.cli(&["lint", "--offline", "--deny", "warnings"]).run();
    assert_eq!((denied.code, denied.stderr.as_str()), (1, ""));
    let since = stage.cli(&["lint", "--offline", "--since", "0002"]).run().assert_success();
    assert_says(&since.stdout, &["0 migrations", "0 findings"]);
    let nowhere = stage.cli(&["lint", "--offline", "--since", "9"]).run();
    assert_eq!(nowhere.code, 2);
    assert_says(&nowhere.stderr, &["PF132", "\"9\""]);
}

#[test]
fn rows_of_the_target_decide_how_much_a_lock_weighs() {
    let stage = Stage::of(&FILES[..1]);
    stage.apply();
    stage.write("0002_b.sql", FILES[1].1.as_bytes());
    stage.db.sql("INSERT INTO users SELECT n, n::text FROM generate_series(1, 20000) AS n");
    stage.db.sql("ANALYZE users");
    let large = stage.cli(&["lint"]).run();
    assert_eq!(large.code, 1, "{}", large.stdout);
    assert_says(&large.stdout, &["error[require-concurrent-index-creation]", "about 20,000 rows"]);
    assert_says(&large.stdout, &["1 migration, 1 statement looked at"]);
    stage.db.sql("DELETE FROM users WHERE id > 100");
    stage.db.sql("ANALYZE users");
    let small = stage.cli(&["lint"]).run().assert_success();
    assert_says(&small.stdout, &["note[require-concurrent-index-creation]", "about 100 rows"]);
    let all = stage.cli(&["lint", "--all"]).run().assert_success();
    assert_says(&all.stdout, &["2 migrations", "about 100 rows"]);
}

#[test]
fn files_are_looked_at_with_and_without_their_folder() {
    let stage = Stage::of(FILES);
    let own = stage.cli(&["lint", "--offline", "migrations/0002_b.sql"]).run().assert_success();
    assert_says(&own.stdout, &["1 migration, ", "blocks writes of users"]);
    std::fs::write(stage.project.path().join("loose.sql"), "DROP TABLE t;").unwrap();
    let loose = stage.cli(&["lint", "loose.sql"]).run().assert_success();
    assert_says(&loose.stdout, &["loose.sql:1:1", "ban-drop-table"]);
    let folder = stage.cli(&["lint", "--offline", "migrations"]).run().assert_success();
    assert_says(&folder.stdout, &["2 migrations, 2 statements looked at"]);
    std::fs::create_dir_all(stage.project.path().join("other/deeper")).unwrap();
    std::fs::write(stage.project.path().join("other/deeper/loose.sql"), "DROP TABLE t;").unwrap();
    let deep = stage.cli(&["lint", "other"]).run().assert_success();
    assert_says(&deep.stdout, &["other/deeper/loose.sql:1:1", "1 migration, 1 statement"]);
    let missing = stage.cli(&["lint", "nowhere.sql"]).run();
    assert_eq!(missing.code, 2);
    assert_says(&missing.stderr, &["PF113", "nowhere.sql"]);
}

#[test]
fn rules_are_weighed_by_the_configuration_and_explained() {
    let stage = Stage::of(FILES);
    let config = |text: &str| {
        std::fs::write(stage.project.path().join("pgfleet.toml"), text).unwrap();
    };
    config("[lint]\nseverity = { require-concurrent-index-creation = 'error' }\n");
    let error = stage.cli(&["lint", "--offline"]).run();
    assert_eq!(error.code, 1);
    config("[lint]\nignore = ['require-concurrent-index-creation']\n");
    let none = stage.cli(&["lint", "--offline"]).run().assert_success();
    assert_says(&none.stdout, &["0 findings, 1 ignored"]);
    config("[lint]\nignore = [\n  'require-concurrent-index-creaton',\n]\n");
    let unknown = stage.cli(&["lint", "--offline"]).run();
    assert_eq!(unknown.code, 2);
    assert_says(&unknown.stderr, &["PF142", "pgfleet.toml:3:4", "did you mean require-concurrent"]);
    config("");
    let page = stage.cli(&["explain", "ban-drop-column"]).run().assert_success();
    assert_says(&page.stdout, &["# ban-drop-column", "## Instead"]);
    let list = stage.cli(&["lint", "--rules"]).run().assert_success();
    assert_says(&list.stdout, &["ban-drop-column", "warning"]);
}

#[test]
fn machines_get_every_finding() {
    let stage = Stage::of(FILES);
    let run =
        |form: &str| stage.cli(&["lint", "--offline", "--output", form]).run().assert_success();
    let json: serde_json::Value = serde_json::from_str(&run("json").stdout).unwrap();
    let finding = &json["targets"][0]["findings"][0];
    assert_eq!(finding["rule"], "require-concurrent-index-creation");
    assert_eq!(finding["place"]["line"], 1);
    assert_eq!(json["errors"], serde_json::json!([]));
    let sarif: serde_json::Value = serde_json::from_str(&run("sarif").stdout).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "require-concurrent-index-creation");
    assert_says(&run("github").stdout, &["::warning file=migrations/0002_b.sql,line=1,col=14,"]);
    assert_says(&run("junit").stdout, &["lint.require-concurrent-index-creation"]);
}

#[test]
fn rows_that_break_a_new_rule_are_counted() {
    let stage = Stage::of(&[(
        "0001_a.sql",
        "CREATE TABLE plans (id bigint PRIMARY KEY);
         CREATE TABLE users (id bigint PRIMARY KEY, \"eMail\" text, age int, plan bigint);",
    )]);
    stage.apply();
    stage.db.sql(
        "INSERT INTO users VALUES (1, 'a', 3, 7), (2, 'a', 30, NULL), (3, NULL, 31, 8), (4, 'a', 20, 9)",
    );
    stage.db.sql("INSERT INTO plans VALUES (7)");
    stage.write(
        "0002_b.sql",
        "ALTER TABLE users ALTER COLUMN \"eMail\" SET NOT NULL;
ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE (\"eMail\");
ALTER TABLE users ADD CONSTRAINT adult CHECK (age >= 18);
ALTER TABLE users ADD CONSTRAINT plan FOREIGN KEY (plan) REFERENCES plans;
ALTER TABLE users ADD CONSTRAINT age_key UNIQUE (age);
ALTER TABLE users ADD CONSTRAINT senior CHECK (age < no_such_function());
",
    );
    let shown = stage.cli(&["lint", "--verbose"]).run();
    assert_eq!(shown.code, 1, "{}", shown.stderr);
    assert_says(
        &shown.stdout,
        &[
            "1 row of users have NULL in eMail",
            "2 rows of users repeat the \"eMail\" of another",
            "1 row of users break this CHECK",
            "2 rows of users refer to no row of plans",
            "an unknown number of rows of users break this CHECK",
            "they could not be counted: function no_such_function() does not exist",
        ],
    );
    assert!(!shown.stdout.contains("repeat the age"), "{}", shown.stdout);
    let untouched = stage.db.value("SELECT count(*) FROM users");
    assert_eq!(untouched, "4");
}

#[test]
fn indexes_and_partitions_of_the_target_are_known() {
    let stage = Stage::of(&[(
        "0001_a.sql",
        "CREATE TABLE a (id bigint PRIMARY KEY, v varchar(10), w int);
         CREATE INDEX a_v ON a (v);
         CREATE TABLE b (id bigint PRIMARY KEY, a_id bigint REFERENCES a);
         CREATE INDEX b_a ON b (a_id);
         CREATE TABLE p (id bigint PRIMARY KEY, n int) PARTITION BY RANGE (id);
         CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100000);",
    )]);
    stage.apply();
    stage.db.sql("INSERT INTO p SELECT n, n FROM generate_series(1, 20000) AS n");
    stage.db.sql("ANALYZE p");
    stage.write(
        "0002_b.sql",
        "CREATE INDEX a_v_again ON a (v);\nALTER TABLE a ALTER v TYPE varchar(20);\nDROP INDEX b_a;\nALTER TABLE p ADD CHECK (n > 0);\nALTER TABLE b ADD COLUMN w bigint REFERENCES a (w);",
    );
    let shown = stage.cli(&["lint", "--verbose"]).run();
    assert_says(
        &shown.stdout,
        &[
            "a_v is on the same columns",
            "b_a serves the foreign key b_a_id_fkey",
            "about 20,000 rows",
            "w is int8 and w of a is int4",
        ],
    );
    assert!(!shown.stdout.contains("changing-column-type"), "{}", shown.stdout);
}

#[test]
fn a_database_that_does_not_answer_is_named_with_the_way_around_it() {
    let stage = Stage::of(FILES);
    let gone = stage.cli_at("postgres://u@127.0.0.1:1/d", &["lint"]).run();
    assert_eq!(gone.code, 3);
    assert_says(&gone.stderr, &["PF201", "pgfleet lint --offline"]);
}

#[test]
fn what_no_server_reads_fails_in_check_and_in_lint() {
    let project = Project::with([
        ("migrations/0001_a.sql", "CREATE TABLE a (\n  id bigint PRIMARY KEY\n  name text\n);"),
        ("migrations/0002_b.sql", "WAIT FOR LSN '0/0';"),
    ]);
    for command in ["check", "lint"] {
        let found = project.pgfleet([command, "--output", "github"]).run();
        assert_eq!(found.code, 1, "{}", found.stderr);
        assert_says(
            &found.stdout,
            &["::error file=migrations/0001_a.sql,line=3", "expected a comma"],
        );
        assert!(!found.stdout.contains("::error file=migrations/0002_b"), "{}", found.stdout);
    }
    project.write("migrations/0001_a.sql", "CREATE TABLE a (id bigint PRIMARY KEY);");
    let newer = project.pgfleet(["check"]).run().assert_success();
    assert_says(&newer.stderr, &["warning[PF123]", "no command begins with WAIT FOR"]);
}
