//! golang-migrate's `schema_migrations`: one row, the current version. Source:
//! `database/postgres/postgres.go` and `database/util.go` of golang-migrate/migrate.

use pgfleet_sql::QualifiedName;

use super::cells::{boolean, integer, rank, required};
use super::{
    Dialect, HistoryRow, LayoutError, LockContext, NativeLock, RecordContext, RowState, TextRow,
};
use crate::folder::{Format, Migration};

/// `advisoryLockIDSalt`.
const LOCK_SALT: u32 = 1_486_364_155;

/// golang-migrate's table.
pub struct GolangMigrate;

impl Dialect for GolangMigrate {
    fn format(&self) -> Format {
        Format::GolangMigrate
    }

    fn default_table(&self) -> QualifiedName {
        QualifiedName::bare("schema_migrations")
    }

    fn create_sql(&self, table: &QualifiedName) -> Vec<String> {
        vec![format!(
            "CREATE TABLE IF NOT EXISTS {table} (version bigint NOT NULL PRIMARY KEY, \
             dirty boolean NOT NULL)"
        )]
    }

    fn required_columns(&self) -> &'static [&'static str] {
        &["version", "dirty"]
    }

    fn read_sql(&self, table: &QualifiedName) -> String {
        format!("SELECT version, dirty FROM {table} ORDER BY version")
    }

    fn parse(&self, rows: &[TextRow]) -> Result<Vec<HistoryRow>, LayoutError> {
        let row_of = |(index, row)| {
            let dirty = boolean(row, 1, "dirty")?;
            Ok(HistoryRow {
                version: required(row, 0, "version")?.to_owned(),
                name: None,
                checksum: None,
                state: if dirty { RowState::Failed } else { RowState::Applied },
                applied_at: None,
                rank: rank(index),
                note: dirty.then(|| "golang-migrate calls this version dirty".to_owned()),
            })
        };
        rows.iter().enumerate().map(row_of).collect()
    }

    fn record_applied(&self, context: &RecordContext, migration: &Migration) -> Vec<String> {
        set_version(&context.table, Some(&migration.version), false)
    }

    fn record_started(&self, context: &RecordContext, migration: &Migration) -> Vec<String> {
        set_version(&context.table, Some(&migration.version), true)
    }

    fn record_reverted(&self, context: &RecordContext, _migration: &Migration) -> Vec<String> {
        set_version(&context.table, context.previous_version.as_deref(), false)
    }

    /// The command passes the URL's path as the database's name, so with its slash
    /// (`Postgres::Open`); a program that passes a connection has it without and is not excluded.
    fn lock(&self, context: &LockContext) -> NativeLock {
        let schema = context.table.schema.as_ref().unwrap_or(&context.schema);
        let database = format!("/{}", context.database);
        NativeLock::Advisory(lock_key(&[schema, &context.table.name, &database]))
    }

    /// Versions below the current one are never looked at again.
    fn allows_out_of_order(&self) -> bool {
        false
    }

    fn keeps_only_current(&self) -> bool {
        true
    }
}

/// `GenerateAdvisoryLockId`, of the further names and then the database's.
fn lock_key(names: &[&str]) -> i64 {
    i64::from(crc32fast::hash(names.join("\0").as_bytes()).wrapping_mul(LOCK_SALT))
}

/// golang-migrate truncates; a deletion does the same without the lock that excludes readers.
fn set_version(table: &QualifiedName, version: Option<&str>, dirty: bool) -> Vec<String> {
    let mut sql = vec![format!("DELETE FROM {table}")];
    if let Some(version) = version {
        let version = integer(version);
        sql.push(format!("INSERT INTO {table} (version, dirty) VALUES ({version}, {dirty})"));
    }
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of `database/util_test.go`.
    #[test]
    fn keys_are_those_of_golang_migrate() {
        assert_eq!(lock_key(&["database_name"]), 1_764_327_054);
        assert_eq!(lock_key(&["schema_name_1", "database_name"]), 2_453_313_553);
        assert_eq!(lock_key(&["schema_name_1", "schema_name_2", "database_name"]), 3_743_845_847);
    }
}
