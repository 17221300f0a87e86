//! TypeORM's `migrations`. Source: `migration/MigrationExecutor.js` of the npm package typeorm,
//! which takes no lock and applies whatever name is not recorded.

use pgfleet_sql::QualifiedName;

use super::cells::{integer, literal, rank, required};
use super::{Dialect, HistoryRow, LayoutError, RecordContext, RowState, TextRow};
use crate::folder::{Format, Migration, typeorm_constraint_name, typeorm_version};

/// TypeORM's table.
pub struct Typeorm;

impl Dialect for Typeorm {
    fn format(&self) -> Format {
        Format::Typeorm
    }

    fn default_table(&self) -> QualifiedName {
        QualifiedName::bare("migrations")
    }

    fn create_sql(&self, table: &QualifiedName) -> Vec<String> {
        let key = typeorm_constraint_name("PK_", &table.name, &["id"]);
        vec![format!(
            "CREATE TABLE {table} (\"id\" SERIAL NOT NULL, \"timestamp\" bigint NOT NULL, \
             \"name\" character varying NOT NULL, CONSTRAINT \"{key}\" PRIMARY KEY (\"id\"))"
        )]
    }

    fn required_columns(&self) -> &'static [&'static str] {
        &["id", "timestamp", "name"]
    }

    fn read_sql(&self, table: &QualifiedName) -> String {
        format!("SELECT \"timestamp\", name FROM {table} ORDER BY id")
    }

    /// The name is the identity: TypeORM compares nothing else.
    fn parse(&self, rows: &[TextRow]) -> Result<Vec<HistoryRow>, LayoutError> {
        let row_of = |(index, row)| {
            let class = required(row, 1, "name")?;
            let (version, name) =
                typeorm_version(class).unwrap_or_else(|| (class.to_owned(), class.to_owned()));
            Ok(HistoryRow {
                version,
                name: Some(name),
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
        let (timestamp, class) = recorded(migration);
        vec![format!(
            "INSERT INTO {} (\"timestamp\", \"name\") VALUES ({timestamp}, {class})",
            context.table
        )]
    }

    fn record_reverted(&self, context: &RecordContext, migration: &Migration) -> Vec<String> {
        let (timestamp, class) = recorded(migration);
        vec![format!(
            "DELETE FROM {} WHERE \"timestamp\" = {timestamp} AND \"name\" = {class}",
            context.table
        )]
    }
}

/// The class name is the name and the timestamp behind it.
fn recorded(migration: &Migration) -> (String, String) {
    let timestamp = migration.version.split('-').next().unwrap_or_default();
    (integer(timestamp), literal(&format!("{}{timestamp}", migration.name)))
}
