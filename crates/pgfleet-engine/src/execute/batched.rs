//! Runs a statement in batches: one transaction for each range of a key, with the journal's row.
//!
//! Invariant: a batch commits together with the key at which it ended, and only when it changed all
//! rows that it should have; so a run that is killed goes on behind the last batch that is there.

use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::future::Either;
use pgfleet_core::batches::Batches;
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::plan::{PlannedStatement, Unit};
use pgfleet_core::report::{Event, Progress};
use pgfleet_sql::{Narrowed, char_to_byte};

use super::batch_journal::{self, Advance, Reached};
use super::batch_ranges::{CutError, Cutting, Window, rows_unseen};
use super::executor::Executor;
use super::failure::{Cause, StepFailure};
use super::message;
use super::retry::Retries;
use crate::connect::{BatchOutcome, SessionError};
use crate::journal::{self, literal};

/// No batch is smaller, however slow, unless the comment asks for it.
const SIZE_MIN: u64 = 10;
/// No batch is larger, however fast: its rows stay locked, and its memory is the server's.
const SIZE_MAX: u64 = 200_000;
/// How often replicas are looked at.
const REPLICAS_EVERY: Duration = Duration::from_secs(1);
/// Commands of the first message before the statement: BEGIN, SET, SELECT.
const COMMANDS_BEFORE: usize = 3;
/// What the server is made to say when rows were left out.
const LEFT_OUT: &str = "pgfleet: of expected rows ";

/// A unit of a plan that is run in batches.
struct Job<'a> {
    step: usize,
    at: usize,
    statement: &'a PlannedStatement,
    batches: &'a Batches,
    cutting: Cutting,
}

/// How large batches are.
struct Pace {
    size: u64,
    size_min: u64,
    target: Duration,
}

impl Pace {
    fn new(batches: &Batches) -> Self {
        let target = Duration::from_millis(batches.time_ms);
        let size = batches.size.min(SIZE_MAX);
        Self { size, size_min: SIZE_MIN.min(size), target }
    }

    /// A batch took this long; no step is more than half or double.
    fn adapt(&mut self, took: Duration, somebody_waited: bool) {
        let factor = self.target.as_secs_f64() / took.as_secs_f64().max(0.000_1);
        let factor = if somebody_waited { 0.5 } else { factor.clamp(0.5, 2.0) };
        let size = (self.size as f64 * factor).round() as u64;
        self.size = size.clamp(self.size_min, SIZE_MAX);
    }

    fn halve(&mut self) {
        self.size = (self.size / 2).max(1);
    }
}

