//! `__diesel_schema_migrations`. Source: `diesel/src/migration/setup_migration_table.sql` and
//! `diesel_migrations/src/migration_harness.rs` of diesel-rs/diesel, which takes no lock and
//! applies whatever is not recorded.

use pgfleet_sql::QualifiedName;

use super::cells::{literal, optional, rank, required};
use super::{Dialect, HistoryRow, LayoutError, RecordContext, RowState, TextRow};
use crate::folder::{Format, Migration};

/// Diesel's table.
pub struct Diesel;

impl Dialect for Diesel {
    fn format(&self) -> Format {
        Format::Diesel
    }

    fn default_table(&self) -> QualifiedName {
        QualifiedName::bare("__diesel_schema_migrations")
    }

    fn create_sql(&self, table: &QualifiedName) -> Vec<String> {
        vec![format!(
            "CREATE TABLE IF NOT EXISTS {table} (version VARCHAR(50) PRIMARY KEY NOT NULL, \
             run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)"
        )]
    }

    fn required_columns(&self) -> &'static [&'static str] {
        &["version", "run_on"]
    }

    fn read_sql(&self, table: &QualifiedName) -> String {
        format!("SELECT version, run_on FROM {table} ORDER BY run_on, version")
    }

    fn parse(&self, rows: &[TextRow]) -> Result<Vec<HistoryRow>, LayoutError> {
        let row_of = |(index, row)| {
            Ok(HistoryRow {
                version: required(row, 0, "version")?.to_owned(),
                name: None,
                checksum: None,
                state: RowState::Applied,
                applied_at: optional(row, 1).map(str::to_owned),
                rank: rank(index),
                note: None,
            })
        };
        rows.iter().enumerate().map(row_of).collect()
    }

    fn record_applied(&self, context: &RecordContext, migration: &Migration) -> Vec<String> {
        let version = literal(&migration.version);
        vec![format!("INSERT INTO {} (version) VALUES ({version})", context.table)]
    }

    fn record_reverted(&self, context: &RecordContext, migration: &Migration) -> Vec<String> {
        let version = literal(&migration.version);
        vec![format!("DELETE FROM {} WHERE version = {version}", context.table)]
    }
}
