//! `pgfleet apply --atomic` and `pgfleet rollout recover`: a group's migrations on all targets or
//! on none.

use std::sync::Arc;
use std::time::Duration;

use pgfleet_core::diagnose::{Code, ExitCode, Problem};
use pgfleet_core::report::Event;
use pgfleet_engine::conduct::{Consent, Selection};
use pgfleet_engine::execute::EventSink;
use pgfleet_engine::fleet::rollout::{AtomicEnd, AtomicTarget, AtomicWork, recover};
use pgfleet_engine::fleet::{Begun, Group, open_groups};

use super::apply::Apply;
use super::context::{Context, usable_folder};
use super::everywhere::{Done, TargetResult, put_together, target_result};
use super::outcome::{CommandError, CommandResult};
use super::rollout::Place;
use crate::render::TargetEntry;

/// What `--atomic` goes by.
pub struct Terms {
    /// Which of the pending migrations.
    pub selection: Selection,
    /// How long the targets may prepare.
    pub timeout: Duration,
}

/// Applies a group's pending migrations on all targets or on none.
pub async fn apply_atomic(
    context: &Context,
    command: &Apply,
    terms: Terms,
) -> Result<CommandResult, CommandError> {
    let selected = context.global.selected();
    if selected.groups.len() != 1 || selected.groups[0] == "all" {
        return Err(one_group().into());
    }
    let project = context.project()?;
    let place = Place::open(context, &project).await?;
    let (_, problems) = recover(&place.control, &place.group).await?;
    if problems.iter().any(Problem::is_error) {
        return Err(problems.into());
    }
    let chosen = open_groups(&project, &selected).await?.into_iter().next();
    let group = chosen.unwrap_or(place.group);
    let progress = context.progress();
    let begun = Begun::now();
    let targets = group.members.len();
    progress.send(Event::FleetStarted { command: "apply".to_owned(), targets });
    let work = AtomicWork {
        control: &place.control,
        group: &group,
        folder: Arc::new(usable_folder(&group.project)?),
        selection: terms.selection,
        consent: Consent { data_loss: context.global.allow_data_loss },
        timeout: terms.timeout,
        events: &progress,
        stop: context.stop_signal(),
    };
    let end = work.run().await;
    progress.finish();
    let mut end = end?;
    let (text, unsettled) = (summary(&end), std::mem::take(&mut end.unsettled));
    let results = results(&group, end)?;
    let mut whole =
        put_together(context, &project, command, vec![Done { group: &group, results }], &begun);
    whole.text.push_str(&text);
    if !unsettled.is_empty() {
        whole.problems.extend(unsettled);
        whole.exit = Some(ExitCode::SomeFailed);
    }
    Ok(whole)
}

/// Brings to an end what killed runs of `apply --atomic` left.
pub async fn recover_group(place: &Place) -> Result<CommandResult, CommandError> {
    let (count, problems) = recover(&place.control, &place.group).await?;
    let failed = problems.iter().any(Problem::is_error);
    let text = match count {
        0 => "No all-or-none run is open.\n".to_owned(),
        1 => "1 all-or-none run was open.\n".to_owned(),
        many => format!("{many} all-or-none runs were open.\n"),
    };
    let exit = failed.then_some(ExitCode::SomeFailed);
    Ok(CommandResult { text, problems, exit, ..CommandResult::default() })
}

fn one_group() -> Problem {
    Problem::error(Code::GroupNotPossible, "--atomic works on one group")
        .because("--group names none, several or all")
        .fix_with("Name one group.", "pgfleet apply --group tenants --atomic")
}

fn summary(end: &AtomicEnd) -> String {
    let held = end.held_ms;
    match (end.committed, end.unsettled.len()) {
        (None, _) => String::new(),
        (Some(true), 0) => format!("committed on all targets; locks were held {held:.0} ms\n"),
        (Some(true), left) => format!(
            "to be committed on all targets, and not yet on {left}; run the same command again\n"
        ),
        (Some(false), 0) => {
            format!("rolled back on all targets, each is as before; locks were held {held:.0} ms\n")
        }
        (Some(false), left) => format!(
            "to be rolled back on all targets, and not yet on {left}; run the same command again\n"
        ),
    }
}

fn results(group: &Group, end: AtomicEnd) -> Result<Vec<TargetResult>, CommandError> {
    let committed = end.committed;
    let members = group.members.iter().zip(end.targets);
    members
        .map(|(member, target)| {
            let elapsed = target.report.as_ref().map_or(0.0, |report| report.elapsed_ms);
            let result = result(&member.target.name, target, committed == Some(true))?;
            Ok(target_result(group, member, result, elapsed))
        })
        .collect()
}

fn result(
    name: &str,
    target: AtomicTarget,
    committed: bool,
) -> Result<CommandResult, CommandError> {
    let AtomicTarget { report, problems, idle } = target;
    // What was rolled back did not happen.
    let run = report.filter(|_| committed);
    let targets = vec![TargetEntry::new(name).field("run", &run)?];
    let first = problems.iter().find(|problem| problem.is_error());
    let (headline, exit) = match (idle, first) {
        (true, _) => ("nothing to do".to_owned(), None),
        (_, Some(first)) => (format!("{}: {}", first.code, first.what), Some(first.code.exit())),
        (_, None) if committed => {
            let count = run.as_ref().map_or(0, |run| run.migrations.len());
            (format!("{count} applied"), None)
        }
        (_, None) => ("rolled back: as before".to_owned(), Some(ExitCode::SomeFailed)),
    };
    Ok(CommandResult { headline, exit, targets, problems, ..CommandResult::default() })
}
