//! The schema model against real servers: read, compared, written as DDL, applied, read again.

#![allow(clippy::unwrap_used, reason = "these are tests, their helpers included")]

mod corpus;
mod majors;

use std::path::{Path, PathBuf};

use pgfleet_core::schema::Schema;
use pgfleet_core::schema::diff::{Difference, Statement, compare};
use pgfleet_engine::catalog::read_schema;
use pgfleet_engine::compare::run_script;
use pgfleet_engine::connect::{ConnectSpec, Session, Surroundings, connect};
use pgfleet_testkit::{Cluster, TestDb};

/// Roles that the cases grant to.
const ROLES: &str = "DO $$ BEGIN PERFORM pg_advisory_lock(4711);
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'schema_reader') THEN
        CREATE ROLE schema_reader; CREATE ROLE \"schema Writer\"; END IF;
    PERFORM pg_advisory_unlock(4711); END $$";

fn corpus_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/schema")
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(future)
}

async fn session(url: &str) -> Session {
    let spec = ConnectSpec::parse(url, &Surroundings::default()).unwrap();
    connect(&spec, "schema-test", std::time::Duration::from_secs(10)).await.unwrap()
}

async fn read(database: &TestDb) -> Schema {
    let session = session(&database.url()).await;
    let schema = read_schema(&session).await.unwrap();
    session.close().await;
    assert!(schema.is_consistent(), "objects are in order and edges inside");
    schema
}

fn database_with(cluster: &Cluster, sql: &str) -> TestDb {
    let database = cluster.database();
    database.sql("SET client_min_messages = warning");
    database.sql(sql);
    database
}

/// Applies the difference and gives what is still different afterwards.
async fn turn_into(
    database: &TestDb,
    from: &Schema,
    to: &Schema,
) -> Result<Vec<Statement>, String> {
    turn_by(database, compare(from, to)).await
}

async fn turn_by(database: &TestDb, difference: Difference<'_>) -> Result<Vec<Statement>, String> {
    let (to, statements) = (difference.to, difference.statements());
    let session = session(&database.url()).await;
    let shown = || statements.iter().map(|s| s.sql.as_str()).collect::<Vec<_>>().join(";\n");
    run_script(&session, &statements).await.map_err(|error| format!("{error}\n{}", shown()))?;
    session.close().await;
    let now = read(database).await;
    let rest = compare(&now, to);
    if rest.is_empty() && now.fingerprint() == to.fingerprint() {
        return Ok(statements);
    }
    let rest: Vec<_> = rest.statements().into_iter().map(|s| s.sql).collect();
    Err(format!("still different:\n{}\nafter:\n{}", rest.join(";\n"), shown()))
}
