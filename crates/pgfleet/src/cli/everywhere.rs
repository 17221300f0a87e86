//! Commands on one target or on all targets of groups.
//!
//! Invariant: what a command does on a target is one function, whether the target is alone or one
//! of a thousand; a target that fails stops no other.

use std::collections::BTreeSet;
use std::time::Instant;

use pgfleet_core::diagnose::{Code, ExitCode, Problem};
use pgfleet_core::fleet::{advise_in_group, shell_word};
use pgfleet_core::report::{Event, FleetReport, TargetVerdict};
use pgfleet_engine::conduct::Target;
use pgfleet_engine::execute::EventSink;
use pgfleet_engine::fleet::{Begun, Group, Job, Member, groups_offline, open_groups, run_bounded};
use pgfleet_engine::project::Project;
use pgfleet_engine::report::write_fleet;

use super::context::Context;
use super::order::refuse_behind;
use super::outcome::{CommandError, CommandResult, exit_of};
use super::site::{SharedFolder, Site};
use super::written::report_unwritten;
use crate::render::{self, Progress};

/// A command that works on one target after the other.
pub trait PerTarget {
    /// Its name.
    const NAME: &'static str;
    /// Whether it changes targets: then groups wait for those that they come after, and a report
    /// is written.
    const CHANGES: bool;

    /// Works on one target.
    async fn on(&self, context: &Context, site: &Site<'_>) -> Result<CommandResult, CommandError>;

    /// Refuses what makes no sense on many targets.
    fn check_many(&self) -> Result<(), CommandError> {
        Ok(())
    }

    /// Whether it is refused while a group that comes first has something pending.
    fn keeps_order(&self) -> bool {
        false
    }

    /// What is said about the targets of a group together.
    fn overview(&self, context: &Context, group: &str, results: &[TargetResult]) -> String {
        let mut text = String::new();
        render::fleet_overview(&mut text, &context.out, group, results);
        text
    }
}

/// What became of one target of a group.
#[derive(Debug)]
pub struct TargetResult {
    /// The verdict.
    pub verdict: TargetVerdict,
    /// What the command found or did.
    pub result: CommandResult,
}

/// Runs a command on what the flags name.
pub async fn everywhere<C: PerTarget>(
    context: &Context,
    command: C,
) -> Result<CommandResult, CommandError> {
    if let Some(flag) = context.global.misplaced_for_groups() {
        return Err(misplaced(flag).into());
    }
    let project = context.project()?;
    if context.global.group.is_empty() {
        let (target, folder) = (Target::of(&project), &SharedFolder::default());
        return command.on(context, &Site { project: &project, target, folder, among: None }).await;
    }
    command.check_many()?;
    let groups = open_groups(&project, &context.global.selected()).await?;
    if command.keeps_order() {
        let names: Vec<_> = groups.iter().map(|group| group.name.as_str()).collect();
        refuse_behind(context, &project, &names, &format!("pgfleet {}", C::NAME)).await?;
    }
    let progress = context.progress();
    let begun = Begun::now();
    let targets = groups.iter().map(|group| group.members.len()).sum();
    progress.send(Event::FleetStarted { command: C::NAME.to_owned(), targets });
    let mut done = Vec::new();
    for group in &groups {
        let results = match waits_for(group, &done).filter(|_| C::CHANGES) {
            Some(first) => skip(group, first),
            None => work_on(context, &command, group, &progress).await,
        };
        done.push(Done { group, results });
    }
    progress.finish();
    Ok(put_together(context, &project, &command, done, &begun))
}

/// The projects that a command without a database looks through: that of each group that is named, or
/// the one project.
pub(super) fn folders_of(context: &Context) -> Result<Vec<Project>, CommandError> {
    if let Some(flag) = context.global.misplaced_for_groups() {
        return Err(misplaced(flag).into());
    }
    let project = context.project()?;
    if context.global.group.is_empty() {
        return Ok(vec![project]);
    }
    let groups = groups_offline(&project, &context.global.group)?;
    let mut projects: Vec<Project> = Vec::new();
    for (_, group) in groups {
        let same = |other: &Project| other.folder_path().ok() == group.folder_path().ok();
        if !projects.iter().any(same) {
            projects.push(group);
        }
    }
    Ok(projects)
}

/// A group and what became of its targets.
pub(super) struct Done<'g> {
    pub(super) group: &'g Group,
    pub(super) results: Vec<TargetResult>,
}

