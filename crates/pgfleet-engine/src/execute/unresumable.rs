//! Why a migration that an earlier run left half-done cannot be gone on with.

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::plan::{PlannedStatement, SqlStep};

use super::failure::{Cause, StepFailure};

/// The file is not the one of which a part was applied.
pub(super) fn changed_in_between(step: &SqlStep, unit: usize) -> Problem {
    Problem::error(
        Code::HistoryChanged,
        format!("{} was changed after a part of it had been applied", step.label),
    )
    .at(pgfleet_core::place::Place::file(step.file.clone()))
    .because(format!("statement group {} is journaled with other text", unit + 1))
    .fix("Put the file back as it was and run the same command again.")
    .fix_with(
        "Or, when the database is as the file wants it, say so.",
        format!("pgfleet resolve --applied {}", step.version),
    )
}

/// Nobody but a person can tell whether a statement happened.
pub(super) fn outcome_unknown(
    step: usize,
    sql_step: &SqlStep,
    statement: &PlannedStatement,
) -> StepFailure {
    let problem = Problem::error(
        Code::OutcomeUnknown,
        format!(
            "it cannot be told whether {} happened before the last run was interrupted",
            statement.label
        ),
    )
    .at(statement.place.clone())
    .because("the statement runs outside a transaction and leaves no trace that the catalog shows")
    .fix_with(
        "Look, and say that the migration is done …",
        format!("pgfleet resolve --applied {}", sql_step.version),
    )
    .fix_with(
        "… or that nothing of it is, to run it again.",
        format!("pgfleet resolve --rolled-back {}", sql_step.version),
    );
    StepFailure {
        statement: Some(statement.clone()),
        ..StepFailure::of_step(step, Cause::Problem(Box::new(problem)))
    }
}
