//! How far a split is.

use pgfleet_core::diagnose::Problem;
use serde::Serialize;

use super::journal::{self, cell};
use super::{Split, plan};

/// How far a split is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SplitStatus {
    /// Names it; none when none is under way.
    pub split_id: Option<String>,
    /// running, done, rolling back.
    pub state: Option<String>,
    /// Its tables.
    pub tables: Vec<TableStatus>,
}

/// How far a table is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableStatus {
    /// The table.
    pub table: String,
    /// Parts that arrived.
    pub done: u64,
    /// All parts.
    pub parts: u64,
    /// Rows that arrived.
    pub rows: u64,
}

/// Reads how far the split of a source is. Changes nothing.
///
/// # Errors
/// When a database cannot be reached or asked.
pub async fn status(split: &Split) -> Result<SplitStatus, Box<Problem>> {
    let source = split.source.connect().await?;
    let open = journal::open_split(&source).await;
    source.close().await;
    let Some(open) = open.map_err(|error| split.source.session_problem(&error))? else {
        return Ok(SplitStatus::default());
    };
    let mut tables = Vec::new();
    for family in &split.families {
        if !plan::exists(family).await? {
            continue;
        }
        let session = family.target.connect().await?;
        let read = read_tables(&session, &open.id).await;
        session.close().await;
        tables.extend(read.map_err(|error| family.target.session_problem(&error))?);
    }
    Ok(SplitStatus { split_id: Some(open.id), state: Some(open.state), tables })
}

async fn read_tables(
    session: &crate::connect::Session,
    id: &str,
) -> Result<Vec<TableStatus>, crate::connect::SessionError> {
    if !journal::is_there(session, "pgfleet.split_parts").await? {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT into_table, count(done_at), count(*), coalesce(sum(rows), 0) \
         FROM pgfleet.split_parts WHERE split_id = {} GROUP BY 1 ORDER BY 1",
        crate::journal::literal(id)
    );
    let rows = session.query_text(&sql).await?;
    let number = |row: &[Option<String>], at| cell(row, at).parse().unwrap_or_default();
    let table = |row: &Vec<Option<String>>| TableStatus {
        table: cell(row, 0),
        done: number(row, 1),
        parts: number(row, 2),
        rows: number(row, 3),
    };
    Ok(rows.iter().map(table).collect())
}
