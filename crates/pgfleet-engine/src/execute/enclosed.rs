//! Runs the migrations of a plan in one transaction, and leaves it prepared or rolls it back.
//!
//! Invariant: until the last statement, `PREPARE TRANSACTION`, the end of the session undoes
//! everything; after it, only who knows the name does. The worker's lock goes with the transaction,
//! so that no other run begins on the target until it is committed or rolled back.

use std::time::Instant;

use super::Enclosed;
use super::executor::Executor;
use super::failure::{Cause, StepFailure};
use super::message::{self, Transaction};
use crate::connect::SessionError;
use crate::journal::{self, literal};

/// What a commit would do behind each migration: deferred constraints are looked at, and are
/// deferred again. `ALL` would speak of those that later migrations make, too.
const AS_AT_COMMIT: &str = "DO $pgfleet$ DECLARE every text; late text; BEGIN \
     SELECT pg_catalog.string_agg(DISTINCT name, ', '), \
     pg_catalog.string_agg(DISTINCT name, ', ') FILTER (WHERE condeferred) INTO every, late \
     FROM (SELECT pg_catalog.format('%I.%I', n.nspname, c.conname) AS name, c.condeferred \
     FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace \
     WHERE c.condeferrable AND NOT pg_catalog.pg_is_other_temp_schema(n.oid) \
     AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')) AS d; \
     IF every IS NOT NULL THEN EXECUTE 'SET CONSTRAINTS ' || every || ' IMMEDIATE'; END IF; \
     IF late IS NOT NULL THEN EXECUTE 'SET CONSTRAINTS ' || late || ' DEFERRED'; END IF; \
     END $pgfleet$;\n";

/// `unsafe_new_enum_value_usage`: a value that an earlier migration added can be used only once that
/// one is committed.
const NEEDS_COMMIT: &str = "55P04";

impl Executor<'_> {
    /// Runs the plan. A failure of a migration is kept, and nothing is left behind.
    pub(super) async fn run_enclosed(&mut self, end: &Enclosed) -> Result<(), SessionError> {
        self.begin_enclosed().await?;
        let result = match end {
            Enclosed::Prepared(name) => self.run_and_prepare(name).await,
            Enclosed::RolledBack => self.run_for_show().await,
        };
        if let Err(failure) = result {
            self.roll_back().await;
            self.fail(failure);
        }
        Ok(())
    }

    async fn begin_enclosed(&mut self) -> Result<(), SessionError> {
        let marker = self.next_marker();
        let sql = format!(
            "{};\nBEGIN;\n{};\n{};\n{};",
            self.settings(),
            self.options.lock_keys.hand_worker_to_transaction(),
            self.first_records().join(";\n"),
            message::set_marker(&marker),
        );
        if let Some(error) = self.session.run_batch(&sql).await.error {
            self.roll_back().await;
            return Err(error);
        }
        self.notices.discard();
        self.committed = marker;
        Ok(())
    }

    async fn run_and_prepare(&mut self, name: &str) -> Result<(), StepFailure> {
        for step in 0..self.steps.len() {
            self.refuse_stopped(step)?;
            self.run_step_enclosed(step, "").await?;
        }
        let sql = format!(
            "{};\nPREPARE TRANSACTION {}",
            journal::end_run(&self.options.run_id, "done"),
            literal(name)
        );
        let last = self.steps.len().saturating_sub(1);
        match self.answer(self.session.run_batch(&sql)).await.error {
            None => Ok(()),
            Some(error) => Err(StepFailure::of_step(last, self.cause(error))),
        }
    }

    /// Runs as many migrations as one transaction can hold, and undoes them. Those behind are left
    /// as not run, and that is no failure.
    async fn run_for_show(&mut self) -> Result<(), StepFailure> {
        for step in 0..self.steps.len() {
            self.refuse_stopped(step)?;
            if !self.is_simple(self.steps[step]) {
                break;
            }
            match self.run_step_enclosed(step, AS_AT_COMMIT).await {
                Err(failure) if failure.sqlstate() == Some(NEEDS_COMMIT) => break,
                done => done?,
            }
        }
        self.roll_back().await;
        Ok(())
    }

    fn refuse_stopped(&self, step: usize) -> Result<(), StepFailure> {
        if self.is_stopped() {
            return Err(StepFailure::of_step(step, Cause::Stopped));
        }
        Ok(())
    }

    async fn run_step_enclosed(&mut self, step: usize, behind: &str) -> Result<(), StepFailure> {
        let begun = Instant::now();
        self.started(step);
        let (sql_step, marker) = (self.steps[step], self.next_marker());
        let statements = sql_step.units.first().map(|unit| unit.statements()).unwrap_or_default();
        let message = message::build(&Transaction {
            statements,
            records: &self.records(sql_step),
            after: &self.committed,
            marker: &marker,
            settings: &format!("{behind}{}", self.before_records(step)),
            held: None,
            durable: false,
            enclosed: true,
        });
        let outcome = self.answer(self.session.run_batch(&message.sql)).await;
        match outcome.error {
            None => {
                self.committed = marker;
                self.done(step, begun);
                Ok(())
            }
            Some(error) => Err(self.failed(step, statements, &message, outcome.completed, error)),
        }
    }
}
