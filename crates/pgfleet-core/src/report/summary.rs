//! What a run did, whole: written to `.pgfleet/runs/<id>/` and shown at the end.

use serde::Serialize;

use crate::diagnose::Problem;

/// A run on one target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunReport {
    /// Layout version of this object.
    pub version: u32,
    /// Identifies the run in the journal and on disk.
    pub run_id: String,
    /// The target's name.
    pub target: String,
    /// Where the target is: host, port and database, without secrets.
    pub server: String,
    /// The command: apply, rollback, …
    pub command: String,
    /// When it began, RFC 3339 in UTC.
    pub started_at: String,
    /// How long it took.
    pub elapsed_ms: f64,
    /// Every migration of the plan, in order.
    pub migrations: Vec<MigrationRun>,
    /// Whatever was said on the way, errors included.
    pub problems: Vec<Problem>,
}

/// What became of one migration of the plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MigrationRun {
    /// The identity in the history.
    pub version: String,
    /// What a person calls it.
    pub name: String,
    /// Its file.
    pub file: String,
    /// What became of it.
    pub outcome: MigrationOutcome,
    /// Time it took, when it ran.
    pub elapsed_ms: Option<f64>,
    /// Statements in it.
    pub statements: usize,
}

/// What became of a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MigrationOutcome {
    /// Done and recorded.
    Done,
    /// Tried, and failed.
    Failed,
    /// Not begun.
    NotRun,
}

impl RunReport {
    /// True when every migration of the plan was done.
    pub fn complete(&self) -> bool {
        self.migrations.iter().all(|m| m.outcome == MigrationOutcome::Done)
    }
}
