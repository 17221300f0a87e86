//! The locks that the formats' own tools take, so that they cannot run at the same time as we do.

use pgfleet_sql::QualifiedName;

/// What the key of a native lock may be computed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockContext {
    /// The connected database's name.
    pub database: String,
    /// `current_schema()`.
    pub schema: String,
    /// The history table.
    pub table: QualifiedName,
}

/// A lock that excludes the format's own tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NativeLock {
    /// The tool takes none.
    None,
    /// `pg_advisory_lock(key)`.
    Advisory(i64),
    /// `pg_advisory_lock(a, b)`.
    AdvisoryPair(i32, i32),
}
