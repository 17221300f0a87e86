//! `_sqlx_migrations`. Source: `sqlx-postgres/src/migrate.rs` and `sqlx-core/src/migrate/migrator.rs`
//! of launchbadge/sqlx, which applies whatever is not recorded.

use pgfleet_sql::QualifiedName;

use super::cells::{boolean, integer, literal, optional, rank, required};
use super::{
    Dialect, HistoryRow, LayoutError, LockContext, NativeLock, RecordContext, RowState, TextRow,
};
use crate::folder::{Format, Migration};

/// `generate_lock_id`: this times the CRC-32 of the database's name.
const LOCK_FACTOR: i64 = 0x3d32_ad9e;

/// sqlx's table.
pub struct Sqlx;

impl Dialect for Sqlx {
    fn format(&self) -> Format {
        Format::Sqlx
    }

    fn default_table(&self) -> QualifiedName {
        QualifiedName::bare("_sqlx_migrations")
    }

    fn create_sql(&self, table: &QualifiedName) -> Vec<String> {
        vec![format!(
            "CREATE TABLE IF NOT EXISTS {table} (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
             installed_on TIMESTAMPTZ NOT NULL DEFAULT now(), success BOOLEAN NOT NULL, \
             checksum BYTEA NOT NULL, execution_time BIGINT NOT NULL)"
        )]
    }

    fn required_columns(&self) -> &'static [&'static str] {
        &["version", "description", "installed_on", "success", "checksum", "execution_time"]
    }

    fn read_sql(&self, table: &QualifiedName) -> String {
        format!(
            "SELECT version, description, encode(checksum, 'hex'), success, installed_on \
             FROM {table} ORDER BY installed_on, version"
        )
    }

    fn parse(&self, rows: &[TextRow]) -> Result<Vec<HistoryRow>, LayoutError> {
        let row_of = |(index, row)| {
            let success = boolean(row, 3, "success")?;
            Ok(HistoryRow {
                version: required(row, 0, "version")?.to_owned(),
                name: optional(row, 1).map(str::to_owned),
                checksum: optional(row, 2).map(str::to_owned),
                state: if success { RowState::Applied } else { RowState::Failed },
                applied_at: optional(row, 4).map(str::to_owned),
                rank: rank(index),
                note: None,
            })
        };
        rows.iter().enumerate().map(row_of).collect()
    }

    fn record_applied(&self, context: &RecordContext, migration: &Migration) -> Vec<String> {
        vec![upsert(&context.table, migration, true)]
    }

    /// sqlx itself writes nothing before; a row without success makes it stop and name the version.
    fn record_started(&self, context: &RecordContext, migration: &Migration) -> Vec<String> {
        vec![upsert(&context.table, migration, false)]
    }

    fn record_reverted(&self, context: &RecordContext, migration: &Migration) -> Vec<String> {
        let version = integer(&migration.version);
        vec![format!("DELETE FROM {} WHERE version = {version}", context.table)]
    }

    fn record_checksum(&self, context: &RecordContext, migration: &Migration) -> Vec<String> {
        let (checksum, version) = (bytes(migration), integer(&migration.version));
        vec![format!(
            "UPDATE {} SET checksum = {checksum} WHERE version = {version}",
            context.table
        )]
    }

    fn lock(&self, context: &LockContext) -> NativeLock {
        let crc = i64::from(crc32fast::hash(context.database.as_bytes()));
        NativeLock::Advisory(LOCK_FACTOR.wrapping_mul(crc))
    }
}

/// `execution_time` is in nanoseconds, counted from `record_started` where that was run.
fn upsert(table: &QualifiedName, migration: &Migration, success: bool) -> String {
    format!(
        "INSERT INTO {table} AS t (version, description, success, checksum, execution_time) VALUES \
         ({}, {}, {success}, {}, (extract(epoch FROM clock_timestamp() - now()) * 1e9)::bigint) \
         ON CONFLICT (version) DO UPDATE SET success = excluded.success, checksum = excluded.checksum, \
         execution_time = (extract(epoch FROM clock_timestamp() - t.installed_on) * 1e9)::bigint",
        integer(&migration.version),
        literal(&migration.name),
        bytes(migration),
    )
}

fn bytes(migration: &Migration) -> String {
    format!("decode({}, 'hex')", literal(migration.checksum.as_deref().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_depends_on_the_database_name() {
        let table = Sqlx.default_table();
        let context =
            LockContext { database: "123456789".to_owned(), schema: "public".to_owned(), table };
        // 0xCBF43926 is the check value of CRC-32/ISO-HDLC.
        assert_eq!(Sqlx.lock(&context), NativeLock::Advisory(0x3d32_ad9e * 0xCBF4_3926));
    }
}
