//! `pgfleet plan`

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Args;
use pgfleet_core::diagnose::{Code, ExitCode, Problem};
use pgfleet_core::place::Place;
use pgfleet_core::plan::PlanFile;
use pgfleet_core::rehearse::{Rehearsal, RowChoice, Verdict, WayBack, add_hazards};
use pgfleet_engine::conduct::{BatchEstimate, Selection, estimate_batches, plan_apply};
use pgfleet_engine::preflight::check_folder;
use pgfleet_engine::rehearse::{RehearsalOptions, Rehearsals};
use pgfleet_engine::typeorm::capture_pending;

use pgfleet_engine::rows::broken_by_pending;

use super::context::Context;
use super::everywhere::{PerTarget, TargetResult};
use super::global::at_least_one;
use super::outcome::{CommandError, CommandResult};
use super::site::Site;
use super::written::write_file;
use crate::render::{self, TargetEntry};

/// Show what apply would do: order, sizes, what each file creates, locks and hazards
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pgfleet plan
  pgfleet plan --out plan.json && pgfleet apply --plan plan.json
  pgfleet plan --rehearse               locks really held, rewrites, times, ways back, on a copy
  pgfleet plan --rehearse --rows 10%    the same with a share of the rows
  pgfleet plan --to 20250101120000")]
pub struct Plan {
    /// Write the plan to a file, to be reviewed and then executed exactly
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Up to and including this migration
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,
    /// This many migrations at the most
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    steps: Option<usize>,
    /// Run the plan on a scratch copy of the target, and show what it locks, rewrites and takes, and
    /// whether each migration can be taken back
    #[arg(long)]
    rehearse: bool,
    /// Copy rows too: all, a number of each table, or a share; with what they refer to
    #[arg(long, value_name = "N|N%|all", requires = "rehearse")]
    rows: Option<RowChoice>,
    #[arg(skip)]
    rehearsals: Rehearsals,
    /// Of targets that are alike: the first, and what is shown of it.
    #[arg(skip)]
    shown: RefCell<BTreeMap<String, (String, String)>>,
}

impl PerTarget for Plan {
    const NAME: &'static str = "plan";
    const CHANGES: bool = false;

    async fn on(&self, context: &Context, site: &Site<'_>) -> Result<CommandResult, CommandError> {
        let (project, (target, mut opened)) = (site.project, site.open().await?);
        let selection = Selection { to: self.to.clone(), steps: self.steps };
        capture_pending(project, target, &mut opened, &selection).await?;
        let mut plan = plan_apply(target, &opened, &selection)?;
        // The folder is the same for all of a group: its warnings are for the plan of one.
        let mut problems = match site.is_one_of_many() {
            true => Vec::new(),
            false => concerning(check_folder(project, &opened.folder).problems, &plan),
        };
        problems.extend(broken_by_pending(&opened, &selection).await?);
        if !site.is_one_of_many() && !plan.is_empty() {
            problems.extend(opened.assumption());
        }
        let mut rehearsal = None;
        if self.rehearse && !plan.is_empty() {
            let options = RehearsalOptions { rows: self.rows, forwards_only: false };
            let rehearsed =
                self.rehearsals.rehearse(project, target, &opened, &plan, options).await?;
            add_hazards(&mut plan, &rehearsed.rehearsal);
            problems.extend(rehearsed.problems);
            problems.extend(broken_ways_back(&plan, &rehearsed.rehearsal));
            rehearsal = Some(rehearsed.rehearsal);
        }
        if let Some(file) = &self.out {
            write_plan(file, &PlanFile { plan: plan.clone(), rehearsal: rehearsal.clone() })?;
        }
        let estimates = estimate_batches(&opened.session, &plan).await;
        let estimates = estimates.map_err(|error| target.session_problem(&error))?;
        let shown = show(context, &target.name, (&plan, &estimates), rehearsal.as_ref(), problems)?;
        if let Some(likeness) = &shown.fingerprint {
            let first = || (target.name.clone(), shown.text.clone());
            self.shown.borrow_mut().entry(likeness.clone()).or_insert_with(first);
        }
        Ok(shown)
    }

    fn overview(&self, context: &Context, group: &str, results: &[TargetResult]) -> String {
        let mut text = String::new();
        render::fleet_overview(&mut text, &context.out, group, results);
        let shown = self.shown.borrow();
        render::fleet_plans(&mut text, &context.out, results, &|likeness| shown.get(likeness));
        text
    }

    fn check_many(&self) -> Result<(), CommandError> {
        match &self.out {
            Some(_) => {
                Err(Problem::error(Code::GroupNotPossible, "--out writes the plan of one target")
                    .fix("Leave --group out, or read the plans with --output json.")
                    .into())
            }
            None => Ok(()),
        }
    }
}

