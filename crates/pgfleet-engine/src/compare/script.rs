//! Runs the statements of a difference.

use pgfleet_core::schema::diff::{Statement, units};

use crate::connect::{Session, SessionError};

/// Set before the statements: bodies may name what comes later, and names are qualified.
pub const PREAMBLE: &str =
    "SET check_function_bodies = off;\nSET search_path = '';\nSET client_min_messages = warning;";

/// A statement that failed.
#[derive(Debug, thiserror::Error)]
#[error("{error} in: {statement}")]
pub struct ScriptError {
    /// The statement, or a part of the script when it cannot be told.
    pub statement: String,
    /// What the server said.
    pub error: SessionError,
}

/// Runs statements in as few transactions as they allow.
///
/// # Errors
/// The first statement that fails; the transactions before it stay.
pub async fn run_script(session: &Session, statements: &[Statement]) -> Result<(), ScriptError> {
    session.batch(PREAMBLE).await.map_err(|error| at("", error))?;
    for unit in units(statements) {
        let texts: Vec<&str> = unit.statements.iter().map(|one| one.sql.as_str()).collect();
        let batch = match unit.outside {
            true => texts.join(";\n"),
            false => format!("BEGIN;\n{};\nCOMMIT", texts.join(";\n")),
        };
        let outcome = session.run_batch(&batch).await;
        if let Some(error) = outcome.error {
            if !session.is_closed() {
                session.batch("ROLLBACK").await.map_err(|error| at("", error))?;
            }
            let begun = usize::from(!unit.outside);
            let failed = outcome.completed.saturating_sub(begun);
            return Err(at(texts.get(failed).copied().unwrap_or_default(), error));
        }
    }
    Ok(())
}

fn at(statement: &str, error: SessionError) -> ScriptError {
    ScriptError { statement: statement.to_owned(), error }
}
