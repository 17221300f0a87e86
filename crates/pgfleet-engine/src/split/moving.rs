//! Moves rows: workers that take part after part, each part one transaction in the database that it
//! fills.

use std::sync::Mutex;
use std::time::Instant;

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::report::Event;
use pgfleet_core::split::{Move, PageRange};

use crate::conduct::Target;
use crate::connect::{Session, SessionError};
use crate::execute::{EventSink, StopSignal};
use crate::journal::literal;
use crate::queue::Queue;

use super::Split;
use super::copy::{Relayed, relay};

/// Session settings under which both sides write and read values alike, and a table is read in the
/// order of its pages.
pub(super) const SETTINGS: &str = "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; \
SET synchronize_seqscans = off; SET row_security = off; SET \"DateStyle\" = 'ISO, YMD'; \
SET \"IntervalStyle\" = 'postgres'; SET \"TimeZone\" = 'UTC'; SET bytea_output = 'hex'; \
SET extra_float_digits = 1; SET client_min_messages = warning; SET jit = off";

/// One part to move.
#[derive(Debug, Clone)]
pub(super) struct Task<'a> {
    pub(super) step: &'a Move,
    /// The pages; `None` is all rows.
    pub(super) pages: Option<PageRange>,
    /// The first page, which names the part in the journal.
    pub(super) from_page: u64,
}

/// What workers share.
pub(super) struct Work<'a> {
    pub(super) split: &'a Split,
    pub(super) split_id: &'a str,
    /// The snapshot that all of them read.
    pub(super) snapshot: &'a str,
    pub(super) tasks: Queue<Task<'a>>,
    pub(super) failures: Mutex<Vec<Problem>>,
    pub(super) events: &'a dyn EventSink,
    pub(super) stop: StopSignal,
}

/// A worker's sessions.
struct Pair<'a> {
    source: Session,
    /// The database that it filled last.
    target: Option<(&'a str, Session)>,
}

impl<'a> Work<'a> {
    /// Works until nothing is left, with as many workers as `jobs`.
    pub(super) async fn run(&self, jobs: usize) {
        let workers = (0..jobs.max(1)).map(|_| self.worker());
        futures_util::future::join_all(workers).await;
    }

