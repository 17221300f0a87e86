//! Sets aside what is cheaper to build after the load, and puts it back: foreign keys, indexes,
//! triggers of the tables that are filled.
//!
//! Invariant: what is dropped is recorded with the statement that makes it again in the same
//! transaction; what is made again is ticked off in the same transaction. So whatever is missing
//! from the database stands in the journal.

use crate::connect::{Session, SessionError};
use crate::journal::literal;

use super::journal::cell;

/// What is set aside, in the order in which it is dropped: phase of its return, what it is, DROP,
/// statement that makes it again. `$TABLES` stands for an array of the tables.
const SET_ASIDE: &str = include_str!("later.sql");

/// Rows from which indexes are set aside too; below, keeping them costs nothing worth the trouble.
const INDEX_ROWS_MIN: u64 = 20_000;

/// A table that is about to be filled.
pub(super) struct Filled<'a> {
    /// Its name, quoted.
    pub(super) table: &'a str,
    /// Rows that it will get, about.
    pub(super) rows: u64,
}

/// Sets aside what belongs to the tables. Run inside a transaction. What other things depend on
/// (a view that groups by a primary key) stays.
pub(super) async fn set_aside(
    session: &Session,
    split_id: &str,
    tables: &[Filled<'_>],
) -> Result<(), SessionError> {
    let all: Vec<_> = tables.iter().map(|filled| literal(filled.table)).collect();
    let large = tables.iter().filter(|filled| filled.rows >= INDEX_ROWS_MIN);
    let large: Vec<_> = large.map(|filled| literal(filled.table)).collect();
    let array = |tables: &[String]| format!("ARRAY[{}]::pg_catalog.regclass[]", tables.join(", "));
    let sql = SET_ASIDE.replace("$TABLES", &array(&all)).replace("$LARGE", &array(&large));
    for row in session.query_text(&sql).await? {
        let (phase, what, drop, again) =
            (cell(&row, 0), cell(&row, 1), cell(&row, 2), cell(&row, 3));
        session.batch("SAVEPOINT pgfleet_aside").await?;
        let record = format!(
            "INSERT INTO pgfleet.split_later (split_id, phase, what, sql) VALUES ({}, {phase}, {}, {})",
            literal(split_id),
            literal(&what),
            literal(&again)
        );
        match session.batch(&format!("{drop};\n{record}")).await {
            Ok(()) => session.batch("RELEASE SAVEPOINT pgfleet_aside").await?,
            Err(error) if depends(&error) => {
                session.batch("ROLLBACK TO SAVEPOINT pgfleet_aside").await?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// "cannot drop … because other objects depend on it".
fn depends(error: &SessionError) -> bool {
    error.server().is_some_and(|error| error.sqlstate == "2BP01")
}

/// Something that is to be made again.
#[derive(Debug, Clone)]
pub(super) struct Later {
    pub(super) at: String,
    pub(super) what: String,
    pub(super) sql: String,
}

/// What of a phase is still to be made again: 1 indexes and keys, 2 foreign keys, 3
/// triggers, 4 foreign keys' proof that the rows fit.
pub(super) async fn still_aside(
    session: &Session,
    split_id: &str,
    phase: u8,
) -> Result<Vec<Later>, SessionError> {
    let sql = format!(
        "SELECT at, what, sql FROM pgfleet.split_later \
         WHERE split_id = {} AND phase = {phase} AND NOT restored ORDER BY at",
        literal(split_id)
    );
    let rows = session.query_text(&sql).await?;
    let later = |row: &Vec<Option<String>>| Later {
        at: cell(row, 0),
        what: cell(row, 1),
        sql: cell(row, 2),
    };
    Ok(rows.iter().map(later).collect())
}

/// Makes one thing again.
pub(super) async fn put_back(session: &Session, later: &Later) -> Result<(), SessionError> {
    let tick = format!("UPDATE pgfleet.split_later SET restored = true WHERE at = {}", later.at);
    session.batch(&format!("{};\n{tick}", later.sql)).await
}
