//! `pgfleet apply --atomic` and `pgfleet rollout recover`: a group's migrations on all targets or
//! on none, by prepared transactions or, where there are none, by a rollout that takes back.

use std::sync::Arc;
use std::time::Duration;

use pgfleet_core::diagnose::{Code, ExitCode, Problem};
use pgfleet_core::fleet::{OnFailure, RolloutRules};
use pgfleet_core::rehearse::RowChoice;
use pgfleet_core::report::Event;
use pgfleet_engine::conduct::{Consent, Selection};
use pgfleet_engine::execute::EventSink;
use pgfleet_engine::fleet::rollout::{
    AtomicEnd, AtomicHow, AtomicTarget, AtomicWork, Beginning, RolloutWork, recover,
};
use pgfleet_engine::fleet::{Begun, Group, open_groups};
use pgfleet_engine::project::Folder;

use super::apply::Apply;
use super::context::{Context, usable_folder};
use super::everywhere::{Done, PerTarget, TargetResult, entry, put_together, target_result};
use super::order::refuse_behind;
use super::outcome::{CommandError, CommandResult};
use super::rollout::{Place, unfinished};
use crate::render::TargetEntry;

/// What `--atomic` goes by.
pub struct Terms {
    /// Which of the pending migrations.
    pub selection: Selection,
    /// How long the targets may prepare.
    pub timeout: Duration,
    /// Refuse where a target cannot prepare.
    pub prepared_only: bool,
    /// Go on although a way back was not proven.
    pub unproven: bool,
    /// Which rows are copied to prove ways back; none copies the structure alone.
    pub rows: Option<RowChoice>,
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
    let place = Place { all_or_none: true, ..Place::open(context, &project).await? };
    let (_, problems) = recover(&place.control, &place.group).await?;
    if problems.iter().any(Problem::is_error) {
        return Err(problems.into());
    }
    if let Some(open) = place.unfinished_atomic().await? {
        return place.go_on(context, open).await;
    }
    if command.keeps_order() {
        refuse_behind(context, &project, &[&place.group.name], "pgfleet apply --atomic").await?;
    }
    let chosen = open_groups(&project, &selected).await?.into_iter().next();
    let group = chosen.as_ref().unwrap_or(&place.group);
    let progress = context.progress();
    let begun = Begun::now();
    let targets = group.members.len();
    let rules = RolloutRules {
        on_failure: OnFailure::TakeBack,
        to: terms.selection.to.clone(),
        atomic: true,
        ..RolloutRules::default()
    };
    progress.send(Event::FleetStarted { command: "apply".to_owned(), targets });
    let work = AtomicWork {
        control: &place.control,
        group,
        folder: Arc::new(usable_folder(&group.project)?),
        selection: terms.selection,
        consent: Consent { data_loss: context.global.allow_data_loss },
        timeout: terms.timeout,
        prepared_only: terms.prepared_only,
        unproven: terms.unproven,
        rows: terms.rows,
        events: &progress,
        stop: context.stop_signal(),
    };
    let end = work.run().await;
    drop(work);
    progress.finish();
    let mut end = end?;
    if let AtomicHow::Rehearsed(folder) = &end.how {
        let rehearsed = (folder.clone(), summary(&end));
        return change_rehearsed(context, &place, group, (rules, &end), rehearsed).await;
    }
    let (text, unsettled) = (summary(&end), std::mem::take(&mut end.unsettled));
    let results = results(group, end)?;
    let mut whole = put_together(context, &project, command, vec![Done { group, results }], &begun);
    whole.text.push_str(&text);
    if !unsettled.is_empty() {
        whole.problems.extend(unsettled);
        whole.exit = Some(ExitCode::SomeFailed);
    }
    Ok(whole)
}

