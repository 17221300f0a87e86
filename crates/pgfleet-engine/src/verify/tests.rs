use std::time::Duration;

use pgfleet_core::verify::parse_declaration;
use pgfleet_testkit::TestDb;

use super::*;
use crate::connect::{ConnectSpec, Surroundings, connect};

const SCHEMA: &str = r#"
    CREATE TYPE role AS ENUM ('A', 'B');
    CREATE TABLE users (id uuid PRIMARY KEY, email varchar(255) NOT NULL, role role);
    CREATE TABLE "Odd.Name" ("Owner" uuid REFERENCES users (id), "select" int);
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER touch BEFORE UPDATE OR INSERT ON users FOR EACH ROW EXECUTE FUNCTION touch();
    ALTER TABLE users ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON users USING (true);
    INSERT INTO users SELECT gen_random_uuid(), 'u' || i, 'A' FROM generate_series(1, 16) i;
"#;

pub(super) async fn session(database: &TestDb) -> Session {
    let spec = ConnectSpec::parse(&database.url(), &Surroundings::default()).unwrap();
    connect(&spec, "pgfleet test", Duration::from_secs(10)).await.unwrap()
}

fn checks(toml: &str) -> Vec<Check> {
    parse_declaration(toml, "checks.toml").unwrap()
}

#[tokio::test]
async fn a_proposal_holds_in_its_own_database_and_not_after_a_change() {
    let database = TestDb::new();
    database.sql(SCHEMA);
    let session = session(&database).await;
    let text = propose(&session, &["public".to_owned()]).await.unwrap();
    assert!(text.contains("exactly = 16"), "{text}");
    let proposed = checks(&text);
    let none = BTreeMap::new();
    for verdict in run(Some(&session), &proposed, &none, Options::default()).await {
        assert!(verdict.ok, "{verdict:?}\n{text}");
    }
    database.sql(
        "ALTER TABLE users ALTER email TYPE text; DROP TRIGGER touch ON users; DELETE FROM users",
    );
    let verdicts = run(Some(&session), &proposed, &none, Options::default()).await;
    let failed: Vec<&str> =
        verdicts.iter().filter(|v| v.failed()).map(|v| v.name.as_str()).collect();
    assert_eq!(failed, ["triggers in public", "columns of users", "rows of users"]);
}

#[tokio::test]
async fn a_proposal_without_schemas_covers_all_but_the_servers_own() {
    let database = TestDb::new();
    database.sql(SCHEMA);
    database.sql("CREATE SCHEMA app; CREATE TABLE app.orders (id int); CREATE SCHEMA pgfleet");
    database.sql("CREATE TABLE pgfleet.runs (id int)");
    let session = session(&database).await;
    let text = propose(&session, &[]).await.unwrap();
    for expected in ["table = \"users\"", "table = \"app.orders\"", "type = \"role\""] {
        assert!(text.contains(expected), "{expected} is missing in\n{text}");
    }
    for foreign in ["pg_class", "information_schema", "pgfleet"] {
        assert!(!text.contains(foreign), "{foreign} is in\n{text}");
    }
    let none = BTreeMap::new();
    for verdict in run(Some(&session), &checks(&text), &none, Options::default()).await {
        assert!(verdict.ok, "{verdict:?}\n{text}");
    }
}

#[tokio::test]
async fn a_failing_query_is_one_failed_check_and_nothing_is_written() {
    let database = TestDb::new();
    database.sql(SCHEMA);
    let session = session(&database).await;
    let declared = checks(
        r#"
        [[check]]
        kind = "sql"
        query = "select count(*) from missing_table"
        equals = 1
        [[check]]
        kind = "rows"
        table = "users"
        where = "role = 'A' -- seeded"
        exactly = 16
        [[check]]
        kind = "sql"
        query = "select email from users"
        matches = "^u"
        [[check]]
        kind = "sql"
        query = "select min(email) from users;"
        matches = "^u[0-9]+$"
        [[check]]
        kind = "sql"
        query = "select nextval('s')"
        at_least = 1
        [[check]]
        kind = "tables"
        at_least = 2
        list = ['"Odd.Name"']
        [[check]]
        kind = "foreign_keys"
        exactly = 1
        list = ['"Odd.Name"(Owner) -> users(id)']
        [[check]]
        kind = "http"
        url = "http://localhost:9"
        "#,
    );
    database.sql("CREATE SEQUENCE s");
    let options = Options { probes: false, ..Options::default() };
    let verdicts = run(Some(&session), &declared, &BTreeMap::new(), options).await;
    let ok: Vec<bool> = verdicts.iter().map(|verdict| verdict.ok).collect();
    assert_eq!(ok, [false, true, false, true, false, true, true, false], "{verdicts:#?}");
    assert!(verdicts[0].found.contains("missing_table"), "{:?}", verdicts[0]);
    assert!(verdicts[2].found.contains("more than one row"), "{:?}", verdicts[2]);
    assert!(verdicts[4].found.contains("read-only"), "{:?}", verdicts[4]);
    assert!(verdicts[7].skipped.is_some() && !verdicts[7].failed());
    assert_eq!(database.value("SELECT is_called FROM s"), "f");
}

#[tokio::test]
async fn without_a_database_only_the_environment_is_looked_at() {
    let declared = checks(
        "[[check]]\nkind = 'env'\nvariables = ['A', 'B', 'C']\n[[check]]\nkind = 'tables'\nat_least = 1",
    );
    let variables = BTreeMap::from([
        ("A".to_owned(), "secret-value".to_owned()),
        ("B".to_owned(), String::new()),
    ]);
    let verdicts = run(None, &declared, &variables, Options::default()).await;
    assert_eq!(verdicts[0].details, ["not set: B", "not set: C"]);
    assert!(!format!("{verdicts:?}").contains("secret-value"));
    assert!(verdicts[1].skipped.is_some());
}

#[tokio::test]
async fn a_lost_connection_fails_the_checks_and_does_not_hang() {
    let database = TestDb::new();
    let session = session(&database).await;
    database.sql(&format!("SELECT pg_terminate_backend({})", session.backend_pid()));
    let declared = checks(
        "[[check]]\nkind = 'tables'\nat_least = 0\n[[check]]\nkind = 'sql'\nquery = 'select 1'\nequals = 1",
    );
    let verdicts = run(Some(&session), &declared, &BTreeMap::new(), Options::default()).await;
    assert!(verdicts.iter().all(CheckResult::failed), "{verdicts:?}");
}
