//! `apply` and `plan`: which migrations, in what order, and what stands in the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pgfleet_core::config::Variables;
use pgfleet_core::diagnose::{Code, Problem, Severity};
use pgfleet_core::folder::{Migration, MigrationSet};
use pgfleet_core::history::{Dialect, MigrationStatus, RecordContext, Verdict, judge};
use pgfleet_core::place::Place;
use pgfleet_core::plan::{ColumnTypes, Direction, Plan, PlanInput, plan_up};
use pgfleet_core::report::Event;

use super::change::{ChangeError, Run, RunOutcome, check_base, run_plan};
use super::difference::apply_difference;
use super::includes::read_include;
use super::shelf::plan_key;
use super::target::{Opened, Target};
use crate::execute::check_rows;
use crate::journal::OpenUnit;
use crate::preflight;
use crate::project::Folder;
use crate::rows;
use crate::state::TargetState;

/// Which of the pending migrations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Up to and including this version.
    pub to: Option<String>,
    /// This many at the most.
    pub steps: Option<usize>,
}

/// What `apply` is asked to do.
pub struct ApplyRequest<'a> {
    /// Which migrations.
    pub selection: Selection,
    /// A plan that was reviewed: executed exactly, or refused.
    pub plan: Option<Plan>,
    /// How the run is to go.
    pub run: Run<'a>,
}

/// Applies the pending migrations.
///
/// # Errors
/// Everything that stands in the way. Nothing was changed.
pub async fn apply(
    target: &Target,
    opened: &Opened,
    request: &ApplyRequest<'_>,
) -> Result<RunOutcome, ChangeError> {
    if let Some(plan) = &request.plan
        && let Some(schemas) = plan.schemas()
    {
        return apply_difference(target, opened, plan, schemas, &request.run).await;
    }
    refuse_folder_errors(&opened.folder.set)?;
    refuse_half_taken_back(target, &opened.state)?;
    let nothing = pending(&opened.statuses, &request.selection)?.is_empty();
    if nothing && request.plan.is_none() && !has_failed(&opened.statuses) {
        warn_of_edits(target, opened, &request.run);
        return Ok(RunOutcome::Nothing);
    }
    preflight::check_target(target, opened, request.run.events).await?;
    if !nothing && request.plan.is_none() {
        refuse_broken_rows(target, opened, &request.selection).await?;
    }
    let told = AtomicBool::new(false);
    let make_plan = |state: &TargetState| match &request.plan {
        Some(plan) => {
            check_base(plan, &state.rows, target)?;
            let mut plan = plan.clone();
            plan.location.clone_from(&opened.folder.tree.location);
            check_rows(&plan)?;
            if state.history.is_some() {
                // An earlier run of the same plan created the table, and was interrupted.
                plan.setup.clear();
            }
            Ok(Arc::new(plan))
        }
        None => {
            let goes_on = request.run.continue_on_error;
            let plan = plan_on(target, opened, state, &request.selection, goes_on)?;
            if !told.swap(true, Ordering::Relaxed) {
                tell_assumption(opened, &request.run);
            }
            Ok(plan)
        }
    };
    run_plan(target, opened, &request.run, &make_plan).await
}

/// Refuses migrations that rows of the target will break.
///
/// # Errors
/// A problem for each rule that rows break.
pub async fn refuse_broken_rows(
    target: &Target,
    opened: &Opened,
    selection: &Selection,
) -> Result<(), ChangeError> {
    let checked = rows::check_pending(opened, selection).await;
    checked.map_err(|error| {
        let named = error.problems.into_iter().map(|problem| problem.in_target(&target.name));
        named.collect::<Vec<_>>().into()
    })
}

/// The first run decides whose history the target gets.
fn tell_assumption(opened: &Opened, run: &Run<'_>) {
    if let Some(problem) = opened.assumption() {
        run.events.send(Event::Warned { problem: Box::new(problem) });
    }
}

/// The plan that `apply` would execute, made without a lock.
///
/// # Errors
/// Everything that stands in the way.
pub fn plan_apply(
    target: &Target,
    opened: &Opened,
    selection: &Selection,
) -> Result<Plan, ChangeError> {
    refuse_folder_errors(&opened.folder.set)?;
    plan_on(target, opened, &opened.state, selection, false).map(Arc::unwrap_or_clone)
}

