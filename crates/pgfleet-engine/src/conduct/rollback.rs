//! `rollback`: takes migrations back by their down parts, or listed objects by their
//! dependencies.

use std::collections::BTreeSet;
use std::sync::Arc;

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::folder::{Migration, MigrationKind, MigrationSet};
use pgfleet_core::history::{MigrationStatus, Verdict, judge};
use pgfleet_core::plan::{Direction, Plan, plan_down};

use super::apply::{planned, position_of};
use super::change::{ChangeError, Run, RunOutcome, run_plan};
use super::target::{Opened, Target};
use crate::preflight;
use crate::state::TargetState;

/// How far back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RollbackTo {
    /// The last N applied migrations.
    Steps(usize),
    /// Everything applied after this version, which itself stays.
    Version(String),
    /// Of these versions, those that are applied.
    Only(Vec<String>),
}

/// What `rollback` is asked to do.
pub struct RollbackRequest<'a> {
    /// How far.
    pub to: RollbackTo,
    /// How the run is to go.
    pub run: Run<'a>,
}

/// Takes migrations back, the newest first.
///
/// # Errors
/// Everything that stands in the way. Nothing was changed.
pub async fn roll_back(
    target: &Target,
    opened: &Opened,
    request: &RollbackRequest<'_>,
) -> Result<RunOutcome, ChangeError> {
    if chosen(&opened.folder.set, &opened.statuses, &request.to)?.is_empty() {
        return Ok(RunOutcome::Nothing);
    }
    preflight::check_target(target, opened, request.run.events).await?;
    let make_plan = |state: &TargetState| plan_rollback(opened, state, &request.to);
    run_plan(target, opened, &request.run, &make_plan).await
}

/// The plan that takes migrations back.
///
/// # Errors
/// When a migration has no file or no down part.
pub fn plan_rollback(
    opened: &Opened,
    state: &TargetState,
    to: &RollbackTo,
) -> Result<Arc<Plan>, ChangeError> {
    let set = &opened.folder.set;
    let statuses = judge(set, &state.rows, opened.dialect);
    let chosen = chosen(set, &statuses, to)?;
    let gone: Vec<_> = chosen.iter().filter(|s| s.file.is_none()).map(|s| no_file(s)).collect();
    if !gone.is_empty() {
        return Err(gone.into());
    }
    let migration = |status: &&MigrationStatus| {
        set.migrations.iter().find(|migration| migration.version == status.version)
    };
    let migrations: Vec<&Migration> = chosen.iter().filter_map(migration).collect();
    plan_ways_back(opened, state, &migrations)
}

/// The plan that takes these migrations back by their down parts, in the order given.
pub(crate) fn plan_ways_back(
    opened: &Opened,
    state: &TargetState,
    migrations: &[&Migration],
) -> Result<Arc<Plan>, ChangeError> {
    let versions = migrations.iter().map(|migration| migration.version.as_str());
    planned(opened, state, Direction::Down, versions, |input| plan_down(input, migrations))
}

/// The applied migrations to take back, the newest first. Repeatable ones stay, unless all or they
/// themselves are to go: they have no place among the versions, and run again when they change.
pub(crate) fn chosen<'s>(
    set: &MigrationSet,
    statuses: &'s [MigrationStatus],
    to: &RollbackTo,
) -> Result<Vec<&'s MigrationStatus>, Box<Problem>> {
    let (from, most) = match to {
        RollbackTo::Steps(steps) => (0, *steps),
        RollbackTo::Only(_) => (0, usize::MAX),
        RollbackTo::Version(version) if version == "0" => (0, usize::MAX),
        RollbackTo::Version(version) => (position_of(statuses, version)? + 1, usize::MAX),
    };
    let applied = |status: &&MigrationStatus| {
        matches!(status.verdict, Verdict::Applied | Verdict::Changed | Verdict::MissingFile)
    };
    let repeatable = set.migrations.iter().filter(|one| one.kind == MigrationKind::Repeatable);
    let repeatable: BTreeSet<_> = repeatable.map(|one| one.version.as_str()).collect();
    let wanted = |status: &&MigrationStatus| match to {
        RollbackTo::Only(versions) => versions.contains(&status.version),
        RollbackTo::Version(version) if version == "0" => true,
        _ => !repeatable.contains(status.version.as_str()),
    };
    Ok(statuses[from..].iter().rev().filter(applied).filter(wanted).take(most).collect())
}

fn no_file(status: &MigrationStatus) -> Problem {
    Problem::error(
        Code::HistoryMissingFile,
        format!("{} is applied, and its file is not in the folder", status.version),
    )
    .because("without the file nothing says how to take it back")
    .fix("Get the file back from version control.")
}
