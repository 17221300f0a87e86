//! `_prisma_migrations`. Source: `sql-schema-connector/src/flavour/postgres` (table and lock) and
//! `sql_migration_persistence.rs` of prisma/prisma-engines.

use pgfleet_sql::QualifiedName;

use super::cells::{literal, literal_or_null, optional, rank, required};
use super::{
    Dialect, HistoryRow, LayoutError, LockContext, NativeLock, RecordContext, RowState, TextRow,
};
use crate::folder::{Format, Migration, sha256_hex};

/// The key of Prisma's `pg_advisory_lock` (`PostgresFlavour::acquire_lock`).
const LOCK_KEY: i64 = 72_707_369;
/// A random version 4 UUID on every server version, 13 having brought `gen_random_uuid()`.
const RANDOM_UUID: &str = "overlay(overlay(md5(random()::text || clock_timestamp()::text) \
     PLACING '4' FROM 13) PLACING '8' FROM 17)::uuid::text";

/// Prisma Migrate's table.
pub struct Prisma;

impl Dialect for Prisma {
    fn format(&self) -> Format {
        Format::Prisma
    }

    fn default_table(&self) -> QualifiedName {
        QualifiedName::bare("_prisma_migrations")
    }

    fn create_sql(&self, table: &QualifiedName) -> Vec<String> {
        vec![format!(
            "CREATE TABLE {table} (id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL, \
             finished_at TIMESTAMPTZ, migration_name VARCHAR(255) NOT NULL, logs TEXT, \
             rolled_back_at TIMESTAMPTZ, started_at TIMESTAMPTZ NOT NULL DEFAULT now(), \
             applied_steps_count INTEGER NOT NULL DEFAULT 0)"
        )]
    }

    fn required_columns(&self) -> &'static [&'static str] {
        &[
            "id",
            "checksum",
            "finished_at",
            "migration_name",
            "logs",
            "rolled_back_at",
            "started_at",
            "applied_steps_count",
        ]
    }

    fn read_sql(&self, table: &QualifiedName) -> String {
        format!(
            "SELECT migration_name, checksum, started_at, finished_at, rolled_back_at, logs \
             FROM {table} ORDER BY started_at, finished_at NULLS LAST"
        )
    }

    fn parse(&self, rows: &[TextRow]) -> Result<Vec<HistoryRow>, LayoutError> {
        let row_of = |(index, row)| {
            let name = required(row, 0, "migration_name")?;
            Ok(HistoryRow {
                version: name.to_owned(),
                name: Some(name.to_owned()),
                checksum: optional(row, 1).map(str::to_owned),
                state: state(optional(row, 3), optional(row, 4)),
                applied_at: optional(row, 3).map(str::to_owned),
                rank: rank(index),
                note: optional(row, 5).filter(|logs| !logs.is_empty()).map(str::to_owned),
            })
        };
        rows.iter().enumerate().map(row_of).collect()
    }

    /// Finishes the row that `record_started` wrote; without one, writes a finished row.
    fn record_applied(&self, context: &RecordContext, migration: &Migration) -> Vec<String> {
        let RecordContext { table, .. } = context;
        let (name, checksum) = identity(migration);
        vec![
            format!(
                "UPDATE {table} SET finished_at = clock_timestamp(), checksum = {checksum}, \
                 applied_steps_count = 1, logs = NULL WHERE {}",
                unfinished(&name)
            ),
            format!(
                "INSERT INTO {table} (id, checksum, migration_name, started_at, finished_at, \
                 applied_steps_count) SELECT {RANDOM_UUID}, {checksum}, {name}, now(), \
                 clock_timestamp(), 1 WHERE NOT EXISTS (SELECT FROM {table} WHERE \
                 migration_name = {name} AND finished_at IS NOT NULL AND rolled_back_at IS NULL)"
            ),
        ]
    }

    /// Prisma counts no step of what it did not run (`mark_migration_applied.rs`).
    fn record_resolved(&self, context: &RecordContext, migration: &Migration) -> Vec<String> {
        let (name, checksum) = identity(migration);
        vec![format!(
            "INSERT INTO {} (id, checksum, migration_name, started_at, finished_at) VALUES \
             ({RANDOM_UUID}, {checksum}, {name}, now(), now())",
            context.table
        )]
    }

    fn record_started(&self, context: &RecordContext, migration: &Migration) -> Vec<String> {
        let RecordContext { table, .. } = context;
        let (name, checksum) = identity(migration);
        vec![format!(
            "INSERT INTO {table} (id, checksum, migration_name) SELECT {RANDOM_UUID}, {checksum}, \
             {name} WHERE NOT EXISTS (SELECT FROM {table} WHERE {})",
            unfinished(&name)
        )]
    }

    fn record_failed(
        &self,
        context: &RecordContext,
        migration: &Migration,
        message: &str,
    ) -> Vec<String> {
        let (name, _) = identity(migration);
        let logs = literal(message);
        vec![format!("UPDATE {} SET logs = {logs} WHERE {}", context.table, unfinished(&name))]
    }

    /// Prisma takes a row with `rolled_back_at` as not applied (`migrate resolve --rolled-back`).
    fn record_reverted(&self, context: &RecordContext, migration: &Migration) -> Vec<String> {
        let (name, _) = identity(migration);
        vec![format!(
            "UPDATE {} SET rolled_back_at = clock_timestamp() WHERE migration_name = {name} AND \
             rolled_back_at IS NULL",
            context.table
        )]
    }

    fn record_checksum(&self, context: &RecordContext, migration: &Migration) -> Vec<String> {
        let (name, checksum) = identity(migration);
        vec![format!(
            "UPDATE {} SET checksum = {checksum} WHERE migration_name = {name} AND \
             rolled_back_at IS NULL",
            context.table
        )]
    }

    /// Prisma accepts a script whose line ends were converted, as Git does, and checksums that its
    /// early versions wrote without leading zeros (`checksum.rs`).
    fn checksum_matches(&self, migration: &Migration, recorded: &str) -> bool {
        let exact = migration.checksum.as_deref().is_none_or(|checksum| checksum == recorded);
        exact || {
            let script = migration.up.text();
            let unix = script.replace("\r\n", "\n");
            let windows = script.replace('\n', "\r\n");
            let checksums = [script, unix, windows].map(|script| sha256_hex(script.as_bytes()));
            checksums.iter().any(|checksum| checksum == recorded || unpadded(checksum) == recorded)
        }
    }

    fn lock(&self, _context: &LockContext) -> NativeLock {
        NativeLock::Advisory(LOCK_KEY)
    }
}

fn identity(migration: &Migration) -> (String, String) {
    let checksum = literal_or_null(migration.checksum.as_deref());
    (literal(&migration.name), checksum)
}

fn unfinished(name: &str) -> String {
    format!("migration_name = {name} AND finished_at IS NULL AND rolled_back_at IS NULL")
}

/// Each byte in hexadecimal without its leading zero.
fn unpadded(checksum: &str) -> String {
    let digits = checksum.as_bytes().chunks(2);
    let bytes = digits.map(|pair| if pair[0] == b'0' { &pair[1..] } else { pair });
    bytes.flatten().map(|digit| char::from(*digit)).collect()
}

fn state(finished_at: Option<&str>, rolled_back_at: Option<&str>) -> RowState {
    match (finished_at, rolled_back_at) {
        (_, Some(_)) => RowState::RolledBack,
        (None, None) => RowState::Failed,
        (Some(_), None) => RowState::Applied,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_checksums_lack_leading_zeros() {
        assert_eq!(unpadded("2cf24d0a00"), "2cf24da0");
    }
}