fn plan_on(
    target: &Target,
    opened: &Opened,
    state: &TargetState,
    selection: &Selection,
    continue_on_error: bool,
) -> Result<Arc<Plan>, ChangeError> {
    refuse_half_taken_back(target, state)?;
    let set = &opened.folder.set;
    let statuses = judge(set, &state.rows, opened.dialect);
    // A run that goes on after errors leaves gaps, which the same command closes.
    let allows_old = target
        .settings
        .apply
        .out_of_order
        .unwrap_or(continue_on_error || opened.dialect.allows_out_of_order());
    let chosen = choose(target, &opened.folder, state, &statuses, selection, allows_old)?;
    let versions = chosen.iter().map(|migration| migration.version.as_str());
    planned(opened, state, Direction::Up, versions, |input| plan_up(input, &chosen))
}

/// The plan for some versions: made once for all targets of a folder that are in the same state.
pub(super) fn planned<'v>(
    opened: &Opened,
    state: &TargetState,
    direction: Direction,
    versions: impl Iterator<Item = &'v str>,
    planner: impl FnOnce(&PlanInput<'_>) -> Result<Plan, Vec<Problem>>,
) -> Result<Arc<Plan>, ChangeError> {
    let key = plan_key(state, &opened.variables, &opened.column_types, direction, versions);
    opened.folder.plans.get_or_make(key, || {
        let (dialect, own) = (opened.dialect, (&*opened.variables, &opened.column_types));
        Ok(with_input(dialect, state, own, &opened.folder, planner)?)
    })
}

/// Calls a planner with what a target's state and a folder say.
pub(super) fn with_input<T>(
    dialect: &dyn Dialect,
    state: &TargetState,
    (variables, column_types): (&Variables, &ColumnTypes),
    folder: &Folder,
    planner: impl FnOnce(&PlanInput<'_>) -> T,
) -> T {
    let tree = &folder.tree;
    let read =
        |path: &str, relative: bool, including: &str| read_include(tree, path, relative, including);
    planner(&PlanInput {
        dialect,
        record: RecordContext {
            table: state.table.clone(),
            next_rank: state.rows.iter().map(|row| row.rank).max().unwrap_or(0) + 1,
            previous_version: None,
            columns: state.history.as_ref().map(|table| table.columns.clone()).unwrap_or_default(),
        },
        create_history: state.history.is_none(),
        rows: &state.rows,
        empty_target: !state.holds_tables,
        read_include: &read,
        variables,
        root: &tree.root,
        location: &tree.location,
        order: folder.set.migrations.iter().map(|m| m.version.as_str()).collect(),
        column_types,
    })
}

pub(super) fn refuse_folder_errors(set: &MigrationSet) -> Result<(), ChangeError> {
    let errors: Vec<_> = set.problems.iter().filter(|p| p.is_error()).cloned().collect();
    if errors.is_empty() { Ok(()) } else { Err(errors.into()) }
}

/// A migration that was taken back in part is applied by its history, and is not all there.
fn refuse_half_taken_back(target: &Target, state: &TargetState) -> Result<(), Box<Problem>> {
    let Some(open) = state.open_units.iter().find(|unit| unit.direction == Direction::Down) else {
        return Ok(());
    };
    let version = &open.version;
    Err(Box::new(
        Problem::error(Code::HistoryFailed, format!("{version} was taken back in part only"))
            .in_target(&target.name)
            .because("a rollback was interrupted, or a statement of it failed")
            .fix_with("Finish it.", "pgfleet rollback --allow-data-loss")
            .fix_with(
                "Or, when all of the migration is in the database:",
                format!("pgfleet resolve --applied {version}"),
            ),
    ))
}

/// The migrations to apply, after everything that forbids it.
fn choose<'m>(
    target: &Target,
    folder: &'m Folder,
    state: &TargetState,
    statuses: &[MigrationStatus],
    selection: &Selection,
    allows_old: bool,
) -> Result<Vec<&'m Migration>, ChangeError> {
    let mut wanted = pending(statuses, selection)?;
    let resumable = |status: &MigrationStatus| is_resumable(&state.open_units, status);
    let resumed: Vec<_> = statuses
        .iter()
        .filter(|status| status.verdict == Verdict::Failed && resumable(status))
        .map(|status| status.version.clone())
        .collect();
    if wanted.is_empty() && !has_failed(statuses) {
        return Ok(Vec::new());
    }
    let refusals = refusals(target, folder, statuses, &resumed, allows_old);
    if !refusals.is_empty() {
        return Err(refusals.into());
    }
    wanted.extend(resumed);
    let chosen = folder.set.migrations.iter().filter(|m| wanted.contains(&m.version));
    Ok(chosen.collect())
}

