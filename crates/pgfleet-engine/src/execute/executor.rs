//! Walks through a plan's steps: stretches of one-transaction migrations are sent ahead, the
//! others one by one.

use std::time::Instant;

use pgfleet_core::config::CommitWait;
use pgfleet_core::plan::{Plan, SqlStep, Unit};
use pgfleet_core::report::{Event, MigrationOutcome, MigrationRun};

use super::failure::{Cause, StepFailure};
use super::message::{self, Message, Transaction};
use super::notices::NoticeReader;
use super::retry::Retries;
use super::watch::Watched;
use super::{Aside, EventSink, Execution, RunOptions, Sessions, SetupFailure, StopSignal};
use crate::connect::{BatchOutcome, Session, SessionError};
use crate::journal;
use crate::lock::LoneLock;

/// Until the end of a transaction, whatever role the migration has taken on.
const OWN_RIGHTS: &str = "SET LOCAL session_authorization TO DEFAULT; SET LOCAL role TO DEFAULT;\n";

/// The marker before the first message of a session.
const START: &str = "start";

pub(super) struct Executor<'a> {
    pub(super) session: &'a Session,
    /// Looks at what others wait for.
    pub(super) aside: &'a Aside<'a>,
    pub(super) plan: &'a Plan,
    pub(super) steps: Vec<&'a SqlStep>,
    pub(super) options: &'a RunOptions,
    pub(super) events: &'a dyn EventSink,
    pub(super) stop: StopSignal,
    pub(super) watched: &'a Watched,
    /// The marker that the last committed message left.
    pub(super) committed: String,
    pub(super) notices: NoticeReader<'a>,
    sequence: u64,
    migrations: Vec<MigrationRun>,
    failures: Vec<StepFailure>,
}

impl<'a> Executor<'a> {
    pub(super) fn new(
        sessions: &Sessions<'a>,
        plan: &'a Plan,
        options: &'a RunOptions,
        events: &'a dyn EventSink,
        stop: &StopSignal,
        watched: &'a Watched,
    ) -> Self {
        let steps: Vec<_> = plan.sql_steps().collect();
        let session = sessions.worker;
        Self {
            session,
            aside: sessions.aside,
            plan,
            notices: NoticeReader::new(session, events, &steps),
            migrations: steps.iter().map(|step| not_run(step)).collect(),
            steps,
            options,
            events,
            stop: stop.clone(),
            watched,
            committed: START.to_owned(),
            sequence: 0,
            failures: Vec::new(),
        }
    }

    pub(super) async fn run(mut self) -> Result<Execution, SetupFailure> {
        if let Some(end) = &self.options.enclosed {
            self.run_enclosed(end).await.map_err(|error| SetupFailure { error })?;
            return Ok(self.ended());
        }
        self.set_up().await.map_err(|error| SetupFailure { error })?;
        self.run_steps().await;
        self.finish().await;
        Ok(self.ended())
    }

    fn ended(self) -> Execution {
        let skipped = self.notices.into_skipped();
        Execution { migrations: self.migrations, failures: self.failures, skipped }
    }

    pub(super) fn fail(&mut self, failure: StepFailure) {
        self.migrations[failure.step].outcome = MigrationOutcome::Failed;
        self.failures.push(failure);
    }

    /// What a run writes before its first migration.
    pub(super) fn first_records(&self) -> Vec<String> {
        let mut records: Vec<String> = Vec::new();
        if !self.options.has_journal {
            records.extend(journal::CREATE.iter().map(|sql| (*sql).to_owned()));
        }
        records.extend(self.plan.setup.iter().cloned());
        let RunOptions { run_id, command, client, .. } = self.options;
        records.push(journal::begin_run(run_id, command, &self.plan.fingerprint, client));
        records
    }

    /// Session settings, journal, history table and the run's row.
    async fn set_up(&mut self) -> Result<(), SessionError> {
        let records = self.first_records();
        let marker = self.next_marker();
        let transaction = self.message(&[], &records, "", &self.committed, &marker);
        let settings = format!("{};\n{};", self.settings(), message::set_marker(START));
        let (first, second) = futures_util::future::join(
            self.session.run_batch(&settings),
            self.session.run_batch(&transaction.sql),
        )
        .await;
        if let Some(error) = first.error.or(second.error) {
            self.roll_back().await;
            return Err(error);
        }
        self.notices.discard();
        self.committed = marker;
        Ok(())
    }

    async fn run_steps(&mut self) {
        let mut next = 0;
        let mut retries = Retries::new(self.options.apply.attempts);
        while next < self.steps.len() {
            let failure = match self.run_stretch(&mut next).await {
                Ok(()) => continue,
                Err(failure) => failure,
            };
            next = failure.step;
            // The units of other steps have been tried again one by one: what is done, is done.
            if self.is_simple(self.steps[next]) && self.retry(&failure, &mut retries).await {
                continue;
            }
            let goes_on = self.options.continue_on_error
                && !failure.is_lost()
                && !matches!(failure.cause, Cause::Stopped);
            self.fail(failure);
            if !goes_on {
                break;
            }
            next += 1;
        }
    }

    /// One transaction without COPY data, of which no earlier run did a part: it can be sent ahead.
    pub(super) fn is_simple(&self, step: &SqlStep) -> bool {
        let copies = |unit: &Unit| unit.statements().iter().any(|s| s.copy_data.is_some());
        let is_resumed = step.statement_count() > 0 && self.has_open(step);
        step.is_one_transaction() && !step.units.iter().any(copies) && !is_resumed
    }

