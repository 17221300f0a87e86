//! What is known when a migration fails.

use pgfleet_core::diagnose::Problem;
use pgfleet_core::plan::PlannedStatement;

use crate::connect::SessionError;

/// A migration that failed.
#[derive(Debug)]
pub struct StepFailure {
    /// Position of the step in the plan.
    pub step: usize,
    /// The statement, when it was one of the migration's own.
    pub statement: Option<PlannedStatement>,
    /// Where in the statement, in characters from 1.
    pub position: Option<usize>,
    /// Why.
    pub cause: Cause,
    /// Sessions that blocked the statement, as far as they were seen.
    pub blockers: Vec<String>,
    /// Units of the migration that are committed and stay.
    pub units_kept: usize,
}

/// Why a migration failed.
#[derive(Debug)]
pub enum Cause {
    /// The server refused a statement, or is gone.
    Session(SessionError),
    /// The user asked to stop.
    Stopped,
    /// Something that we found ourselves.
    Problem(Box<Problem>),
}

impl StepFailure {
    /// A failure of a step as a whole.
    pub(super) fn of_step(step: usize, cause: Cause) -> Self {
        Self { step, statement: None, position: None, cause, blockers: Vec::new(), units_kept: 0 }
    }

    /// What the server said, if it spoke.
    pub fn sqlstate(&self) -> Option<&str> {
        match &self.cause {
            Cause::Session(error) => error.server().map(|error| error.sqlstate.as_str()),
            Cause::Stopped | Cause::Problem(_) => None,
        }
    }

    /// True when the connection is gone, so that nothing more can be done with it.
    pub fn is_lost(&self) -> bool {
        matches!(&self.cause, Cause::Session(error) if error.is_lost())
    }
}
