//! `baseline` and `resolve`: what is written into the history without running a migration.

use std::sync::Arc;

use pgfleet_core::config::Variables;
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::folder::{Migration, SqlBody};
use pgfleet_core::history::{RecordContext, Verdict, judge};
use pgfleet_core::plan::{ColumnTypes, Plan, Step, Unit, plan_up};

use super::apply::{position_of, with_input};
use super::change::{ChangeError, Run, RunOutcome, run_plan};
use super::target::{Opened, Target};
use crate::journal;
use crate::state::TargetState;

/// What a person says about a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// All of it is in the database.
    Applied,
    /// Nothing of it is in the database.
    RolledBack,
    /// The file was edited without changing what it means.
    Checksum,
}

/// Records every migration up to and including a version as applied, without running it.
///
/// # Errors
/// When the history holds migrations already, or the version is unknown.
pub async fn baseline(
    target: &Target,
    opened: &Opened,
    version: &str,
    run: &Run<'_>,
) -> Result<RunOutcome, ChangeError> {
    let make_plan = |state: &TargetState| {
        let statuses = judge(&opened.folder.set, &state.rows, opened.dialect);
        let end = position_of(&statuses, version)?;
        let wanted: Vec<_> = statuses[..=end]
            .iter()
            .filter(|s| matches!(s.verdict, Verdict::Pending | Verdict::OutOfOrder))
            .map(|s| s.version.clone())
            .collect();
        record_only(opened, state, &wanted).map(Arc::new)
    };
    run_plan(target, opened, run, &make_plan).await
}

/// Writes into the history what a person says about a migration.
///
/// # Errors
/// When the version is unknown, or the history says otherwise.
pub async fn resolve(
    target: &Target,
    opened: &Opened,
    version: &str,
    resolution: Resolution,
    run: &Run<'_>,
) -> Result<RunOutcome, ChangeError> {
    let make_plan =
        |state: &TargetState| resolution_plan(opened, state, version, resolution).map(Arc::new);
    run_plan(target, opened, run, &make_plan).await
}

fn resolution_plan(
    opened: &Opened,
    state: &TargetState,
    version: &str,
    resolution: Resolution,
) -> Result<Plan, ChangeError> {
    let statuses = judge(&opened.folder.set, &state.rows, opened.dialect);
    let status = &statuses[position_of(&statuses, version)?];
    let is_open = state.open_units.iter().any(|unit| unit.version == status.version);
    if !is_open && says_so_already(status.verdict, resolution) {
        return Err(Box::new(nothing_to_say(version, resolution)).into());
    }
    let mut plan = record_only(opened, state, std::slice::from_ref(&status.version))?;
    let migration = migration(opened, &status.version)?;
    let context = record_context(opened, state, migration);
    let dialect = opened.dialect;
    let close = |direction| journal::close(&status.version, direction);
    let Some(Step::Sql(step)) = plan.steps.first_mut() else { return Ok(plan) };
    step.record_done = match resolution {
        Resolution::Applied => {
            let mut records = match status.verdict {
                // Taken back in part, and now said to be whole.
                Verdict::Applied | Verdict::Failed => dialect.record_reverted(&context, migration),
                _ => Vec::new(),
            };
            records.extend(std::mem::take(&mut step.record_done));
            records
        }
        Resolution::RolledBack => dialect.record_reverted(&context, migration),
        Resolution::Checksum => dialect.record_checksum(&context, migration),
    };
    if step.record_done.is_empty() {
        return Err(Box::new(nothing_to_write(opened, version)).into());
    }
    if state.has_journal {
        step.record_done.push(close(pgfleet_core::plan::Direction::Up));
        step.record_done.push(close(pgfleet_core::plan::Direction::Down));
    }
    Ok(plan)
}

fn says_so_already(verdict: Verdict, resolution: Resolution) -> bool {
    let is_pending = matches!(verdict, Verdict::Pending | Verdict::OutOfOrder);
    match resolution {
        Resolution::Applied => matches!(verdict, Verdict::Applied | Verdict::Changed),
        Resolution::RolledBack | Resolution::Checksum => is_pending,
    }
}

fn nothing_to_say(version: &str, resolution: Resolution) -> Problem {
    let what = match resolution {
        Resolution::Applied => "applied already",
        Resolution::RolledBack | Resolution::Checksum => "not applied",
    };
    Problem::error(Code::Usage, format!("by the history {version} is {what}"))
        .fix_with("See what it says.", "pgfleet status")
}

/// A plan that records migrations and runs nothing of them.
fn record_only(
    opened: &Opened,
    state: &TargetState,
    versions: &[String],
) -> Result<Plan, ChangeError> {
    let wanted = opened.folder.set.migrations.iter().filter(|m| versions.contains(&m.version));
    let emptied: Vec<Migration> =
        wanted.map(|m| Migration { up: SqlBody::default(), opaque: None, ..m.clone() }).collect();
    let migrations: Vec<_> = emptied.iter().collect();
    let folder = &opened.folder;
    let (dialect, none) = (opened.dialect, (&Variables::new(), &ColumnTypes::new()));
    let mut plan = with_input(dialect, state, none, folder, |input| plan_up(input, &migrations))?;
    for (position, Step::Sql(step)) in (0..).zip(&mut plan.steps) {
        let migration = migration(opened, &step.version)?;
        let mut context = record_context(opened, state, migration);
        context.next_rank += position;
        step.record_done = opened.dialect.record_resolved(&context, migration);
        step.units = vec![Unit::Transaction { statements: Vec::new() }];
        step.record_started.clear();
    }
    Ok(plan)
}

fn record_context(opened: &Opened, state: &TargetState, migration: &Migration) -> RecordContext {
    let (dialect, none) = (opened.dialect, (&Variables::new(), &ColumnTypes::new()));
    with_input(dialect, state, none, &opened.folder, |input| input.record_for(migration))
}

fn migration<'o>(opened: &'o Opened, version: &str) -> Result<&'o Migration, Box<Problem>> {
    let found = opened.folder.set.migrations.iter().find(|m| m.version == version);
    found.ok_or_else(|| {
        Box::new(
            Problem::error(
                Code::HistoryMissingFile,
                format!("{version} has no file in the folder"),
            )
            .fix("Get the file back from version control."),
        )
    })
}

fn nothing_to_write(opened: &Opened, version: &str) -> Problem {
    let format = opened.dialect.format();
    Problem::error(
        Code::Usage,
        format!("the history of {format} keeps nothing of that kind for {version}"),
    )
    .fix_with("See what it says.", "pgfleet status")
}
