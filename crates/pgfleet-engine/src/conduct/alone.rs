//! Runs of one session: what most of a fleet's targets need costs them one connection.
//!
//! Invariant: the plan was made on the state that was read under the locks, or on one that is the
//! same. A plan that may need another session, for its locks or its questions, is not run here.

use std::sync::Arc;

use futures_util::future::join;
use pgfleet_core::plan::{Plan, SqlStep, Unit};

use super::change::{
    ChangeError, MakePlan, Run, RunOutcome, check_consent, run_steps, unpreparable,
};
use super::target::{Opened, Target};
use crate::execute::{Aside, Sessions};
use crate::lock::LoneLock;
use crate::state::{TargetState, read_if_changed};

/// Runs the plan with the locks in the working session; none when that cannot be, and then nothing
/// was done.
pub(super) async fn run_alone(
    target: &Target,
    opened: &Opened,
    run: &Run<'_>,
    make_plan: &MakePlan<'_>,
) -> Result<Option<RunOutcome>, ChangeError> {
    if run.enclosed.is_some() {
        return Ok(None);
    }
    let fits = |plan: &Arc<Plan>| fits_one_session(plan, &opened.state);
    // Whatever stands in the way may be gone when the lock is had.
    let Some(plan) = make_plan(&opened.state).ok().filter(fits) else { return Ok(None) };
    let lock = LoneLock::of(target.lock_keys(), opened.dialect.lock(&opened.state.lock_context()));
    let dialect = opened.dialect;
    let table = target.history_table(dialect);
    // Sent together, and done by the server one after the other.
    let (taken, changed) = join(
        lock.try_take(&opened.session),
        read_if_changed(&opened.session, dialect, table.as_ref(), &opened.state),
    )
    .await;
    if !taken.map_err(|error| target.session_problem(&error))? {
        return Ok(None);
    }
    let result = match changed {
        Ok(None) => under_lock(target, opened, run, (&opened.state, plan), &lock).await.map(Some),
        Ok(Some(state)) => on_changed(target, opened, run, (&state, make_plan), &lock).await,
        Err(error) => Err(target.state_problem(error).into()),
    };
    if !matches!(result, Ok(Some(RunOutcome::Ran(_)))) {
        // A run that came to its end let go of them itself.
        let _ = opened.session.query_text(&lock.release()).await;
    }
    result
}

async fn on_changed(
    target: &Target,
    opened: &Opened,
    run: &Run<'_>,
    (state, make_plan): (&TargetState, &MakePlan<'_>),
    lock: &LoneLock,
) -> Result<Option<RunOutcome>, ChangeError> {
    let plan = make_plan(state)?;
    if !fits_one_session(&plan, state) {
        return Ok(None);
    }
    under_lock(target, opened, run, (state, plan), lock).await.map(Some)
}

async fn under_lock(
    target: &Target,
    opened: &Opened,
    run: &Run<'_>,
    (state, plan): (&TargetState, Arc<Plan>),
    lock: &LoneLock,
) -> Result<RunOutcome, ChangeError> {
    if plan.is_empty() {
        return Ok(RunOutcome::Nothing);
    }
    check_consent(target, &plan, run)?;
    let aside = Aside::later(target);
    let sessions = Sessions { worker: &opened.session, aside: &aside };
    let report = run_steps(target, &sessions, (&plan, state), run, Some(lock)).await?;
    Ok(RunOutcome::Ran(Box::new(report)))
}

/// Transactions alone, none of which says that it lets go of locks.
fn fits_one_session(plan: &Plan, state: &TargetState) -> bool {
    plan.sql_steps().all(|step| unpreparable(step, state).is_none() && !lets_go(step))
}

fn lets_go(step: &SqlStep) -> bool {
    let mut statements = step.units.iter().flat_map(Unit::statements);
    statements.any(|statement| statement.sql.to_ascii_lowercase().contains("advisory_unlock"))
}
