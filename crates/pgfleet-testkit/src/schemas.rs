//! Schemas on real servers: read, compared, written as DDL, applied, and read again.
//!
//! Invariant: a change counts as proven only when the schema that is read after it has no difference
//! from the wanted one and the same fingerprint.

use std::time::Duration;

use pgfleet_core::schema::diff::{Difference, Statement, compare};
use pgfleet_core::schema::rename::{RenameRequest, resolve};
use pgfleet_core::schema::{Schema, Scope};
use pgfleet_engine::catalog::read_schema;
use pgfleet_engine::compare::{Renamed, rename_on, run_script};
use pgfleet_engine::connect::{ConnectSpec, Session, Surroundings, connect};

use crate::{Cluster, TestDb, blocking};

/// Reads a database's schema.
pub fn read(database: &TestDb) -> Schema {
    blocking::run(|| read_at(database.url()))
}

async fn read_at(url: String) -> Schema {
    let session = session(&url).await;
    let schema = read_schema(&session).await.unwrap_or_else(|error| panic!("{error}"));
    session.close().await;
    assert!(schema.is_consistent(), "objects are in order and edges inside");
    schema
}

async fn session(url: &str) -> Session {
    let spec = ConnectSpec::parse(url, &Surroundings::default());
    let spec = spec.unwrap_or_else(|error| panic!("{}", error.what));
    let session = connect(&spec, "pgfleet-testkit", Duration::from_secs(30)).await;
    session.unwrap_or_else(|error| panic!("{}", error.what))
}

/// A new database with what `sql` makes; it may be several statements.
///
/// # Errors
/// What the server says about the SQL.
pub fn database_with(cluster: &Cluster, sql: &str) -> Result<TestDb, String> {
    let database = cluster.database();
    database.try_sql(&format!("SET client_min_messages = warning; {sql}"))?;
    Ok(database)
}

/// Applies the difference between two schemas to a database that has the first, and gives the
/// statements.
///
/// # Errors
/// The statement that failed, or what is still different afterwards.
pub fn turn_into(database: &TestDb, from: &Schema, to: &Schema) -> Result<Vec<Statement>, String> {
    turn_by(database, &compare(from, to))
}

/// As [`turn_into`], in the form that the difference has.
///
/// # Errors
/// As [`turn_into`].
pub fn turn_by(database: &TestDb, difference: &Difference<'_>) -> Result<Vec<Statement>, String> {
    let statements = difference.statements();
    run(database, &statements)?;
    let now = read(database);
    let rest = compare(&now, difference.to);
    if rest.is_empty() && now.fingerprint() == difference.to.fingerprint() {
        return Ok(statements);
    }
    let rest = listed(&rest.statements());
    Err(format!("still different:\n{rest}\nafter:\n{}", listed(&statements)))
}

fn run(database: &TestDb, statements: &[Statement]) -> Result<(), String> {
    let url = database.url();
    blocking::run(|| async move {
        let session = session(&url).await;
        let outcome = run_script(&session, statements).await;
        session.close().await;
        outcome.map_err(|error| format!("{error}\nafter:\n{}", listed(statements)))
    })
}

/// As [`turn_into`], with renames before the rest. Gives all statements, and the schema between.
///
/// # Errors
/// As [`turn_into`], and when a rename is not possible.
pub fn rename_and_turn(
    database: &TestDb,
    from: &Schema,
    to: &Schema,
    requests: &[RenameRequest],
) -> Result<(Vec<Statement>, Schema), String> {
    let told = |problem: Box<pgfleet_core::diagnose::Problem>| {
        format!("{}: {:?} {:?}", problem.what, problem.cause, problem.details)
    };
    let steps = resolve(from, to, requests).map_err(told)?;
    let url = database.url();
    let renamed: Result<Renamed, String> = blocking::run(|| async move {
        let session = session(&url).await;
        let renamed = rename_on(&session, &Scope::default(), to, steps).await;
        session.close().await;
        renamed.map_err(told)
    });
    let renamed = renamed?;
    let rest = turn_into(database, renamed.start(from), to)?;
    Ok((renamed.before(&rest), renamed.start(from).clone()))
}

fn listed(statements: &[Statement]) -> String {
    statements.iter().map(|statement| statement.sql.as_str()).collect::<Vec<_>>().join(";\n")
}

/// Turns the schema of each of two databases into that of the other, and back by online forms.
///
/// # Errors
/// Which direction failed, and how.
pub fn prove_both_ways(a: &TestDb, b: &TestDb) -> Result<(), String> {
    let (from, to) = (read(a), read(b));
    turn_into(a, &from, &to).map_err(|error| format!("forwards: {error}"))?;
    turn_into(b, &to, &from).map_err(|error| format!("backwards: {error}"))?;
    let online = compare(&to, &from).with_online_forms();
    turn_by(a, &online).map_err(|error| format!("online backwards: {error}"))?;
    let online = compare(&from, &to).with_online_forms();
    turn_by(b, &online).map_err(|error| format!("online forwards: {error}"))?;
    Ok(())
}

/// Makes two schemas in two empty databases, proves both directions between them, and takes both back to
/// nothing, so that the databases serve the next pair.
///
/// # Errors
/// As [`prove_both_ways`]; when one of the two scripts fails, and when something is left at the end. The
/// databases may then hold anything.
pub fn prove_pair(databases: &[TestDb; 2], from: &str, to: &str) -> Result<(), String> {
    let [a, b] = databases;
    let empty = read(a);
    for (database, sql, which) in [(a, from, "the first"), (b, to, "the second")] {
        let made = database.try_sql(&format!("SET client_min_messages = warning; {sql}"));
        made.map_err(|error| format!("{which}: {error}"))?;
    }
    prove_both_ways(a, b)?;
    for database in databases {
        let made = read(database);
        turn_into(database, &made, &empty).map_err(|error| format!("to nothing: {error}"))?;
    }
    Ok(())
}