/// With nothing to apply an edited file stops nothing, but is not passed over.
fn warn_of_edits(target: &Target, opened: &Opened, run: &Run<'_>) {
    let changed = opened.statuses.iter().filter(|s| s.verdict == Verdict::Changed);
    for status in changed {
        let problem =
            Problem { severity: Severity::Warning, ..edited(status).in_target(&target.name) };
        run.events.send(Event::Warned { problem: Box::new(problem) });
    }
}

/// A failure is finished, refused, or, where the format's own tool is just at work, waited for.
fn has_failed(statuses: &[MigrationStatus]) -> bool {
    statuses.iter().any(|status| status.verdict == Verdict::Failed)
}

/// A migration that we left unfinished ourselves is finished, not refused.
fn is_resumable(open: &[OpenUnit], status: &MigrationStatus) -> bool {
    open.iter().any(|unit| unit.version == status.version && unit.direction == Direction::Up)
}

/// Versions of the pending migrations that the selection wants, in order.
pub(crate) fn pending(
    statuses: &[MigrationStatus],
    selection: &Selection,
) -> Result<Vec<String>, Box<Problem>> {
    let end = match &selection.to {
        Some(to) => position_of(statuses, to)? + 1,
        None => statuses.len(),
    };
    let open = |status: &&MigrationStatus| {
        matches!(status.verdict, Verdict::Pending | Verdict::OutOfOrder)
    };
    let versions = statuses[..end].iter().filter(open).map(|status| status.version.clone());
    Ok(versions.take(selection.steps.unwrap_or(usize::MAX)).collect())
}

/// The position of a version, which may be given as version, name, `version_name`, or the one
/// version's beginning up to the end of a number (`1700000000000` of `1700000000000-CreateUsers`).
pub(super) fn position_of(
    statuses: &[MigrationStatus],
    wanted: &str,
) -> Result<usize, Box<Problem>> {
    let matches = |status: &MigrationStatus| {
        status.version == wanted
            || (!wanted.is_empty() && status.name == wanted)
            || format!("{}_{}", status.version, status.name) == wanted
    };
    if let Some(exact) = statuses.iter().position(matches) {
        return Ok(exact);
    }
    let all = statuses.iter().enumerate();
    let begun: Vec<_> = all.filter(|(_, status)| begins_with(&status.version, wanted)).collect();
    match begun.as_slice() {
        [(only, _)] => Ok(*only),
        [] => Err(Box::new(unknown_version(statuses, wanted))),
        several => Err(Box::new(ambiguous_version(several.iter().map(|(_, s)| *s), wanted))),
    }
}

/// `1` is not the beginning of `10`: a number is not cut.
fn begins_with(version: &str, wanted: &str) -> bool {
    let cuts_nothing = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric());
    !wanted.is_empty() && version.strip_prefix(wanted).is_some_and(cuts_nothing)
}

fn unknown_version(statuses: &[MigrationStatus], wanted: &str) -> Problem {
    let last: Vec<_> = statuses.iter().rev().take(3).map(|s| s.version.as_str()).collect();
    Problem::error(Code::VersionUnknown, format!("no migration is called {wanted:?}"))
        .detail(format!("the newest are {}", last.join(", ")))
        .fix_with("See them all.", "pgfleet status")
}

