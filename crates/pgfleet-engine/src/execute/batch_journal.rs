//! How far a statement in batches is: schema `pgfleet` of the target, table `batches`.
//!
//! Invariant: the row changes in the transaction of each batch, so what it says is what happened.

use crate::connect::{Session, SessionError};
use crate::journal::{SCOPE, UnitKey, literal};

const TABLE_THERE: &str = "SELECT 1 WHERE pg_catalog.to_regclass('pgfleet.batches') IS NOT NULL";

const CREATE: &str = "CREATE TABLE IF NOT EXISTS pgfleet.batches (\
     version text NOT NULL, direction text NOT NULL, unit integer NOT NULL, hash text NOT NULL, \
     last_key text[], rows_seen bigint NOT NULL DEFAULT 0, \
     rows_expected bigint NOT NULL DEFAULT 0, rows_touched bigint NOT NULL DEFAULT 0, \
     batches bigint NOT NULL DEFAULT 0, \
     began_at timestamptz NOT NULL DEFAULT pg_catalog.now(), updated_at timestamptz, \
     scope text NOT NULL DEFAULT COALESCE(pg_catalog.current_setting('pgfleet.scope', true), ''), \
     PRIMARY KEY (scope, version, direction, unit))";

/// How far a statement is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reached {
    /// Where the last range ended; none at the beginning.
    pub(super) last: Option<Vec<String>>,
    /// Rows in all ranges so far, about.
    pub(super) rows_seen: u64,
    /// Rows changed.
    pub(super) rows_touched: u64,
    /// Batches committed.
    pub(super) batches: u64,
}

/// What a batch adds.
pub(super) struct Advance<'a> {
    pub(super) last: Option<&'a [String]>,
    pub(super) rows_seen: u64,
    pub(super) rows_touched: u64,
}

/// The statement that makes the table; none when it is there.
pub(super) async fn create(session: &Session) -> Result<Option<String>, SessionError> {
    let there = !session.query_text(TABLE_THERE).await?.is_empty();
    Ok((!there).then(|| CREATE.to_owned()))
}

/// Begins at the beginning.
pub(super) fn begin(unit: &UnitKey<'_>) -> [String; 2] {
    let insert = format!(
        "INSERT INTO pgfleet.batches (version, direction, unit, hash) VALUES ({}, {}, {}, {})",
        literal(unit.version),
        literal(unit.direction_name()),
        unit.unit,
        literal(unit.hash)
    );
    [forget(unit), insert]
}

/// Takes the row away.
pub(super) fn forget(unit: &UnitKey<'_>) -> String {
    format!("DELETE FROM pgfleet.batches {}", of(unit))
}

/// Goes on by one batch; the count of expected rows is the transaction's setting `pgfleet.expected`.
pub(super) fn advance(unit: &UnitKey<'_>, by: &Advance<'_>) -> String {
    let last = match by.last {
        None => "NULL".to_owned(),
        Some(last) => {
            let values: Vec<_> = last.iter().map(|value| literal(value)).collect();
            format!("ARRAY[{}]::text[]", values.join(", "))
        }
    };
    format!(
        "UPDATE pgfleet.batches SET last_key = {last}, rows_seen = rows_seen + {}, \
         rows_touched = rows_touched + {}, batches = batches + 1, \
         rows_expected = rows_expected + pg_catalog.current_setting('pgfleet.expected')::bigint, \
         updated_at = pg_catalog.clock_timestamp() {}",
        by.rows_seen,
        by.rows_touched,
        of(unit)
    )
}

/// Reads how far an earlier run came; none when it did not begin.
pub(super) async fn read(
    session: &Session,
    unit: &UnitKey<'_>,
) -> Result<Option<Reached>, SessionError> {
    let row_of = format!("FROM pgfleet.batches {} AND hash = {}", of(unit), literal(unit.hash));
    let numbers = format!("SELECT rows_seen, rows_touched, batches, last_key IS NULL {row_of}");
    let rows = session.query_text(&numbers).await?;
    let Some(row) = rows.into_iter().next() else { return Ok(None) };
    let number = |at: usize| row.get(at).cloned().flatten().and_then(|n| n.parse().ok());
    let is_start = row.get(3).cloned().flatten().as_deref() != Some("f");
    let keys = format!(
        "SELECT k.value {row_of_keys} ORDER BY k.at",
        row_of_keys = row_of.replacen(
            "FROM pgfleet.batches",
            "FROM pgfleet.batches CROSS JOIN LATERAL pg_catalog.unnest(last_key) \
             WITH ORDINALITY AS k(value, at)",
            1
        )
    );
    let last = match is_start {
        true => None,
        false => Some(session.query_text(&keys).await?.into_iter().flatten().flatten().collect()),
    };
    Ok(Some(Reached {
        last,
        rows_seen: number(0).unwrap_or(0),
        rows_touched: number(1).unwrap_or(0),
        batches: number(2).unwrap_or(0),
    }))
}

fn of(unit: &UnitKey<'_>) -> String {
    format!(
        "WHERE scope = {SCOPE} AND version = {} AND direction = {} AND unit = {}",
        literal(unit.version),
        literal(unit.direction_name()),
        unit.unit
    )
}
