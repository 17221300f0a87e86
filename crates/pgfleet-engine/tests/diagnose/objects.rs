//! Objects that exist, are missing, or are not ours.

use pgfleet_core::diagnose::{Code, Creator, FolderFacts, Gone};
use pgfleet_testkit::{Cluster, TestDb};

use super::{as_user, assert_says, diagnosis, diagnosis_on, explain, open, provoke};

const USERS: &str = "CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL)";

#[tokio::test]
async fn an_identical_table_is_to_be_recorded() {
    let problem = diagnosis(USERS, USERS).await;
    assert_says(
        &problem,
        Code::ObjectExists,
        &["identical", "pgfleet resolve --applied 007", "pgfleet baseline", "belongs to postgres"],
    );
}

#[tokio::test]
async fn a_different_table_is_compared_column_by_column() {
    let prepare = "CREATE TABLE users (id int PRIMARY KEY, email text, old bool DEFAULT true)";
    let problem = diagnosis(prepare, USERS).await;
    assert_says(
        &problem,
        Code::ObjectExists,
        &[
            "column id is integer NOT NULL, the statement says bigint NOT NULL",
            "column email is text, the statement says text NOT NULL",
            "column old boolean DEFAULT true is not in the statement",
        ],
    );
}

#[tokio::test]
async fn a_migration_that_the_history_lacks_is_named() {
    let db = TestDb::new();
    db.sql("CREATE SCHEMA app; CREATE ROLE maker_of_things; CREATE TYPE mood AS ENUM ('a')");
    let session = open(&db.url()).await;
    let statement = "CREATE TYPE mood AS ENUM ('a')";
    let error = provoke(&session, statement).await;
    let creator = Creator {
        object: "mood".to_owned(),
        column_of: None,
        version: "003".to_owned(),
        label: "003_moods".to_owned(),
        applied: false,
        later: false,
    };
    let folder = FolderFacts {
        version: "007".to_owned(),
        creators: vec![creator],
        ..FolderFacts::default()
    };
    let problem = explain(&session, &error, statement, &folder).await;
    assert_says(&problem, Code::ObjectExists, &["003_moods", "the history lacks it", "identical"]);
    db.cluster().sql("DROP ROLE maker_of_things");
}

#[tokio::test]
async fn functions_schemas_and_columns_that_exist() {
    let function = "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'";
    assert_says(&diagnosis(function, function).await, Code::ObjectExists, &["identical"]);
    let other = "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2'";
    assert_says(&diagnosis(function, other).await, Code::ObjectExists, &["SELECT 1"]);
    let schema = "CREATE SCHEMA app";
    assert_says(
        &diagnosis(schema, schema).await,
        Code::ObjectExists,
        &["schema app belongs to postgres"],
    );
    let column = "ALTER TABLE users ADD COLUMN email text";
    assert_says(&diagnosis(USERS, column).await, Code::ObjectExists, &["ADD COLUMN IF NOT EXISTS"]);
}

#[tokio::test]
async fn missing_tables_and_columns_have_neighbours() {
    let problem = diagnosis(USERS, "ALTER TABLE usres ADD x int").await;
    assert_says(&problem, Code::ObjectMissing, &["there is no `usres`, but `users`"]);
    let problem = diagnosis(USERS, "SELECT 1,\n  emial FROM users").await;
    assert_says(&problem, Code::ObjectMissing, &["but `email`"]);
    assert_eq!(
        problem.place.as_ref().map(ToString::to_string).as_deref(),
        Some("migrations/007_x.sql:4:3")
    );
    let snippet = problem.snippet.expect("the line is shown");
    assert_eq!(
        (snippet.line_text.as_str(), snippet.column, snippet.length),
        ("  emial FROM users", 3, 5)
    );
}