pub(super) fn misplaced(flag: &str) -> Problem {
    let what = match flag {
        "--url" | "--target" => format!("{flag} names one database, and --group many"),
        _ => format!("{flag} chooses among the targets of a group, and no --group is given"),
    };
    Problem::error(Code::GroupNotPossible, what)
        .fix_with("Name the group, and nothing else.", "pgfleet status --group all")
}

/// A group that comes first and did not get done.
fn waits_for<'d>(group: &Group, done: &'d [Done<'_>]) -> Option<&'d str> {
    let failed = |one: &&Done<'_>| one.results.iter().any(|result| !result.verdict.ok);
    let before = done.iter().filter(|one| group.after.contains(&one.group.name));
    before.into_iter().find(failed).map(|one| one.group.name.as_str())
}

fn skip(group: &Group, first: &str) -> Vec<TargetResult> {
    let headline = format!("not tried: the group {first} comes first and is not done");
    let problem = Problem::error(Code::TargetSkipped, format!("{} was not tried", group.name))
        .because(format!("the group {first} comes first, and some of its targets failed"))
        .fix("Correct what failed there and run the same command again.");
    let of = |(at, member): (usize, &Member)| {
        // Once is enough for all of them.
        let problems = if at == 0 { vec![problem.clone()] } else { Vec::new() };
        let exit = Some(ExitCode::SomeFailed);
        let result = CommandResult {
            headline: headline.clone(),
            exit,
            problems,
            ..CommandResult::default()
        };
        untried(group, member, result)
    };
    group.members.iter().enumerate().map(of).collect()
}

async fn work_on<C: PerTarget>(
    context: &Context,
    command: &C,
    group: &Group,
    progress: &Progress,
) -> Vec<TargetResult> {
    let stop = context.stop_signal();
    let folder = SharedFolder::default();
    let mut results: Vec<Option<TargetResult>> = group.members.iter().map(|_| None).collect();
    let jobs = group.members.iter().enumerate();
    let jobs = jobs.map(|(on, member)| Job { server: member.server, on });
    let work = |at: usize| {
        let (folder, member) = (&folder, &group.members[at]);
        async move { (at, one_of_many(context, command, group, member, folder, progress).await) }
    };
    let goes_on = || !*stop.borrow();
    run_bounded(&group.servers, jobs, goes_on, work, |(at, result): (usize, TargetResult)| {
        results[at] = Some(result);
    })
    .await;
    let results = results.into_iter().zip(&group.members);
    results.map(|(result, member)| result.unwrap_or_else(|| stopped(group, member))).collect()
}

async fn one_of_many<C: PerTarget>(
    context: &Context,
    command: &C,
    group: &Group,
    member: &Member,
    folder: &SharedFolder,
    progress: &Progress,
) -> TargetResult {
    let name = &member.target.name;
    progress.send(Event::TargetStarted { target: name.clone() });
    let begun = Instant::now();
    let target = Ok(member.target.clone());
    let site = Site { project: &group.project, target, folder, among: Some(progress) };
    let result = command.on(context, &site).await.unwrap_or_else(CommandResult::from);
    let elapsed_ms = begun.elapsed().as_secs_f64() * 1000.0;
    let result = target_result(group, member, result, elapsed_ms);
    progress.send(Event::TargetFinished {
        target: name.clone(),
        ok: result.verdict.ok,
        headline: result.verdict.headline.clone(),
        elapsed_ms,
    });
    result
}

/// The user asked to stop before the target's turn.
fn stopped(group: &Group, member: &Member) -> TargetResult {
    let result = CommandResult {
        headline: "not tried: stopped".to_owned(),
        exit: Some(ExitCode::SomeFailed),
        ..CommandResult::default()
    };
    untried(group, member, result)
}

fn untried(group: &Group, member: &Member, result: CommandResult) -> TargetResult {
    let mut result = target_result(group, member, result, 0.0);
    result.verdict.tried = false;
    result
}

pub(super) fn target_result(
    group: &Group,
    member: &Member,
    mut result: CommandResult,
    elapsed_ms: f64,
) -> TargetResult {
    let name = &member.target.name;
    for problem in result.problems.iter_mut().filter(|problem| problem.target.is_none()) {
        problem.target = Some(name.clone());
    }
    for problem in &mut result.problems {
        advise_in_group(problem, &group.name);
        name_in_diff(problem, group, member);
    }
    // Texts are for one target; a thousand of them tell nothing.
    result.text = String::new();
    let exit = result.exit.unwrap_or(ExitCode::Done);
    let verdict = TargetVerdict {
        group: group.name.clone(),
        target: name.clone(),
        server: member.target.spec.redacted(),
        ok: exit == ExitCode::Done,
        tried: true,
        exit: exit as u8,
        headline: result.headline.clone(),
        details: result.details.clone(),
        elapsed_ms,
        problems: result.problems.clone(),
    };
    TargetResult { verdict, result }
}

/// `diff` knows no groups: what is `target` to it, and the folder, are said by themselves.
fn name_in_diff(problem: &mut Problem, group: &Group, member: &Member) {
    let url = shell_word(&member.target.spec.redacted());
    let folder = group.project.folder_path().ok();
    let folder =
        folder.map(|(path, _)| format!(" --dir {}", shell_word(&path.display().to_string())));
    for command in problem.fixes.iter_mut().filter_map(|fix| fix.command.as_mut()) {
        if let Some(rest) = command.strip_prefix("pgfleet diff target ") {
            *command = format!("pgfleet diff {url} {rest}{}", folder.clone().unwrap_or_default());
        }
    }
}

pub(super) fn put_together<C: PerTarget>(
    context: &Context,
    project: &Project,
    command: &C,
    done: Vec<Done<'_>>,
    begun: &Begun,
) -> CommandResult {
    let mut whole = CommandResult::default();
    let mut report = FleetReport {
        version: 1,
        run_id: begun.run_id.clone(),
        command: C::NAME.to_owned(),
        started_at: begun.started_at.clone(),
        elapsed_ms: begun.elapsed_ms(),
        targets: Vec::new(),
        problems: Vec::new(),
    };
    for Done { group, results } in done {
        whole.text.push_str(&command.overview(context, &group.name, &results));
        whole.problems.extend(group.problems.iter().cloned());
        report.problems.extend(group.problems.iter().cloned());
        for TargetResult { verdict, mut result } in results {
            whole.problems.append(&mut result.problems);
            whole.checks.append(&mut result.checks);
            whole.targets.extend(result.targets.into_iter().next().map_or_else(
                || entry(&verdict, crate::render::TargetEntry::new(&verdict.target)),
                |found| entry(&verdict, found),
            ));
            report.targets.push(verdict);
        }
    }
    whole.exit = Some(exit_of_all(&report.targets));
    if C::CHANGES && !report.targets.is_empty() {
        let keep = project.settings.apply.keep_runs;
        match write_fleet(&project.root.join(".pgfleet/runs"), &report, keep) {
            Ok(_) => {
                whole.reported = true;
                whole.text.push_str(&format!("report: .pgfleet/runs/{}/\n", report.run_id));
            }
            Err(error) => whole.problems.push(report_unwritten(&error)),
        }
    }
    whole.fleet = Some(report);
    whole
}

/// A target's JSON with what every target of a fleet has.
pub(super) fn entry(
    verdict: &TargetVerdict,
    found: render::TargetEntry,
) -> Option<render::TargetEntry> {
    let with = |found: render::TargetEntry| {
        found
            .field("group", &verdict.group)?
            .field("server", &verdict.server)?
            .field("ok", &verdict.ok)?
            .field("tried", &verdict.tried)?
            .field("exit", &verdict.exit)?
            .field("verdict", &verdict.headline)?
            .field("elapsed_ms", &verdict.elapsed_ms)
    };
    with(found).ok()
}

/// All alike: that. Nothing worse than "not so": that. Otherwise some failed.
fn exit_of_all(targets: &[TargetVerdict]) -> ExitCode {
    let codes: BTreeSet<u8> = targets.iter().map(|target| target.exit).collect();
    let worst = codes.last().copied().unwrap_or(0);
    let known = [
        ExitCode::Done,
        ExitCode::NotSo,
        ExitCode::Usage,
        ExitCode::Unreachable,
        ExitCode::Failed,
        ExitCode::Refused,
        ExitCode::Bug,
    ];
    let same = known.into_iter().find(|code| *code as u8 == worst);
    match (codes.len(), worst) {
        (0 | 1, _) => same.unwrap_or(ExitCode::SomeFailed),
        (_, 1) => ExitCode::NotSo,
        _ => ExitCode::SomeFailed,
    }
}

impl From<CommandError> for CommandResult {
    fn from(error: CommandError) -> Self {
        let first = error.problems.iter().find(|problem| problem.is_error());
        Self {
            headline: first.map(|p| format!("{}: {}", p.code, p.what)).unwrap_or_default(),
            exit: Some(exit_of(&error.problems)),
            problems: error.problems,
            ..Self::default()
        }
    }
}
