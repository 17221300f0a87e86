//! One thing that happened. Serialized as one line `{"event":…}`.

use serde::Serialize;

use crate::diagnose::Problem;

/// One thing that happened during a run on one target.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A run begins.
    RunStarted {
        /// Identifies the run in the journal and under `.pgfleet/runs/`.
        run_id: String,
        /// The target's name.
        target: String,
        /// The command: apply, rollback, …
        command: String,
        /// Migrations that the plan holds.
        migrations: usize,
    },
    /// Somebody else holds a lock that the run needs.
    LockWaiting {
        /// Which lock.
        lock: String,
        /// Who holds it: process id, user, application, since when.
        holders: Vec<String>,
        /// How long the run has waited.
        waited_ms: u64,
    },
    /// A migration begins.
    MigrationStarted {
        /// Its label.
        migration: String,
        /// 1-based position in the plan.
        position: usize,
        /// Statements in it.
        statements: usize,
    },
    /// A long statement reports how far it is (`pg_stat_progress_*`).
    StatementProgress(Progress),
    /// A step is tried again after a lock timeout or deadlock.
    Retrying {
        /// The migration's label.
        migration: String,
        /// The attempt that begins, from 2.
        attempt: u32,
        /// The pause before it.
        pause_ms: u64,
        /// Why the last attempt ended.
        reason: String,
        /// Sessions that held the lock.
        blockers: Vec<String>,
    },
    /// The server said something worth showing (`NOTICE`, `WARNING`).
    Notice {
        /// The migration's label, when it can be told.
        migration: Option<String>,
        /// NOTICE, WARNING, INFO …
        severity: String,
        /// The text.
        message: String,
    },
    /// A migration is committed.
    MigrationDone {
        /// Its label.
        migration: String,
        /// Time it took.
        elapsed_ms: f64,
        /// Statements run.
        statements: usize,
    },
    /// A migration failed.
    MigrationFailed {
        /// Its label.
        migration: String,
        /// What went wrong.
        problem: Box<Problem>,
    },
    /// Something is to be said that stops nothing.
    Warned {
        /// What.
        problem: Box<Problem>,
    },
    /// Work on many targets begins.
    FleetStarted {
        /// The command: apply, status, …
        command: String,
        /// Targets to be worked on.
        targets: usize,
    },
    /// A part of the work on many targets begins: a wave, a rehearsal, taking back.
    StageStarted {
        /// What, in a few words.
        stage: String,
        /// Targets to be worked on, where they are counted anew.
        targets: Option<usize>,
    },
    /// Work on one target of many begins.
    TargetStarted {
        /// Its name.
        target: String,
    },
    /// Something happened in one target of many.
    OfTarget {
        /// The target's name.
        target: String,
        /// What happened.
        of: Box<Event>,
    },
    /// Work on one target of many ends.
    TargetFinished {
        /// Its name.
        target: String,
        /// Everything was done, or is as it should be.
        ok: bool,
        /// What became of it, in a few words.
        headline: String,
        /// Time it took.
        elapsed_ms: f64,
    },
    /// The next phase of a long piece of work begins.
    PhaseStarted {
        /// What it does.
        phase: String,
    },
    /// Rows, all of a table or a part, arrived in another database and are committed.
    RowsMoved {
        /// The table that they fill.
        table: String,
        /// How many.
        rows: u64,
        /// Their size as they travelled.
        bytes: u64,
        /// Time it took.
        elapsed_ms: f64,
    },
    /// A run ends.
    RunFinished {
        /// Identifies the run.
        run_id: String,
        /// Migrations done.
        done: usize,
        /// True when everything in the plan was done.
        complete: bool,
        /// Time the run took.
        elapsed_ms: f64,
    },
}

/// How far a long statement is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Progress {
    /// The migration's label.
    pub migration: String,
    /// The command as PostgreSQL names it: CREATE INDEX CONCURRENTLY, COPY …
    pub command: String,
    /// The phase as PostgreSQL names it.
    pub phase: String,
    /// Units done in this phase: blocks, tuples or bytes.
    pub done: u64,
    /// Units in all; 0 when the server does not know.
    pub total: u64,
}