    fn next(&self) -> Option<Task<'a>> {
        let failed = |task: &Task<'_>| {
            let failures = self.failures.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            failures.iter().any(|f| f.target.as_deref() == Some(&task.step.into.to_string()))
        };
        // A failed row stops its table, and no other.
        self.tasks.take_first(|task| !failed(task))
    }

    fn fail(&self, problem: Problem) {
        self.failures.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(problem);
    }

    async fn worker(&self) {
        let mut pair = match self.open_source().await {
            Ok(source) => Pair { source, target: None },
            Err(problem) => return self.fail(*problem),
        };
        while let Some(task) = self.next() {
            if *self.stop.borrow() {
                return self.fail(stopped());
            }
            if let Err(problem) = self.part(&mut pair, &task).await {
                let code = problem.code;
                self.fail(*problem);
                match code {
                    Code::ConnectionLost => return,
                    // The other tables would meet the same full disk.
                    Code::OutOfResources => self.tasks.clear(),
                    _ => {}
                }
            }
        }
    }

    async fn open_source(&self) -> Result<Session, Box<Problem>> {
        let source = &self.split.source;
        let session = source.connect().await?;
        let begin = format!(
            "{SETTINGS}; SET max_parallel_workers_per_gather = 0; \
             BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT {}",
            literal(self.snapshot)
        );
        session.batch(&begin).await.map_err(|error| source.session_problem(&error))?;
        Ok(session)
    }

    async fn part(&self, pair: &mut Pair<'a>, task: &Task<'a>) -> Result<(), Box<Problem>> {
        let target = self.target_of(task);
        let session = self.session_for(pair, task).await?;
        let begun = Instant::now();
        let fails = |error: SessionError| target.session_problem(&error);
        if !self.claim(&session, task).await.map_err(fails)? {
            pair.target = Some((&task.step.into.family, session));
            return Ok(());
        }
        session.batch("SAVEPOINT pgfleet_part").await.map_err(fails)?;
        let relayed = relay(&pair.source, &session, task.step, task.pages).await;
        let (rows, bytes) = match relayed {
            Relayed::Rows { rows, bytes } => (rows, bytes),
            failed => {
                let problem = self.explain(pair, task, failed).await;
                let _ = session.batch("ROLLBACK").await;
                self.restore_source(pair).await?;
                pair.target = (!session.is_closed()).then_some((&task.step.into.family, session));
                return Err(Box::new(problem));
            }
        };
        self.commit(&session, task, rows).await.map_err(fails)?;
        let elapsed_ms = begun.elapsed().as_secs_f64() * 1000.0;
        let table = task.step.into.to_string();
        self.events.send(Event::RowsMoved { table, rows, bytes, elapsed_ms });
        pair.target = Some((&task.step.into.family, session));
        Ok(())
    }

    fn target_of(&self, task: &Task<'_>) -> &'a Target {
        let family = self.split.family(&task.step.into.family);
        family.map_or(&self.split.source, |family| &family.target)
    }

    async fn session_for(
        &self,
        pair: &mut Pair<'a>,
        task: &Task<'a>,
    ) -> Result<Session, Box<Problem>> {
        let family = task.step.into.family.as_str();
        match pair.target.take() {
            Some((name, session)) if name == family => return Ok(session),
            Some((_, session)) => session.close().await,
            None => {}
        }
        let target = self.target_of(task);
        let session = target.connect().await?;
        // The split's last commit in this database waits for the disk, and with it all before it.
        let settings = format!("{SETTINGS}; SET synchronous_commit = off");
        session.batch(&settings).await.map_err(|error| target.session_problem(&error))?;
        Ok(session)
    }

    /// Begins the part's transaction; false when it has arrived already.
    async fn claim(&self, session: &Session, task: &Task<'_>) -> Result<bool, SessionError> {
        let sql = format!(
            "BEGIN; SELECT done_at IS NULL FROM pgfleet.split_parts WHERE {} FOR UPDATE",
            self.part_condition(task)
        );
        let rows = session.query_text(&sql).await?;
        let open = rows.first().is_some_and(|row| super::journal::cell(row, 0) == "t");
        if !open {
            session.batch("ROLLBACK").await?;
        }
        Ok(open)
    }

    async fn commit(
        &self,
        session: &Session,
        task: &Task<'_>,
        rows: u64,
    ) -> Result<(), SessionError> {
        let sql = format!(
            "UPDATE pgfleet.split_parts SET rows = {rows}, done_at = pg_catalog.clock_timestamp() \
             WHERE {}; COMMIT",
            self.part_condition(task)
        );
        session.batch(&sql).await
    }

    fn part_condition(&self, task: &Task<'_>) -> String {
        format!(
            "split_id = {} AND into_table = {} AND from_page = {}",
            literal(self.split_id),
            literal(&task.step.into.to_string()),
            task.from_page
        )
    }

    /// An error of the source ends its transaction, and with it the snapshot.
    async fn restore_source(&self, pair: &mut Pair<'a>) -> Result<(), Box<Problem>> {
        if pair.source.batch("SELECT 1").await.is_ok() {
            return Ok(());
        }
        pair.source = self.open_source().await?;
        Ok(())
    }

    async fn explain(&self, pair: &mut Pair<'a>, task: &Task<'_>, failed: Relayed) -> Problem {
        let table = task.step.into.to_string();
        let (error, by_source) = match failed {
            Relayed::SourceFailed(error) => (error, true),
            Relayed::TargetFailed(error) => (error, false),
            Relayed::Rows { .. } => {
                return Problem::error(Code::Bug, "a move that succeeded failed");
            }
        };
        if error.is_lost() {
            return Problem::error(Code::ConnectionLost, format!("{table}: {error}"))
                .in_target(table)
                .fix_with("Run it again; what arrived is recorded.", "pgfleet split run");
        }
        let what = format!("{table} could not be filled");
        if is_short_of_resources(&error) {
            return resources(what, &error).in_target(table);
        }
        let mut problem =
            Problem::error(Code::SplitMoveFailed, what).in_target(table).because(error.to_string());
        if let Some(server) = error.server() {
            problem.sqlstate = Some(server.sqlstate.clone());
            problem.details.extend(server.detail.clone());
        }
        let line = error.server().and_then(|server| copy_line(server.where_.as_deref()?));
        match line.filter(|_| !by_source) {
            Some(line) => {
                if let Some(key) = row_at(&pair.source, task, line).await {
                    problem = problem.detail(format!("the row of the source is {key}"));
                }
            }
            None => {
                problem = problem.fix_with("See which rows, and how many.", "pgfleet split plan");
            }
        }
        problem
            .fix("Correct the row in the source, or the mapping in split.toml.")
            .fix_with("Then go on; what arrived is not moved again.", "pgfleet split run")
    }
}

/// SQLSTATE class 53: a full disk, no memory, a limit of the server.
pub(super) fn is_short_of_resources(error: &SessionError) -> bool {
    error.server().is_some_and(|error| error.sqlstate.starts_with("53"))
}

/// What is said about it: nothing is wrong with the rows.
pub(super) fn resources(what: String, error: &SessionError) -> Problem {
    let mut problem = Problem::error(Code::OutOfResources, what)
        .because(error.to_string())
        .fix("Make room on that server, or enlarge its disk.")
        .fix_with("Then go on; what arrived is not moved again.", "pgfleet split run");
    problem.sqlstate = error.server().map(|server| server.sqlstate.clone());
    problem
}

/// The line of `COPY users, line 3, column role: "…"`, which in binary form counts rows too.
fn copy_line(context: &str) -> Option<u64> {
    let (_, behind) = context.split_once(", line ")?;
    let digits: String = behind.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// The key of the row that came as number `line`: the same scan gives the same order.
async fn row_at(source: &Session, task: &Task<'_>, line: u64) -> Option<String> {
    let step = task.step;
    let sql = format!(
        "SELECT {} {} OFFSET {} LIMIT 1",
        step.key_text(),
        step.from_clause(task.pages),
        line.checked_sub(1)?
    );
    let rows = source.query_text(&sql).await.ok()?;
    rows.first()?.first()?.clone()
}

fn stopped() -> Problem {
    Problem::error(Code::Cancelled, "stopped on request")
        .because("the part that was under way is complete; the others are not begun")
        .fix_with("Go on where it stopped.", "pgfleet split run")
}
