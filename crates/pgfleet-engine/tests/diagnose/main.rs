//! Each diagnosis, provoked on a real server: the code, the cause and what to do.

#![allow(clippy::unwrap_used, reason = "a test has nobody to hand an error to")]

mod comparisons;
mod objects;
mod rows;
mod waiting;

use std::collections::BTreeMap;
use std::time::Duration;

use pgfleet_core::diagnose::{Code, FolderFacts, Problem, ServerError};
use pgfleet_core::place::Place;
use pgfleet_engine::connect::{ConnectSpec, Session, SessionError, Surroundings, connect};
use pgfleet_engine::diagnose::{Failure, explain_failure};
use pgfleet_testkit::TestDb;

async fn open(url: &str) -> Session {
    let around = Surroundings { variables: BTreeMap::new(), user: None, home: None };
    let spec = ConnectSpec::parse(url, &around).expect("the testkit's URL is valid");
    let session = connect(&spec, "pgfleet test", Duration::from_secs(10)).await;
    session.unwrap_or_else(|problem| panic!("{problem:?}"))
}

fn as_user(db: &TestDb, user: &str) -> String {
    let url = db.url();
    let (_, rest) = url.split_once('@').expect("the URL has a user");
    format!("postgres://{user}@{rest}")
}

/// Runs the statement, which must fail, and gives the server's error.
async fn provoke(session: &Session, statement: &str) -> ServerError {
    match session.batch(statement).await {
        Err(SessionError::Server(error)) => *error,
        other => panic!("{statement} must be refused: {other:?}"),
    }
}

async fn explain(
    session: &Session,
    error: &ServerError,
    statement: &str,
    folder: &FolderFacts,
) -> Problem {
    let facts = pgfleet_sql::classify(statement);
    let failure = Failure {
        error,
        statement,
        facts: &facts,
        place: Some(Place::at("migrations/007_x.sql", 3, 1)),
        verbatim: true,
        migration: "007_x",
        folder,
    };
    explain_failure(session, &failure).await
}

/// Provokes and explains on one session.
async fn diagnosis_on(session: &Session, statement: &str) -> Problem {
    let error = provoke(session, statement).await;
    let folder = FolderFacts { version: "007".to_owned(), ..FolderFacts::default() };
    explain(session, &error, statement, &folder).await
}

/// Provokes and explains as superuser, after some preparation.
async fn diagnosis(prepare: &str, statement: &str) -> Problem {
    let db = TestDb::new();
    if !prepare.is_empty() {
        db.sql(prepare);
    }
    diagnosis_on(&open(&db.url()).await, statement).await
}

/// The code, a cause, something to do, and these words somewhere.
fn assert_says(problem: &Problem, code: Code, parts: &[&str]) {
    assert_eq!(problem.code, code, "{problem:#?}");
    assert!(problem.cause.is_some() && !problem.fixes.is_empty(), "{problem:#?}");
    assert!(problem.sqlstate.is_some() && problem.place.is_some(), "{problem:#?}");
    for part in parts {
        assert!(words(problem).contains(part), "`{part}` is missing in {problem:#?}");
    }
}

/// Everything that a person would read.
fn words(problem: &Problem) -> String {
    let mut words = vec![problem.what.clone()];
    words.extend(problem.cause.clone());
    words.extend(problem.details.clone());
    for fix in &problem.fixes {
        words.push(fix.text.clone());
        words.extend(fix.command.clone());
    }
    words.join("\n")
}
