//! Transactions with `COPY … FROM STDIN`: the rows travel in the COPY sub-protocol, so the
//! transaction is sent in stretches between them.

use bytes::Bytes;
use futures_util::{Stream, stream};
use pgfleet_core::diagnose::Problem;
use pgfleet_core::plan::{CopyRows, PlannedStatement};

use super::executor::Executor;
use super::failure::{Cause, StepFailure};
use super::rows::RowReader;
use crate::connect::{BatchOutcome, CopyError, SessionError};

/// Rows are sent in pieces of this size, which is about what the driver sends at once.
pub(super) const PIECE_BYTES: usize = 64 * 1024;

impl Executor<'_> {
    /// Runs statements, some with rows, and records in one transaction.
    pub(super) async fn commit_with_copy(
        &mut self,
        step: usize,
        statements: &[PlannedStatement],
        records: &[String],
    ) -> Result<(), StepFailure> {
        let result = self.try_with_copy(step, statements, records).await;
        if result.is_err() {
            self.roll_back().await;
        }
        result
    }

    async fn try_with_copy(
        &mut self,
        step: usize,
        statements: &[PlannedStatement],
        records: &[String],
    ) -> Result<(), StepFailure> {
        let begun = self.answer(self.session.run_batch("BEGIN")).await;
        self.checked(step, None, begun)?;
        for statement in statements {
            let outcome = match &statement.copy_data {
                Some(rows) => self.copy_rows(step, statement, rows).await?,
                None => self.answer(self.session.run_batch(&statement.sql)).await,
            };
            self.checked(step, Some(statement), outcome)?;
        }
        let mut end = self.before_records(step);
        for record in records {
            end.push_str(record);
            end.push_str(";\n");
        }
        let marker = self.next_marker();
        end.push_str(&super::message::set_marker(&marker));
        end.push_str(";\nCOMMIT;");
        let ended = self.answer(self.session.run_batch(&end)).await;
        self.checked(step, None, ended)?;
        self.committed = marker;
        Ok(())
    }

    async fn copy_rows(
        &self,
        step: usize,
        statement: &PlannedStatement,
        rows: &CopyRows,
    ) -> Result<BatchOutcome, StepFailure> {
        let sent = match rows {
            CopyRows::Here(rows) => {
                let pieces = rows.as_bytes().chunks(PIECE_BYTES).map(Bytes::copy_from_slice);
                self.copy(&statement.sql, stream::iter(pieces.map(Ok))).await
            }
            CopyRows::InFile(rows) => match RowReader::open(&self.plan.location, statement, rows) {
                Ok(reader) => self.copy(&statement.sql, stream::iter(reader)).await,
                Err(problem) => Err(problem),
            },
        };
        sent.map_err(|problem| StepFailure {
            statement: Some(statement.clone()),
            ..StepFailure::of_step(step, Cause::Problem(problem))
        })
    }

    async fn copy(
        &self,
        sql: &str,
        pieces: impl Stream<Item = Result<Bytes, Box<Problem>>>,
    ) -> Result<BatchOutcome, Box<Problem>> {
        let mut source = Ok(());
        let request = async {
            let error = match self.session.copy_in(sql, pieces).await {
                Ok(_) => None,
                Err(CopyError::Session(error)) => Some(error),
                Err(CopyError::Source(problem)) => {
                    source = Err(problem);
                    None
                }
            };
            BatchOutcome { completed: 0, rows_affected: Vec::new(), error }
        };
        let outcome = self.answer(request).await;
        source.map(|()| outcome)
    }

    fn checked(
        &self,
        step: usize,
        statement: Option<&PlannedStatement>,
        outcome: BatchOutcome,
    ) -> Result<(), StepFailure> {
        let Some(error) = outcome.error else { return Ok(()) };
        Err(self.statement_failed(step, statement, error))
    }

    /// A statement that was sent by itself, so that positions are its own.
    fn statement_failed(
        &self,
        step: usize,
        statement: Option<&PlannedStatement>,
        error: SessionError,
    ) -> StepFailure {
        let position = error.server().and_then(|error| error.position).map(|at| at as usize);
        StepFailure {
            statement: statement.cloned(),
            position: statement.and(position),
            blockers: self.watched.take_blockers(),
            ..StepFailure::of_step(step, self.cause(error))
        }
    }
}
