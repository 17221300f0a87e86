//! dbmate's `schema_migrations`. Source: `pkg/driver/postgres/postgres.go` of amacneil/dbmate,
//! which takes no lock and, unless `--strict`, applies whatever is not recorded.

use pgfleet_sql::{QualifiedName, quote_ident};

use super::cells::{literal, rank, required};
use super::{Dialect, HistoryRow, LayoutError, RecordContext, RowState, TextRow};
use crate::folder::{Format, Migration};

/// dbmate's table.
pub struct Dbmate;

impl Dialect for Dbmate {
    fn format(&self) -> Format {
        Format::Dbmate
    }

    fn default_table(&self) -> QualifiedName {
        QualifiedName::bare("schema_migrations")
    }

    fn create_sql(&self, table: &QualifiedName) -> Vec<String> {
        let schema = table.schema.iter().filter(|name| *name != "public");
        let mut sql: Vec<_> = schema
            .map(|name| format!("CREATE SCHEMA IF NOT EXISTS {}", quote_ident(name)))
            .collect();
        sql.push(format!("CREATE TABLE IF NOT EXISTS {table} (version varchar PRIMARY KEY)"));
        sql
    }

    fn required_columns(&self) -> &'static [&'static str] {
        &["version"]
    }

    fn read_sql(&self, table: &QualifiedName) -> String {
        format!("SELECT version FROM {table} ORDER BY version")
    }

    fn parse(&self, rows: &[TextRow]) -> Result<Vec<HistoryRow>, LayoutError> {
        let row_of = |(index, row)| {
            Ok(HistoryRow {
                version: required(row, 0, "version")?.to_owned(),
                name: None,
                checksum: None,
                state: RowState::Applied,
                applied_at: None,
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
