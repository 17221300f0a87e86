//! The migration lock: ours and the one that the format's own tool takes.
//!
//! Invariant: locks are held by sessions that do nothing else, or by one that does the work and is asked
//! before each transaction whether it still has them ([`LoneLock`]), so they end with the process; and
//! they are only ever tried, never waited for inside the server, because a waiting statement holds
//! a snapshot, and `CREATE INDEX CONCURRENTLY` waits for every snapshot older than itself: a
//! second applier that waited would deadlock with the first.

use std::time::{Duration, Instant};

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::history::NativeLock;
use pgfleet_core::plan::hash_text;
use pgfleet_core::report::Event;

use crate::connect::{Session, SessionError};
use crate::execute::{EventSink, StopSignal};

/// "pgfleet" and a number, as an advisory lock's key: held by the session that coordinates a run.
const COORDINATOR_KEY: i64 = 0x7067_666c_6565_7401;

/// Held by the session that does a run's work. A killed pgfleet leaves a server process that may
/// still be busy with what it had been sent; the next run waits for it through this lock.
const WORKER_KEY: i64 = 0x7067_666c_6565_7402;

/// The keys of our locks in a database: one pair for the database as a target, one for each
/// schema that is a target of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LockKeys {
    coordinator: i64,
    worker: i64,
}

impl LockKeys {
    /// The keys of a target: of its schema, or without one of its database.
    pub fn of(schema: Option<&str>) -> Self {
        let Some(schema) = schema else {
            return Self { coordinator: COORDINATOR_KEY, worker: WORKER_KEY };
        };
        let digits = hash_text(schema);
        let number = |part: &str| i64::from_str_radix(part, 16).unwrap_or_default();
        Self { coordinator: number(&digits[..15]), worker: number(&digits[15..30]) }
    }

    /// Takes the worker's lock again where a migration's `DISCARD ALL` let go of it. Nobody else
    /// can have it: who wants it holds the coordinator's lock first.
    pub(crate) fn keep_worker(self) -> String {
        format!("SELECT pg_catalog.pg_try_advisory_lock({})", self.worker)
    }

    /// Makes the worker's lock one of the transaction that begins here, without letting go of it in
    /// between: no transaction can be prepared that shares a lock with its session.
    pub(crate) fn hand_worker_to_transaction(self) -> String {
        let key = self.worker;
        format!(
            "SELECT pg_catalog.pg_advisory_xact_lock({key}); \
             SELECT pg_catalog.pg_advisory_unlock({key})"
        )
    }
}

/// Where a waiter is to look when a prepared transaction holds a lock.
const PREPARED: &str = "a prepared transaction; see \"pgfleet rollout recover\"";

/// The first pause between two tries; it doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_millis(500);

/// Why the lock was not had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// The server could not be asked.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Somebody else holds it and did not let go in time.
    #[error("{}", .0.what)]
    Held(Box<Problem>),
}

/// How long to wait, and whom to tell.
pub struct LockWait<'a> {
    /// Which locks.
    pub keys: LockKeys,
    /// Give up after this time.
    pub deadline_ms: u64,
    /// Told about the holders.
    pub events: &'a dyn EventSink,
    /// Becomes true when the user asks to stop.
    pub stop: StopSignal,
}

/// Takes our lock and the native one on a session of their own.
///
/// # Errors
/// When they are held by somebody else for longer than the deadline.
pub async fn lock_coordinator(
    session: &Session,
    native: NativeLock,
    wait: &LockWait<'_>,
) -> Result<(), LockError> {
    acquire(session, "pgfleet's migration lock", NativeLock::Advisory(wait.keys.coordinator), wait)
        .await?;
    acquire(session, "the lock of the format's own tool", native, wait).await
}

/// Takes the lock of the session that does the work.
///
/// # Errors
/// When a server process that a killed run left is busy for longer than the deadline.
pub async fn lock_worker(session: &Session, wait: &LockWait<'_>) -> Result<(), LockError> {
    acquire(session, "the work of an earlier run", NativeLock::Advisory(wait.keys.worker), wait)
        .await
}

/// Takes a lock of another key in the same way, and is told who holds it.
///
/// # Errors
/// When it is held by somebody else for longer than the deadline.
pub(crate) async fn lock_key(
    session: &Session,
    what: &str,
    key: i64,
    wait: &LockWait<'_>,
) -> Result<(), LockError> {
    acquire(session, what, NativeLock::Advisory(key), wait).await
}

/// The key of a lock that is called by a text.
pub(crate) fn key_of(text: &str) -> i64 {
    i64::from_str_radix(&hash_text(text)[..15], 16).unwrap_or_default()
}

/// Our lock and the format's tool's, held by the session that does the work itself.
///
/// Ours is held twice, so that a look whether it is still there never lets go of it.
#[derive(Debug, Clone)]
pub struct LoneLock {
    keys: LockKeys,
    native: Option<String>,
}

impl LoneLock {
    /// The locks of a target.
    pub fn of(keys: LockKeys, native: NativeLock) -> Self {
        Self { keys, native: arguments(native) }
    }

