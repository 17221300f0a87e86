//! Gathers from the live catalog what explains a failure, and lets the core judge it.
//!
//! Invariant: nothing here changes the target. Questions are read-only transactions with short
//! timeouts; a comparison creates its object in a schema of its own and always rolls back. What
//! cannot be found out in time is left out, never waited for.

mod ask;
mod compare;
mod execution;
mod gather;
pub(crate) mod rows;
mod statement;

use pgfleet_core::diagnose::{
    Code, Comparison, FailureContext, FolderFacts, Problem, ServerError, diagnose,
};
use pgfleet_core::place::Place;
use pgfleet_sql::Facts;

use crate::connect::Session;

pub use compare::compare_existing;
pub use execution::{explain_execution, explain_setup};

/// A statement that failed.
#[derive(Debug, Clone)]
pub struct Failure<'a> {
    /// What the server said.
    pub error: &'a ServerError,
    /// The text in which [`ServerError::position`] counts: the statement alone.
    pub statement: &'a str,
    /// What the text says that it does.
    pub facts: &'a Facts,
    /// Where its first character stands.
    pub place: Option<Place>,
    /// True when lines and columns inside the statement count on from the place.
    pub verbatim: bool,
    /// What a person calls the migration; empty outside of one.
    pub migration: &'a str,
    /// What the rest of the folder has to do with it.
    pub folder: &'a FolderFacts,
}

/// Says why a statement failed. The session must be outside of any transaction (after ROLLBACK);
/// when it is closed, the explanation does without the catalog.
pub async fn explain_failure(session: &Session, failure: &Failure<'_>) -> Problem {
    let catalog = gather::catalog_facts(session, failure).await;
    let context = FailureContext {
        statement: failure.statement,
        facts: failure.facts,
        place: failure.place.clone(),
        verbatim: failure.verbatim,
        migration: failure.migration,
        folder: failure.folder,
    };
    diagnose(failure.error, &context, &catalog)
}

/// After a `CREATE … IF NOT EXISTS` that was skipped: a warning when what exists differs from what
/// the statement would have created. The session must be outside of any transaction.
pub async fn explain_skipped(
    session: &Session,
    statement: &str,
    place: Option<Place>,
    migration: &str,
) -> Option<Problem> {
    let Some(Comparison::Different(differences)) = compare_existing(session, statement).await
    else {
        return None;
    };
    let created = statement::Create::read(statement)?;
    let what = format!(
        "{migration}: {} {} exists already and is different from what the statement creates",
        created.kind.word(),
        created.name
    );
    let mut problem = Problem::warning(Code::SkippedDifferent, what)
        .because("IF NOT EXISTS looks at the name alone, so that the statement did nothing")
        .fix("write the difference as ALTER statements, for example ADD COLUMN IF NOT EXISTS");
    problem.place = place;
    problem.details = differences;
    Some(problem)
}
