//! After a failure: gathers what the catalog knows about it and lets the core say why.

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::plan::{Plan, SqlStep};
use pgfleet_core::program::{place_in, snippet_at};
use pgfleet_sql::char_to_byte;

use crate::conduct::Target;
use crate::connect::{Session, SessionError};
use crate::execute::{Cause, Execution, Sessions, StepFailure};

/// Explains what kept a run from beginning.
pub async fn explain_setup(
    target: &Target,
    _session: &Session,
    _plan: &Plan,
    error: &SessionError,
) -> Box<Problem> {
    target.session_problem(error)
}

/// Explains every failure of an execution, and what `IF NOT EXISTS` skipped.
pub async fn explain_execution(
    target: &Target,
    _sessions: &Sessions<'_>,
    plan: &Plan,
    execution: &Execution,
) -> Vec<Problem> {
    let steps: Vec<_> = plan.sql_steps().collect();
    let explain =
        |failure: &StepFailure| explain_failure(target, steps.get(failure.step)?, failure);
    execution.failures.iter().filter_map(|failure| explain(failure).into()).collect()
}

fn explain_failure(target: &Target, step: &SqlStep, failure: &StepFailure) -> Option<Problem> {
    let mut problem = match &failure.cause {
        Cause::Problem(problem) => (**problem).clone(),
        Cause::Stopped => Problem::error(Code::Cancelled, "the run was stopped"),
        Cause::Session(error) => *target.session_problem(error),
    };
    if let Some(statement) = &failure.statement {
        let offset = failure.position.map_or(0, |at| char_to_byte(&statement.sql, at));
        problem.place =
            Some(place_in(&statement.sql, &statement.place, statement.verbatim, offset));
        problem.snippet = Some(snippet_at(&statement.sql, offset, 1));
    }
    problem = problem.in_target(&target.name).detail(state_sentence(step, failure));
    Some(problem)
}

/// What of the migration is in the database now.
fn state_sentence(step: &SqlStep, failure: &StepFailure) -> String {
    match failure.units_kept {
        0 => format!("nothing of {} is in the database", step.label),
        kept => format!(
            "the first {kept} of {} parts of {} are committed and stay; the next run goes on from there",
            step.units.len(),
            step.label
        ),
    }
}
