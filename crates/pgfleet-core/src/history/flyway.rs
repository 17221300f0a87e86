//! `flyway_schema_history`. Source: `PostgreSQLDatabase.java`, `PostgreSQLAdvisoryLockTemplate.java`,
//! `PostgreSQLConnection.java` and `CoreMigrationType.java` of flyway/flyway.

use pgfleet_sql::{QualifiedName, quote_ident};

use super::cells::{boolean, literal, optional, required};
use super::{
    Dialect, HistoryRow, LayoutError, LockContext, NativeLock, RecordContext, RowState, TextRow,
};
use crate::folder::{
    Format, Migration, MigrationKind, flyway_canonical_version, flyway_raw_version,
};

/// `LOCK_MAGIC_NUM`: the letters of "Flyway", shifted as its source shifts them.
const LOCK_BASE: i64 =
    (0x46 << 40) + (0x6C << 32) + (0x79 << 24) + (0x77 << 16) + (0x61 << 8) + 0x79;
/// The longest description and script that the columns hold.
const DESCRIPTION_CHARS: usize = 200;
const SCRIPT_CHARS: usize = 1000;
/// Before a repeatable migration's description, to make its identity.
const REPEATABLE: &str = "R__";

/// Flyway's table.
pub struct Flyway;

impl Dialect for Flyway {
    fn format(&self) -> Format {
        Format::Flyway
    }

    fn default_table(&self) -> QualifiedName {
        QualifiedName::bare("flyway_schema_history")
    }

    fn create_sql(&self, table: &QualifiedName) -> Vec<String> {
        let key = quote_ident(&format!("{}_pk", table.name));
        let index = quote_ident(&format!("{}_s_idx", table.name));
        vec![
            format!(
                "CREATE TABLE {table} (\"installed_rank\" INT NOT NULL, \"version\" VARCHAR(50), \
                 \"description\" VARCHAR(200) NOT NULL, \"type\" VARCHAR(20) NOT NULL, \
                 \"script\" VARCHAR(1000) NOT NULL, \"checksum\" INTEGER, \
                 \"installed_by\" VARCHAR(100) NOT NULL, \
                 \"installed_on\" TIMESTAMP NOT NULL DEFAULT now(), \
                 \"execution_time\" INTEGER NOT NULL, \"success\" BOOLEAN NOT NULL)"
            ),
            format!("ALTER TABLE {table} ADD CONSTRAINT {key} PRIMARY KEY (\"installed_rank\")"),
            format!("CREATE INDEX {index} ON {table} (\"success\")"),
        ]
    }

    fn required_columns(&self) -> &'static [&'static str] {
        &[
            "installed_rank",
            "version",
            "description",
            "type",
            "script",
            "checksum",
            "installed_by",
            "installed_on",
            "execution_time",
            "success",
        ]
    }

    fn read_sql(&self, table: &QualifiedName) -> String {
        format!(
            "SELECT installed_rank, version, description, type, checksum, installed_on, success \
             FROM {table} ORDER BY installed_rank"
        )
    }

    fn parse(&self, rows: &[TextRow]) -> Result<Vec<HistoryRow>, LayoutError> {
        let rows = rows.iter().map(parse_row);
        rows.filter_map(Result::transpose).collect()
    }

    fn record_applied(&self, context: &RecordContext, migration: &Migration) -> Vec<String> {
        let mut sql = remove_failed(context, migration);
        sql.push(insert(context, migration, row_type(migration), true));
        sql
    }

    /// Flyway keeps a row of a failure only where no transaction took everything back.
    fn record_failed(
        &self,
        context: &RecordContext,
        migration: &Migration,
        _message: &str,
    ) -> Vec<String> {
        let mut sql = remove_failed(context, migration);
        sql.push(insert(context, migration, row_type(migration), false));
        sql
    }

    /// The command `undo` writes a further row of a type that only Flyway's paid editions know, and
    /// on which the free one stops; both take a migration without a row as pending.
    fn record_reverted(&self, context: &RecordContext, migration: &Migration) -> Vec<String> {
        vec![format!("DELETE FROM {} WHERE {}", context.table, same_identity(migration))]
    }

    fn record_checksum(&self, context: &RecordContext, migration: &Migration) -> Vec<String> {
        vec![format!(
            "UPDATE {} SET checksum = {} WHERE success AND {}",
            context.table,
            checksum(migration),
            same_identity(migration),
        )]
    }

    /// The key is a constant and the `hashCode()` of `"schema"."table"`.
    fn lock(&self, context: &LockContext) -> NativeLock {
        let schema = context.table.schema.as_ref().unwrap_or(&context.schema);
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        let table = format!("{}.{}", quoted(schema), quoted(&context.table.name));
        NativeLock::Advisory(LOCK_BASE + i64::from(java_hash_code(&table)))
    }

    /// Ignored, and an error of `validate`, unless `outOfOrder` is set.
    fn allows_out_of_order(&self) -> bool {
        false
    }
}