impl Executor<'_> {
    /// Runs a statement in batches, from the beginning or from where an earlier run was.
    pub(super) async fn run_batches(
        &mut self,
        step: usize,
        at: usize,
        statement: &PlannedStatement,
        batches: &Batches,
        resumed: bool,
    ) -> Result<(), StepFailure> {
        let cutting = Cutting::of(self.session, statement, batches).await;
        let cutting = cutting.map_err(|error| self.cut_failure(step, statement, error))?;
        let job = Job { step, at, statement, batches, cutting };
        let mut reached = self.begin_batches(&job, resumed).await?;
        let result = self.walk(&job, &mut reached).await;
        if let Err(failure) = result {
            if reached.batches == 0 && !failure.is_lost() {
                self.forget_batches(&job).await;
            }
            return Err(failure);
        }
        let hash = self.steps[step].units[at].hash();
        let done = self.key(self.steps[step], at, &hash).done(false);
        self.commit(step, &[], &[done]).await
    }

    async fn begin_batches(
        &mut self,
        job: &Job<'_>,
        resumed: bool,
    ) -> Result<Reached, StepFailure> {
        let hash = self.hash_of(job);
        let create = batch_journal::create(self.session).await;
        let create = create.map_err(|error| self.session_failure(job, error))?;
        let sql_step = self.steps[job.step];
        let unit = self.key(sql_step, job.at, &hash);
        if resumed && create.is_none() {
            let reached = batch_journal::read(self.session, &unit).await;
            if let Some(reached) = reached.map_err(|error| self.session_failure(job, error))? {
                return Ok(reached);
            }
        }
        let mut records: Vec<_> = create.into_iter().collect();
        records.extend(batch_journal::begin(&unit));
        records.push(unit.intent());
        self.commit(job.step, &[], &records).await?;
        Ok(Reached::default())
    }

    /// Nothing of the statement is in the database: the file may be corrected.
    async fn forget_batches(&mut self, job: &Job<'_>) {
        let unit = self.key(self.steps[job.step], job.at, journal::WITHDRAWN);
        let records = [batch_journal::forget(&unit), unit.intent()];
        // An intent that stays is resumed by the next run.
        let _ = self.commit(job.step, &[], &records).await;
    }

    async fn walk(&mut self, job: &Job<'_>, reached: &mut Reached) -> Result<(), StepFailure> {
        let mut pace = Pace::new(job.batches);
        let mut retries = Retries::new(self.options.apply.attempts);
        let mut replicas_seen = Instant::now();
        let mut touched_before_pass = reached.rows_touched;
        loop {
            if self.is_stopped() {
                return Err(StepFailure::of_step(job.step, Cause::Stopped));
            }
            let next = job.cutting.next(self.session, reached.last.as_deref(), pace.size).await;
            let window = next.map_err(|error| self.session_failure(job, error))?;
            let begun = Instant::now();
            match self.run_batch(job, &window).await {
                Ok(batch) => {
                    retries = Retries::new(self.options.apply.attempts);
                    pace.adapt(begun.elapsed(), batch.somebody_waited);
                    self.count(job, reached, &window, batch.touched);
                }
                Err(failure) if self.retry(&failure, &mut retries).await => {
                    pace.halve();
                    continue;
                }
                Err(failure) => return Err(failure),
            }
            if window.end.is_none() {
                if !self.rows_are_left(job).await? {
                    return Ok(());
                }
                if reached.rows_touched == touched_before_pass {
                    return Err(self.problem_failure(job, rows_stay(job)));
                }
                touched_before_pass = reached.rows_touched;
            }
            self.pause(job, &mut replicas_seen).await;
        }
    }

    fn count(&self, job: &Job<'_>, reached: &mut Reached, window: &Window, touched: u64) {
        reached.last.clone_from(&window.end);
        reached.rows_seen += window.rows;
        reached.rows_touched += touched;
        reached.batches += 1;
        let total = job.cutting.rows_estimate;
        self.tell(job, "rows", reached.rows_seen.min(total.max(reached.rows_touched)), total);
    }

    fn tell(&self, job: &Job<'_>, phase: &str, done: u64, total: u64) {
        self.events.send(Event::StatementProgress(Progress {
            migration: self.steps[job.step].label.clone(),
            command: format!("{} in batches", job.cutting.change.command),
            phase: phase.to_owned(),
            done,
            total,
        }));
    }

    /// One range in one transaction; the count is compared before the commit.
    async fn run_batch(&mut self, job: &Job<'_>, window: &Window) -> Result<Batch, StepFailure> {
        let narrowed = job.cutting.change.narrowed(&job.statement.sql, &window.condition);
        let counted = job.cutting.change.counted(&job.statement.sql, &window.condition);
        let text = BatchText::new(&counted, narrowed);
        let (outcome, somebody_waited) = self.work_and_look(job, &text.sql).await;
        if let Some(error) = outcome.error {
            let failure = self.batch_failure(job, &text, &counted, error);
            self.roll_back().await;
            return Err(failure);
        }
        let touched = outcome.rows_affected.get(COMMANDS_BEFORE).copied().unwrap_or(0);
        self.commit_batch(job, window, touched).await?;
        Ok(Batch { touched, somebody_waited })
    }

    async fn work_and_look(&self, job: &Job<'_>, sql: &str) -> (BatchOutcome, bool) {
        let work = pin!(self.answer(self.session.run_batch(sql)));
        let look = pin!(self.somebody_waits(job));
        match futures_util::future::select(work, look).await {
            Either::Left((outcome, _)) => (outcome, false),
            Either::Right((somebody_waits, work)) => (work.await, somebody_waits),
        }
    }

    async fn commit_batch(
        &mut self,
        job: &Job<'_>,
        window: &Window,
        touched: u64,
    ) -> Result<(), StepFailure> {
        let hash = self.hash_of(job);
        let unit = self.key(self.steps[job.step], job.at, &hash);
        let by =
            Advance { last: window.end.as_deref(), rows_seen: window.rows, rows_touched: touched };
        let expected = "pg_catalog.current_setting('pgfleet.expected')";
        let left_out = literal(LEFT_OUT);
        let advance = batch_journal::advance(&unit, &by);
        let settings = self.before_records(job.step);
        let marker = self.next_marker();
        let sql = format!(
            "SELECT CAST(CASE WHEN {touched} >= {expected}::bigint THEN '1' ELSE {left_out} || {expected} \
             END AS integer);\n{settings}{advance};\n{};\nCOMMIT;",
            message::set_marker(&marker)
        );
        match self.session.run_batch(&sql).await.error {
            None => {
                self.committed = marker;
                Ok(())
            }
            Some(error) => {
                self.roll_back().await;
                Err(match expected_rows(&error) {
                    Some(expected) => {
                        self.problem_failure(job, left_out_problem(job, touched, &expected))
                    }
                    None => self.session_failure(job, error),
                })
            }
        }
    }

    /// Looks, when half of a batch's time is over, whether somebody waits for a lock of ours.
    async fn somebody_waits(&self, job: &Job<'_>) -> bool {
        tokio::time::sleep(Duration::from_millis(job.batches.time_ms / 2)).await;
        let sql = format!(
            "SELECT 1 FROM pg_catalog.pg_locks l WHERE NOT l.granted \
             AND {} = ANY (pg_catalog.pg_blocking_pids(l.pid)) LIMIT 1",
            self.session.backend_pid()
        );
        let Some(aside) = self.aside.session().await else { return false };
        aside.query_text(&sql).await.is_ok_and(|rows| !rows.is_empty())
    }

    /// After the last range by place: rows that moved while the table was walked.
    async fn rows_are_left(&self, job: &Job<'_>) -> Result<bool, StepFailure> {
        if !job.cutting.may_leave_rows() {
            return Ok(false);
        }
        let counted = job.cutting.change.counted(&job.statement.sql, "true");
        let rows = self.session.query_text(&counted).await;
        let rows = rows.map_err(|error| self.session_failure(job, error))?;
        Ok(rows.into_iter().flatten().flatten().any(|count| count != "0"))
    }

    /// The pause that was asked for, and as much more as replicas need to catch up.
    async fn pause(&self, job: &Job<'_>, replicas_seen: &mut Instant) {
        self.sleep(Duration::from_millis(job.batches.pause_ms)).await;
        if replicas_seen.elapsed() < REPLICAS_EVERY {
            return;
        }
        while let Some(behind) = self.replicas_behind().await
            && behind > job.batches.lag_bytes
            && !self.is_stopped()
        {
            self.tell(job, "waiting for replicas, bytes behind", behind, 0);
            self.sleep(REPLICAS_EVERY).await;
        }
        *replicas_seen = Instant::now();
    }

    async fn sleep(&self, pause: Duration) {
        let mut stop = self.stop.clone();
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }

    /// Bytes of log that the slowest replica has not replayed; none without replicas, or when the
    /// role may not see them.
    async fn replicas_behind(&self) -> Option<u64> {
        let sql = "SELECT pg_catalog.max(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), \
                   replay_lsn))::bigint FROM pg_catalog.pg_stat_replication WHERE state = 'streaming'";
        let rows = self.aside.session().await?.query_text(sql).await.ok()?;
        rows.into_iter().next()?.into_iter().next()??.parse().ok()
    }

    fn hash_of(&self, job: &Job<'_>) -> String {
        let unit: &Unit = &self.steps[job.step].units[job.at];
        unit.hash()
    }

    fn session_failure(&self, job: &Job<'_>, error: SessionError) -> StepFailure {
        StepFailure {
            statement: Some(job.statement.clone()),
            blockers: self.watched.take_blockers(),
            ..StepFailure::of_step(job.step, self.cause(error))
        }
    }

    fn problem_failure(&self, job: &Job<'_>, problem: Problem) -> StepFailure {
        StepFailure::of_step(job.step, Cause::Problem(Box::new(problem)))
    }

    fn cut_failure(
        &self,
        step: usize,
        statement: &PlannedStatement,
        error: CutError,
    ) -> StepFailure {
        let cause = match error {
            CutError::Session(error) => self.cause(error),
            CutError::Problem(problem) => Cause::Problem(problem),
        };
        StepFailure { statement: Some(statement.clone()), ..StepFailure::of_step(step, cause) }
    }

    /// An error of the server, with its position in the statement as it stands in the file.
    fn batch_failure(
        &self,
        job: &Job<'_>,
        text: &BatchText,
        counted: &str,
        error: SessionError,
    ) -> StepFailure {
        if let Some(problem) = unseen(job, &error) {
            return self.problem_failure(job, problem);
        }
        let position = error.server().and_then(|error| error.position).and_then(|at| {
            let offset = char_to_byte(&text.sql, at as usize);
            let original = match offset.checked_sub(text.change_at) {
                Some(inside) => text.narrowed.original_offset(inside)?,
                None => {
                    let inside = offset.checked_sub(text.count_at)?;
                    job.cutting.change.counted_offset(&job.statement.sql, counted, inside)?
                }
            };
            Some(job.statement.sql.get(..original)?.chars().count() + 1)
        });
        StepFailure { position, ..self.session_failure(job, error) }
    }
}

