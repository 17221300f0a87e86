//! Asks the catalog which of the two happened to a statement that no transaction can hold: intent
//! only, or intent and deed.

use pgfleet_core::plan::Settle;

use crate::connect::{Session, SessionError};
use crate::journal::{UnitKey, literal};

/// What the catalog says about a statement whose outcome is not journaled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It happened; nothing is to be done.
    Happened,
    /// It did not happen, or may be repeated: run it.
    RunIt,
    /// It left something half-made; run these one by one, then it.
    CleanFirst(Vec<String>),
    /// The catalog cannot tell.
    Unknown,
}

/// Looks in the catalog for what a statement was to bring about.
///
/// # Errors
/// When the server cannot be asked.
pub async fn settle(
    session: &Session,
    settle: &Settle,
    unit: &UnitKey<'_>,
) -> Result<Finding, SessionError> {
    match settle {
        Settle::IndexMade { table } => {
            let on_table = format!("i.indrelid = pg_catalog.to_regclass({})", literal(table));
            young_indexes(session, &on_table, unit).await
        }
        Settle::Reindex => {
            let left = "NOT i.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$' \
                        AND c.relnamespace <> 'pg_toast'::pg_catalog.regnamespace";
            young_indexes(session, left, unit).await
        }
        Settle::Repeat => Ok(Finding::RunIt),
        Settle::Ask => Ok(Finding::Unknown),
        Settle::IndexValid { index, table } => index_valid(session, index, table).await,
        Settle::IndexGone { index } => {
            let there =
                scalar(session, &format!("SELECT pg_catalog.to_regclass({})", literal(index)))
                    .await?;
            Ok(if there.is_none() { Finding::Happened } else { Finding::RunIt })
        }
        Settle::DatabaseThere { database } => {
            let there = database_there(session, database).await?;
            Ok(if there { Finding::Happened } else { Finding::RunIt })
        }
        Settle::DatabaseGone { database } => {
            let there = database_there(session, database).await?;
            Ok(if there { Finding::RunIt } else { Finding::Happened })
        }
    }
}

/// What is known of the one index of that name. It is looked up in its table's schema, where
/// `CREATE INDEX` puts it.
async fn index_valid(session: &Session, index: &str, table: &str) -> Result<Finding, SessionError> {
    let table_literal = literal(table);
    let bare =
        pgfleet_sql::parse_qualified(index).map_or_else(|| index.to_owned(), |name| name.name);
    let name = literal(&bare);
    let sql = format!(
        "SELECT i.indisvalid, i.indexrelid::pg_catalog.regclass FROM pg_catalog.pg_index i \
         JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid \
         WHERE i.indrelid = pg_catalog.to_regclass({table_literal}) AND c.relname = {name}"
    );
    Ok(index_finding(&session.query_text(&sql).await?))
}

/// Of the indexes for which a condition holds, those made since the unit's oldest open intent was
/// written: a row's `xmin` is the transaction that wrote it, and freezing leaves it as it is.
async fn young_indexes(
    session: &Session,
    condition: &str,
    unit: &UnitKey<'_>,
) -> Result<Finding, SessionError> {
    let intents = unit.open_intents();
    let sql = format!(
        "SELECT i.indisvalid, i.indexrelid::pg_catalog.regclass FROM pg_catalog.pg_index i \
         JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid WHERE {condition} \
         AND pg_catalog.age(c.xmin) < (SELECT pg_catalog.max(pg_catalog.age(s.xmin)) {intents})"
    );
    Ok(index_finding(&session.query_text(&sql).await?))
}

/// Rows tell whether an index is valid, and its name.
fn index_finding(rows: &[Vec<Option<String>>]) -> Finding {
    let valid = |row: &Vec<Option<String>>| row.first().cloned().flatten().as_deref() == Some("t");
    if rows.iter().any(valid) {
        return Finding::Happened;
    }
    let broken = rows.iter().filter_map(|row| row.get(1).cloned().flatten());
    let drops: Vec<_> =
        broken.map(|name| format!("DROP INDEX CONCURRENTLY IF EXISTS {name}")).collect();
    if drops.is_empty() { Finding::RunIt } else { Finding::CleanFirst(drops) }
}

async fn database_there(session: &Session, database: &str) -> Result<bool, SessionError> {
    let sql = format!("SELECT 1 FROM pg_catalog.pg_database WHERE datname = {}", literal(database));
    Ok(scalar(session, &sql).await?.is_some())
}

async fn scalar(session: &Session, sql: &str) -> Result<Option<String>, SessionError> {
    let rows = session.query_text(sql).await?;
    Ok(rows.into_iter().next().and_then(|row| row.into_iter().next()).flatten())
}
