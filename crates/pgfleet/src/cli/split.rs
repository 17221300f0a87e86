//! `pgfleet split`

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use pgfleet_core::diagnose::ExitCode;
use pgfleet_core::split::{Level, SplitPlan};
use pgfleet_engine::conduct::Consent;
use pgfleet_engine::split::{
    Look, RollbackReport, RunOptions, SPLIT_NAME, Split as Declared, SplitReport, Trust, finish,
    make_plan, roll_back, run, status, validate_rollback,
};

use super::context::Context;
use super::global::at_least_one;
use super::log::place_of;
use super::outcome::{CommandError, CommandResult};
use crate::render::{self, TargetEntry};

/// What a plan's log is called.
const PLAN_LOG: &str = "split-plan";
/// What `split.toml` may say, beside the plan's log.
const TO_DECLARE: &str = "to-declare.toml";

/// Split one database into several, as split.toml declares: plan, run, reconcile, take back
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pgfleet split plan                  what would go wrong, with counts and rows; changes nothing
  pgfleet split run                   create, migrate, move, reconcile; goes on where it stopped
  pgfleet split status
  pgfleet split rollback --validate   whether it can be taken back without loss
  pgfleet split rollback
  pgfleet split finish                the new databases are in use; the split is over")]
pub struct Split {
    /// The declaration, relative to the project's folder
    #[arg(long, global = true, value_name = "FILE", default_value = SPLIT_NAME)]
    declaration: PathBuf,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Hold the declaration against both schemas and all rows; change nothing
    Plan {
        /// Show what is as it should be too, and shorten nothing
        #[arg(long)]
        all: bool,
        /// A disk with too little room is no error
        #[arg(long)]
        skip_space_check: bool,
    },
    /// Create the databases, migrate them, move the rows, and prove that all of them arrived
    Run {
        /// Parts of tables that travel at a time
        #[arg(long, value_name = "N", default_value_t = 4, value_parser = at_least_one)]
        jobs: usize,
        /// Nobody writes to the source: leave its tables writable
        #[arg(long)]
        idle: bool,
        /// Begin even where a disk has too little room for all rows of the tables
        #[arg(long)]
        skip_space_check: bool,
    },
    /// Show how far a split is
    Status,
    /// Drop the new databases and make the source writable again, when nothing is lost by it
    Rollback {
        /// Say whether it could be done, and do nothing
        #[arg(long)]
        validate: bool,
    },
    /// End a split that is done; afterwards it cannot be taken back
    Finish {
        /// Leave the source's tables refusing writes
        #[arg(long)]
        keep_fence: bool,
    },
}

impl Split {
    /// What its log is called; looking how far it is is none.
    pub fn log_name(&self) -> Option<&'static str> {
        match &self.action {
            Action::Plan { .. } => Some(PLAN_LOG),
            Action::Run { .. } => Some("split-run"),
            Action::Rollback { validate: true } => Some("split-rollback-validate"),
            Action::Rollback { validate: false } => Some("split-rollback"),
            Action::Finish { .. } => Some("split-finish"),
            Action::Status => None,
        }
    }

    pub async fn run(self, context: &Context) -> Result<CommandResult, CommandError> {
        let project = context.project()?;
        let split = Declared::open(&project, &self.declaration)?;
        match self.action {
            Action::Plan { all, skip_space_check } => {
                let look = Look { trust: Trust::Nothing, check_space: !skip_space_check };
                let plan = make_plan(&split, look).await?;
                show_plan(context, &split, &plan, (&self.declaration, all))
            }
            Action::Run { jobs, idle, skip_space_check } => {
                let look = Look { trust: Trust::Keys, check_space: !skip_space_check };
                let plan = make_plan(&split, look).await?;
                run_split(context, &split, &plan, jobs, !idle).await
            }
            Action::Status => show_status(&split).await,
            Action::Rollback { validate } => rollback(context, &split, validate).await,
            Action::Finish { keep_fence } => end(context, &split, keep_fence).await,
        }
    }
}

