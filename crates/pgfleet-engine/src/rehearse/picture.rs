//! A copy at one moment: its schema, and which columns hold rows.

use std::collections::BTreeMap;

use pgfleet_core::checksum::{Algorithm, RowValue, base_type_named, row_hash};
use pgfleet_core::config::Settings;
use pgfleet_core::diagnose::Problem;
use pgfleet_core::rehearse::{Contents, HeldColumn};
use pgfleet_core::schema::Schema;

use super::known::OWN_OR_SYSTEM;
use crate::catalog::read_schema;
use crate::compare::{schema_problem, without_histories};
use crate::conduct::Target;
use crate::connect::Session;

/// A copy at one moment.
pub(super) struct Picture {
    /// Without histories and pgfleet's own.
    pub(super) schema: Schema,
    /// Columns of tables that are no partitions.
    pub(super) contents: Contents,
    /// Of tables, by number, where rows are measured.
    pub(super) sums: Sums,
}

/// Tables by number.
pub(super) type Sums = BTreeMap<u32, Sum>;

/// The rows of a table in short.
#[derive(PartialEq, Eq)]
pub(super) struct Sum {
    table: String,
    /// The columns that count.
    columns: Vec<i16>,
    rows: u64,
    /// Equal for equal rows in any order.
    hash: String,
}

/// Counts and sums up the rows of tables, of the columns that `contents` names.
pub(super) async fn measure(
    copy: &Target,
    session: &Session,
    contents: &Contents,
) -> Result<Sums, Box<Problem>> {
    let mut tables: BTreeMap<u32, Vec<(i16, &HeldColumn)>> = BTreeMap::new();
    for ((table, number), column) in contents {
        tables.entry(*table).or_default().push((*number, column));
    }
    let algorithm = Algorithm::of_server(session.server_version_num());
    let mut sums = Sums::new();
    for (oid, columns) in tables {
        let Some((_, first)) = columns.first() else { continue };
        let sql = sum_sql(first, &columns, algorithm);
        let row = session.query_text(&sql).await.map_err(|error| copy.session_problem(&error))?;
        let cell = |at: usize| row.first().and_then(|row| row.get(at).cloned().flatten());
        let sum = Sum {
            table: first.table.clone(),
            columns: columns.iter().map(|(number, _)| *number).collect(),
            rows: cell(0).and_then(|rows| rows.parse().ok()).unwrap_or(0),
            hash: cell(1).unwrap_or_default(),
        };
        sums.insert(oid, sum);
    }
    Ok(sums)
}

fn sum_sql(first: &HeldColumn, columns: &[(i16, &HeldColumn)], algorithm: Algorithm) -> String {
    let value = |(_, column): &(i16, &HeldColumn)| RowValue {
        expression: column.column.clone(),
        // Types with length or precision go in as text, which they all have.
        base_type: base_type_named(&column.type_name),
    };
    let hash = row_hash(&columns.iter().map(value).collect::<Vec<_>>(), algorithm);
    format!("SELECT pg_catalog.count(*), pg_catalog.sum({hash}) FROM {}", first.table)
}

/// Tables whose rows are others than before, where the columns are the same.
pub(super) fn changed(before: &Sums, back: &Sums) -> Vec<String> {
    let differ = before.iter().filter_map(|(oid, then)| {
        let now = back.get(oid).filter(|now| now.columns == then.columns)?;
        (now.rows, &now.hash).ne(&(then.rows, &then.hash)).then(|| {
            let (rows, left) = (then.rows, now.rows);
            format!("rows of {}, which are not as before ({rows} then, {left} now)", then.table)
        })
    });
    differ.collect()
}

impl Picture {
    pub(super) async fn take(
        copy: &Target,
        session: &Session,
        settings: &Settings,
    ) -> Result<Self, Box<Problem>> {
        let schema = read_schema(session).await;
        let schema = schema.map_err(|error| schema_problem(copy, &error))?;
        let rows = session.query_text(&contents_sql()).await;
        let rows = rows.map_err(|error| copy.session_problem(&error))?;
        let contents = rows.into_iter().filter_map(column).collect();
        Ok(Self { schema: without_histories(schema, settings), contents, sums: Sums::new() })
    }
}

fn column(row: Vec<Option<String>>) -> Option<((u32, i16), HeldColumn)> {
    let mut cells = row.into_iter().map(Option::unwrap_or_default);
    let key = (cells.next()?.parse().ok()?, cells.next()?.parse().ok()?);
    let held = HeldColumn { table: cells.next()?, column: cells.next()?, type_name: cells.next()? };
    Some((key, held))
}

fn contents_sql() -> String {
    format!(
        "SELECT c.oid, a.attnum, pg_catalog.format('%I.%I', n.nspname, c.relname), \
         pg_catalog.quote_ident(a.attname), pg_catalog.format_type(a.atttypid, a.atttypmod) \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 \
         AND NOT a.attisdropped AND a.attgenerated = '' \
         WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't' \
         AND n.nspname NOT IN {OWN_OR_SYSTEM}"
    )
}