fn ambiguous_version<'s>(
    begun: impl Iterator<Item = &'s MigrationStatus>,
    wanted: &str,
) -> Problem {
    let versions: Vec<_> = begun.map(|status| status.version.as_str()).collect();
    Problem::error(Code::VersionUnknown, format!("several migrations begin with {wanted:?}"))
        .detail(format!("they are {}", versions.join(", ")))
        .fix("Name the whole version.")
}

fn refusals(
    target: &Target,
    folder: &Folder,
    statuses: &[MigrationStatus],
    resumed: &[String],
    allows_old: bool,
) -> Vec<Problem> {
    let refuse = |status: &MigrationStatus| match status.verdict {
        Verdict::Failed if !resumed.contains(&status.version) => Some(failed_earlier(status)),
        Verdict::Changed => Some(edited(status)),
        Verdict::OutOfOrder if !allows_old => Some(too_old(status)),
        _ => None,
    };
    let place =
        |status: &MigrationStatus| Some(Place::file(folder.tree.display(status.file.as_deref()?)));
    let refused = statuses.iter().filter_map(|status| {
        let problem = refuse(status)?.in_target(&target.name);
        Some(match place(status) {
            Some(place) => problem.at(place),
            None => problem,
        })
    });
    refused.collect()
}

fn label(status: &MigrationStatus) -> String {
    if status.name.is_empty() || status.version.ends_with(&status.name) {
        return status.version.clone();
    }
    format!("{}_{}", status.version, status.name)
}

fn failed_earlier(status: &MigrationStatus) -> Problem {
    let version = &status.version;
    let mut problem = Problem::error(
        Code::HistoryFailed,
        format!("{} began earlier and did not end", label(status)),
    )
    .because("the history says so, and pgfleet's journal does not know how far it came");
    if let Some(note) = &status.note {
        problem = problem.detail(format!("recorded: {note}"));
    }
    problem
        .fix_with(
            "When all of it is in the database:",
            format!("pgfleet resolve --applied {version}"),
        )
        .fix_with("When nothing of it is:", format!("pgfleet resolve --rolled-back {version}"))
}

fn edited(status: &MigrationStatus) -> Problem {
    let version = &status.version;
    let mut problem = Problem::error(
        Code::HistoryChanged,
        format!("{} was edited after it had been applied", label(status)),
    );
    if let Some(note) = &status.note {
        problem = problem.because(format!("checksums differ: {note}"));
    }
    problem.fix("Put the file back as it was, and write the change as a new migration.").fix_with(
        "When the edit changes nothing (a comment, white space):",
        format!("pgfleet resolve --checksum {version}"),
    )
}

fn too_old(status: &MigrationStatus) -> Problem {
    Problem::error(
        Code::HistoryOutOfOrder,
        format!("{} is older than the newest applied migration", label(status)),
    )
    .because("it was added to the folder after newer ones had been applied, as after a merge")
    .fix("Give it a newer version number.")
    .fix("Or allow it: out_of_order = true under [apply] in pgfleet.toml.")
    .fix_with("After a run that went on after errors:", "pgfleet apply --on-error continue")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn positions(versions: &[&str], wanted: &str) -> Result<usize, String> {
        let status = |version: &&str| MigrationStatus {
            version: (*version).to_owned(),
            name: String::new(),
            verdict: Verdict::Pending,
            file: None,
            applied_at: None,
            note: None,
        };
        let statuses: Vec<_> = versions.iter().map(status).collect();
        position_of(&statuses, wanted).map_err(|problem| problem.what)
    }

    #[test]
    fn a_version_may_be_named_by_its_number() {
        let versions = ["1700000000000-A", "1700000000001-B", "1700000000001-C", "1", "10"];
        assert_eq!(positions(&versions, "1700000000000"), Ok(0));
        assert_eq!(positions(&versions, "1700000000001-C"), Ok(2));
        assert_eq!(positions(&versions, "1"), Ok(3));
        for (wanted, says) in
            [("1700000000001", "several"), ("170000000000", "no migration"), ("", "no migration")]
        {
            let refusal = positions(&versions, wanted).unwrap_err();
            assert!(refusal.starts_with(says), "{refusal}");
        }
    }
}
