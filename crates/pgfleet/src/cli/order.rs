//! The order between groups, where a later one is worked on without those that come first.
//!
//! Invariant: targets are read, never written.

use std::collections::BTreeSet;
use std::sync::Arc;

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::history::Verdict;
use pgfleet_engine::conduct::{Target, open};
use pgfleet_engine::fleet::{Group, Job, Selected, open_groups, run_bounded};
use pgfleet_engine::project::{Folder, Project};

use super::context::{Context, usable_folder};
use super::outcome::CommandError;

/// Targets that the refusal names.
const NAMED_MAX: usize = 5;

/// Refuses when a group that comes before one of these, and is not among them, has something pending
/// or failed. `command` is what was asked for, without its flags.
pub async fn refuse_behind(
    context: &Context,
    project: &Project,
    groups: &[&str],
    command: &str,
) -> Result<(), CommandError> {
    let mut problems = Vec::new();
    for (first, later) in that_come_first(project, groups) {
        let selected = Selected {
            groups: vec![first.to_owned()],
            choice: Default::default(),
            concurrency: context.global.selected().concurrency,
        };
        for group in open_groups(project, &selected).await? {
            let behind = behind(&group).await?;
            if !behind.is_empty() {
                problems.push(not_done(&group, later, &behind, command));
            }
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.into()) }
}

/// Groups that come before some of these, directly or not, each with the one that it comes before.
fn that_come_first<'p>(project: &'p Project, groups: &[&'p str]) -> Vec<(&'p str, &'p str)> {
    let (mut seen, mut found) = (BTreeSet::from_iter(groups.iter().copied()), Vec::new());
    let mut open = groups.to_vec();
    while let Some(later) = open.pop() {
        let Some(section) = project.file.groups.get(later) else { continue };
        for first in section.after.iter().map(|first| first.get_ref().as_str()) {
            if seen.insert(first) {
                found.push((first, later));
                open.push(first);
            }
        }
    }
    found
}

/// Targets of a group that are not done, each with what it lacks.
async fn behind(group: &Group) -> Result<Vec<(String, String)>, CommandError> {
    let folder = Arc::new(usable_folder(&group.project)?);
    let folder = &folder;
    let jobs = group.members.iter().enumerate();
    let jobs = jobs.map(|(on, member)| Job { server: member.server, on });
    let mut behind = Vec::new();
    let work = |at: usize| async move {
        let target = &group.members[at].target;
        (at, lacks(&group.project, target, folder).await)
    };
    run_bounded(
        &group.servers,
        jobs,
        || true,
        work,
        |(at, lacks): (usize, Option<String>)| {
            behind.extend(lacks.map(|lacks| (at, lacks)));
        },
    )
    .await;
    behind.sort_unstable();
    let named = |(at, lacks): (usize, String)| (group.members[at].target.name.clone(), lacks);
    Ok(behind.into_iter().map(named).collect())
}

async fn lacks(project: &Project, target: &Target, folder: &Arc<Folder>) -> Option<String> {
    let opened = match open(project, target, folder.clone()).await {
        Ok(opened) => opened,
        Err(problem) => return Some(format!("{}: {}", problem.code, problem.what)),
    };
    let count = |wanted: &[Verdict]| {
        opened.statuses.iter().filter(|status| wanted.contains(&status.verdict)).count()
    };
    let (pending, failed) =
        (count(&[Verdict::Pending, Verdict::OutOfOrder]), count(&[Verdict::Failed]));
    opened.session.close().await;
    match (pending, failed) {
        (0, 0) => None,
        (pending, 0) => Some(format!("{pending} pending")),
        (0, failed) => Some(format!("{failed} failed")),
        (pending, failed) => Some(format!("{failed} failed, {pending} pending")),
    }
}

fn not_done(group: &Group, later: &str, behind: &[(String, String)], command: &str) -> Problem {
    let first = &group.name;
    let (count, all) = (behind.len(), group.members.len());
    let mut problem =
        Problem::error(Code::GroupBehind, format!("{first} comes before {later}, and is not done"))
            .because(format!("{count} of {all} targets of {first} are behind"));
    for (name, lacks) in behind.iter().take(NAMED_MAX) {
        problem = problem.detail(format!("{name}: {lacks}"));
    }
    if count > NAMED_MAX {
        problem = problem.detail(format!("and {} more", count - NAMED_MAX));
    }
    problem
        .fix_with("Do it first.", format!("pgfleet apply --group {first}"))
        .fix_with("Or do not wait for it.", format!("{command} --group {later} --ignore-order"))
}
