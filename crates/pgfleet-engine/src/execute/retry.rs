//! Tries again what failed for a reason that passes: a lock not had in time, a deadlock, a row of the
//! catalog that another session changed.

use std::time::Duration;

use pgfleet_core::diagnose::ServerError;
use pgfleet_core::report::Event;

use super::executor::Executor;
use super::failure::{Cause, StepFailure};

/// The first pause; it doubles with every attempt.
const PAUSE_MIN_MS: u64 = 250;
const PAUSE_MAX_MS: u64 = 10_000;

const CATALOG_ROW: &str = "another session changed the same row of the catalog";

/// Counts the attempts at one step.
pub(super) struct Retries {
    attempts_max: u32,
    step: usize,
    attempts: u32,
}

impl Retries {
    pub(super) fn new(attempts_max: u32) -> Self {
        Self { attempts_max, step: 0, attempts: 1 }
    }

    /// The attempt that would begin now; none when there were enough.
    fn next(&mut self, step: usize) -> Option<u32> {
        if self.step != step {
            (self.step, self.attempts) = (step, 1);
        }
        self.attempts += 1;
        (self.attempts <= self.attempts_max).then_some(self.attempts)
    }
}

impl Executor<'_> {
    /// Pauses and says true when the failed step is to be tried again.
    pub(super) async fn retry(&mut self, failure: &StepFailure, retries: &mut Retries) -> bool {
        let Cause::Session(error) = &failure.cause else { return false };
        let Some(reason) = error.server().and_then(passing_reason) else { return false };
        let Some(attempt) = retries.next(failure.step) else { return false };
        let pause_ms = pause_ms(attempt, &self.options.run_id);
        self.events.send(Event::Retrying {
            migration: self.steps[failure.step].label.clone(),
            attempt,
            pause_ms,
            reason: reason.to_owned(),
            blockers: failure.blockers.clone(),
        });
        let mut stop = self.stop.clone();
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(pause_ms)) => true,
            Ok(_) = stop.wait_for(|stop| *stop) => false,
        }
    }
}

/// Roles and tablespaces belong to all databases of a server, and so migrations of several targets
/// meet there: `simple_heap_update` fails with XX000 where another transaction changed the same row of
/// the catalog, and a name that two make at once breaks the catalog's unique index.
fn passing_reason(error: &ServerError) -> Option<&'static str> {
    let of_catalog = |name: &String| name.starts_with("pg_");
    match error.sqlstate.as_str() {
        "XX000" if error.message.starts_with("tuple concurrently ") => Some(CATALOG_ROW),
        "23505" if error.constraint.as_ref().is_some_and(of_catalog) => Some(CATALOG_ROW),
        "55P03" => Some("a lock was not to be had in time"),
        "40P01" => Some("the server ended a deadlock"),
        "40001" => Some("a concurrent transaction got in the way"),
        _ => None,
    }
}

/// Doubles with every attempt, with a jitter of a quarter so that several runs do not meet again.
/// The jitter comes from the run's id, which differs from run to run.
fn pause_ms(attempt: u32, run_id: &str) -> u64 {
    let doubled = PAUSE_MIN_MS.saturating_mul(1 << attempt.saturating_sub(2).min(16));
    let base = doubled.min(PAUSE_MAX_MS);
    let spread = run_id
        .bytes()
        .fold(u64::from(attempt), |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    base * 3 / 4 + spread % (base / 2).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_differ_between_runs() {
        for attempt in 2..9 {
            let pause = pause_ms(attempt, "a");
            let base = (PAUSE_MIN_MS << (attempt - 2)).min(PAUSE_MAX_MS);
            assert!((base * 3 / 4..=base * 5 / 4).contains(&pause), "{attempt}: {pause}");
        }
        assert_ne!(pause_ms(3, "one"), pause_ms(3, "two"));
    }

    #[test]
    fn attempts_are_counted_for_each_step() {
        let mut retries = Retries::new(3);
        assert_eq!((retries.next(4), retries.next(4), retries.next(4)), (Some(2), Some(3), None));
        assert_eq!(retries.next(5), Some(2));
    }
}
