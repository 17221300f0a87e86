//! Runs migrations that no single transaction can hold, unit by unit, and resumes those that an
//! earlier run left.

use std::time::Instant;

use pgfleet_core::plan::{FAILURE_MESSAGE, PlannedStatement, Settle, SqlStep, Unit};

use super::executor::{Executor, changes_session};
use super::failure::{Cause, StepFailure};
use super::message::Message;
use super::retry::Retries;
use super::settle::{self, Finding};
use super::unresumable::{changed_in_between, outcome_unknown};
use crate::connect::{BatchOutcome, SessionError};
use crate::journal::{self, UnitKey, literal};

const STOPPED_LOCK_TIMEOUT: &str = "SET lock_timeout = '500ms'";

/// What an earlier run is known to have done with a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// Nothing.
    Untouched,
    /// It was about to run it.
    Intended,
    /// It did it.
    Done,
}

impl Executor<'_> {
    /// Runs one migration of several units, or with COPY data.
    pub(super) async fn run_separately(&mut self, step: usize) -> Result<(), StepFailure> {
        let begun = Instant::now();
        self.started(step);
        let result = self.run_units(step).await;
        match result {
            Ok(()) => {
                self.done(step, begun);
                Ok(())
            }
            Err(failure) => {
                if !failure.is_lost() {
                    // What could not be restored shows in the next statement.
                    let _ = self.restore(step).await;
                    self.note_failure(step, &failure).await;
                }
                Err(failure)
            }
        }
    }

    async fn run_units(&mut self, step: usize) -> Result<(), StepFailure> {
        let sql_step = self.steps[step];
        let before = self.before(step)?;
        self.record_started(step).await?;
        for (at, unit) in sql_step.units.iter().enumerate() {
            if self.is_stopped() {
                return Err(StepFailure {
                    units_kept: at,
                    ..StepFailure::of_step(step, Cause::Stopped)
                });
            }
            if before[at] == Before::Done {
                self.repeat_settings(step, unit).await?;
                continue;
            }
            let run = self.run_or_pass_over(step, at, unit, before[at]).await;
            run.map_err(|failure| StepFailure { units_kept: at, ..failure })?;
        }
        self.restore(step).await?;
        match sql_step.units.last() {
            Some(Unit::Transaction { .. }) if before.last() != Some(&Before::Done) => Ok(()),
            _ => self.commit(step, &[], &self.closing_records(sql_step)).await,
        }
    }

    /// Says in the history that a migration of several units has begun, and in the journal that this
    /// was us, so that the next run may go on with it.
    async fn record_started(&mut self, step: usize) -> Result<(), StepFailure> {
        let sql_step = self.steps[step];
        let says_so = !sql_step.is_one_transaction() && !sql_step.record_started.is_empty();
        if !says_so || self.has_open(sql_step) {
            return Ok(());
        }
        let mut records = sql_step.record_started.clone();
        records.push(self.key(sql_step, 0, journal::WITHDRAWN).intent());
        self.commit(step, &[], &records).await
    }

    /// The rest of a file counts on what a part of it set that is not run again.
    async fn repeat_settings(&mut self, step: usize, unit: &Unit) -> Result<(), StepFailure> {
        let settings = unit.statements().iter().filter(|s| s.sets_session && s.label == "SET");
        for statement in settings {
            self.run_alone(step, statement).await?;
        }
        Ok(())
    }

    /// What earlier runs did, unit by unit. A file that was changed in between cannot be resumed.
    fn before(&self, step: usize) -> Result<Vec<Before>, StepFailure> {
        let sql_step = self.steps[step];
        let mut before = vec![Before::Untouched; sql_step.units.len()];
        let begun = |open: &&journal::OpenUnit| open.hash != journal::WITHDRAWN;
        for open in self.options.open_units.iter().filter(|o| belongs(o, sql_step)).filter(begun) {
            let same = sql_step.units.get(open.unit).is_some_and(|unit| unit.hash() == open.hash);
            if !same {
                let problem = Box::new(changed_in_between(sql_step, open.unit));
                let units_kept = before.iter().filter(|known| **known == Before::Done).count();
                let failure = StepFailure::of_step(step, Cause::Problem(problem));
                return Err(StepFailure { units_kept: units_kept.max(1), ..failure });
            }
            let known = if open.done { Before::Done } else { Before::Intended };
            if before[open.unit] != Before::Done {
                before[open.unit] = known;
            }
        }
        Ok(before)
    }

    /// A unit whose condition does not hold counts as done. What an earlier run began is gone on
    /// with, whatever the condition says by now.
    async fn run_or_pass_over(
        &mut self,
        step: usize,
        at: usize,
        unit: &Unit,
        before: Before,
    ) -> Result<(), StepFailure> {
        let sql_step = self.steps[step];
        let condition = at.checked_sub(1).and_then(|before| sql_step.units.get(before));
        match (unit, condition) {
            // It is looked at with what it is for.
            (Unit::Condition { .. }, _) => Ok(()),
            (_, Some(Unit::Condition { query })) if before == Before::Untouched => {
                match (self.holds(step, query).await?, unit) {
                    (true, _) => self.run_unit(step, at, unit, before).await,
                    (false, Unit::Transaction { .. }) => self.run_transaction(step, at, &[]).await,
                    (false, _) => {
                        let hash = unit.hash();
                        let done = self.key(sql_step, at, &hash).done(false);
                        self.commit(step, &[], &[done]).await
                    }
                }
            }
            _ => self.run_unit(step, at, unit, before).await,
        }
    }

    async fn holds(&self, step: usize, query: &PlannedStatement) -> Result<bool, StepFailure> {
        self.session.is_true(&query.sql).await.map_err(|error| StepFailure {
            statement: Some(query.clone()),
            ..StepFailure::of_step(step, self.cause(error))
        })
    }

    pub(super) fn has_open(&self, step: &SqlStep) -> bool {
        self.options.open_units.iter().any(|open| belongs(open, step))
    }

    /// Runs a unit, again when it failed for a reason that passes.
    async fn run_unit(
        &mut self,
        step: usize,
        at: usize,
        unit: &Unit,
        before: Before,
    ) -> Result<(), StepFailure> {
        if let Unit::Batched { statement, batches } = unit {
            let resumed = before == Before::Intended;
            return self.run_batches(step, at, statement, batches, resumed).await;
        }
        let mut retries = Retries::new(self.options.apply.attempts);
        let mut before = before;
        loop {
            let result = match unit {
                Unit::Condition { .. } => Ok(()),
                Unit::Session { statement } | Unit::Batched { statement, .. } => {
                    self.run_alone(step, statement).await
                }
                Unit::Transaction { statements } => {
                    self.run_transaction(step, at, statements).await
                }
                Unit::Alone { statement, settle } => {
                    self.run_journaled(step, at, statement, settle, before).await
                }
            };
            match result {
                Ok(()) => return Ok(()),
                Err(failure) if self.retry(&failure, &mut retries).await => {
                    before = Before::Untouched;
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    async fn run_transaction(
        &mut self,
        step: usize,
        at: usize,
        statements: &[PlannedStatement],
    ) -> Result<(), StepFailure> {
        let sql_step = self.steps[step];
        let is_last = at + 1 == sql_step.units.len();
        let mut records = vec![self.key(sql_step, at, &sql_step.units[at].hash()).done(false)];
        if is_last {
            records.extend(self.closing_records(sql_step));
        }
        if statements.iter().any(|statement| statement.copy_data.is_some()) {
            return self.commit_with_copy(step, statements, &records).await;
        }
        self.commit(step, statements, &records).await
    }

    /// Intent, deed, outcome; on resume, or where something half-made may lie, the catalog first.
    async fn run_journaled(
        &mut self,
        step: usize,
        at: usize,
        statement: &PlannedStatement,
        settle: &Settle,
        before: Before,
    ) -> Result<(), StepFailure> {
        let sql_step = self.steps[step];
        let hash = sql_step.units[at].hash();
        let finding = self.look(step, at, settle).await?;
        match (finding, before) {
            (Finding::Unknown, Before::Intended) => {
                return Err(outcome_unknown(step, sql_step, statement));
            }
            (Finding::Happened, Before::Intended) => {
                let done = self.key(sql_step, at, &hash).done(false);
                return self.commit(step, &[], &[done]).await;
            }
            (Finding::CleanFirst(drops), _) => self.clean(step, statement, &drops).await?,
            (Finding::FinishBy(sql), _) => {
                self.clean(step, statement, &[sql]).await?;
                let done = self.key(sql_step, at, &hash).done(false);
                return self.commit(step, &[], &[done]).await;
            }
            (Finding::RunIt | Finding::Unknown | Finding::Happened, _) => {}
        }
        if before == Before::Untouched {
            let intent = self.key(sql_step, at, &hash).intent();
            let durable = "SET LOCAL synchronous_commit TO DEFAULT".to_owned();
            self.commit(step, &[], &[intent, durable]).await?;
        }
        if let Err(failure) = self.run_alone(step, statement).await {
            self.withdraw(step, at, statement, settle, &failure).await;
            return Err(failure);
        }
        let done = self.key(sql_step, at, &hash).done(false);
        self.commit(step, &[], &[done]).await
    }

    /// A statement that the server refused did not happen: what it left half-made goes, and the
    /// intent with it, so that the file may be corrected.
    async fn withdraw(
        &mut self,
        step: usize,
        at: usize,
        statement: &PlannedStatement,
        settle: &Settle,
        failure: &StepFailure,
    ) {
        if failure.is_lost() {
            return;
        }
        if self.is_stopped() {
            // Who asked to stop is not kept waiting for a lock; the next run cleans up too.
            let _ = self.session.run_batch(STOPPED_LOCK_TIMEOUT).await;
        }
        if let Ok(Finding::CleanFirst(drops)) = self.look(step, at, settle).await
            && self.clean(step, statement, &drops).await.is_err()
        {
            return;
        }
        // An intent that stays is settled by the next run.
        let unit = self.key(self.steps[step], at, journal::WITHDRAWN);
        let (withdrawn, earlier) = (unit.intent(), unit.withdraw_all());
        let _ = self.commit(step, &[], &[withdrawn, earlier]).await;
    }

    async fn look(&self, step: usize, at: usize, what: &Settle) -> Result<Finding, StepFailure> {
        let unit = self.key(self.steps[step], at, journal::WITHDRAWN);
        let found = settle::settle(self.session, what, &unit).await;
        found.map_err(|error| StepFailure::of_step(step, Cause::Session(error)))
    }

    async fn clean(
        &mut self,
        step: usize,
        statement: &PlannedStatement,
        drops: &[String],
    ) -> Result<(), StepFailure> {
        for drop in drops {
            let error = self.session.run_batch(drop).await.error;
            if let Some(error) = error {
                let sql = drop.clone();
                let drop = PlannedStatement { sql, verbatim: false, ..statement.clone() };
                let failure = StepFailure::of_step(step, self.cause(error));
                return Err(StepFailure { statement: Some(drop), ..failure });
            }
        }
        Ok(())
    }

    /// One statement, in no transaction of ours.
    async fn run_alone(
        &mut self,
        step: usize,
        statement: &PlannedStatement,
    ) -> Result<(), StepFailure> {
        let outcome = self.answer(self.session.run_batch(&statement.sql)).await;
        let Some(error) = outcome.error else { return self.keep_ours(step, statement).await };
        let position = error.server().and_then(|error| error.position).map(|at| at as usize);
        let failure = StepFailure {
            statement: Some(statement.clone()),
            position,
            blockers: self.watched.take_blockers(),
            ..StepFailure::of_step(step, self.cause(error))
        };
        Err(failure)
    }

    /// `RESET ALL` and `DISCARD ALL` take our own settings, marker and lock away.
    async fn keep_ours(
        &self,
        step: usize,
        statement: &PlannedStatement,
    ) -> Result<(), StepFailure> {
        if !matches!(statement.label.as_str(), "RESET" | "DISCARD") {
            return Ok(());
        }
        let marker = super::message::set_marker(&self.committed);
        let sql =
            format!("{}; {marker}; {};", self.settings(), self.options.lock_keys.keep_worker());
        let outcome = self.session.run_batch(&sql).await;
        outcome.error.map_or(Ok(()), |error| Err(StepFailure::of_step(step, self.cause(error))))
    }

    /// Statements and records in one transaction, in one exchange.
    pub(super) async fn commit(
        &mut self,
        step: usize,
        statements: &[PlannedStatement],
        records: &[String],
    ) -> Result<(), StepFailure> {
        let marker = self.next_marker();
        let settings = self.before_records(step);
        let message = self.message(statements, records, &settings, &self.committed, &marker);
        let request = self.session.run_batch(&message.sql);
        // Records of what has happened are not to be cancelled.
        let outcome = match statements {
            [] => request.await,
            _ => self.answer(request).await,
        };
        let BatchOutcome { completed, error, .. } = outcome;
        match error {
            None => {
                self.committed = marker;
                Ok(())
            }
            Some(error) => {
                let failure = self.failed(step, statements, &message, completed, error);
                self.roll_back().await;
                Err(failure)
            }
        }
    }

    /// `statements` are those that the message was built from.
    pub(super) fn failed(
        &self,
        step: usize,
        statements: &[PlannedStatement],
        message: &Message,
        completed: usize,
        error: SessionError,
    ) -> StepFailure {
        let position = error.server().and_then(|error| error.position);
        let index = message.failed_statement(position, completed);
        StepFailure {
            position: index.and_then(|index| message.position_in_statement(position, index)),
            statement: index.and_then(|index| statements.get(index).cloned()),
            blockers: self.watched.take_blockers(),
            ..StepFailure::of_step(step, self.cause(error))
        }
    }

    /// A statement that ends because we cancelled it was stopped, not refused.
    pub(super) fn cause(&self, error: SessionError) -> Cause {
        let cancelled = error.server().is_some_and(|error| error.sqlstate == "57014");
        if cancelled && self.is_stopped() { Cause::Stopped } else { Cause::Session(error) }
    }

    pub(super) fn key<'k>(&'k self, step: &'k SqlStep, unit: usize, hash: &'k str) -> UnitKey<'k> {
        let SqlStep { version, direction, .. } = step;
        UnitKey { run_id: &self.options.run_id, version, direction: *direction, unit, hash }
    }

    fn closing_records(&self, step: &SqlStep) -> Vec<String> {
        let mut records = step.record_done.clone();
        records.push(journal::close(&step.version, step.direction));
        records
    }

    /// The next migration begins with a session as it was.
    async fn restore(&mut self, step: usize) -> Result<(), StepFailure> {
        if self.steps[step].is_one_transaction() || !changes_session(self.steps[step]) {
            return Ok(());
        }
        let sql =
            format!("{}{};", self.restore_settings(), super::message::set_marker(&self.committed));
        let outcome = self.session.run_batch(&sql).await;
        outcome.error.map_or(Ok(()), |error| Err(StepFailure::of_step(step, self.cause(error))))
    }

    /// Lets the format's own tool know, where it keeps such a note.
    async fn note_failure(&mut self, step: usize, failure: &StepFailure) {
        let sql_step = self.steps[step];
        if sql_step.is_one_transaction() || sql_step.record_failed.is_empty() {
            return;
        }
        let message = match &failure.cause {
            Cause::Session(error) => error.to_string(),
            Cause::Stopped => "stopped by the user".to_owned(),
            Cause::Problem(problem) => problem.what.clone(),
        };
        let quoted = literal(&message);
        let records: Vec<_> = sql_step
            .record_failed
            .iter()
            .map(|sql| sql.replace(FAILURE_MESSAGE, &quoted))
            .collect();
        // The journal is what we resume from; the note is for others.
        let _ = self.commit(step, &[], &records).await;
    }
}

fn belongs(open: &journal::OpenUnit, step: &SqlStep) -> bool {
    open.version == step.version && open.direction == step.direction
}
