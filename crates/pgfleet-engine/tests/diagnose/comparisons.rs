//! What exists against what a statement would create.

use pgfleet_core::diagnose::{Code, Comparison};
use pgfleet_engine::diagnose::{compare_existing, explain_skipped};
use pgfleet_testkit::TestDb;

use super::{open, words};

async fn compare(prepare: &str, statement: &str) -> Option<Comparison> {
    let db = TestDb::new();
    db.sql(prepare);
    let before = db.dump_schema();
    let comparison = compare_existing(&open(&db.url()).await, statement).await;
    assert_eq!(db.dump_schema(), before, "a comparison leaves nothing behind");
    comparison
}

#[tokio::test]
async fn spelling_is_not_a_difference() {
    let prepare = "CREATE SCHEMA app; CREATE TABLE app.t (id int4 PRIMARY KEY, n varchar(9) DEFAULT 'x', \
        parent int REFERENCES app.t, CHECK (n <> ''), s serial)";
    let statement = "create table if not exists app.\"t\" (id INTEGER NOT NULL PRIMARY KEY, \
        n character varying (9) default 'x'::varchar, parent integer references app.t(id), \
        check ((n) <> ('')), s serial)";
    assert_eq!(compare(prepare, statement).await, Some(Comparison::Identical));
    let unqualified = statement.replace("app.", "");
    let prepare = prepare.replace("CREATE SCHEMA app; ", "").replace("app.", "");
    assert_eq!(compare(&prepare, &unqualified).await, Some(Comparison::Identical));
}

#[tokio::test]
async fn indexes_views_functions_and_types_are_compared() {
    let table = "CREATE TABLE t (a int, b int, \"C\" text); ";
    for (prepare, statement, same) in [
        (
            "CREATE INDEX i ON t (a)",
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON public.t USING btree (a)",
            true,
        ),
        ("CREATE INDEX i ON t (a)", "CREATE UNIQUE INDEX IF NOT EXISTS i ON t (a, b)", false),
        ("CREATE VIEW v AS SELECT a FROM t", "CREATE VIEW v AS SELECT t.a FROM public.t", true),
        ("CREATE VIEW v AS SELECT a FROM t", "CREATE VIEW v AS SELECT a, b FROM t", false),
        ("CREATE TYPE e AS ENUM ('x', 'y')", "CREATE TYPE public.e AS ENUM ('x', 'y')", true),
        ("CREATE TYPE e AS ENUM ('x', 'y')", "CREATE TYPE e AS ENUM ('y', 'x')", false),
        ("CREATE TYPE c AS (x int)", "CREATE TYPE c AS (x bigint)", false),
    ] {
        let found = compare(&format!("{table}{prepare}"), statement).await;
        let found = found.unwrap_or_else(|| panic!("{statement} must be compared"));
        assert_eq!(found == Comparison::Identical, same, "{statement}: {found:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_compared_is_left_out() {
    for statement in [
        "CREATE TABLE absent (id int)",
        "CREATE TABLE t AS SELECT 1",
        "DROP TABLE t",
        "CREATE TABLE t (x nonsense)",
    ] {
        assert_eq!(compare("CREATE TABLE t (id int)", statement).await, None, "{statement}");
    }
}

#[tokio::test]
async fn a_live_table_under_lock_is_not_waited_for() {
    let db = TestDb::new();
    db.sql("CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE t (id int REFERENCES parent)");
    let (holder, session) = (open(&db.url()).await, open(&db.url()).await);
    holder.batch("BEGIN; LOCK TABLE parent IN ROW EXCLUSIVE MODE").await.unwrap();
    let begun = std::time::Instant::now();
    let comparison = compare_existing(&session, "CREATE TABLE t (id int REFERENCES parent)").await;
    assert_eq!(comparison, None);
    assert!(begun.elapsed().as_secs() < 2);
    session.batch("SELECT 1").await.expect("the session is usable afterwards");
}

#[tokio::test]
async fn if_not_exists_that_skipped_something_else_is_reported() {
    let db = TestDb::new();
    db.sql("CREATE TABLE users (id int)");
    let session = open(&db.url()).await;
    let statement = "CREATE TABLE IF NOT EXISTS users (id int, email text)";
    session.batch(statement).await.unwrap();
    let problem =
        explain_skipped(&session, statement, None, "002_email").await.expect("they differ");
    assert_eq!(problem.code, Code::SkippedDifferent);
    assert!(!problem.is_error());
    assert!(words(&problem).contains("column email text is missing"), "{problem:?}");
    let same = "CREATE TABLE IF NOT EXISTS users (id integer)";
    assert_eq!(explain_skipped(&session, same, None, "002_email").await, None);
}
