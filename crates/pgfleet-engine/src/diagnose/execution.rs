//! Explains a run's failures, and what `IF NOT EXISTS` skipped in it.

use std::collections::BTreeSet;

use pgfleet_core::diagnose::{Code, Creator, FolderFacts, Gone, Problem, ServerError};
use pgfleet_core::plan::{Direction, Plan, PlannedStatement, SqlStep};
use pgfleet_core::program::{place_in, snippet_at};
use pgfleet_sql::{Facts, ObjectKind, ObjectRef, QualifiedName, char_to_byte, classify};

use super::{Failure, explain_failure, explain_skipped};
use crate::conduct::Target;
use crate::connect::{Session, SessionError};
use crate::execute::{Cause, Execution, Sessions, Skipped, StepFailure};

/// Explains what kept a run from beginning: mostly that the role may not create the history table.
pub async fn explain_setup(
    target: &Target,
    session: &Session,
    _plan: &Plan,
    error: &SessionError,
) -> Box<Problem> {
    let SessionError::Server(error) = error else { return target.session_problem(error) };
    // The session may stand in the transaction that failed.
    let _ = session.batch("ROLLBACK").await;
    let problem = explain_words(session, error, "").await;
    Box::new(problem.in_target(&target.name))
}

/// Explains an error of a statement that is none of the migration's own.
async fn explain_words(session: &Session, error: &ServerError, migration: &str) -> Problem {
    let (facts, folder) = (pgfleet_sql::Facts::default(), FolderFacts::default());
    let error = ServerError { position: None, ..error.clone() };
    let failure = Failure {
        error: &error,
        statement: "",
        facts: &facts,
        place: None,
        verbatim: false,
        migration,
        folder: &folder,
    };
    explain_failure(session, &failure).await
}

/// Explains every failure of an execution, and what `IF NOT EXISTS` skipped.
pub async fn explain_execution(
    target: &Target,
    sessions: &Sessions<'_>,
    plan: &Plan,
    execution: &Execution,
) -> Vec<Problem> {
    let steps: Vec<_> = plan.sql_steps().collect();
    let mut problems = Vec::new();
    let session = sessions.to_ask().await;
    for failure in &execution.failures {
        if let Some(step) = steps.get(failure.step) {
            problems.push(explain_step(target, session, &steps, step, failure).await);
        }
    }
    let mut seen = BTreeSet::new();
    for skipped in &execution.skipped {
        if seen.insert((skipped.step, skipped.object.as_str())) {
            let step = steps.get(skipped.step);
            problems.extend(explain_skip(target, session, step, skipped).await);
        }
    }
    problems
}

async fn explain_skip(
    target: &Target,
    session: &Session,
    step: Option<&&SqlStep>,
    skipped: &Skipped,
) -> Option<Problem> {
    let step = step?;
    let mut statements = step.units.iter().flat_map(|unit| unit.statements());
    let statement = statements.find(|s| s.if_not_exists.as_deref() == Some(&skipped.object))?;
    let place = Some(statement.place.clone());
    let problem = explain_skipped(session, &statement.sql, place, &step.label).await?;
    Some(problem.in_target(&target.name))
}

async fn explain_step(
    target: &Target,
    session: &Session,
    steps: &[&SqlStep],
    step: &SqlStep,
    failure: &StepFailure,
) -> Problem {
    let mut problem = match (&failure.cause, &failure.statement) {
        (Cause::Session(SessionError::Server(error)), Some(statement)) => {
            let error = ServerError {
                position: failure.position.and_then(|at| u32::try_from(at).ok()),
                ..(**error).clone()
            };
            explain_statement(session, steps, step, statement, &error).await
        }
        (Cause::Session(SessionError::Server(error)), None) => {
            let problem = explain_words(session, error, &step.label).await;
            problem.detail("while it was recorded in the history, or committed: none of its own statements failed")
        }
        (cause, statement) => explain_cause(target, cause, statement.as_ref(), failure.position),
    };
    // Seen while it waited; those that were still there afterwards are named already.
    let process = |blocker: &str| {
        let pid = blocker.strip_prefix("pid ").and_then(|rest| rest.split(',').next());
        pid.map(|pid| format!("process {pid} "))
    };
    let is_named = |blocker: &str| {
        process(blocker).is_some_and(|it| problem.details.iter().any(|said| said.starts_with(&it)))
    };
    let unnamed = failure.blockers.iter().filter(|blocker| !is_named(blocker));
    let unnamed: Vec<_> = unnamed.map(|blocker| format!("blocked by {blocker}")).collect();
    problem.details.extend(unnamed);
    problem.in_target(&target.name).detail(state_sentence(step, failure))
}