/// One row; none for rows that stand for no migration, such as the creation of the schema.
fn parse_row(row: &TextRow) -> Result<Option<HistoryRow>, LayoutError> {
    let rank = required(row, 0, "installed_rank")?;
    let rank = rank.parse().map_err(|_| LayoutError::new("column installed_rank is no number"))?;
    let kind = required(row, 3, "type")?;
    let description = required(row, 2, "description")?;
    let version = match optional(row, 1) {
        Some(version) => flyway_canonical_version(version).unwrap_or_else(|| version.to_owned()),
        None if kind == "SCHEMA" => return Ok(None),
        None => format!("{REPEATABLE}{}", description.replace(' ', "_")),
    };
    Ok(Some(HistoryRow {
        version,
        name: Some(description.to_owned()),
        checksum: optional(row, 4).map(str::to_owned),
        state: state(kind, boolean(row, 6, "success")?),
        applied_at: optional(row, 5).map(str::to_owned),
        rank,
        note: None,
    }))
}

fn state(kind: &str, success: bool) -> RowState {
    match kind {
        _ if !success => RowState::Failed,
        "DELETE" => RowState::RolledBack,
        _ if kind.starts_with("UNDO") => RowState::RolledBack,
        _ if kind.contains("BASELINE") => RowState::Baseline,
        _ => RowState::Applied,
    }
}

fn row_type(migration: &Migration) -> &'static str {
    match migration.kind {
        MigrationKind::Baseline => "SQL_BASELINE",
        MigrationKind::Versioned | MigrationKind::Repeatable => "SQL",
    }
}

fn remove_failed(context: &RecordContext, migration: &Migration) -> Vec<String> {
    let same = same_identity(migration);
    vec![format!("DELETE FROM {} WHERE NOT success AND {same}", context.table)]
}

fn insert(context: &RecordContext, migration: &Migration, kind: &str, success: bool) -> String {
    let checksum = checksum(migration);
    format!(
        "INSERT INTO {} (installed_rank, version, description, type, script, checksum, installed_by, \
         execution_time, success) VALUES ({}, {}, {}, '{kind}', {}, {checksum}, current_user, \
         (extract(epoch FROM clock_timestamp() - now()) * 1000)::integer, {success})",
        context.table,
        context.next_rank,
        version(migration),
        literal(&shortened(&migration.name, DESCRIPTION_CHARS)),
        literal(&shortened(&migration.file, SCRIPT_CHARS)),
    )
}

/// As written in the file's name, with dots for underscores; `NULL` for repeatable migrations.
fn version(migration: &Migration) -> String {
    match migration.kind {
        MigrationKind::Repeatable => "NULL".to_owned(),
        _ => literal(
            &flyway_raw_version(&migration.file).unwrap_or_else(|| migration.version.clone()),
        ),
    }
}

fn same_identity(migration: &Migration) -> String {
    match migration.kind {
        MigrationKind::Repeatable => {
            let description = literal(&shortened(&migration.name, DESCRIPTION_CHARS));
            format!("version IS NULL AND description = {description}")
        }
        _ => format!("version = {}", version(migration)),
    }
}

fn checksum(migration: &Migration) -> String {
    super::cells::integer(migration.checksum.as_deref().unwrap_or_default())
}

/// `AbbreviationUtils`: the end gives way to an ellipsis.
fn shortened(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let kept: String = text.chars().take(limit.saturating_sub(3)).collect();
    format!("{kept}...")
}

/// `String.hashCode()` of Java: base 31 over UTF-16 units.
fn java_hash_code(text: &str) -> i32 {
    text.encode_utf16().fold(0i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_hash_as_in_java() {
        // "hello".hashCode() in Java's own documentation of the rule.
        assert_eq!(java_hash_code("hello"), 99_162_322);
        assert_eq!(java_hash_code("polygenelubricants"), i32::MIN);
    }

    #[test]
    fn the_lock_names_the_table() {
        let context = LockContext {
            database: "db".to_owned(),
            schema: "public".to_owned(),
            table: Flyway.default_table(),
        };
        let hash = i64::from(java_hash_code("\"public\".\"flyway_schema_history\""));
        assert_eq!(LOCK_BASE, 77_431_708_279_161);
        assert_eq!(Flyway.lock(&context), NativeLock::Advisory(LOCK_BASE + hash));
    }
}
