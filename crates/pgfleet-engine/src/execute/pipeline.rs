//! Sends one-transaction migrations ahead of the answers, so that a run pays the network's delay
//! about once and not once per migration.
//!
//! Invariant: a message does nothing unless its predecessor committed (see [`super::message`]).

use std::collections::VecDeque;
use std::future::poll_fn;
use std::ops::Range;
use std::sync::Arc;
use std::task::Poll;
use std::time::Instant;

use futures_util::future::{BoxFuture, FutureExt, MaybeDone, maybe_done};
use pgfleet_core::plan::SqlStep;

use super::executor::Executor;
use super::failure::{Cause, StepFailure};
use super::message::Message;
use crate::connect::{BatchOutcome, Session};
use crate::journal::{self, UnitKey};

/// Messages that may be unanswered at a time.
const AHEAD_MAX: usize = 64;

/// Bytes that may be unanswered at a time; one message may be larger.
const AHEAD_MAX_BYTES: usize = 1024 * 1024;

struct InFlight<'a> {
    step: usize,
    message: Arc<Message>,
    marker: String,
    answer: MaybeDone<BoxFuture<'a, BatchOutcome>>,
}

impl<'a> Executor<'a> {
    /// Runs the steps of a range, each one transaction. On failure everything sent behind the
    /// failed one has been answered, without effect, and the session is outside a transaction.
    pub(super) async fn run_pipeline(&mut self, range: Range<usize>) -> Result<(), StepFailure> {
        let mut waiting: VecDeque<InFlight<'a>> = VecDeque::new();
        let (mut next, mut ahead_bytes) = (range.start, 0);
        let mut predecessor = self.committed.clone();
        while next < range.end || !waiting.is_empty() {
            while next < range.end && has_room(&waiting, ahead_bytes) && !self.is_stopped() {
                let sent = self.send_ahead(next, &predecessor).await;
                predecessor.clone_from(&sent.marker);
                ahead_bytes += sent.message.sql.len();
                waiting.push_back(sent);
                next += 1;
            }
            let Some(front) = waiting.pop_front() else {
                return Err(StepFailure::of_step(next, Cause::Stopped));
            };
            ahead_bytes -= front.message.sql.len();
            if let Err(failure) = self.finish_front(front).await {
                self.drain(waiting).await;
                return Err(failure);
            }
        }
        Ok(())
    }

    async fn send_ahead(&mut self, step: usize, predecessor: &str) -> InFlight<'a> {
        let marker = self.next_marker();
        let sql_step = self.steps[step];
        let statements = sql_step.units.first().map(|unit| unit.statements()).unwrap_or_default();
        let records = self.records(sql_step);
        let message = Arc::new(self.message(
            statements,
            &records,
            &self.before_records(step),
            predecessor,
            &marker,
        ));
        let mut answer = maybe_done(request(self.session, message.clone()));
        // The first poll sends the message; without it, it would wait for its turn.
        poll_fn(|context| {
            let _ = answer.poll_unpin(context);
            Poll::Ready(())
        })
        .await;
        InFlight { step, message, marker, answer }
    }

    pub(super) fn records(&self, step: &SqlStep) -> Vec<String> {
        let hash = step.units.first().map(|unit| unit.hash()).unwrap_or_default();
        let key = UnitKey {
            run_id: &self.options.run_id,
            version: &step.version,
            direction: step.direction,
            unit: 0,
            hash: &hash,
        };
        let mut records = step.record_done.clone();
        records.push(key.done(true));
        if self.has_open(step) {
            records.push(journal::close(&step.version, step.direction));
        }
        records
    }

    async fn finish_front(&mut self, front: InFlight<'a>) -> Result<(), StepFailure> {
        let begun = Instant::now();
        self.started(front.step);
        let InFlight { step, message, marker, mut answer } = front;
        let outcome = self.answer(async {
            (&mut answer).await;
            let output = std::pin::Pin::new(&mut answer).take_output();
            output.unwrap_or(BatchOutcome { completed: 0, rows_affected: Vec::new(), error: None })
        });
        let BatchOutcome { completed, error, .. } = outcome.await;
        match error {
            None => {
                self.committed = marker;
                self.done(step, begun);
                Ok(())
            }
            Some(error) => {
                let sent = self.steps[step].units.first().map(|unit| unit.statements());
                Err(self.failed(step, sent.unwrap_or_default(), &message, completed, error))
            }
        }
    }

    /// What was sent behind a failed message answers with errors; only then is the session's
    /// transaction ended.
    async fn drain(&mut self, waiting: VecDeque<InFlight<'a>>) {
        for mut sent in waiting {
            (&mut sent.answer).await;
        }
        self.roll_back().await;
    }
}

fn has_room(waiting: &VecDeque<InFlight<'_>>, ahead_bytes: usize) -> bool {
    waiting.is_empty() || (waiting.len() < AHEAD_MAX && ahead_bytes < AHEAD_MAX_BYTES)
}

fn request(session: &Session, message: Arc<Message>) -> BoxFuture<'_, BatchOutcome> {
    async move { session.run_batch(&message.sql).await }.boxed()
}
