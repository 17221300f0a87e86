//! A history row, the same for every dialect.

use serde::Serialize;

/// One recorded migration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HistoryRow {
    /// The identity under which it was recorded.
    pub version: String,
    /// The recorded name, where the format keeps one.
    pub name: Option<String>,
    /// The recorded checksum, in the form of [`crate::folder::Migration::checksum`].
    pub checksum: Option<String>,
    /// What became of it.
    pub state: RowState,
    /// When it was applied, as the server prints it.
    pub applied_at: Option<String>,
    /// The position in the order of application (Flyway's `installed_rank`, else 1, 2, 3 …).
    pub rank: i64,
    /// What the tool wrote about a failure.
    pub note: Option<String>,
}

/// What a history row says became of its migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowState {
    /// Done.
    Applied,
    /// Begun and not known to have ended, or ended in failure.
    Failed,
    /// Taken back, or marked so by a person.
    RolledBack,
    /// Stands for everything before it; nothing of it was run.
    Baseline,
}

/// A history table that is not laid out as its tool lays it out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct LayoutError {
    /// What is odd, naming the column or value.
    pub message: String,
}

impl LayoutError {
    /// An error that names what is odd.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}
