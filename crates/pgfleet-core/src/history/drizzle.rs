//! `drizzle.__drizzle_migrations`. Source: `pg-core/dialect.js` and `migrator.js` of the npm package
//! drizzle-orm, which takes no lock and applies what is newer than the newest row.

use pgfleet_sql::{QualifiedName, quote_ident};

use super::cells::{integer, literal, optional, rank, required};
use super::{Dialect, HistoryRow, LayoutError, RecordContext, RowState, TextRow};
use crate::folder::{Format, Migration};

/// drizzle-orm's table; the identity of a migration is the journal's `when`.
pub struct Drizzle;

impl Dialect for Drizzle {
    fn format(&self) -> Format {
        Format::Drizzle
    }

    fn default_table(&self) -> QualifiedName {
        QualifiedName::new("drizzle", "__drizzle_migrations")
    }

    fn create_sql(&self, table: &QualifiedName) -> Vec<String> {
        let schema = table.schema.iter();
        let mut sql: Vec<_> = schema
            .map(|name| format!("CREATE SCHEMA IF NOT EXISTS {}", quote_ident(name)))
            .collect();
        sql.push(format!(
            "CREATE TABLE IF NOT EXISTS {table} (id SERIAL PRIMARY KEY, hash text NOT NULL, \
             created_at bigint)"
        ));
        sql
    }

    fn required_columns(&self) -> &'static [&'static str] {
        &["id", "hash", "created_at"]
    }

    fn optional_columns(&self) -> &'static [&'static str] {
        &["name", "applied_at"]
    }

    fn read_sql(&self, table: &QualifiedName) -> String {
        format!(
            "SELECT t.created_at, t.hash, to_jsonb(t) ->> 'name', to_jsonb(t) ->> 'applied_at' \
             FROM {table} AS t ORDER BY t.created_at, t.id"
        )
    }

    fn parse(&self, rows: &[TextRow]) -> Result<Vec<HistoryRow>, LayoutError> {
        let row_of = |(index, row)| {
            Ok(HistoryRow {
                version: required(row, 0, "created_at")?.to_owned(),
                name: optional(row, 2).map(str::to_owned),
                checksum: optional(row, 1).map(str::to_owned),
                state: RowState::Applied,
                applied_at: optional(row, 3).map(str::to_owned),
                rank: rank(index),
                note: None,
            })
        };
        rows.iter().enumerate().map(row_of).collect()
    }

    fn record_applied(&self, context: &RecordContext, migration: &Migration) -> Vec<String> {
        let hash = literal(migration.checksum.as_deref().unwrap_or_default());
        let version = integer(&migration.version);
        let named = context.columns.iter().any(|column| column == "name");
        let (column, value) = if named {
            (", name", format!(", {}", literal(&migration.name)))
        } else {
            ("", String::new())
        };
        vec![format!(
            "INSERT INTO {} (hash, created_at{column}) VALUES ({hash}, {version}{value})",
            context.table
        )]
    }

    fn record_reverted(&self, context: &RecordContext, migration: &Migration) -> Vec<String> {
        let version = integer(&migration.version);
        vec![format!("DELETE FROM {} WHERE created_at = {version}", context.table)]
    }

    fn record_checksum(&self, context: &RecordContext, migration: &Migration) -> Vec<String> {
        let hash = literal(migration.checksum.as_deref().unwrap_or_default());
        let version = integer(&migration.version);
        vec![format!("UPDATE {} SET hash = {hash} WHERE created_at = {version}", context.table)]
    }

    /// Older ones are passed over in silence (`dialect.js`, `migrate`).
    fn allows_out_of_order(&self) -> bool {
        false
    }
}
