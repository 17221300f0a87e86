//! Watches the working session from another one: how far a long statement is, and who blocks it.

use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pgfleet_core::report::{Event, Progress};

use super::{Aside, EventSink, Sessions};

/// Time between two looks. Short statements are never looked at.
const INTERVAL: Duration = Duration::from_millis(700);

/// Looks while a statement waits for a lock: those who block it are gone from sight afterwards.
const LOOKS_PER_LOCK_TIMEOUT: u64 = 4;

/// What is being watched, shared between the run and its watcher.
#[derive(Default)]
pub(super) struct Watched(Mutex<State>);

#[derive(Default)]
struct State {
    migration: Option<String>,
    blockers: Vec<String>,
}

impl Watched {
    pub(super) fn begin(&self, migration: &str) {
        *self.state() = State { migration: Some(migration.to_owned()), blockers: Vec::new() };
    }

    pub(super) fn end(&self) {
        *self.state() = State::default();
    }

    /// The sessions last seen to block the statement.
    pub(super) fn take_blockers(&self) -> Vec<String> {
        std::mem::take(&mut self.state().blockers)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks at the worker again and again, until it is dropped.
pub(super) async fn watch(
    sessions: &Sessions<'_>,
    watched: &Watched,
    events: &dyn EventSink,
    lock_timeout_ms: u64,
) -> Infallible {
    let sql = look_sql(sessions.worker.backend_pid(), sessions.worker.server_version_num());
    let interval = match lock_timeout_ms / LOOKS_PER_LOCK_TIMEOUT {
        0 => INTERVAL,
        wait_ms => INTERVAL.min(Duration::from_millis(wait_ms)),
    };
    let mut last = None;
    loop {
        tokio::time::sleep(interval).await;
        let now = watched.state().migration.clone();
        let Some(migration) = now.clone().filter(|_| is_worth_it(sessions, &last, &now)) else {
            last = now;
            continue;
        };
        last = now;
        let Some(aside) = sessions.aside.session().await else { continue };
        let Ok(rows) = aside.query_text(&sql).await else { continue };
        let mut blockers = Vec::new();
        for row in rows {
            match parse(&row, &migration) {
                Some(Look::Blocker(blocker)) => blockers.push(blocker),
                Some(Look::Progress(progress)) => events.send(Event::StatementProgress(progress)),
                None => {}
            }
        }
        let mut state = watched.state();
        if !blockers.is_empty() && state.migration.as_deref() == Some(migration.as_str()) {
            state.blockers = blockers;
        }
    }
}

/// A session is opened for a migration only that was at work the last time too.
fn is_worth_it(sessions: &Sessions<'_>, last: &Option<String>, now: &Option<String>) -> bool {
    matches!(sessions.aside, Aside::Open(_)) || last == now
}

enum Look {
    Blocker(String),
    Progress(Progress),
}

/// `pg_stat_progress_copy` came with this version.
const COPY_PROGRESS_SINCE: u32 = 140_000;

/// One row per blocker and per running command ("Progress Reporting" in PostgreSQL's
/// documentation).
fn look_sql(pid: i32, server_version_num: u32) -> String {
    let copy = match server_version_num {
        COPY_PROGRESS_SINCE.. => format!("UNION ALL {COPY_PROGRESS} WHERE pid = {pid}"),
        _ => String::new(),
    };
    format!(
        "SELECT 'blocker', pg_catalog.format('pid %s, user %s, application %s, %s since %s: %s', \
           a.pid, a.usename, a.application_name, a.state, a.xact_start, pg_catalog.left(a.query, 200)), \
           NULL, NULL, NULL \
         FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids({pid})) AS b(pid) \
         JOIN pg_catalog.pg_stat_activity a ON a.pid = b.pid \
         UNION ALL {INDEX_PROGRESS} WHERE pid = {pid} {copy}"
    )
}

const INDEX_PROGRESS: &str = "SELECT 'progress', command, phase, \
    (CASE WHEN blocks_total > 0 THEN blocks_done ELSE tuples_done END)::text, \
    (CASE WHEN blocks_total > 0 THEN blocks_total ELSE tuples_total END)::text \
    FROM pg_catalog.pg_stat_progress_create_index";

const COPY_PROGRESS: &str = "SELECT 'progress', command, 'copying', \
    bytes_processed::text, bytes_total::text FROM pg_catalog.pg_stat_progress_copy";

fn parse(row: &[Option<String>], migration: &str) -> Option<Look> {
    let text = |at: usize| row.get(at).cloned().flatten();
    match text(0)?.as_str() {
        "blocker" => Some(Look::Blocker(text(1)?)),
        _ => Some(Look::Progress(Progress {
            migration: migration.to_owned(),
            command: text(1)?,
            phase: text(2).unwrap_or_default(),
            done: text(3)?.parse().ok()?,
            total: text(4)?.parse().ok()?,
        })),
    }
}