    /// Runs the next step, or as many as can be sent ahead; `next` moves on with every success.
    async fn run_stretch(&mut self, next: &mut usize) -> Result<(), StepFailure> {
        let ahead = self.steps[*next..].iter().take_while(|step| self.is_simple(step)).count();
        if ahead == 0 {
            self.run_separately(*next).await?;
            *next += 1;
            return Ok(());
        }
        let until = *next + ahead;
        self.run_pipeline(*next..until).await?;
        *next = until;
        Ok(())
    }

    /// The last commit of a run waits for the disk, and with it all before it.
    async fn finish(&mut self) {
        let complete = self.failures.is_empty();
        let outcome = if complete { "done" } else { "failed" };
        let sql = format!(
            "SET synchronous_commit TO DEFAULT;\n{};",
            journal::end_run(&self.options.run_id, outcome)
        );
        let ended = match &self.options.lone_lock {
            None => self.session.run_batch(&sql).await,
            Some(lock) => {
                let release = lock.release();
                let both = (self.session.run_batch(&sql), self.session.run_batch(&release));
                futures_util::future::join(both.0, both.1).await.0
            }
        };
        // Until then a crash of the server may undo what was done last.
        if let (Some(error), true, Some(last)) =
            (ended.error, complete, self.steps.len().checked_sub(1))
        {
            self.migrations[last].outcome = MigrationOutcome::Failed;
            self.failures.push(StepFailure::of_step(last, Cause::Session(error)));
        }
    }

    pub(super) fn message(
        &self,
        statements: &[pgfleet_core::plan::PlannedStatement],
        records: &[String],
        settings: &str,
        after: &str,
        marker: &str,
    ) -> Message {
        message::build(&Transaction {
            statements,
            records,
            after,
            marker,
            settings,
            held: self.options.lone_lock.as_ref().map(LoneLock::is_held),
            durable: false,
            enclosed: false,
        })
    }

    /// What lets the records of a step be written after its statements: the session as it was, at
    /// the end of a transaction that is the whole step; else our own rights until the commit.
    pub(super) fn before_records(&self, step: usize) -> String {
        let step = self.steps[step];
        match (changes_session(step), step.is_one_transaction()) {
            (false, _) => String::new(),
            (true, true) => self.restore_settings(),
            (true, false) => OWN_RIGHTS.to_owned(),
        }
    }

    pub(super) fn next_marker(&mut self) -> String {
        self.sequence += 1;
        format!("{}/{}", self.options.run_id, self.sequence)
    }

    /// Whatever role and settings the user's URL brings stay; these are ours.
    pub(super) fn settings(&self) -> String {
        let apply = &self.options.apply;
        let commit = match apply.commit_wait {
            CommitWait::Last => "SET synchronous_commit = off",
            CommitWait::Each => "SET synchronous_commit TO DEFAULT",
        };
        format!(
            "SET lock_timeout = {}; SET statement_timeout = {}; \
             SET idle_in_transaction_session_timeout = 0; {commit}",
            apply.lock_timeout_ms, apply.statement_timeout_ms
        )
    }

    /// Undoes what a migration did to the session: role, `search_path`, any setting, temporary
    /// tables. `RESET ROLE` gives back the role that the server assigns at login.
    pub(super) fn restore_settings(&self) -> String {
        let path = self.options.search_path.as_deref();
        let path = path.map(|path| format!("SET search_path TO {path}; ")).unwrap_or_default();
        format!(
            "SET SESSION AUTHORIZATION DEFAULT; RESET ROLE; RESET ALL; DISCARD TEMP; {path}{};\n",
            self.settings()
        )
    }

    pub(super) async fn roll_back(&self) {
        // Outside a transaction this is a warning; on a lost connection there is nothing to do.
        let _ = self.session.run_batch("ROLLBACK").await;
    }

    pub(super) fn started(&self, step: usize) {
        let sql_step = self.steps[step];
        self.watched.begin(&sql_step.label);
        self.events.send(Event::MigrationStarted {
            migration: sql_step.label.clone(),
            position: step + 1,
            statements: sql_step.statement_count(),
        });
    }

    pub(super) fn done(&mut self, step: usize, begun: Instant) {
        self.watched.end();
        self.notices.read(step);
        let elapsed_ms = begun.elapsed().as_secs_f64() * 1000.0;
        let run = &mut self.migrations[step];
        run.outcome = MigrationOutcome::Done;
        run.elapsed_ms = Some(elapsed_ms);
        self.events.send(Event::MigrationDone {
            migration: self.steps[step].label.clone(),
            elapsed_ms,
            statements: run.statements,
        });
    }

    pub(super) fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    /// Waits for an answer; when the user asks to stop, cancels what the server runs, again and
    /// again, because a cancel request that arrives between two statements has no effect.
    pub(super) async fn answer<F>(&self, request: F) -> BatchOutcome
    where
        F: std::future::Future<Output = BatchOutcome>,
    {
        let mut request = std::pin::pin!(request);
        let mut stop = self.stop.clone();
        tokio::select! {
            biased;
            outcome = &mut request => return outcome,
            () = stopped(&mut stop) => {}
        }
        loop {
            let _ = self.session.cancel().await;
            tokio::select! {
                outcome = &mut request => return outcome,
                () = tokio::time::sleep(std::time::Duration::from_millis(200)) => {}
            }
        }
    }
}

async fn stopped(stop: &mut StopSignal) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        // Nobody can ask any more.
        std::future::pending::<()>().await;
    }
}

/// True when what follows a step must not find the session as the step leaves it.
pub(super) fn changes_session(step: &SqlStep) -> bool {
    step.units.iter().flat_map(Unit::statements).any(|statement| statement.sets_session)
}

fn not_run(step: &SqlStep) -> MigrationRun {
    MigrationRun {
        version: step.version.clone(),
        name: step.name.clone(),
        file: step.file.clone(),
        outcome: MigrationOutcome::NotRun,
        elapsed_ms: None,
        statements: step.statement_count(),
    }
}
