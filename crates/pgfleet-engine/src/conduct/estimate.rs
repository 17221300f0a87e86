//! How much there is to do for statements that a plan runs in batches.

use pgfleet_core::plan::{Plan, Unit};
use pgfleet_sql::RowChange;
use serde::Serialize;

use crate::connect::{Session, SessionError};
use crate::journal::literal;

/// What is known of a statement in batches before it is run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BatchEstimate {
    /// The migration's label.
    pub migration: String,
    /// The table, as the statement names it.
    pub table: String,
    /// Rows of the table by its statistics; none when it is not there yet or was never analyzed.
    pub rows: Option<u64>,
    /// Batches of the size that the comment asks for.
    pub batches: Option<u64>,
}

/// Asks the statistics about every table that a plan changes in batches; in one exchange, and in
/// none when there is no such table.
///
/// # Errors
/// When the server cannot be asked.
pub async fn estimate_batches(
    session: &Session,
    plan: &Plan,
) -> Result<Vec<BatchEstimate>, SessionError> {
    let mut found = Vec::new();
    for step in plan.sql_steps() {
        for unit in &step.units {
            let Unit::Batched { statement, batches } = unit else { continue };
            let Ok(change) = RowChange::parse(&statement.sql) else { continue };
            found.push((step.label.clone(), change.table.to_string(), batches.size));
        }
    }
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let queries: Vec<_> = found.iter().map(|(_, table, _)| rows_sql(table)).collect();
    let rows = session.query_text(&queries.join("; ")).await?;
    let estimate =
        |((migration, table, size), row): ((String, String, u64), &Vec<Option<String>>)| {
            let rows: Option<u64> =
                row.first().cloned().flatten().and_then(|text| text.parse().ok());
            let batches = rows.map(|rows| rows.div_ceil(size.max(1)));
            BatchEstimate { migration, table, rows, batches }
        };
    Ok(found.into_iter().zip(&rows).map(estimate).collect())
}

/// One row in any case; partitions count for their table.
fn rows_sql(table: &str) -> String {
    let table = literal(table);
    format!(
        "SELECT (SELECT CASE WHEN c.relkind = 'p' THEN (SELECT sum(greatest(l.reltuples, 0)) \
         FROM pg_catalog.pg_partition_tree(c.oid) t JOIN pg_catalog.pg_class l ON l.oid = t.relid \
         WHERE t.isleaf) WHEN c.reltuples >= 0 THEN c.reltuples END::bigint \
         FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass({table}))"
    )
}
