//! Runs the statements of a difference.

use pgfleet_core::schema::diff::{Statement, units};

use crate::connect::{Session, SessionError};

/// Set before the statements: bodies may name what comes later, and names are qualified.
pub const PREAMBLE: &str =
    "SET check_function_bodies = off;\nSET search_path = '';\nSET client_min_messages = warning;";

/// How much of a transaction is sent at once.
const PIECE_BYTES: usize = 256 * 1024;

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
        let run = match unit.outside {
            true => run_piece(session, unit.statements, "", "").await,
            false => run_transaction(session, unit.statements).await,
        };
        if let Err(error) = run {
            if !session.is_closed() {
                session.batch("ROLLBACK").await.map_err(|error| at("", error))?;
            }
            return Err(error);
        }
    }
    Ok(())
}

/// Piece by piece: server and client hold the text of each several times.
async fn run_transaction(session: &Session, statements: &[Statement]) -> Result<(), ScriptError> {
    let mut head = "BEGIN;\n";
    let mut rest = statements;
    while !rest.is_empty() {
        let mut size = 0;
        let fits = |one: &&Statement| {
            size += one.sql.len();
            size < PIECE_BYTES
        };
        let count = rest.iter().take_while(fits).count().max(1);
        let (piece, later) = rest.split_at(count);
        let tail = if later.is_empty() { ";\nCOMMIT" } else { "" };
        run_piece(session, piece, head, tail).await?;
        (head, rest) = ("", later);
    }
    Ok(())
}

/// `head` is a statement of its own, or nothing.
async fn run_piece(
    session: &Session,
    statements: &[Statement],
    head: &str,
    tail: &str,
) -> Result<(), ScriptError> {
    let mut batch = head.to_owned();
    for (number, one) in statements.iter().enumerate() {
        batch.push_str(if number == 0 { "" } else { ";\n" });
        batch.push_str(&one.sql);
    }
    batch.push_str(tail);
    let outcome = session.run_batch(&batch).await;
    let Some(error) = outcome.error else { return Ok(()) };
    let failed = outcome.completed.saturating_sub(usize::from(!head.is_empty()));
    Err(at(statements.get(failed).map_or("", |one| &one.sql), error))
}

fn at(statement: &str, error: SessionError) -> ScriptError {
    ScriptError { statement: statement.to_owned(), error }
}
