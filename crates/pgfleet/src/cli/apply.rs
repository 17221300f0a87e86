//! `pgfleet apply`

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{ArgGroup, Args, ValueEnum};
use pgfleet_core::diagnose::{Code, ExitCode, Problem};
use pgfleet_core::plan::{Plan, PlanFile};
use pgfleet_core::rehearse::{Rehearsal, RowChoice};
use pgfleet_core::report::{MigrationOutcome, MigrationRun, RunReport};
use pgfleet_engine::conduct::{
    ApplyRequest, Consent, Opened, Run, RunOutcome, Selection, Target, apply, dry_run, plan_apply,
};
use pgfleet_engine::execute::EventSink;
use pgfleet_engine::project::Project;
use pgfleet_engine::rehearse::{RehearsalOptions, Rehearsals, Rehearsed};
use pgfleet_engine::report::write_run;
use pgfleet_engine::typeorm::capture_pending;

use super::atomic::{Terms, apply_atomic};
use super::context::Context;
use super::everywhere::{PerTarget, everywhere};
use super::global::at_least_one;
use super::outcome::{CommandError, CommandResult};
use super::site::Site;
use super::written::report_unwritten;
use crate::render::{self, TargetEntry};

/// Apply the pending migrations and record them as the format's own tool would
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pgfleet apply
  pgfleet apply --dry-run
  pgfleet apply --rehearse --rows 1000
  pgfleet apply --to 20250101120000
  pgfleet apply --group tenants --atomic
  pgfleet plan --out plan.json && pgfleet apply --plan plan.json
  pgfleet diff target schema.sql --out plan.json && pgfleet apply --plan plan.json

An interrupted run is finished by running the same command again.",
    group = ArgGroup::new("copies").args(["rehearse", "atomic"]))]
pub struct Apply {
    /// Execute this plan of `plan` or `diff` exactly, or not at all when the target has changed since
    #[arg(long, value_name = "FILE", conflicts_with_all = ["to", "steps"])]
    plan: Option<PathBuf>,
    /// Up to and including this migration
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,
    /// This many migrations at the most
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    steps: Option<usize>,
    /// Apply to a scratch copy of the target, and nothing to the target
    #[arg(long)]
    dry_run: bool,
    /// Run the plan on a scratch copy first, show what it locks and takes, and apply it only when all
    /// of it succeeded there
    #[arg(long, conflicts_with = "dry_run")]
    rehearse: bool,
    /// Copy rows too for the rehearsal: all, a number of each table, or a share
    #[arg(long, value_name = "N|N%|all", requires = "copies")]
    rows: Option<RowChoice>,
    /// What to do after a migration that failed
    #[arg(long, value_enum, default_value_t = OnError::Stop, value_name = "WHAT")]
    on_error: OnError,
    /// Do not ask whether the groups that come first are done
    #[arg(long)]
    ignore_order: bool,
    /// Commit on all targets of the group or on none, by prepared transactions; where a target cannot
    /// prepare, rehearse on every one, and take back what is done when one fails
    #[arg(long, conflicts_with_all = ["plan", "dry_run", "rehearse", "on_error"])]
    atomic: bool,
    /// Roll everything back when the targets have not prepared after this time; where they rehearse,
    /// when one has not
    #[arg(long, value_name = "SECONDS", default_value_t = 60, requires = "atomic")]
    atomic_timeout: u64,
    /// Refuse where a target cannot prepare
    #[arg(long, requires = "atomic")]
    prepared_only: bool,
    /// Where what is done would be taken back: although a way back was not proven
    #[arg(long, requires = "atomic", conflicts_with = "prepared_only")]
    unproven: bool,
    #[arg(skip)]
    rehearsals: Rehearsals,
}

impl Apply {
    pub async fn run(self, context: &Context) -> Result<CommandResult, CommandError> {
        if !self.atomic {
            return everywhere(context, self).await;
        }
        let selection = Selection { to: self.to.clone(), steps: self.steps };
        let timeout = Duration::from_secs(self.atomic_timeout);
        let (prepared_only, unproven) = (self.prepared_only, self.unproven);
        let terms = Terms { selection, timeout, prepared_only, unproven, rows: self.rows };
        apply_atomic(context, &self, terms).await
    }

