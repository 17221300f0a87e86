//! History tables: what a target says was applied, in the format's own words.
//!
//! One file per dialect. A dialect knows the table's layout, how to read it, which SQL records a
//! migration so that the team's own tool agrees, and which lock that tool takes. It writes SQL; it
//! never runs any.

mod cells;
mod dbmate;
mod dialects;
mod diesel;
mod drizzle;
mod flyway;
mod golang_migrate;
mod goose;
mod lock;
mod order;
mod plain;
mod prisma;
mod refinery;
mod row;
mod sqlx;
mod supabase;
mod typeorm;
mod verdict;

use pgfleet_sql::QualifiedName;

use crate::folder::{Format, Migration};

pub use dialects::dialect;
pub use lock::{LockContext, NativeLock};
pub use order::order_as_applied;
pub use row::{HistoryRow, LayoutError, RowState};
pub(crate) use verdict::compare_versions;
pub use verdict::{MigrationStatus, Verdict, judge};

/// A result row in text form, as the simple query protocol gives it.
pub type TextRow = Vec<Option<String>>;

/// What a dialect may need to know to record a migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordContext {
    /// The history table, qualified as it was found (or as it will be created).
    pub table: QualifiedName,
    /// One more than the greatest order number among the rows (Flyway's `installed_rank`).
    pub next_rank: i64,
    /// The columns that the table has; empty when it is about to be created. Dialects whose
    /// layout grew over the years leave out what is not there.
    pub columns: Vec<String>,
    /// The version before the migration in the folder's order, to which a table that keeps only the
    /// current version goes back when the migration is reverted; none for the first.
    pub previous_version: Option<String>,
}

/// One format's history table.
///
/// All SQL is complete, quoted and without parameters, so that it can travel in the same exchange
/// as the migration. Expressions such as `clock_timestamp() - now()` give times: within the
/// migration's transaction `now()` is its beginning.
pub trait Dialect: Sync {
    /// The format whose table this is.
    fn format(&self) -> Format;

    /// The table's usual name; without a schema where the tool follows `search_path`.
    fn default_table(&self) -> QualifiedName;

    /// Statements that create the table (and its schema) as the format's own tool would.
    fn create_sql(&self, table: &QualifiedName) -> Vec<String>;

    /// Columns that must be there; a table without them has a layout that we do not know.
    fn required_columns(&self) -> &'static [&'static str];

    /// Columns that may be there besides the required ones. Any other NOT NULL column without a
    /// default means a newer layout, and is refused.
    fn optional_columns(&self) -> &'static [&'static str] {
        &[]
    }

    /// The query that reads all rows, in the order in which they were applied. It must work on
    /// every layout that has the required columns (`to_jsonb(t)` reads optional ones).
    fn read_sql(&self, table: &QualifiedName) -> String;

    /// Understands the rows of [`Dialect::read_sql`].
    ///
    /// # Errors
    /// When a row is not of the form that the dialect writes.
    fn parse(&self, rows: &[TextRow]) -> Result<Vec<HistoryRow>, LayoutError>;

    /// SQL that records a migration as applied, run in the migration's own transaction (or after
    /// its last step when it has none, then replacing what `record_started` wrote).
    fn record_applied(&self, context: &RecordContext, migration: &Migration) -> Vec<String>;

    /// SQL that records a migration as applied although none of it was run (`resolve`,
    /// `baseline`).
    fn record_resolved(&self, context: &RecordContext, migration: &Migration) -> Vec<String> {
        self.record_applied(context, migration)
    }

    /// SQL that says that a migration without a transaction has begun, for formats whose tool
    /// records that (Prisma's `finished_at`, golang-migrate's `dirty`, sqlx's `success`).
    fn record_started(&self, _context: &RecordContext, _migration: &Migration) -> Vec<String> {
        Vec::new()
    }

    /// SQL that says that a migration failed, for formats whose tool records that.
    fn record_failed(
        &self,
        _context: &RecordContext,
        _migration: &Migration,
        _message: &str,
    ) -> Vec<String> {
        Vec::new()
    }

    /// SQL that records that a migration was taken back.
    fn record_reverted(&self, context: &RecordContext, migration: &Migration) -> Vec<String>;

    /// SQL that gives an applied migration the checksum of today's file (`resolve`); empty when
    /// the format keeps no checksum.
    fn record_checksum(&self, _context: &RecordContext, _migration: &Migration) -> Vec<String> {
        Vec::new()
    }

    /// Whether a recorded checksum stands for today's file. More than one may: Prisma ignores line
    /// ends, refinery's depends on how it was built.
    fn checksum_matches(&self, migration: &Migration, recorded: &str) -> bool {
        migration.checksum.as_deref().is_none_or(|checksum| checksum == recorded)
    }

    /// The lock that the format's own tool takes.
    fn lock(&self, _context: &LockContext) -> NativeLock {
        NativeLock::None
    }

    /// Whether the format's own tool applies a migration that is older than the newest applied
    /// one, or refuses it.
    fn allows_out_of_order(&self) -> bool {
        true
    }

    /// Whether the history keeps only the current version (golang-migrate).
    fn keeps_only_current(&self) -> bool {
        false
    }
}