fn show_plan(
    context: &Context,
    split: &Declared,
    plan: &SplitPlan,
    (declaration, all): (&Path, bool),
) -> Result<CommandResult, CommandError> {
    let place = place_of(context, &split.project, PLAN_LOG, TO_DECLARE);
    let shown = render::PlanShown {
        all,
        says_behind: split.file.left_behind.is_some(),
        declaration: &context.shell_path(&split.project.root.join(declaration)),
        file: &context.shell_path(&place),
    };
    let mut text = String::new();
    render::split_plan(&mut text, &context.out, plan, shown);
    let further = render::to_declare(plan, shown).map(|text| (TO_DECLARE, text));
    let entry = TargetEntry::new("source").field("plan", plan)?;
    let exit = (plan.count(Level::Error) > 0).then_some(ExitCode::NotSo);
    let tables = render::split_plan_tables(plan);
    let files = further.into_iter().collect();
    Ok(CommandResult {
        text,
        targets: vec![entry],
        exit,
        tables,
        files,
        ..CommandResult::default()
    })
}

async fn run_split(
    context: &Context,
    split: &Declared,
    plan: &SplitPlan,
    jobs: usize,
    fence: bool,
) -> Result<CommandResult, CommandError> {
    let progress = context.progress();
    let stop = context.stop_signal();
    let options = RunOptions { jobs, fence, events: &progress, stop };
    let done = run(split, plan, &options).await;
    drop(options);
    progress.finish();
    show_report(context, done?)
}

fn show_report(context: &Context, report: SplitReport) -> Result<CommandResult, CommandError> {
    let mut text = String::new();
    render::split_report(&mut text, &context.out, &report);
    let entry = TargetEntry::new("source").field("split", &report)?;
    let exit = (!report.problems.is_empty()).then_some(ExitCode::Failed);
    let tables = render::split_report_tables(&report);
    let (targets, problems) = (vec![entry], report.problems);
    Ok(CommandResult { text, targets, exit, problems, tables, ..CommandResult::default() })
}

async fn show_status(split: &Declared) -> Result<CommandResult, CommandError> {
    let status = status(split).await?;
    let mut text = String::new();
    render::split_status(&mut text, &status);
    let entry = TargetEntry::new("source").field("status", &status)?;
    Ok(CommandResult { text, targets: vec![entry], ..CommandResult::default() })
}

async fn rollback(
    context: &Context,
    split: &Declared,
    validate: bool,
) -> Result<CommandResult, CommandError> {
    if validate {
        let report = validate_rollback(split).await?;
        let exit = (!report.problems.is_empty()).then_some(ExitCode::NotSo);
        return show_rollback(context, report, "would be dropped", exit);
    }
    let progress = context.progress();
    let stop = context.stop_signal();
    let options = RunOptions { jobs: 1, fence: true, events: &progress, stop };
    let consent = Consent { data_loss: context.global.allow_data_loss };
    let done = roll_back(split, consent, &options).await;
    drop(options);
    progress.finish();
    show_rollback(context, done?, "dropped", None)
}

fn show_rollback(
    context: &Context,
    report: RollbackReport,
    verb: &str,
    exit: Option<ExitCode>,
) -> Result<CommandResult, CommandError> {
    let mut text = String::new();
    render::split_rollback(&mut text, &context.out, &report, verb);
    let entry = TargetEntry::new("source").field("rollback", &report)?;
    let problems = report.problems;
    Ok(CommandResult { text, targets: vec![entry], exit, problems, ..CommandResult::default() })
}

async fn end(
    context: &Context,
    split: &Declared,
    keep_fence: bool,
) -> Result<CommandResult, CommandError> {
    let progress = context.progress();
    let stop = context.stop_signal();
    let options = RunOptions { jobs: 1, fence: true, events: &progress, stop };
    let done = finish(split, keep_fence, &options).await;
    drop(options);
    progress.finish();
    let id = done?;
    let fence = if keep_fence { "still refuse" } else { "accept" };
    Ok(CommandResult::text(format!(
        "Split {id} is finished: the new databases stand alone, and the source's tables {fence} writes.\n"
    )))
}