    /// Takes them all, unless somebody else holds one: then none is held, and false is told.
    /// The first request is sent when the future is first polled.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn try_take(&self, session: &Session) -> Result<bool, SessionError> {
        let arguments = self.arguments();
        let tries = arguments.iter().map(|one| format!("pg_catalog.pg_try_advisory_lock({one})"));
        let sql = format!("SELECT {}", tries.collect::<Vec<_>>().join(", "));
        let row = session.query_text(&sql).await?.into_iter().next().unwrap_or_default();
        let taken = |at: usize| row.get(at).is_some_and(|cell| cell.as_deref() == Some("t"));
        let (held, free): (Vec<_>, Vec<_>) = (0..arguments.len()).partition(|at| taken(*at));
        if free.is_empty() {
            return Ok(true);
        }
        let held: Vec<_> = held.into_iter().map(|at| arguments[at].as_str()).collect();
        session.query_text(&let_go(&held)).await?;
        Ok(false)
    }

    /// Lets go of all of them.
    pub fn release(&self) -> String {
        let_go(&self.arguments().iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// SQL that is true as long as our lock is held: a migration may call a function that lets go
    /// of all advisory locks of its session.
    pub fn is_held(&self) -> String {
        let key = self.keys.coordinator;
        format!("pg_catalog.pg_advisory_unlock({key}) AND pg_catalog.pg_try_advisory_lock({key})")
    }

    fn arguments(&self) -> Vec<String> {
        let [coordinator, worker] =
            [self.keys.coordinator, self.keys.worker].map(|key| format!("{key}::bigint"));
        let native = self.native.clone();
        [coordinator.clone(), coordinator, worker].into_iter().chain(native).collect()
    }
}

fn let_go(arguments: &[&str]) -> String {
    let calls = arguments.iter().map(|one| format!("pg_catalog.pg_advisory_unlock({one})"));
    format!("SELECT {}", calls.collect::<Vec<_>>().join(", "))
}

async fn acquire(
    session: &Session,
    what: &str,
    lock: NativeLock,
    wait: &LockWait<'_>,
) -> Result<(), LockError> {
    let Some(arguments) = arguments(lock) else { return Ok(()) };
    let sql = format!("SELECT pg_catalog.pg_try_advisory_lock({arguments})");
    let (begun, mut pause) = (Instant::now(), PAUSE_MIN);
    loop {
        if session.is_true(&sql).await? {
            return Ok(());
        }
        let holders = holders(session, lock).await?;
        let waited_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        if waited_ms >= wait.deadline_ms || *wait.stop.borrow() {
            return Err(LockError::Held(Box::new(held(what, &holders, waited_ms))));
        }
        wait.events.send(Event::LockWaiting { lock: what.to_owned(), holders, waited_ms });
        let mut stop = wait.stop.clone();
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            Ok(_) = stop.wait_for(|stop| *stop) => {}
        }
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

fn arguments(lock: NativeLock) -> Option<String> {
    match lock {
        NativeLock::None => None,
        NativeLock::Advisory(key) => Some(format!("{key}::bigint")),
        NativeLock::AdvisoryPair(a, b) => Some(format!("{a}::integer, {b}::integer")),
    }
}

/// Who holds an advisory lock: `pg_locks` shows a 64-bit key as two halves with `objsubid` 1, a
/// pair of keys as `objsubid` 2 ("pg_locks" in PostgreSQL's documentation).
async fn holders(session: &Session, lock: NativeLock) -> Result<Vec<String>, SessionError> {
    let (class, object, sub) = match lock {
        NativeLock::None => return Ok(Vec::new()),
        NativeLock::Advisory(key) => ((key >> 32) & 0xffff_ffff, key & 0xffff_ffff, 1),
        NativeLock::AdvisoryPair(a, b) => {
            (i64::from(a) & 0xffff_ffff, i64::from(b) & 0xffff_ffff, 2)
        }
    };
    let sql = format!(
        "SELECT CASE WHEN l.pid IS NULL THEN '{PREPARED}' ELSE pg_catalog.format('pid %s, user %s, application %s, connected since %s', \
         l.pid, a.usename, a.application_name, a.backend_start) END \
         FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid \
         WHERE l.locktype = 'advisory' AND l.granted AND l.classid = {class} \
         AND l.objid = {object} AND l.objsubid = {sub} AND l.database = \
         (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())"
    );
    let rows = session.query_text(&sql).await?;
    Ok(rows.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect())
}

fn held(what: &str, holders: &[String], waited_ms: u64) -> Problem {
    let mut problem = Problem::error(Code::LockHeld, format!("{what} is held by somebody else"))
        .because(format!("waited {waited_ms} ms for it"));
    for holder in holders {
        problem = problem.detail(format!("held by {holder}"));
    }
    problem
        .fix("Wait for the other run to end and run the same command again; nothing was changed.")
        .fix_with(
            "If nobody is at work there, end the session.",
            "SELECT pg_terminate_backend(PID)",
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_of_one_database_have_locks_of_their_own() {
        let keys = [None, Some("tenant_a"), Some("tenant_b")].map(LockKeys::of);
        let mut all: Vec<_> = keys.iter().flat_map(|k| [k.coordinator, k.worker]).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 6, "{keys:?}");
        assert_eq!(keys[0], LockKeys { coordinator: COORDINATOR_KEY, worker: WORKER_KEY });
    }
}
