//! Runs all migrations of a plan in one transaction and leaves it prepared.
//!
//! Invariant: until the last statement, `PREPARE TRANSACTION`, the end of the session undoes
//! everything; after it, only who knows the name does. The worker's lock goes with the transaction,
//! so that no other run begins on the target until it is committed or rolled back.

use std::time::Instant;

use super::executor::Executor;
use super::failure::{Cause, StepFailure};
use super::message::{self, Transaction};
use crate::connect::SessionError;
use crate::journal::{self, literal};

impl Executor<'_> {
    /// Runs the plan. A failure of a migration is kept, and nothing is left behind.
    pub(super) async fn run_prepared(&mut self, name: &str) -> Result<(), SessionError> {
        self.begin_prepared().await?;
        let result = self.run_enclosed(name).await;
        if let Err(failure) = result {
            self.roll_back().await;
            self.fail(failure);
        }
        Ok(())
    }

    async fn begin_prepared(&mut self) -> Result<(), SessionError> {
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

    async fn run_enclosed(&mut self, name: &str) -> Result<(), StepFailure> {
        for step in 0..self.steps.len() {
            if self.is_stopped() {
                return Err(StepFailure::of_step(step, Cause::Stopped));
            }
            self.run_step_enclosed(step).await?;
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

    async fn run_step_enclosed(&mut self, step: usize) -> Result<(), StepFailure> {
        let begun = Instant::now();
        self.started(step);
        let (sql_step, marker) = (self.steps[step], self.next_marker());
        let statements = sql_step.units.first().map(|unit| unit.statements()).unwrap_or_default();
        let message = message::build(&Transaction {
            statements,
            records: &self.records(sql_step),
            after: &self.committed,
            marker: &marker,
            settings: &self.before_records(step),
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