#[tokio::test]
async fn names_in_other_case_or_schema_are_found() {
    let problem = diagnosis("CREATE TABLE \"Orders\" ()", "DROP TABLE Orders").await;
    assert_says(&problem, Code::ObjectMissing, &["folded to lower case", "\"Orders\""]);
    let problem =
        diagnosis("CREATE SCHEMA app; CREATE TABLE app.orders ()", "DROP TABLE orders").await;
    assert_says(&problem, Code::ObjectMissing, &["in the schema app", "app.orders", "search_path"]);
    let problem = diagnosis("CREATE SCHEMA billing", "CREATE TABLE biling.t ()").await;
    assert_says(&problem, Code::ObjectMissing, &["but `billing`"]);
    let problem = diagnosis("", "SELECT * FROM nothing_like_it").await;
    assert_says(&problem, Code::ObjectMissing, &["no migration of the folder creates it"]);
}

#[tokio::test]
async fn a_later_or_vanished_creator_is_named() {
    let db = TestDb::new();
    let session = open(&db.url()).await;
    let statement = "ALTER TABLE orders ADD x int";
    let error = provoke(&session, statement).await;
    let creator = |applied, later| Creator {
        object: "orders".to_owned(),
        column_of: None,
        version: "009".to_owned(),
        label: "009_orders".to_owned(),
        applied,
        later,
    };
    let folder = |creator| FolderFacts {
        version: "007".to_owned(),
        creators: vec![creator],
        ..FolderFacts::default()
    };
    let problem = explain(&session, &error, statement, &folder(creator(false, true))).await;
    assert_says(
        &problem,
        Code::ObjectMissing,
        &["created later, by 009_orders", "after 009_orders"],
    );
    let problem = explain(&session, &error, statement, &folder(creator(true, false))).await;
    assert_says(&problem, Code::ObjectMissing, &["was dropped or never really created"]);
}

#[tokio::test]
async fn a_column_is_not_looked_for_in_another_table() {
    let db = TestDb::new();
    db.sql("CREATE TABLE orders (id int); CREATE TABLE users (id int, total int)");
    let session = open(&db.url()).await;
    let creator = Creator {
        object: "total".to_owned(),
        column_of: Some("users".to_owned()),
        version: "003".to_owned(),
        label: "003_totals".to_owned(),
        applied: true,
        later: false,
    };
    let gone = Gone {
        object: "total".to_owned(),
        column_of: Some("orders".to_owned()),
        label: "005_sums".to_owned(),
        new_name: Some("sum".to_owned()),
    };
    let only = FolderFacts {
        version: "007".to_owned(),
        creators: vec![creator.clone()],
        ..FolderFacts::default()
    };
    let both = FolderFacts { gone: vec![gone], ..only.clone() };
    for statement in ["CREATE VIEW v AS SELECT total FROM orders", "CREATE INDEX ON orders (total)"]
    {
        let error = provoke(&session, statement).await;
        let problem = explain(&session, &error, statement, &only).await;
        assert!(!words_have(&problem, "003_totals"), "{problem:?}");
        let problem = explain(&session, &error, statement, &both).await;
        assert_says(&problem, Code::ObjectMissing, &["005_sums renames `total` to `sum`"]);
    }
}

#[tokio::test]
async fn extensions_and_platforms_are_recognised() {
    let problem = diagnosis("", "CREATE TABLE t (id uuid DEFAULT uuid_generate_v4())").await;
    assert!(words_have(&problem, "uuid-ossp"), "{problem:?}");
    assert!(words_have(&problem, "gen_random_uuid()") || problem.code == Code::ExtensionMissing);
    let problem = diagnosis("", "SELECT gen_random_bytes(8)").await;
    assert!(words_have(&problem, "pgcrypto"), "{problem:?}");
    let problem = diagnosis("", "CREATE TABLE t (a citext)").await;
    assert!(words_have(&problem, "citext"), "{problem:?}");
    let problem = diagnosis("", "CREATE TABLE t (e vector(3))").await;
    assert!(words_have(&problem, "vector") && !problem.fixes.is_empty(), "{problem:?}");
    let policy = "CREATE TABLE t (u uuid DEFAULT auth.uid())";
    assert_says(
        &diagnosis("", policy).await,
        Code::ObjectMissing,
        &["Supabase platform", "--environment supabase"],
    );
    let problem = diagnosis("", "CREATE EXTENSION pg_unheard_of").await;
    assert_says(
        &problem,
        Code::ExtensionMissing,
        &["pg_unheard_of", "not on the server's machine"],
    );
}

