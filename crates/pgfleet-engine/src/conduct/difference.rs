//! Executes the plan of a difference between two schemas.
//!
//! Invariant: a target is touched only when it is the first schema, or when its journal has begun
//! this very plan; afterwards it is read again and held against the second.

use std::collections::BTreeSet;

use pgfleet_core::config::Settings;
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::plan::{Direction, Plan, SchemaBase, is_difference};
use pgfleet_core::report::RunReport;
use pgfleet_core::schema::Schema;

use super::change::{
    ChangeError, Run, RunOutcome, check_consent, check_intact, lock, run_steps, stale,
};
use super::target::{Opened, Target};
use crate::catalog::read_schema;
use crate::compare::{schema_problem, without_histories};
use crate::connect::Session;
use crate::execute::{Aside, Sessions};
use crate::journal;
use crate::preflight;
use crate::rows::broken_demands;
use crate::state::TargetState;

/// Where a target is on the way from the one schema to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It is the first schema.
    Before,
    /// An earlier run has done a part of the plan.
    Between,
    /// It is the second schema.
    After,
    /// It is neither.
    Elsewhere,
}

/// Turns a target that is the plan's first schema into the second, or finishes what an earlier run
/// began.
///
/// # Errors
/// [`Code::PlanStale`] when the target is something else; everything that stands in the way of a
/// run. Nothing was changed.
pub(super) async fn apply_difference(
    target: &Target,
    opened: &Opened,
    plan: &Plan,
    schemas: &SchemaBase,
    run: &Run<'_>,
) -> Result<RunOutcome, ChangeError> {
    check_intact(plan, "pgfleet diff FROM TO --out plan.json")?;
    preflight::check_target(target, opened, run.events).await?;
    let coordinator = target.connect().await?;
    let mut state = lock(target, opened, &coordinator, run).await?;
    let session = &opened.session;
    let found = read_part(target, session, schemas).await?.fingerprint();
    match standing(plan, schemas, &state, &found) {
        Standing::After => return Ok(RunOutcome::Nothing),
        Standing::Elsewhere => return Err(elsewhere(target, schemas, &found).into()),
        Standing::Before => begin_anew(target, session, &mut state, schemas).await?,
        Standing::Between => {}
    }
    check_consent(target, plan, run)?;
    let aside = Aside::Open(&coordinator);
    let sessions = Sessions { worker: session, aside: &aside };
    let mut report = run_steps(target, &sessions, (plan, &state), run, None).await?;
    if report.complete() {
        look_again(target, session, schemas, &mut report).await?;
    }
    coordinator.close().await;
    Ok(RunOutcome::Ran(Box::new(report)))
}

/// What a difference of these schemas compares.
async fn read_part(
    target: &Target,
    session: &Session,
    schemas: &SchemaBase,
) -> Result<Schema, Box<Problem>> {
    let schema = read_schema(session).await.map_err(|error| schema_problem(target, &error))?;
    let settings = Settings { scope: schemas.scope.clone(), ..Settings::clone(&target.settings) };
    Ok(without_histories(schema, &settings))
}

fn standing(plan: &Plan, schemas: &SchemaBase, state: &TargetState, found: &str) -> Standing {
    let begun = plan.sql_steps().any(|step| {
        let mut open = state.open_units.iter();
        open.any(|unit| unit.version == step.version && unit.direction == Direction::Up)
    });
    if found == schemas.from && !plan.is_empty() {
        Standing::Before
    } else if begun {
        Standing::Between
    } else if found == schemas.to {
        Standing::After
    } else {
        Standing::Elsewhere
    }
}

/// The target is the first schema, so nothing of this or another difference is half done: what the
/// journal has open is past. Then the rows are asked.
async fn begin_anew(
    target: &Target,
    session: &Session,
    state: &mut TargetState,
    schemas: &SchemaBase,
) -> Result<(), ChangeError> {
    let open = state.open_units.iter().map(|unit| unit.version.as_str());
    let past: BTreeSet<_> = open.filter(|version| is_difference(version)).collect();
    for version in past {
        let closed = session.batch(&journal::close(version, Direction::Up)).await;
        closed.map_err(|error| target.session_problem(&error))?;
    }
    state.open_units.retain(|unit| !is_difference(&unit.version));
    refuse_rows(target, session, schemas).await
}

/// Refuses a difference that rows of the target will break.
///
/// # Errors
/// A problem for each rule that rows break.
pub(super) async fn refuse_rows(
    target: &Target,
    session: &Session,
    schemas: &SchemaBase,
) -> Result<(), ChangeError> {
    let broken = broken_demands(session, &schemas.demands).await;
    let broken: Vec<_> = broken.into_iter().map(|one| one.in_target(&target.name)).collect();
    if broken.is_empty() { Ok(()) } else { Err(broken.into()) }
}

/// A run that did all of its plan may still not have led where it should.
async fn look_again(
    target: &Target,
    session: &Session,
    schemas: &SchemaBase,
    report: &mut RunReport,
) -> Result<(), ChangeError> {
    let found = read_part(target, session, schemas).await?.fingerprint();
    if found == schemas.to {
        return Ok(());
    }
    let problem = Problem::error(
        Code::SchemaMissed,
        "all of the plan is done, and the schema is another one",
    )
    .in_target(&target.name)
    .because(format!("its fingerprint is {}, not {}", short(&found), short(&schemas.to)))
    .fix_with("See what differs.", "pgfleet diff target TO");
    report.problems.push(problem);
    Ok(())
}

fn elsewhere(target: &Target, schemas: &SchemaBase, found: &str) -> Box<Problem> {
    let problem = stale(target, "the target's schema is not the one that the plan was made on")
        .because("it changed since, or the plan is for another target")
        .detail(format!("fingerprint now {}", short(found)))
        .detail(format!("when the plan was made {}", short(&schemas.from)));
    let problem = left_out(&schemas.scope).into_iter().fold(problem, Problem::detail);
    Box::new(
        problem
            .fix_with("Make a new plan and review it.", "pgfleet diff target TO --out plan.json"),
    )
}

fn left_out(scope: &pgfleet_core::schema::Scope) -> Option<String> {
    let named = |what: &str, names: &[String]| format!("{what} {}", names.join(", "));
    match (scope.include.is_empty(), scope.exclude.is_empty()) {
        (false, _) => Some(named("of the schemas", &scope.include)),
        (true, false) => Some(named("without the schemas", &scope.exclude)),
        (true, true) => None,
    }
}

fn short(fingerprint: &str) -> &str {
    fingerprint.get(..12).unwrap_or(fingerprint)
}
