//! `refinery_schema_history`. Source: `refinery_core/src/traits/mod.rs` and `runner.rs` of
//! rust-db/refinery, which takes no lock.

use pgfleet_sql::QualifiedName;

use super::cells::{integer, literal, optional, rank, required};
use super::{Dialect, HistoryRow, LayoutError, RecordContext, RowState, TextRow};
use crate::folder::{Format, Migration, refinery_checksums};

/// Now, as refinery prints it (RFC 3339, in UTC).
const NOW: &str = "to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')";

/// refinery's table.
pub struct Refinery;

impl Dialect for Refinery {
    fn format(&self) -> Format {
        Format::Refinery
    }

    fn default_table(&self) -> QualifiedName {
        QualifiedName::bare("refinery_schema_history")
    }

    /// As refinery creates it without its feature `int8-versions`, which is off by default.
    fn create_sql(&self, table: &QualifiedName) -> Vec<String> {
        vec![format!(
            "CREATE TABLE IF NOT EXISTS {table} (version int4 PRIMARY KEY, name VARCHAR(255), \
             applied_on VARCHAR(255), checksum VARCHAR(255))"
        )]
    }

    fn required_columns(&self) -> &'static [&'static str] {
        &["version", "name", "applied_on", "checksum"]
    }

    fn read_sql(&self, table: &QualifiedName) -> String {
        format!("SELECT version, name, applied_on, checksum FROM {table} ORDER BY version")
    }

    fn parse(&self, rows: &[TextRow]) -> Result<Vec<HistoryRow>, LayoutError> {
        let row_of = |(index, row)| {
            Ok(HistoryRow {
                version: required(row, 0, "version")?.to_owned(),
                name: optional(row, 1).map(str::to_owned),
                checksum: optional(row, 3).map(str::to_owned),
                state: RowState::Applied,
                applied_at: optional(row, 2).map(str::to_owned),
                rank: rank(index),
                note: None,
            })
        };
        rows.iter().enumerate().map(row_of).collect()
    }

    /// Versions above `int4` exist only with `int8-versions`, which has the column as `int8`.
    fn record_applied(&self, context: &RecordContext, migration: &Migration) -> Vec<String> {
        let RecordContext { table, .. } = context;
        let mut sql = Vec::new();
        if migration.version.parse::<i32>().is_err() {
            sql.push(format!("ALTER TABLE {table} ALTER COLUMN version TYPE int8"));
        }
        sql.push(format!(
            "INSERT INTO {table} (version, name, applied_on, checksum) VALUES ({}, {}, {NOW}, {})",
            integer(&migration.version),
            literal(&migration.name),
            literal(migration.checksum.as_deref().unwrap_or_default()),
        ));
        sql
    }

    fn record_reverted(&self, context: &RecordContext, migration: &Migration) -> Vec<String> {
        let version = integer(&migration.version);
        vec![format!("DELETE FROM {} WHERE version = {version}", context.table)]
    }

    fn record_checksum(&self, context: &RecordContext, migration: &Migration) -> Vec<String> {
        let checksum = literal(migration.checksum.as_deref().unwrap_or_default());
        let version = integer(&migration.version);
        vec![format!(
            "UPDATE {} SET checksum = {checksum} WHERE version = {version}",
            context.table
        )]
    }

    /// The checksum depends on whether refinery was built with `int8-versions`.
    fn checksum_matches(&self, migration: &Migration, recorded: &str) -> bool {
        let both = refinery_checksums(&migration.name, &migration.version, &migration.up.text());
        both.iter().any(|checksum| checksum == recorded)
            || migration.checksum.as_deref() == Some(recorded)
    }

    /// `abort_missing` is on by default.
    fn allows_out_of_order(&self) -> bool {
        false
    }
}
