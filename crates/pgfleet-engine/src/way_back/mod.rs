//! `rollback`: a way back is found, tried on a scratch copy of the target, and only then taken.
//!
//! A migration without a down part is taken back by the difference of the schemas after and before
//! it, which a replay of the folder gives. The difference does not depend on the target, so a
//! rollback that was interrupted finds the same statements again.
//!
//! Invariant: nothing here changes the target but [`crate::conduct::run_plan`].

mod prove;
mod replay;

use std::sync::Arc;

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::folder::Migration;
use pgfleet_core::plan::{ColumnTypes, Plan, column_types_in, derive_way_back, fingerprint_rows};
use pgfleet_core::rehearse::Proof;
use pgfleet_core::schema::Schema;

use crate::conduct::{
    ChangeError, Opened, RollbackRequest, RollbackTo, RunOutcome, Target, chosen_to_take_back,
    plan_rollback, preflight_of, run_plan,
};
use crate::project::{Folder, Project};
use replay::{Replayed, replay, replay_folder};

/// A way back that was planned and tried.
#[derive(Debug)]
pub struct WayBack {
    /// What would be run.
    pub plan: Arc<Plan>,
    /// What the try showed.
    pub proof: Proof,
    /// Labels of the migrations whose way back nobody wrote.
    pub derived: Vec<String>,
}

/// Plans a rollback and tries it on a scratch copy of the target; none when nothing is to be taken
/// back. `opened` gets the ways back that were derived.
///
/// # Errors
/// When a migration has no file, nothing leads back, or no copy can be made.
pub async fn find_way_back(
    project: &Project,
    target: &Target,
    opened: &mut Opened,
    to: &RollbackTo,
) -> Result<Option<WayBack>, ChangeError> {
    let versions: Vec<_> = chosen_to_take_back(&opened.folder.set, &opened.statuses, to)?
        .into_iter()
        .map(|status| status.version.clone())
        .collect();
    if versions.is_empty() {
        return Ok(None);
    }
    let before = replay(project, target, opened, &versions).await;
    let derived = match &before {
        Ok(replayed) => derive(Arc::make_mut(&mut opened.folder), &versions, replayed),
        Err(_) => Vec::new(),
    };
    if let Err(error) = plan_rollback(opened, &opened.state, to) {
        return Err(match &before {
            Err(why) => with_reason(error, why),
            Ok(_) => error,
        });
    }
    let (proof, there) = prove::prove(project, target, opened, to, &before).await?;
    opened.column_types = types_before(&opened.folder, &versions, &there);
    let plan = plan_rollback(opened, &opened.state, to)?;
    Ok(Some(WayBack { plan, proof, derived }))
}

/// The types that the columns have which ways back give other types.
fn types_before(folder: &Folder, versions: &[String], there: &Schema) -> ColumnTypes {
    let migrations = folder.set.migrations.iter().filter(|one| versions.contains(&one.version));
    let scripts = migrations.filter_map(|one| Some(one.down.as_ref()?.text()));
    scripts.flat_map(|script| column_types_in(there, &script)).collect()
}

/// Takes the way back, if it was proven or need not be, and the target is as it was when it was
/// tried.
///
/// # Errors
/// [`Code::RollbackUnproven`], [`Code::PlanStale`], and everything that stands in the way of a run.
/// Nothing was changed.
pub async fn take_way_back(
    target: &Target,
    opened: &Opened,
    request: &RollbackRequest<'_>,
    way: &WayBack,
    unproven_too: bool,
) -> Result<RunOutcome, ChangeError> {
    if !unproven_too && let Some(problem) = refusal(target, way) {
        return Err(vec![problem].into());
    }
    preflight_of(target, opened, request.run.events).await?;
    let make_plan = |state: &crate::state::TargetState| {
        let base = way.plan.history().map(|history| history.base.as_str());
        if Some(fingerprint_rows(&state.rows).as_str()) != base {
            return Err(Box::new(stale(target)).into());
        }
        plan_rollback(opened, state, &request.to)
    };
    run_plan(target, opened, &request.run, &make_plan).await
}

/// Why a way back must not be taken.
pub fn refusal(target: &Target, way: &WayBack) -> Option<Problem> {
    let Proof::Unproven { why, differences } = &way.proof else { return None };
    let first = way.plan.sql_steps().map(|step| step.label.as_str()).next().unwrap_or_default();
    let more = match way.plan.steps.len() {
        0 | 1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    let what = format!("the way back from {first}{more} was not proven");
    let mut problem =
        Problem::error(Code::RollbackUnproven, what).in_target(&target.name).because(why.clone());
    problem.details.clone_from(differences);
    Some(
        problem
            .fix("Correct the down part, or undo by hand what was done by hand.")
            .fix_with("When you know better:", "pgfleet rollback --unproven --allow-data-loss"),
    )
}

fn stale(target: &Target) -> Problem {
    Problem::error(Code::PlanStale, "the target's history changed since the way back was tried")
        .in_target(&target.name)
        .fix_with("Try again.", "pgfleet rollback")
}

/// The folder with a way back for each of these versions that has none, as far as a replay of the
/// folder gives one. It depends on the folder alone, and is the same for every target.
///
/// # Errors
/// Why nothing can be derived, in words.
pub async fn with_ways_back(
    project: &Project,
    target: &Target,
    folder: &Folder,
    versions: &[String],
) -> Result<Folder, String> {
    let mut replayed = folder.clone();
    let last = folder.set.migrations.iter().rposition(|one| versions.contains(&one.version));
    replayed.set.migrations.truncate(last.map_or(0, |last| last + 1));
    let replayed = replay_folder(project, target, replayed, versions).await?;
    let mut folder = folder.clone();
    derive(&mut folder, versions, &replayed);
    Ok(folder)
}

/// True when nothing takes a migration back but what can be derived.
pub fn lacks_way_back(migration: &Migration) -> bool {
    migration.down.is_none() && migration.opaque_down.is_none()
}

/// Gives a way back to the migrations that have none, and their labels.
fn derive(folder: &mut Folder, versions: &[String], replayed: &Replayed) -> Vec<String> {
    let mut derived = Vec::new();
    for migration in &mut folder.set.migrations {
        if !lacks_way_back(migration) || !versions.contains(&migration.version) {
            continue;
        }
        let Some((after, before)) = replayed.around(&migration.version) else { continue };
        let label = migration.label();
        let down = Some(match replayed.renamed(&migration.version) {
            Some(renamed) => derive_way_back(&renamed.steps, renamed.start(after), before, &label),
            None => derive_way_back(&[], after, before, &label),
        });
        *migration = Migration { down, ..migration.clone() };
        derived.push(label);
    }
    derived
}

fn with_reason(mut error: ChangeError, why: &str) -> ChangeError {
    for problem in error.problems.iter_mut().filter(|p| p.code == Code::NoWayBack) {
        problem.details.push(format!("none can be derived: {why}"));
    }
    error
}