    /// Rehearses, and refuses to go on when a statement failed on the copy.
    async fn rehearse_first(
        &self,
        context: &Context,
        (project, target, opened): (&Project, &Target, &Opened),
        plan: &Plan,
    ) -> Result<Option<(String, Rehearsal)>, CommandError> {
        if plan.is_empty() {
            return Ok(None);
        }
        let options = RehearsalOptions { rows: self.rows, forwards_only: true };
        let Rehearsed { rehearsal, problems } =
            self.rehearsals.rehearse(project, target, opened, plan, options).await?;
        if !rehearsal.complete {
            let refusal =
                Problem::error(Code::RehearsalFailed, "the rehearsal failed; nothing was applied")
                    .in_target(&target.name)
                    .fix_with("See all of it.", "pgfleet plan --rehearse");
            return Err(std::iter::once(refusal).chain(problems).collect::<Vec<_>>().into());
        }
        let mut text = String::new();
        render::rehearsal(&mut text, &context.out, &rehearsal, context.global.verbose);
        Ok(Some((text, rehearsal)))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OnError {
    /// Run no further migration.
    Stop,
    /// Go on with the next one.
    Continue,
}

impl PerTarget for Apply {
    const NAME: &'static str = "apply";
    const CHANGES: bool = true;

    fn keeps_order(&self) -> bool {
        !self.ignore_order && !self.dry_run
    }

    async fn on(&self, context: &Context, site: &Site<'_>) -> Result<CommandResult, CommandError> {
        let plan = self.plan.as_deref().map(read_plan).transpose()?;
        let in_history = plan.as_ref().is_none_or(|plan| plan.schemas().is_none());
        let (project, (target, mut opened)) = match in_history {
            true => (site.project, site.open().await?),
            false => (site.project, site.open_without_folder().await?),
        };
        let selection = Selection { to: self.to.clone(), steps: self.steps };
        if plan.is_none() {
            capture_pending(project, target, &mut opened, &selection).await?;
        }
        let rehearsed = match self.rehearse {
            true => {
                let plan = plan.clone().map_or_else(|| plan_apply(target, &opened, &selection), Ok);
                self.rehearse_first(context, (project, target, &opened), &plan?).await?
            }
            false => None,
        };
        let progress = site.progress(context);
        let request = ApplyRequest {
            selection,
            plan,
            run: run(context, "apply", self.on_error == OnError::Continue, &progress),
        };
        let result = if self.dry_run {
            let dry = dry_run(project, target, &opened, &request).await;
            dry.map(|dry| (dry.outcome, Some(dry.copied)))
        } else {
            apply(target, &opened, &request).await.map(|outcome| (outcome, None))
        };
        drop(request);
        drop(progress);
        let (outcome, copied) = result?;
        let mut shown = show_run(context, site, &target.name, outcome)?;
        if let Some((text, rehearsal)) = rehearsed {
            shown.text.insert_str(0, &text);
            let entries = std::mem::take(&mut shown.targets).into_iter();
            let with = entries.map(|entry| entry.field("rehearsal", &rehearsal));
            shown.targets = with.collect::<Result<_, _>>()?;
        }
        opened.session.close().await;
        if let Some(copied) = copied {
            shown.text.push_str(&format!("{copied}; nothing was changed in {}.\n", target.name));
            shown.headline.push_str(" on a scratch copy");
        }
        Ok(shown)
    }
}

/// How a run goes, by the flags.
pub fn run<'a>(
    context: &Context,
    command: &'a str,
    continue_on_error: bool,
    events: &'a dyn EventSink,
) -> Run<'a> {
    Run {
        command,
        consent: Consent { data_loss: context.global.allow_data_loss },
        continue_on_error,
        enclosed: None,
        events,
        stop: context.stop_signal(),
    }
}

/// Shows what became of a run, and writes its report.
pub fn show_run(
    context: &Context,
    site: &Site<'_>,
    target: &str,
    outcome: RunOutcome,
) -> Result<CommandResult, CommandError> {
    let RunOutcome::Ran(report) = outcome else {
        let entry = TargetEntry::new(target).field("run", &None::<RunReport>)?;
        let text = "Nothing to do: the target is up to date.\n".to_owned();
        let (headline, targets) = ("nothing to do".to_owned(), vec![entry]);
        return Ok(CommandResult { text, headline, targets, ..CommandResult::default() });
    };
    let mut problems = report.problems.clone();
    let keep = site.project.settings.apply.keep_runs;
    // Of many targets there is one report, not one each.
    let unwritten = match site.is_one_of_many() {
        true => None,
        false => write_run(&site.project.root.join(".pgfleet/runs"), &report, keep).err(),
    };
    let mut text = String::new();
    render::run_summary(&mut text, &context.out, &report, unwritten.is_none());
    problems.extend(unwritten.as_ref().map(report_unwritten));
    let entry = TargetEntry::new(target).field("run", &report)?;
    let (exit, headline) = (exit_of(&report), headline(&report));
    let run = Some(*report);
    Ok(CommandResult {
        text,
        headline,
        targets: vec![entry],
        problems,
        exit,
        run,
        ..CommandResult::default()
    })
}

/// `20 applied`, or what stopped the run.
fn headline(report: &RunReport) -> String {
    let verb = match report.command.as_str() {
        "apply" => "applied",
        "rollback" => "taken back",
        _ => "recorded",
    };
    let is_done = |m: &&MigrationRun| m.outcome == MigrationOutcome::Done;
    let done = report.migrations.iter().filter(is_done).count();
    let error = report.problems.iter().find(|problem| problem.is_error());
    match (report.complete(), error) {
        (true, _) => format!("{done} {verb}"),
        (false, Some(error)) => format!("{}: {}", error.code, error.what),
        (false, None) => format!("stopped after {done} of {}", report.migrations.len()),
    }
}

fn exit_of(report: &RunReport) -> Option<ExitCode> {
    let first = report.problems.iter().find(|problem| problem.is_error());
    if report.complete() && first.is_none() {
        return None;
    }
    match first.map(|problem| problem.code.exit()) {
        Some(ExitCode::Unreachable) => Some(ExitCode::Unreachable),
        _ => Some(ExitCode::Failed),
    }
}

fn read_plan(file: &Path) -> Result<Plan, CommandError> {
    let invalid = |reason: String| {
        Problem::error(Code::PlanInvalid, format!("{} is not a plan", file.display()))
            .because(reason)
            .fix_with("Make one.", format!("pgfleet plan --out {}", file.display()))
            .fix_with(
                "Or one of a difference.",
                format!("pgfleet diff target TO --out {}", file.display()),
            )
    };
    let text = std::fs::read_to_string(file).map_err(|error| invalid(error.to_string()))?;
    let file = PlanFile::parse(&text).map_err(|error| invalid(error.to_string()))?;
    Ok(file.plan)
}