/// The first message of a batch: the rows are counted, then changed.
struct BatchText {
    sql: String,
    count_at: usize,
    change_at: usize,
    narrowed: Narrowed,
}

impl BatchText {
    fn new(counted: &str, narrowed: Narrowed) -> Self {
        let mut sql = "BEGIN ISOLATION LEVEL REPEATABLE READ;\nSET LOCAL row_security = off;\n\
                       SELECT pg_catalog.set_config('pgfleet.expected', ("
            .to_owned();
        let count_at = sql.len();
        sql.push_str(counted);
        sql.push_str("\n)::text, true);\n");
        let change_at = sql.len();
        sql.push_str(&narrowed.sql);
        sql.push(';');
        Self { sql, count_at, change_at, narrowed }
    }
}

/// What a batch did.
struct Batch {
    touched: u64,
    somebody_waited: bool,
}

/// The server refuses, with `row_security = off`, to hide rows: of the table, or of one that the
/// statement reads (`check_enable_rls` in src/backend/utils/misc/rls.c).
fn unseen(job: &Job<'_>, error: &SessionError) -> Option<Problem> {
    let server = error.server().filter(|error| error.sqlstate == "42501")?;
    server.message.contains("row-level security").then(|| {
        rows_unseen(&job.cutting.change.table.to_string())
            .at(job.statement.place.clone())
            .detail(format!("the server said: {}", server.message))
    })
}

