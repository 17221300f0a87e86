//! Runs a plan's statements one by one on a copy, and looks after each at what it holds.
//!
//! Invariant: the same statements in the same transactions as on the target; only the looks are
//! between them.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::stream;
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::plan::{CopyRows, Plan, PlannedStatement, SqlStep, Unit};
use pgfleet_core::rehearse::{RehearsedStatement, Touched};
use pgfleet_sql::LockMode;

use super::known::{Held, Known, files, locks_of};
use super::sizes::Sizes;
use crate::conduct::Target;
use crate::connect::{CopyError, Session, SessionError};
use crate::diagnose;
use crate::execute::{Aside, Cause, Execution, RowReader, Sessions, StepFailure};
use crate::journal::OpenUnit;

/// Time between two looks at a statement that no transaction can hold.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// `pg_stat_force_next_flush` came with this version.
const FLUSH_SINCE: u32 = 150_000;

/// Looks before a statement that waits for an older transaction is let go on.
const LOOKS_WHILE_HELD: usize = 8;

/// An older snapshot, and readers of all tables: `CONCURRENTLY` waits for both ("Building Indexes
/// Concurrently" in PostgreSQL's documentation), anything stronger for the readers.
const HOLD: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ;
DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p')
    AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'pgfleet') LIMIT 1000
  LOOP EXECUTE 'LOCK TABLE ONLY ' || name || ' IN ACCESS SHARE MODE'; END LOOP;
END $$";

/// What was seen of a statement from another session.
#[derive(Default)]
struct Watch {
    locks: BTreeMap<u32, LockMode>,
    looks: usize,
    /// How long the statement was kept from ending, at the most.
    held_up: Duration,
}

/// Until the end of a transaction, whatever role the migration has taken on.
const OWN_RIGHTS: &str = "SET LOCAL session_authorization TO DEFAULT; SET LOCAL role TO DEFAULT";

/// Two sessions on a copy, and what is known of it.
pub(super) struct Bench<'a> {
    pub(super) copy: &'a Target,
    /// The migration folder on this machine.
    location: &'a Path,
    pub(super) worker: Session,
    watcher: Session,
    /// Keeps what no transaction can hold from ending before it was looked at.
    holder: Session,
    known: Known,
    sizes: &'a Sizes,
    /// Units that an earlier run on the target did.
    done: Vec<OpenUnit>,
    pub(super) seen: Vec<RehearsedStatement>,
}

/// A statement that failed; none when it was a record or the commit.
pub(super) struct Failed {
    statement: Option<PlannedStatement>,
    cause: Cause,
}

impl<'a> Bench<'a> {
    pub(super) async fn set_up(
        copy: &'a Target,
        location: &'a Path,
        sizes: &'a Sizes,
        open_units: &[OpenUnit],
    ) -> Result<Self, Box<Problem>> {
        let (worker, watcher, holder) =
            tokio::try_join!(copy.connect(), copy.connect(), copy.connect())?;
        let problem = |error: SessionError| copy.session_problem(&error);
        worker.batch("SET synchronous_commit = off").await.map_err(problem)?;
        let known = Known::read(&worker).await.map_err(problem)?;
        let done = open_units.iter().filter(|unit| unit.done).cloned().collect();
        Ok(Self { copy, location, worker, watcher, holder, known, sizes, done, seen: Vec::new() })
    }

    /// Runs a step as the target would, with its records.
    pub(super) async fn run_step(&mut self, step: &SqlStep) -> Result<(), Failed> {
        let result = self.run_units(step).await;
        if result.is_err() {
            // Outside a transaction this is a warning.
            let _ = self.worker.batch("ROLLBACK").await;
        }
        let restored = self.restore().await;
        result.and(restored)
    }

    async fn run_units(&mut self, step: &SqlStep) -> Result<(), Failed> {
        let several = step.units.len() > 1;
        let last_is_transaction = matches!(step.units.last(), Some(Unit::Transaction { .. }));
        if several {
            self.record(&step.record_started).await?;
        }
        for (at, unit) in step.units.iter().enumerate() {
            if self.is_done(step, at, unit) {
                continue;
            }
            let is_last = at + 1 == step.units.len();
            if !self.condition_holds(step, at).await? {
                if is_last && last_is_transaction {
                    self.record(&step.record_done).await?;
                }
                continue;
            }
            match unit {
                Unit::Transaction { statements } => {
                    let records = if is_last { step.record_done.as_slice() } else { &[] };
                    self.run_transaction(step, statements, records).await?;
                }
                Unit::Condition { .. } => {}
                // On a copy one transaction does; what it locks is the same.
                Unit::Batched { statement, .. } => {
                    self.run_transaction(step, std::slice::from_ref(statement), &[]).await?;
                }
                Unit::Alone { statement, .. } | Unit::Session { statement } => {
                    self.run_alone(step, statement).await?;
                }
            }
        }
        match last_is_transaction {
            true => Ok(()),
            false => self.record(&step.record_done).await,
        }
    }