/// Changes targets that have rehearsed, by a rollout that takes back.
async fn change_rehearsed(
    context: &Context,
    place: &Place,
    group: &Group,
    (rules, end): (RolloutRules, &AtomicEnd),
    (folder, summary): (Arc<Folder>, String),
) -> Result<CommandResult, CommandError> {
    let members = group.members.iter().zip(&end.targets).filter(|(_, target)| !target.idle);
    let beginning = Beginning {
        group: &group.name,
        rules,
        folder: RolloutWork::folder_hash(&folder),
        targets: members.map(|(member, _)| (member.target.name.as_str(), 0)).collect(),
    };
    if let Some(other) = place.control.unfinished(&group.name).await? {
        return Err(unfinished(&other).into());
    }
    place.control.begin(&beginning).await?;
    let begun = place.control.newest(&group.name).await?;
    if !begun.rules.atomic {
        return Err(unfinished(&begun).into());
    }
    let mut shown = place.work(context, &begun, Some(folder)).await?;
    let members = group.members.iter().zip(&end.targets);
    let idle: Vec<_> =
        members.filter(|(_, target)| target.idle).map(|(member, _)| member).collect();
    if !idle.is_empty() {
        shown.text.push_str(&format!("{} more had nothing to do\n", idle.len()));
    }
    for member in idle {
        let result = result(
            &member.target.name,
            AtomicTarget { idle: true, ..AtomicTarget::default() },
            &end.how,
        )?;
        let TargetResult { verdict, mut result } = target_result(group, member, result, 0.0);
        shown.targets.extend(result.targets.pop().and_then(|found| entry(&verdict, found)));
        shown.fleet.iter_mut().for_each(|fleet| fleet.targets.push(verdict.clone()));
    }
    shown.text.insert_str(0, &summary);
    Ok(shown)
}

/// Brings to an end what killed runs of `apply --atomic` left.
pub async fn recover_group(
    context: &Context,
    place: &Place,
) -> Result<CommandResult, CommandError> {
    let (count, problems) = recover(&place.control, &place.group).await?;
    if let Some(open) = place.unfinished_atomic().await? {
        return place.go_on(context, open).await;
    }
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
    match (&end.how, end.unsettled.len()) {
        (AtomicHow::Nothing, _) => String::new(),
        (AtomicHow::RehearsalFailed, _) => {
            "the rehearsal failed; nothing was changed on any target\n".to_owned()
        }
        (AtomicHow::Rehearsed(_), _) => {
            format!("rehearsed on all targets; locks of one were held {held:.0} ms at the most\n")
        }
        (AtomicHow::Committed, 0) => {
            format!("committed on all targets; locks were held {held:.0} ms\n")
        }
        (AtomicHow::Committed, left) => format!(
            "to be committed on all targets, and not yet on {left}; run the same command again\n"
        ),
        (AtomicHow::RolledBack, 0) => {
            format!("rolled back on all targets, each is as before; locks were held {held:.0} ms\n")
        }
        (AtomicHow::RolledBack, left) => format!(
            "to be rolled back on all targets, and not yet on {left}; run the same command again\n"
        ),
    }
}

fn results(group: &Group, end: AtomicEnd) -> Result<Vec<TargetResult>, CommandError> {
    let how = end.how;
    let members = group.members.iter().zip(end.targets);
    members
        .map(|(member, target)| {
            let elapsed = target.report.as_ref().map_or(0.0, |report| report.elapsed_ms);
            let result = result(&member.target.name, target, &how)?;
            Ok(target_result(group, member, result, elapsed))
        })
        .collect()
}

fn result(
    name: &str,
    target: AtomicTarget,
    how: &AtomicHow,
) -> Result<CommandResult, CommandError> {
    let AtomicTarget { report, problems, idle } = target;
    let committed = matches!(how, AtomicHow::Committed);
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
        (_, None) => {
            let tried =
                if matches!(how, AtomicHow::RolledBack) { "rolled back" } else { "rehearsed" };
            (format!("{tried}: as before"), Some(ExitCode::SomeFailed))
        }
    };
    Ok(CommandResult { headline, exit, targets, problems, ..CommandResult::default() })
}
