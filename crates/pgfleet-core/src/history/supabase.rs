//! `supabase_migrations.schema_migrations`. Source: `pkg/migration/history.go` of supabase/cli,
//! which takes no lock and keeps no checksum.

use pgfleet_sql::rows::without_rows;
use pgfleet_sql::{PieceKind, QualifiedName, quote_ident, split};

use super::cells::{literal, optional, rank, required};
use super::{Dialect, HistoryRow, LayoutError, RecordContext, RowState, TextRow};
use crate::folder::{Format, Migration};

/// The Supabase CLI's table.
pub struct Supabase;

impl Dialect for Supabase {
    fn format(&self) -> Format {
        Format::Supabase
    }

    fn default_table(&self) -> QualifiedName {
        QualifiedName::new("supabase_migrations", "schema_migrations")
    }

    fn create_sql(&self, table: &QualifiedName) -> Vec<String> {
        let schema = table.schema.iter();
        let mut sql: Vec<_> = schema
            .map(|name| format!("CREATE SCHEMA IF NOT EXISTS {}", quote_ident(name)))
            .collect();
        sql.push(format!("CREATE TABLE IF NOT EXISTS {table} (version text NOT NULL PRIMARY KEY)"));
        sql.push(format!("ALTER TABLE {table} ADD COLUMN IF NOT EXISTS statements text[]"));
        sql.push(format!("ALTER TABLE {table} ADD COLUMN IF NOT EXISTS name text"));
        sql
    }

    fn required_columns(&self) -> &'static [&'static str] {
        &["version"]
    }

    fn optional_columns(&self) -> &'static [&'static str] {
        &["statements", "name", "created_by", "idempotency_key", "rollback"]
    }

    fn read_sql(&self, table: &QualifiedName) -> String {
        format!("SELECT t.version, to_jsonb(t) ->> 'name' FROM {table} AS t ORDER BY t.version")
    }

    fn parse(&self, rows: &[TextRow]) -> Result<Vec<HistoryRow>, LayoutError> {
        let row_of = |(index, row)| {
            Ok(HistoryRow {
                version: required(row, 0, "version")?.to_owned(),
                name: optional(row, 1).map(str::to_owned),
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
        let has = |column: &str| {
            context.columns.is_empty() || context.columns.iter().any(|c| c == column)
        };
        let (mut columns, mut values) = (vec!["version"], vec![literal(&migration.version)]);
        if has("name") {
            columns.push("name");
            values.push(literal(&migration.name));
        }
        if has("statements") {
            columns.push("statements");
            values.push(text_array(&recorded_statements(migration)));
        }
        vec![format!(
            "INSERT INTO {} ({}) VALUES ({})",
            context.table,
            columns.join(", "),
            values.join(", ")
        )]
    }

    fn record_reverted(&self, context: &RecordContext, migration: &Migration) -> Vec<String> {
        let version = literal(&migration.version);
        vec![format!("DELETE FROM {} WHERE version = {version}", context.table)]
    }

    /// `db push` refuses older files unless it is given `--include-all` (`apply.go`).
    fn allows_out_of_order(&self) -> bool {
        false
    }
}

/// The file cut after each statement, comments and all, without semicolons and blanks around
/// (`pkg/parser/token.go`, `SplitAndTrim`).
fn recorded_statements(migration: &Migration) -> Vec<String> {
    let text: String = migration.up.chunks.iter().map(|chunk| without_rows(&chunk.sql)).collect();
    let pieces = split(&text).into_iter().filter(|piece| piece.kind == PieceKind::Statement);
    let mut ends: Vec<_> = pieces.map(|piece| piece.range.end).collect();
    ends.push(text.len());
    let mut start = 0;
    let mut statements = Vec::new();
    for end in ends {
        let statement = text[start..end].trim_end_matches(';').trim();
        if !statement.is_empty() {
            statements.push(statement.to_owned());
        }
        start = end;
    }
    statements
}

fn text_array(values: &[String]) -> String {
    let items: Vec<_> = values.iter().map(|value| literal(value)).collect();
    format!("ARRAY[{}]::text[]", items.join(", "))
}