    /// Whether the unit before one is a condition that does not hold.
    async fn condition_holds(&self, step: &SqlStep, at: usize) -> Result<bool, Failed> {
        let before = at.checked_sub(1).and_then(|before| step.units.get(before));
        let Some(Unit::Condition { query }) = before else { return Ok(true) };
        self.worker.is_true(&query.sql).await.map_err(|error| of(query, error))
    }

    fn is_done(&self, step: &SqlStep, at: usize, unit: &Unit) -> bool {
        let mut done = self.done.iter().filter(|open| {
            open.version == step.version && open.direction == step.direction && open.unit == at
        });
        done.any(|open| open.hash == unit.hash())
    }

    async fn run_transaction(
        &mut self,
        step: &SqlStep,
        statements: &[PlannedStatement],
        records: &[String],
    ) -> Result<(), Failed> {
        self.forget_scans().await?;
        self.own("BEGIN").await?;
        let mut held = Held::default();
        for statement in statements {
            let begun = Instant::now();
            let rows = self.send(statement).await?;
            let elapsed = begun.elapsed();
            // Nothing may come before SET TRANSACTION, and it locks nothing.
            if statement.label == "SET" {
                self.see(step, statement, elapsed, rows, false, Vec::new());
                continue;
            }
            let now = Held::own(&self.worker).await.map_err(|e| of(statement, e))?;
            let touched = self.known.touched(&held, &now, self.sizes);
            self.see(step, statement, elapsed, rows, false, touched);
            held = now;
        }
        self.own(OWN_RIGHTS).await?;
        for record in records {
            self.own(record).await?;
        }
        self.own("COMMIT").await
    }

    /// Scans are counted on from one transaction to the next until the server passes them on.
    async fn forget_scans(&mut self) -> Result<(), Failed> {
        if self.worker.server_version_num() >= FLUSH_SINCE {
            self.own("SELECT pg_catalog.pg_stat_force_next_flush()").await?;
            self.known.forget_scans();
        }
        Ok(())
    }

    /// After something that is not to be seen.
    pub(super) async fn catch_up(&mut self) -> Result<(), Failed> {
        let files = files(&self.worker).await;
        self.known.catch_up(
            &files.map_err(|error| Failed { statement: None, cause: Cause::Session(error) })?,
        );
        Ok(())
    }

    async fn run_alone(
        &mut self,
        step: &SqlStep,
        statement: &PlannedStatement,
    ) -> Result<(), Failed> {
        self.holder.batch(HOLD).await.map_err(|error| of(statement, error))?;
        let begun = Instant::now();
        let (sent, watch) = self.send_watched(statement).await;
        let elapsed = begun.elapsed().saturating_sub(watch.held_up);
        // Already ended where the statement waited for it.
        let _ = self.holder.batch("ROLLBACK").await;
        let rows = sent?;
        let files = files(&self.worker).await.map_err(|error| of(statement, error))?;
        let touched = self.known.watched(&watch.locks, &files, self.sizes);
        self.see(step, statement, elapsed, rows, true, touched);
        Ok(())
    }

    /// Sends a statement, and looks at its locks from another session until it ends.
    async fn send_watched(&self, statement: &PlannedStatement) -> (Result<u64, Failed>, Watch) {
        let mut watch = Watch::default();
        let pid = self.worker.backend_pid();
        let begun = Instant::now();
        let mut sent = std::pin::pin!(self.send(statement));
        loop {
            tokio::select! {
                biased;
                result = &mut sent => return (result, watch),
                () = self.look(pid, &mut watch, begun) => {}
            }
        }
    }

