//! Proves that the rows of the source arrived: as many, and the same, whatever their order.

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::split::Move;
use serde::Serialize;

use crate::connect::{Session, SessionError};
use crate::journal::literal;

use super::journal::cell;

/// Rows of a table on both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reconciled {
    /// The table.
    pub table: String,
    /// What the source gives.
    pub source: Sum,
    /// What the table holds, without what it held before rows were moved.
    pub here: Sum,
    /// Both are the same.
    pub ok: bool,
}

/// A number of rows, and the sum of a hash of each, which does not depend on their order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Sum {
    /// Rows.
    pub rows: i64,
    /// The sum, a whole number without limit.
    pub checksum: String,
}

/// Counts and adds up the rows that a query gives. A row's text is the same on every server under
/// the session's settings; `hashtextextended` is PostgreSQL's own 64-bit hash.
pub(super) fn sum_sql(select: &str) -> String {
    format!(
        "SELECT count(*), coalesce(sum(pg_catalog.hashtextextended(r::text, 0)::numeric), 0) \
         FROM ({select}) r"
    )
}

pub(super) async fn sum(session: &Session, select: &str) -> Result<Sum, SessionError> {
    let rows = session.query_text(&sum_sql(select)).await?;
    let row = rows.first().cloned().unwrap_or_default();
    Ok(Sum { rows: cell(&row, 0).parse().unwrap_or(-1), checksum: cell(&row, 1) })
}

/// What a table holds beyond what it held before.
pub(super) async fn sum_since(
    session: &Session,
    split_id: &str,
    step: &Move,
) -> Result<Sum, SessionError> {
    let sql = format!(
        "SELECT a.rows - t.before_rows, a.checksum - t.before_checksum FROM pgfleet.split_tables t, \
         ({}) a (rows, checksum) WHERE t.split_id = {} AND t.into_table = {}",
        sum_sql(&step.select_back()),
        literal(split_id),
        literal(&step.into.to_string())
    );
    let rows = session.query_text(&sql).await?;
    let row = rows.first().cloned().unwrap_or_default();
    Ok(Sum { rows: cell(&row, 0).parse().unwrap_or(-1), checksum: cell(&row, 1) })
}

/// Records what both sides hold, so that a rollback can tell what was written since.
pub(super) async fn record(
    source: &Session,
    split_id: &str,
    sums: &Reconciled,
) -> Result<(), SessionError> {
    let sql = format!(
        "INSERT INTO pgfleet.split_sums VALUES ({}, {}, {}, {}, {}, {}) \
         ON CONFLICT (split_id, into_table) DO UPDATE SET rows = EXCLUDED.rows, \
         checksum = EXCLUDED.checksum, here_rows = EXCLUDED.here_rows, \
         here_checksum = EXCLUDED.here_checksum",
        literal(split_id),
        literal(&sums.table),
        sums.source.rows,
        literal(&sums.source.checksum),
        sums.here.rows,
        literal(&sums.here.checksum)
    );
    source.batch(&sql).await
}

impl Reconciled {
    pub(super) fn new(step: &Move, source: Sum, here: Sum) -> Self {
        let ok = source == here && source.rows >= 0;
        Self { table: step.into.to_string(), source, here, ok }
    }

    /// The problem, when the sides differ.
    pub(super) fn problem(&self) -> Option<Problem> {
        if self.ok {
            return None;
        }
        let (source, here) = (&self.source, &self.here);
        let what = format!("{} does not hold what the source holds", self.table);
        let because = match source.rows == here.rows {
            false => format!("the source gives {} rows, the table has {}", source.rows, here.rows),
            true => format!("{} rows on both sides, and their checksums differ", here.rows),
        };
        Some(
            Problem::error(Code::SplitDiffers, what)
                .in_target(self.table.clone())
                .because(because)
                .fix_with(
                    "Take the split back, settle the cause, and run it again.",
                    "pgfleet split rollback",
                ),
        )
    }
}
