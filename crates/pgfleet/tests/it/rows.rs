//! Rows that would break what is about to run: told before anything runs.

use crate::stage::{Stage, assert_says, ended};

const FIRST: &str = "CREATE TYPE mood AS ENUM ('good', 'bad');
    CREATE DOMAIN amount AS int; CREATE DOMAIN price AS amount;
    CREATE TABLE bills (id int PRIMARY KEY, value price, days daterange);
    CREATE TABLE more_bills (own text) INHERITS (bills);
    INSERT INTO bills VALUES (1, 5, '[2020-01-01,2020-01-05)'), (2, -5, '[2020-01-04,2020-01-09)'),
        (3, NULL, '[2020-02-01,2020-02-05)');
    CREATE TABLE o (id int PRIMARY KEY);
    CREATE TABLE t (id int PRIMARY KEY, a text, b int, o int, m mood, n text);
    INSERT INTO o VALUES (1);
    INSERT INTO t VALUES (1, NULL, 1, 1, 'good', '12'), (2, 'x', 1, 7, 'bad', 'twelve'),
        (3, 'too long', -1, NULL, 'good', '3');";

/// A rule, what is said of the rows, and one of them.
const RULES: &[(&str, &str, &str)] = &[
    ("ALTER TABLE t ALTER a SET NOT NULL", "1 row of t has no a", "(id) = (1)"),
    ("ALTER TABLE t ADD CONSTRAINT k UNIQUE (b)", "2 rows of t are not unique in (b)", "(b) = (1)"),
    ("CREATE UNIQUE INDEX k ON t (lower(m::text))", "2 rows of t are not unique", "good"),
    ("ALTER TABLE t ADD CHECK (b > 0)", "1 row of t breaks the check b > 0", "(id) = (3)"),
    (
        "ALTER TABLE t ADD FOREIGN KEY (o) REFERENCES o",
        "1 row of t has (o) that is not in o",
        "(id) = (2)",
    ),
    (
        "ALTER TABLE t ALTER a TYPE varchar(3)",
        "1 row of t has a a that is no varchar(3)",
        "(id) = (3)",
    ),
    ("ALTER TABLE t ALTER n TYPE int USING n::int", "that is no int", "twelve"),
    ("ALTER TABLE t ADD COLUMN c int NOT NULL", "3 rows of t would have no value", "(id) = (1)"),
    (
        "ALTER TABLE t ADD CONSTRAINT k CHECK (b > 0) NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT k",
        "1 row of t breaks the check b > 0",
        "(id) = (3)",
    ),
    (
        "ALTER TABLE bills ADD EXCLUDE USING gist (days WITH &&) WHERE (id < 9)",
        "2 rows of bills are not allowed beside another by EXCLUDE (days WITH &&)",
        "(id) = (1)",
    ),
    (
        "ALTER DOMAIN amount ADD CONSTRAINT positive CHECK (VALUE > 0)",
        "1 row of public.bills has a value that breaks the check VALUE > 0 of domain amount",
        "(id) = (2)",
    ),
    (
        "ALTER DOMAIN price SET NOT NULL",
        "1 row of public.bills has no value, whose domain price becomes NOT NULL",
        "(id) = (3)",
    ),
    (
        "ALTER DOMAIN amount VALIDATE CONSTRAINT small",
        "1 row of public.bills has a value that breaks the check (VALUE < 5) of domain amount",
        "(id) = (1)",
    ),
];

#[test]
fn rows_that_break_a_pending_rule_are_told_before_anything_runs() {
    let stage = Stage::of(&[("001_first.sql", FIRST)]);
    stage.apply();
    stage.db.sql("ALTER DOMAIN amount ADD CONSTRAINT small CHECK (VALUE < 5) NOT VALID");
    for (number, (sql, what, sample)) in (2..).zip(RULES) {
        let file = format!("{number:03}_rule.sql");
        stage.write(&file, format!("CREATE TABLE made_{number} ();\n{sql};\n"));
        let told = stage.ends(&["apply", "--allow-data-loss"], 5);
        assert_says(&told, &["PF425", what, sample, &format!("migrations/{file}:2:")]);
        let shown = stage.run(&["plan"]);
        assert_eq!(shown.code, 5, "{sql}: {}", shown.stderr);
        assert_says(&shown.stderr, &["PF425", what]);
        stage.ends(&["apply", "--dry-run", "--allow-data-loss"], 5);
        assert_eq!(stage.versions(), "001", "{sql}");
        stage.write(&file, "SELECT 1;");
        std::fs::remove_file(stage.project.path().join("migrations").join(&file)).unwrap();
    }
}

#[test]
fn a_migration_that_corrects_its_rows_is_applied() {
    let stage = Stage::of(&[("001_first.sql", FIRST)]);
    stage.apply();
    stage.write(
        "002_rule.sql",
        "UPDATE t SET a = '' WHERE a IS NULL;\nALTER TABLE t ALTER a SET NOT NULL;\n",
    );
    stage.apply();
    assert_eq!(stage.versions(), "001 002");
}

#[test]
fn rows_of_what_inherits_do_not_count_where_the_rule_is_not_theirs() {
    let stage = Stage::of(&[("001_first.sql", FIRST)]);
    stage.apply();
    stage.db.sql("INSERT INTO more_bills (id, days) SELECT id, days FROM bills");
    stage.db.sql("DELETE FROM ONLY bills WHERE id = 2");
    let rules = "ALTER TABLE bills ADD EXCLUDE USING gist (days WITH &&);
        ALTER TABLE bills ADD UNIQUE (days);
        ALTER TABLE more_bills ALTER id DROP NOT NULL, ADD CHECK (id < 4);";
    stage.write("002_rule.sql", rules);
    stage.apply();
    assert_eq!(stage.versions(), "001 002");
}

#[test]
fn a_difference_tells_the_rows_that_break_it() {
    let stage = Stage::of(&[("001_first.sql", FIRST)]);
    stage.apply();
    stage.project.write(
        "wanted.sql",
        "CREATE TYPE mood AS ENUM ('good'); CREATE TABLE o (id int PRIMARY KEY);
         CREATE TABLE t (id int PRIMARY KEY, a text NOT NULL, b int, o int, m mood, n text);",
    );
    let shown = stage.run(&["diff", "target", "wanted.sql"]);
    let stderr = ended(shown, 0);
    assert_says(
        &stderr,
        &["1 row of public.t has no a", "1 row of public.t breaks the check m::text"],
    );
}