/// Equal for targets that have the same plan, and showed the same when it was rehearsed.
fn likeness(
    target: &str,
    plan: &pgfleet_core::plan::Plan,
    rehearsal: Option<&Rehearsal>,
) -> String {
    let on = rehearsal.map(|seen| seen.stand_in.as_deref().unwrap_or(target));
    format!("{} {}", plan.fingerprint, on.unwrap_or_default())
}

/// `2 to apply: 0003_a, 0004_b; 1 hazard; proven reversible`
fn headline(plan: &pgfleet_core::plan::Plan, rehearsal: Option<&Rehearsal>) -> String {
    let labels: Vec<_> = plan.sql_steps().map(|step| step.label.as_str()).collect();
    if labels.is_empty() {
        return "nothing to do".to_owned();
    }
    let more = if labels.len() > 3 { ", …" } else { "" };
    let shown = labels[..labels.len().min(3)].join(", ");
    let hazards = match plan.hazards.len() {
        0 => String::new(),
        1 => "; 1 hazard".to_owned(),
        many => format!("; {many} hazards"),
    };
    let rehearsed = rehearsal.map(|seen| format!("; {}", in_short(seen))).unwrap_or_default();
    format!("{} to apply: {shown}{more}{hazards}{rehearsed}", labels.len())
}

/// `2 of 3 not reversible`, the gravest of what a rehearsal showed.
fn in_short(rehearsal: &Rehearsal) -> String {
    if !rehearsal.complete {
        return "the rehearsal failed".to_owned();
    }
    let all = rehearsal.reversals.len();
    let count = |is: fn(&Verdict) -> bool| {
        rehearsal.reversals.iter().filter(|reversal| is(&reversal.verdict)).count()
    };
    let not = count(|verdict| matches!(verdict, Verdict::NotReversible { .. }));
    let untried = count(|verdict| matches!(verdict, Verdict::NotTried { .. }));
    let lossy = count(|verdict| matches!(verdict, Verdict::ProvenWithLoss { .. }));
    match (not, untried, lossy) {
        (0, 0, 0) => "proven reversible".to_owned(),
        (0, 0, lossy) => format!("reversible, {lossy} of {all} with loss"),
        (0, untried, _) => format!("ways back of {untried} of {all} not tried"),
        (not, ..) => format!("{not} of {all} not reversible"),
    }
}

fn show(
    context: &Context,
    target: &str,
    (plan, estimates): (&pgfleet_core::plan::Plan, &[BatchEstimate]),
    rehearsal: Option<&Rehearsal>,
    problems: Vec<Problem>,
) -> Result<CommandResult, CommandError> {
    let mut text = String::new();
    render::plan(&mut text, &context.out, plan);
    render::estimates(&mut text, &context.out, estimates);
    let mut entry =
        TargetEntry::new(target).field("plan", plan)?.field("batch_estimates", &estimates)?;
    let broken = problems.iter().any(|problem| problem.code == Code::RowsWouldBreak);
    let mut exit = broken.then_some(ExitCode::Refused);
    if let Some(rehearsal) = rehearsal {
        render::rehearsal(&mut text, &context.out, rehearsal, context.global.verbose);
        entry = entry.field("rehearsal", rehearsal)?;
        exit = exit.or((!rehearsal.complete).then_some(ExitCode::Failed));
    }
    Ok(CommandResult {
        text,
        headline: headline(plan, rehearsal),
        fingerprint: (!plan.is_empty()).then(|| likeness(target, plan, rehearsal)),
        targets: vec![entry],
        problems,
        exit,
        ..CommandResult::default()
    })
}

/// Down parts that were tried and do not do what they say.
pub fn broken_ways_back(plan: &pgfleet_core::plan::Plan, rehearsal: &Rehearsal) -> Vec<Problem> {
    let tried = rehearsal.reversals.iter().filter(|one| one.by == WayBack::DownPart);
    let broken = tried.filter_map(|reversal| {
        let Verdict::NotReversible { why, differences } = &reversal.verdict else { return None };
        let what = format!("the down part of {} does not take it back", reversal.migration);
        let mut problem = Problem::warning(Code::WayBackBroken, what).because(why.clone());
        problem.details.clone_from(differences);
        let step = plan.sql_steps().find(|step| step.label == reversal.migration);
        problem.place = step.map(|step| Place::file(step.file.clone()));
        Some(problem.fix("Correct it now: when it is needed, there is no time."))
    });
    broken.collect()
}

/// What preflight says about files of the plan; what is applied already is past.
fn concerning(problems: Vec<Problem>, plan: &pgfleet_core::plan::Plan) -> Vec<Problem> {
    let files: BTreeSet<_> = plan.sql_steps().map(|step| step.file.clone()).collect();
    let concerns = |problem: &Problem| match &problem.place {
        Some(place) => files.contains(&place.file),
        None => true,
    };
    problems.into_iter().filter(concerns).collect()
}

fn write_plan(file: &std::path::Path, plan: &PlanFile) -> Result<(), CommandError> {
    write_file(file, "the plan", &plan.to_text()?)
}