async fn explain_statement(
    session: &Session,
    steps: &[&SqlStep],
    step: &SqlStep,
    statement: &PlannedStatement,
    error: &ServerError,
) -> Problem {
    let facts = classify(&statement.sql);
    let folder = folder_facts(steps, step);
    let failure = Failure {
        error,
        statement: &statement.sql,
        facts: &facts,
        place: Some(statement.place.clone()),
        verbatim: statement.verbatim,
        migration: &step.label,
        folder: &folder,
    };
    explain_failure(session, &failure).await
}

/// What the plan's migrations create and take away. A planned migration before the failed one has
/// run.
fn folder_facts(steps: &[&SqlStep], failed: &SqlStep) -> FolderFacts {
    let mut folder = FolderFacts { version: failed.version.clone(), ..FolderFacts::default() };
    let mut later = false;
    for step in steps {
        let fails = step.version == failed.version;
        for statement in step.units.iter().flat_map(|unit| unit.statements()) {
            let facts = classify(&statement.sql);
            if !later && !fails {
                take_away(&mut folder, &facts, &step.label);
            }
            folder.creators.extend(facts.creates.into_iter().map(|object| Creator {
                column_of: column_of(&object),
                object: object.name.name,
                version: step.version.clone(),
                label: step.label.clone(),
                applied: !later && !fails,
                later,
            }));
        }
        later = later || fails;
    }
    folder
}

/// Notes what a statement drops or renames; what it creates is there again.
fn take_away(folder: &mut FolderFacts, facts: &Facts, label: &str) {
    let gone = |object: &ObjectRef, new_name: Option<&QualifiedName>| Gone {
        object: object.name.name.clone(),
        column_of: column_of(object),
        label: label.to_owned(),
        new_name: new_name.map(|name| name.name.clone()),
    };
    folder.gone.extend(facts.drops.iter().map(|object| gone(object, None)));
    let renamed = facts.rename.iter().filter(|rename| rename.from.name.name != rename.to.name);
    folder.gone.extend(renamed.clone().map(|rename| gone(&rename.from, Some(&rename.to))));
    let made = facts.creates.iter().map(|object| (column_of(object), &object.name));
    let named = renamed.map(|rename| (column_of(&rename.from), &rename.to));
    for (column_of, name) in made.chain(named) {
        folder.gone.retain(|gone| gone.object != name.name || gone.column_of != column_of);
    }
}

fn column_of(object: &ObjectRef) -> Option<String> {
    let table = object.on.as_ref().filter(|_| object.kind == ObjectKind::Column);
    table.map(|table| table.name.clone())
}

fn explain_cause(
    target: &Target,
    cause: &Cause,
    statement: Option<&PlannedStatement>,
    position: Option<usize>,
) -> Problem {
    let mut problem = match cause {
        Cause::Problem(problem) => (**problem).clone(),
        Cause::Stopped => Problem::error(Code::Cancelled, "the run was stopped"),
        Cause::Session(error) => *target.session_problem(error),
    };
    if let Some(statement) = statement {
        let offset = position.map_or(0, |at| char_to_byte(&statement.sql, at));
        let place = place_in(&statement.sql, &statement.place, statement.verbatim, offset);
        problem.place = Some(place);
        problem.snippet = Some(snippet_at(&statement.sql, offset, 1));
    }
    problem
}

/// What of the migration is in the database now.
fn state_sentence(step: &SqlStep, failure: &StepFailure) -> String {
    match failure.units_kept {
        0 if step.direction == Direction::Down => {
            format!("{} is still applied, as it was", step.label)
        }
        0 => format!("nothing of {} is in the database", step.label),
        kept => format!(
            "the first {kept} of {} parts of {} are committed and stay; the next run goes on from there",
            step.units.len(),
            step.label
        ),
    }
}