    async fn look(&self, pid: i32, watch: &mut Watch, begun: Instant) {
        // A look that fails sees nothing; the statement itself tells what is wrong.
        let seen = locks_of(&self.watcher, pid).await.unwrap_or_default();
        for (oid, lock) in seen {
            let strongest = watch.locks.entry(oid).or_insert(lock);
            *strongest = (*strongest).max(lock);
        }
        watch.looks += 1;
        if watch.looks >= LOOKS_WHILE_HELD && watch.held_up.is_zero() {
            let _ = self.holder.batch("ROLLBACK").await;
            watch.held_up = begun.elapsed();
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }

    async fn send(&self, statement: &PlannedStatement) -> Result<u64, Failed> {
        if let Some(rows) = &statement.copy_data {
            return self.copy(statement, rows).await;
        }
        let outcome = self.worker.run_batch(&statement.sql).await;
        match outcome.error {
            Some(error) => Err(of(statement, error)),
            None => Ok(outcome.rows_affected.iter().sum()),
        }
    }

    async fn copy(&self, statement: &PlannedStatement, rows: &CopyRows) -> Result<u64, Failed> {
        let problem =
            |problem| Failed { statement: Some(statement.clone()), cause: Cause::Problem(problem) };
        let sql = &statement.sql;
        let copied = match rows {
            CopyRows::Here(rows) => {
                let rows = Bytes::copy_from_slice(rows.as_bytes());
                self.worker.copy_in(sql, stream::iter([Ok(rows)])).await
            }
            CopyRows::InFile(rows) => {
                let reader = RowReader::open(self.location, statement, rows).map_err(problem)?;
                self.worker.copy_in(sql, stream::iter(reader)).await
            }
        };
        copied.map_err(|error| match error {
            CopyError::Session(error) => of(statement, error),
            CopyError::Source(source) => problem(source),
        })
    }

    fn see(
        &mut self,
        step: &SqlStep,
        statement: &PlannedStatement,
        elapsed: Duration,
        rows: u64,
        watched: bool,
        touched: Vec<Touched>,
    ) {
        let emptied = statement.label == "TRUNCATE";
        let touched = touched.into_iter().map(|one| Touched {
            rewritten: one.rewritten && !emptied,
            // Only of what changes a definition: queries choose their way by the rows that are
            // there, of which a copy has few.
            scanned: one.scanned && changes_definition(&statement.label),
            ..one
        });
        let touched =
            touched.filter(|one| one.new_lock().is_some() || one.rewritten || one.scanned);
        self.seen.push(RehearsedStatement {
            migration: step.label.clone(),
            place: statement.place.clone(),
            label: statement.label.clone(),
            elapsed_ms: elapsed.as_secs_f64() * 1000.0,
            rows,
            watched,
            touched: touched.collect(),
        });
    }

    pub(super) async fn record(&self, records: &[String]) -> Result<(), Failed> {
        for record in records {
            self.own(record).await?;
        }
        Ok(())
    }

    /// SQL of ours.
    pub(super) async fn own(&self, sql: &str) -> Result<(), Failed> {
        let done = self.worker.batch(sql).await;
        done.map_err(|error| Failed { statement: None, cause: Cause::Session(error) })
    }

    /// The next migration begins with a session as it was.
    async fn restore(&self) -> Result<(), Failed> {
        let path = self.copy.spec.search_path.as_deref();
        let path = path.map(|path| format!("SET search_path TO {path}; ")).unwrap_or_default();
        self.own(&format!(
            "SET SESSION AUTHORIZATION DEFAULT; RESET ROLE; RESET ALL; DISCARD TEMP; {path}\
             SET synchronous_commit = off"
        ))
        .await
    }

    /// Why a step failed, from the copy's catalog.
    pub(super) async fn explain(&self, plan: &Plan, step: usize, failed: Failed) -> Vec<Problem> {
        let position = match &failed.cause {
            Cause::Session(error) => error.server().and_then(|error| error.position),
            Cause::Stopped | Cause::Problem(_) => None,
        };
        let failure = StepFailure {
            step,
            statement: failed.statement,
            position: position.map(|at| at as usize),
            cause: failed.cause,
            blockers: Vec::new(),
            units_kept: 0,
        };
        let execution =
            Execution { migrations: Vec::new(), failures: vec![failure], skipped: Vec::new() };
        let aside = Aside::Open(&self.watcher);
        let sessions = Sessions { worker: &self.worker, aside: &aside };
        diagnose::explain_execution(self.copy, &sessions, plan, &execution).await
    }

    pub(super) async fn close(self) {
        self.worker.close().await;
        self.watcher.close().await;
        self.holder.close().await;
    }
}

impl Failed {
    pub(super) fn into_problem(self, copy: &Target) -> Box<Problem> {
        match self.cause {
            Cause::Session(error) => copy.session_problem(&error),
            Cause::Problem(problem) => problem,
            Cause::Stopped => {
                Box::new(Problem::error(Code::Cancelled, "the rehearsal was stopped"))
            }
        }
    }

    /// What the server said, and about what.
    pub(super) fn words(&self) -> Vec<String> {
        let place = self.statement.as_ref().map(|s| format!("{} at {}", s.label, s.place));
        let said = match &self.cause {
            Cause::Session(error) => error.to_string(),
            Cause::Problem(problem) => problem.what.clone(),
            Cause::Stopped => "it was stopped".to_owned(),
        };
        place.into_iter().chain([said]).collect()
    }
}

fn of(statement: &PlannedStatement, error: SessionError) -> Failed {
    Failed { statement: Some(statement.clone()), cause: Cause::Session(error) }
}

fn changes_definition(label: &str) -> bool {
    ["CREATE ", "ALTER ", "REFRESH"].iter().any(|word| label.starts_with(word))
}
