//! Locks, transactions, resources, connections.

use std::time::Duration;

use futures_util::future::join;
use pgfleet_core::diagnose::{Code, FolderFacts, ServerError};
use pgfleet_testkit::TestDb;

use super::{assert_says, diagnosis, diagnosis_on, explain, open, provoke};

#[tokio::test]
async fn a_body_that_commits_inside_a_transaction() {
    let problem = diagnosis("", "BEGIN; DO $$ BEGIN COMMIT; END $$").await;
    assert_says(&problem, Code::TransactionForbidden, &["ends the transaction", "NO TRANSACTION"]);
}

#[tokio::test]
async fn a_lock_timeout_names_who_blocks() {
    let db = TestDb::new();
    db.sql("CREATE TABLE busy (id int)");
    let (holder, session) = (open(&db.url()).await, open(&db.url()).await);
    holder.batch("SET application_name = 'reporting'").await.unwrap();
    holder.batch("BEGIN; LOCK TABLE busy IN ACCESS EXCLUSIVE MODE").await.unwrap();
    session.batch("SET lock_timeout = '100ms'").await.unwrap();
    let problem = diagnosis_on(&session, "ALTER TABLE busy ADD x int").await;
    let kill = format!("SELECT pg_terminate_backend({})", holder.backend_pid());
    assert_says(
        &problem,
        Code::LockTimeout,
        &["reporting", "idle in transaction", "LOCK TABLE busy", &kill],
    );
}

#[tokio::test]
async fn a_deadlock_is_to_be_tried_again() {
    let db = TestDb::new();
    db.sql("CREATE TABLE a (); CREATE TABLE b ()");
    let (one, two) = (open(&db.url()).await, open(&db.url()).await);
    one.batch("SET deadlock_timeout = '50ms'; BEGIN; LOCK TABLE a").await.unwrap();
    two.batch("SET deadlock_timeout = '10s'; BEGIN; LOCK TABLE b").await.unwrap();
    let waiting = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        provoke(&one, "LOCK TABLE b").await
    };
    let (_, error) = join(two.batch("LOCK TABLE a"), async {
        let error = waiting.await;
        one.batch("ROLLBACK").await.unwrap();
        error
    })
    .await;
    let problem = explain(&one, &error, "LOCK TABLE b", &FolderFacts::default()).await;
    assert_says(&problem, Code::Deadlock, &["waited for each other", "again"]);
}

#[tokio::test]
async fn statements_that_ran_out_of_time_or_were_cancelled() {
    let db = TestDb::new();
    let session = open(&db.url()).await;
    session.batch("SET statement_timeout = '50ms'").await.unwrap();
    let problem = diagnosis_on(&session, "SELECT pg_sleep(5)").await;
    assert_says(&problem, Code::Cancelled, &["statement_timeout", "SET LOCAL"]);
    session.batch("SET statement_timeout = 0").await.unwrap();
    let canceller = session.canceller();
    let (error, ()) = join(provoke(&session, "SELECT pg_sleep(5)"), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        canceller.cancel().await.unwrap();
    })
    .await;
    let problem = explain(&session, &error, "SELECT pg_sleep(5)", &FolderFacts::default()).await;
    assert_says(&problem, Code::Cancelled, &["Ctrl-C"]);
}

#[tokio::test]
async fn statements_that_no_transaction_can_hold() {
    let db = TestDb::new();
    db.sql("CREATE TABLE t (id int)");
    let session = open(&db.url()).await;
    let statement = "CREATE INDEX CONCURRENTLY ON t (id)";
    let error = provoke(&session, &format!("SELECT 1; {statement}")).await;
    let error = ServerError { position: None, ..error };
    let problem = explain(&session, &error, statement, &FolderFacts::default()).await;
    assert_says(
        &problem,
        Code::TransactionForbidden,
        &["CREATE INDEX CONCURRENTLY commits as it goes", "no-transaction"],
    );
}

#[tokio::test]
async fn new_enum_values_cannot_be_used_at_once() {
    let statement = "ALTER TYPE mood ADD VALUE 'b'; SELECT 'b'::mood";
    let db = TestDb::new();
    db.sql("CREATE TYPE mood AS ENUM ('a')");
    let session = open(&db.url()).await;
    session.batch("BEGIN; ALTER TYPE mood ADD VALUE 'b'").await.unwrap();
    let error = provoke(&session, "SELECT 'b'::mood").await;
    session.batch("ROLLBACK").await.unwrap();
    let problem = explain(&session, &error, statement, &FolderFacts::default()).await;
    assert_says(&problem, Code::EnumValueUnsafe, &["`b` was added", "migration of its own"]);
}

#[tokio::test]
async fn read_only_transactions() {
    let db = TestDb::new();
    let session = open(&db.url()).await;
    session.batch("SET default_transaction_read_only = on").await.unwrap();
    let problem = diagnosis_on(&session, "CREATE TABLE t ()").await;
    assert_says(&problem, Code::RoleReadOnly, &["pg_settings", "ALTER ROLE postgres SET"]);
}

#[tokio::test]
async fn a_full_lock_table_is_told_from_other_shortages() {
    for (sqlstate, message, part) in [
        ("53100", "could not extend file: No space left on device", "disk is full"),
        ("53200", "out of shared memory", "max_locks_per_transaction"),
        ("53200", "out of memory", "work_mem"),
        ("53300", "too many connections", "max_connections"),
    ] {
        let error = ServerError {
            sqlstate: sqlstate.to_owned(),
            message: message.to_owned(),
            ..ServerError::default()
        };
        let db = TestDb::new();
        let session = open(&db.url()).await;
        let problem = explain(&session, &error, "SELECT 1", &FolderFacts::default()).await;
        assert_says(&problem, Code::OutOfResources, &[part]);
    }
}

#[tokio::test]
async fn a_lost_session_is_explained_without_the_catalog() {
    let db = TestDb::new();
    let (session, killer) = (open(&db.url()).await, open(&db.url()).await);
    killer
        .batch(&format!("SELECT pg_terminate_backend({}, 5000)", session.backend_pid()))
        .await
        .unwrap();
    let error = session.batch("SELECT 1").await.unwrap_err();
    let server = error.server().expect("the server said why").clone();
    let problem = explain(&session, &server, "SELECT 1", &FolderFacts::default()).await;
    assert_says(&problem, Code::ConnectionLost, &["administrator", "again"]);
}

#[tokio::test]
async fn what_is_not_known_keeps_the_servers_words() {
    let problem =
        diagnosis("", "DO $$ BEGIN RAISE EXCEPTION 'own words' USING HINT = 'a hint'; END $$")
            .await;
    assert_eq!(problem.code, Code::StatementFailed);
    let words = super::words(&problem);
    assert!(
        words.contains("own words")
            && words.contains("a hint")
            && words.contains("inline_code_block"),
        "{words}"
    );
}
