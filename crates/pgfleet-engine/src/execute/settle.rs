//! Asks the catalog which of the two happened to a statement that no transaction can hold: intent
//! only, or intent and deed.

use pgfleet_core::plan::Settle;

use crate::connect::{Session, SessionError};
use crate::journal::literal;

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
pub async fn settle(session: &Session, settle: &Settle) -> Result<Finding, SessionError> {
    match settle {
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

/// Invalid indexes that `CREATE INDEX CONCURRENTLY` or `REINDEX CONCURRENTLY` left on a table, or
/// the one index when it has a name. A named index is looked up in its table's schema, where
/// `CREATE INDEX` puts it.
async fn index_valid(session: &Session, index: &str, table: &str) -> Result<Finding, SessionError> {
    let table_literal = literal(table);
    let name_is = if index.is_empty() {
        "NOT i.indisvalid".to_owned()
    } else {
        let bare =
            pgfleet_sql::parse_qualified(index).map_or_else(|| index.to_owned(), |name| name.name);
        format!("c.relname = {}", literal(&bare))
    };
    let sql = format!(
        "SELECT i.indisvalid, i.indexrelid::pg_catalog.regclass FROM pg_catalog.pg_index i \
         JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid \
         WHERE i.indrelid = pg_catalog.to_regclass({table_literal}) AND {name_is}"
    );
    let rows = session.query_text(&sql).await?;
    let valid = |row: &Vec<Option<String>>| row.first().cloned().flatten().as_deref() == Some("t");
    if rows.iter().any(valid) {
        return Ok(Finding::Happened);
    }
    let broken = rows.iter().filter_map(|row| row.get(1).cloned().flatten());
    let drops: Vec<_> =
        broken.map(|name| format!("DROP INDEX CONCURRENTLY IF EXISTS {name}")).collect();
    Ok(if drops.is_empty() { Finding::RunIt } else { Finding::CleanFirst(drops) })
}

async fn database_there(session: &Session, database: &str) -> Result<bool, SessionError> {
    let sql = format!("SELECT 1 FROM pg_catalog.pg_database WHERE datname = {}", literal(database));
    Ok(scalar(session, &sql).await?.is_some())
}

async fn scalar(session: &Session, sql: &str) -> Result<Option<String>, SessionError> {
    let rows = session.query_text(sql).await?;
    Ok(rows.into_iter().next().and_then(|row| row.into_iter().next()).flatten())
}