/// The number behind [`LEFT_OUT`], which stands in the server's message in any language.
fn expected_rows(error: &SessionError) -> Option<String> {
    let message = &error.server().filter(|error| error.sqlstate == "22P02")?.message;
    let (_, number) = message.split_once(LEFT_OUT)?;
    Some(number.chars().take_while(char::is_ascii_digit).collect())
}

fn left_out_problem(job: &Job<'_>, touched: u64, expected: &str) -> Problem {
    let command = job.cutting.change.command;
    let table = &job.cutting.change.table;
    Problem::error(
        Code::RowsUntouched,
        format!("a batch of {command} changed {touched} of {expected} rows of {table}"),
    )
    .at(job.statement.place.clone())
    .because("a trigger, rule or policy makes PostgreSQL pass over rows without an error")
    .detail("the batch was rolled back; batches before it stay and are not run again")
    .fix("Disable what passes over rows for the time of the migration; then run the same command.")
}

fn rows_stay(job: &Job<'_>) -> Problem {
    let what = format!(
        "rows of {} still fit the condition after a pass over the table that changed none",
        job.cutting.change.table
    );
    Problem::error(Code::RowsUntouched, what)
        .at(job.statement.place.clone())
        .because("with key=ctid the WHERE must leave out rows that are done")
        .fix("Write the WHERE so that a changed row does not fit it any more.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_grow_and_shrink_with_their_time() {
        let mut pace = Pace { size: 1000, size_min: 10, target: Duration::from_millis(100) };
        pace.adapt(Duration::from_millis(10), false);
        assert_eq!(pace.size, 2000);
        pace.adapt(Duration::from_millis(125), false);
        assert_eq!(pace.size, 1600);
        pace.adapt(Duration::from_millis(50), true);
        assert_eq!(pace.size, 800);
        (0..10).for_each(|_| pace.adapt(Duration::from_secs(9), false));
        assert_eq!(pace.size, 10);
        (0..40).for_each(|_| pace.adapt(Duration::ZERO, false));
        assert_eq!(pace.size, SIZE_MAX);
    }
}