fn words_have(problem: &pgfleet_core::diagnose::Problem, part: &str) -> bool {
    super::words(problem).contains(part)
}

#[tokio::test]
async fn permissions_name_role_owner_and_grant() {
    let cluster = Cluster::fresh().start();
    let db = cluster.database();
    db.sql(
        "CREATE ROLE weak LOGIN; CREATE TABLE ours (id int); REVOKE CREATE ON SCHEMA public FROM public; \
         CREATE SCHEMA hidden; CREATE TABLE hidden.t ()",
    );
    let session = open(&as_user(&db, "weak")).await;
    let problem = diagnosis_on(&session, "ALTER TABLE ours ADD x int").await;
    assert_says(
        &problem,
        Code::PermissionDenied,
        &["belongs to postgres", "GRANT postgres TO weak", "ALTER TABLE public.ours OWNER TO weak"],
    );
    let problem = diagnosis_on(&session, "SELECT * FROM ours").await;
    assert_says(&problem, Code::PermissionDenied, &["ON public.ours TO weak", "SET ROLE postgres"]);
    let problem = diagnosis_on(&session, "SELECT * FROM hidden.t").await;
    assert_says(&problem, Code::PermissionDenied, &["ON SCHEMA hidden TO weak"]);
    let problem = diagnosis_on(&session, "CREATE SCHEMA mine").await;
    assert_says(&problem, Code::PermissionDenied, &["GRANT CREATE ON DATABASE"]);
}

#[tokio::test]
async fn row_security_is_told_apart() {
    let cluster = Cluster::fresh().start();
    let db = cluster.database();
    db.sql("CREATE ROLE app LOGIN; CREATE TABLE secure (id int); ALTER TABLE secure ENABLE ROW LEVEL SECURITY; GRANT ALL ON secure TO app");
    let session = open(&as_user(&db, "app")).await;
    let problem = diagnosis_on(&session, "INSERT INTO secure VALUES (1)").await;
    assert_says(
        &problem,
        Code::RowSecurity,
        &["policy of secure", "CREATE POLICY", "tablename = 'secure'"],
    );
}

#[tokio::test]
async fn dependents_are_listed() {
    let problem =
        diagnosis(&format!("{USERS}; CREATE VIEW v AS SELECT id FROM users"), "DROP TABLE users")
            .await;
    assert_says(&problem, Code::DependentsExist, &["view v depends on table users", "CASCADE"]);
}

#[tokio::test]
async fn syntax_errors_of_other_worlds() {
    for (statement, part) in [
        ("CREATE TABLE t (id int AUTO_INCREMENT)", "MySQL"),
        ("CREATE TABLE `t` (id int)", "MySQL's quote"),
        ("SELECT ‘x’ FROM FROM", "typographic quotes"),
        ("SELECT 1\nGO\nSELECT 2 2", "GO separates"),
        ("CREATE TABLE t (id int", "ends too early"),
        ("CREATE TABLE t (id int,)", "a comma too many"),
        ("CREATE TABLE t (\u{a0}id int int)", "invisible character"),
        ("<<<<<<< HEAD\nSELECT 1", "unfinished merge"),
        ("CREATE POLICY IF NOT EXISTS p ON t", "no IF NOT EXISTS"),
        ("SELECT 1 -- `null = 1`\nFROM FROM", "expected something else at `FROM`"),
    ] {
        assert_says(&diagnosis("", statement).await, Code::SyntaxRejected, &[part]);
    }
}

#[tokio::test]
async fn replacing_what_cannot_be_replaced() {
    let problem = diagnosis(
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE OR REPLACE FUNCTION f() RETURNS text LANGUAGE sql AS 'SELECT 1::text'",
    )
    .await;
    assert_says(&problem, Code::TypeMismatch, &["DROP FUNCTION"]);
    let problem =
        diagnosis("CREATE VIEW v AS SELECT 1 AS a", "CREATE OR REPLACE VIEW v AS SELECT 'x' AS a")
            .await;
    assert_says(&problem, Code::TypeMismatch, &["add columns at the end"]);
}
