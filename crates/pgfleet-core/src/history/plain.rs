//! `pgfleet.migrations`: the history of folders that no other tool records.

use pgfleet_sql::{QualifiedName, quote_ident};

use super::cells::{ELAPSED_MS, literal, literal_or_null, optional, rank, required};
use super::{Dialect, HistoryRow, LayoutError, RecordContext, RowState, TextRow};
use crate::folder::{Format, Migration};

/// pgfleet's own table.
pub struct Plain;

impl Dialect for Plain {
    fn format(&self) -> Format {
        Format::Plain
    }

    fn default_table(&self) -> QualifiedName {
        QualifiedName::new("pgfleet", "migrations")
    }

    fn create_sql(&self, table: &QualifiedName) -> Vec<String> {
        let schema = table.schema.iter();
        let mut sql: Vec<_> = schema
            .map(|name| format!("CREATE SCHEMA IF NOT EXISTS {}", quote_ident(name)))
            .collect();
        sql.push(format!(
            "CREATE TABLE IF NOT EXISTS {table} (version text PRIMARY KEY, name text NOT NULL, \
             checksum text, applied_at timestamptz NOT NULL DEFAULT clock_timestamp(), \
             applied_by text NOT NULL DEFAULT current_user, elapsed_ms bigint NOT NULL)"
        ));
        sql
    }

    fn required_columns(&self) -> &'static [&'static str] {
        &["version", "name", "checksum", "applied_at", "elapsed_ms"]
    }

    fn optional_columns(&self) -> &'static [&'static str] {
        &["applied_by"]
    }

    fn read_sql(&self, table: &QualifiedName) -> String {
        format!(
            "SELECT version, name, checksum, applied_at FROM {table} ORDER BY applied_at, version"
        )
    }

    fn parse(&self, rows: &[TextRow]) -> Result<Vec<HistoryRow>, LayoutError> {
        let row_of = |(index, row)| {
            Ok(HistoryRow {
                version: required(row, 0, "version")?.to_owned(),
                name: optional(row, 1).map(str::to_owned),
                checksum: optional(row, 2).map(str::to_owned),
                state: RowState::Applied,
                applied_at: optional(row, 3).map(str::to_owned),
                rank: rank(index),
                note: None,
            })
        };
        rows.iter().enumerate().map(row_of).collect()
    }

    fn record_applied(&self, context: &RecordContext, migration: &Migration) -> Vec<String> {
        vec![format!(
            "INSERT INTO {} (version, name, checksum, elapsed_ms) VALUES ({}, {}, {}, {ELAPSED_MS})",
            context.table,
            literal(&migration.version),
            literal(&migration.name),
            literal_or_null(migration.checksum.as_deref()),
        )]
    }

    fn record_reverted(&self, context: &RecordContext, migration: &Migration) -> Vec<String> {
        let version = literal(&migration.version);
        vec![format!("DELETE FROM {} WHERE version = {version}", context.table)]
    }

    fn record_checksum(&self, context: &RecordContext, migration: &Migration) -> Vec<String> {
        let checksum = literal_or_null(migration.checksum.as_deref());
        let version = literal(&migration.version);
        vec![format!(
            "UPDATE {} SET checksum = {checksum} WHERE version = {version}",
            context.table
        )]
    }

    /// A late file may contradict what was applied since, so a person should look.
    fn allows_out_of_order(&self) -> bool {
        false
    }
}
