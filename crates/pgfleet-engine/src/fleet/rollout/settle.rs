//! Commits or rolls back one target's prepared transaction, whoever prepared it.
//!
//! Invariant: after a roll-back no process is left that could still prepare the transaction: a
//! process that was killed leaves a server process behind, and that one holds the worker's lock
//! until it has prepared or ended; the prepared transaction holds it too. Who has the lock, knows.

use std::time::{Duration, Instant};

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::history::NativeLock;

use super::control::first_cell;
use crate::conduct::{Target, lock_problem};
use crate::connect::Session;
use crate::execute::{NoEvents, StopSignal};
use crate::journal::literal;
use crate::lock::{LockWait, lock_coordinator};

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(100);

/// Commits or rolls back; nothing to do is fine.
pub(super) async fn settle(
    target: &Target,
    name: &str,
    commit: bool,
    stop: &StopSignal,
) -> Result<(), Box<Problem>> {
    let session = target.connect().await?;
    let settled = match commit {
        true => commit_prepared(target, &session, name).await,
        false => roll_back_prepared(target, &session, name, stop).await,
    };
    session.close().await;
    settled
}

async fn commit_prepared(
    target: &Target,
    session: &Session,
    name: &str,
) -> Result<(), Box<Problem>> {
    end_prepared(target, session, "COMMIT", name).await?;
    let sql = format!("SELECT 1 FROM pgfleet.runs WHERE run_id = {}", literal(name));
    let found = session.query_text(&sql).await;
    if found.is_ok_and(|rows| !rows.is_empty()) {
        return Ok(());
    }
    let what = format!("{} lacks what was to be committed there", target.name);
    Err(Box::new(
        Problem::error(Code::AtomicUnsettled, what)
            .in_target(&target.name)
            .because(format!("the prepared transaction {name} is gone, and its run not recorded"))
            .fix("Somebody rolled it back by hand: apply the migrations to this target alone."),
    ))
}

async fn roll_back_prepared(
    target: &Target,
    session: &Session,
    name: &str,
    stop: &StopSignal,
) -> Result<(), Box<Problem>> {
    let deadline_ms = target.settings.apply.lock_wait_ms;
    let keys = target.lock_keys();
    let wait = LockWait { keys, deadline_ms, events: &NoEvents, stop: stop.clone() };
    let taken = lock_coordinator(session, NativeLock::None, &wait).await;
    taken.map_err(|error| lock_problem(target, error))?;
    let begun = Instant::now();
    loop {
        end_prepared(target, session, "ROLLBACK", name).await?;
        let free = session.query_text(&keys.keep_worker()).await;
        let free = free.map_err(|error| target.session_problem(&error))?;
        if first_cell(&free).as_deref() == Some("t") {
            return Ok(());
        }
        if begun.elapsed() >= Duration::from_millis(deadline_ms) {
            let what = format!("{} is still busy with what is to be rolled back", target.name);
            return Err(Box::new(
                Problem::error(Code::AtomicUnsettled, what)
                    .in_target(&target.name)
                    .because("a server process that a killed run left has not ended yet")
                    .fix("Wait for it or end it, and run the same command again."),
            ));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Another process may be at the same, and is then waited for.
async fn end_prepared(
    target: &Target,
    session: &Session,
    verb: &str,
    name: &str,
) -> Result<(), Box<Problem>> {
    let there = format!(
        "SELECT 1 FROM pg_catalog.pg_prepared_xacts WHERE gid = {} \
         AND database = pg_catalog.current_database()",
        literal(name)
    );
    let mut tries = 0;
    loop {
        let found = session.query_text(&there).await;
        if found.map_err(|error| target.session_problem(&error))?.is_empty() {
            return Ok(());
        }
        match session.batch(&format!("{verb} PREPARED {}", literal(name))).await {
            Ok(()) => return Ok(()),
            Err(error) if error.is_lost() || tries > 50 => {
                return Err(target.session_problem(&error));
            }
            Err(_) => tries += 1,
        }
        tokio::time::sleep(PAUSE).await;
    }
}
