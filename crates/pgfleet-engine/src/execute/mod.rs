//! Executes plans: the only place where a target is changed.
//!
//! Invariant: a transactional unit commits together with its journal row and, at the end of a
//! migration, with the history row; any other unit journals its intent before and its outcome
//! after. So a run that is killed at any moment is finished by the next one.

mod aside;
mod batch_journal;
mod batch_ranges;
mod batched;
mod copy;
mod enclosed;
mod executor;
mod failure;
mod message;
mod notices;
mod pipeline;
mod retry;
mod rows;
mod separate;
mod settle;
mod unresumable;
mod watch;

use pgfleet_core::config::ApplySettings;
use pgfleet_core::plan::Plan;
use pgfleet_core::report::{Event, MigrationRun};
use tokio::sync::watch as watch_channel;

use crate::connect::{Session, SessionError};
use crate::journal::OpenUnit;
use crate::lock::{LockKeys, LoneLock};

pub use aside::Aside;
pub use failure::{Cause, StepFailure};
pub(crate) use rows::RowReader;
pub use rows::check_rows;

/// Where events go. Implementations must not block.
pub trait EventSink: Send + Sync {
    /// Takes one event.
    fn send(&self, event: Event);
}

/// Throws events away.
pub struct NoEvents;

impl EventSink for NoEvents {
    fn send(&self, _event: Event) {}
}

/// How a run ends that is one transaction as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enclosed {
    /// Left as a prepared transaction of this name, which somebody else commits.
    Prepared(String),
    /// Rolled back: a rehearsal on the target itself, up to the first migration that no transaction
    /// can hold.
    RolledBack,
}

/// What a run goes by besides its plan.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Identifies the run in the journal.
    pub run_id: String,
    /// The command: apply, rollback, …
    pub command: String,
    /// Who runs it, for the journal: program, version, host.
    pub client: String,
    /// What the configuration makes unqualified names mean, as `SET search_path` takes it.
    pub search_path: Option<String>,
    /// Timeouts, attempts, when commits wait for the disk.
    pub apply: ApplySettings,
    /// Go on with the next migration after one that failed.
    pub continue_on_error: bool,
    /// All of it is one transaction, which ends so.
    pub enclosed: Option<Enclosed>,
    /// The locks that the run holds.
    pub lock_keys: LockKeys,
    /// Held by the working session itself, see [`LoneLock`].
    pub lone_lock: Option<LoneLock>,
    /// The journal is there already.
    pub has_journal: bool,
    /// Units that earlier runs began.
    pub open_units: Vec<OpenUnit>,
}

/// The sessions of a run.
pub struct Sessions<'a> {
    /// Does the work.
    pub worker: &'a Session,
    /// Watches the worker; holds the locks unless the worker does.
    pub aside: &'a Aside<'a>,
}

impl Sessions<'_> {
    /// A session that can be asked something once the worker is done.
    pub async fn to_ask(&self) -> &Session {
        match self.aside {
            Aside::Open(session) => session,
            Aside::Later(..) if !self.worker.is_closed() => self.worker,
            Aside::Later(..) => self.aside.session().await.unwrap_or(self.worker),
        }
    }
}

/// Becomes true when the user asks the run to stop.
pub type StopSignal = watch_channel::Receiver<bool>;

/// What a run did.
#[derive(Debug)]
pub struct Execution {
    /// Every migration of the plan, in order.
    pub migrations: Vec<MigrationRun>,
    /// In order; more than one only when the run goes on after errors.
    pub failures: Vec<StepFailure>,
    /// Objects that `IF NOT EXISTS` found there already: step and statement.
    pub skipped: Vec<Skipped>,
}

/// A statement whose `IF NOT EXISTS` made it do nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Position of the step in the plan.
    pub step: usize,
    /// The object's name, as the server said it.
    pub object: String,
}

/// Why a run could not even begin.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct SetupFailure {
    /// What the server said.
    pub error: SessionError,
}

/// Executes a plan.
///
/// The locks must be held, and the plan must have been made on the target's present history.
///
/// # Errors
/// When the journal or the history table cannot be made. Failures of migrations are part of the
/// [`Execution`].
pub async fn execute(
    sessions: &Sessions<'_>,
    plan: &Plan,
    options: &RunOptions,
    events: &dyn EventSink,
    stop: &StopSignal,
) -> Result<Execution, SetupFailure> {
    let watched = watch::Watched::default();
    let executor = executor::Executor::new(sessions, plan, options, events, stop, &watched);
    tokio::select! {
        result = executor.run() => result,
        never = watch::watch(sessions, &watched, events, options.apply.lock_timeout_ms) => match never {},
    }
}
