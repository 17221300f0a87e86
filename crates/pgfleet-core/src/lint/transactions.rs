//! Which statements of a migration commit together, as [`crate::plan`] runs them.

use pgfleet_sql::Transaction;
use pgfleet_sql::shape::shape;

use super::scene::Looked;
use crate::folder::TransactionMode;
use crate::program::Statement;

/// The statements with the number of their transaction. A file without transaction control is one
/// transaction, unless it holds a statement that none can hold, or says otherwise; then each
/// statement is on its own.
pub(super) fn looked<'a>(statements: &'a [Statement], mode: TransactionMode) -> Vec<Looked<'a>> {
    let is = |wanted: Transaction| statements.iter().any(|s| s.facts.transaction == wanted);
    let controlled = is(Transaction::Begin) || is(Transaction::Commit) || is(Transaction::Rollback);
    let whole = mode == TransactionMode::Auto && !controlled && !is(Transaction::Never);
    let (mut open, mut number) = (false, 0);
    let look = |statement: &'a Statement| {
        match statement.facts.transaction {
            Transaction::Begin => {
                open = true;
                number += 1;
            }
            Transaction::Commit | Transaction::Rollback => open = false,
            _ => {}
        }
        let transaction = if whole { Some(0) } else { open.then_some(number) };
        Looked { statement, shape: shape(&statement.sql), transaction, explicit: open }
    };
    statements.iter().map(look).collect()
}
