//! `pgfleet plan`

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_engine::conduct::{Selection, estimate_batches, plan_apply};
use pgfleet_engine::preflight::check_folder;
use pgfleet_engine::typeorm::capture_pending;

use super::context::Context;
use super::outcome::{CommandError, CommandResult};
use crate::render::{self, TargetEntry};

/// Show what apply would do: order, sizes, what each file creates, locks and hazards
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pgfleet plan
  pgfleet plan --out plan.json && pgfleet apply --plan plan.json
  pgfleet plan --to 20250101120000")]
pub struct Plan {
    /// Write the plan to a file, to be reviewed and then executed exactly
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Up to and including this migration
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,
    /// This many migrations at the most
    #[arg(long, value_name = "N")]
    steps: Option<usize>,
}

impl Plan {
    pub async fn run(self, context: &Context) -> Result<CommandResult, CommandError> {
        let (project, target, mut opened) = context.open().await?;
        let selection = Selection { to: self.to, steps: self.steps };
        capture_pending(&project, &target, &mut opened, &selection).await?;
        let plan = plan_apply(&target, &opened, &selection)?;
        if let Some(file) = &self.out {
            write_plan(file, &plan)?;
        }
        let mut text = String::new();
        render::plan(&mut text, &context.out, &plan);
        let estimates = estimate_batches(&opened.session, &plan).await;
        let estimates = estimates.map_err(|error| target.session_problem(&error))?;
        render::estimates(&mut text, &context.out, &estimates);
        let entry = TargetEntry::new(&target.name)
            .field("plan", &plan)?
            .field("batch_estimates", &estimates)?;
        let problems = concerning(check_folder(&project, &opened.folder).problems, &plan);
        Ok(CommandResult { text, targets: vec![entry], problems, ..CommandResult::default() })
    }
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

fn write_plan(file: &std::path::Path, plan: &pgfleet_core::plan::Plan) -> Result<(), CommandError> {
    let text = serde_json::to_string_pretty(plan)? + "\n";
    std::fs::write(file, text).map_err(|error| {
        Problem::error(Code::Usage, format!("the plan cannot be written to {}", file.display()))
            .because(error.to_string())
            .into()
    })
}
