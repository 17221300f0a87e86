//! `pgfleet rollback`

use clap::Args;
use pgfleet_core::diagnose::ExitCode;
use pgfleet_core::rehearse::Proof;
use pgfleet_engine::conduct::{
    Opened, RollbackRequest, RollbackTo, RunOutcome, Target, drop_objects,
};
use pgfleet_engine::typeorm::capture_applied;
use pgfleet_engine::way_back::{WayBack, find_way_back, refusal, take_way_back};

use super::apply::{run, show_run};
use super::context::Context;
use super::everywhere::PerTarget;
use super::global::at_least_one;
use super::outcome::{CommandError, CommandResult};
use super::site::Site;
use crate::render::{self, TargetEntry};

/// Take applied migrations back, the newest first, by a way that was proven on a scratch copy
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pgfleet rollback --dry-run                     the plan, and whether it was proven
  pgfleet rollback --allow-data-loss             the last migration
  pgfleet rollback --steps 3 --allow-data-loss
  pgfleet rollback --to 20250101120000           everything after that version; `--to 0` everything
  pgfleet rollback --objects session_bookings,session_reminders --allow-data-loss

A migration is taken back by its down part; without one, by the difference of the schemas after and
before it. Either is tried on a copy first, and refused when it does not lead back.")]
pub struct Rollback {
    /// Everything that was applied after this migration, which itself stays; 0 takes back all
    #[arg(long, value_name = "VERSION", conflicts_with = "steps")]
    to: Option<String>,
    /// The last N migrations
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = at_least_one)]
    steps: usize,
    /// Drop these objects, dependents first, and leave the history as it is
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', conflicts_with_all = ["to", "steps"])]
    objects: Vec<String>,
    /// Show the plan and its proof, and change nothing
    #[arg(long, conflicts_with = "objects")]
    dry_run: bool,
    /// Take a way back that was not proven
    #[arg(long, conflicts_with = "objects")]
    unproven: bool,
}

impl PerTarget for Rollback {
    const NAME: &'static str = "rollback";
    const CHANGES: bool = true;

    async fn on(&self, context: &Context, site: &Site<'_>) -> Result<CommandResult, CommandError> {
        let (project, (target, mut opened)) = (site.project, site.open().await?);
        if !self.objects.is_empty() {
            let progress = site.progress(context);
            let run = run(context, "rollback", false, &progress);
            let outcome = drop_objects(target, &opened, &self.objects, &run).await;
            drop(run);
            drop(progress);
            return show_run(context, site, &target.name, outcome?);
        }
        let to = self.to.clone().map_or(RollbackTo::Steps(self.steps), RollbackTo::Version);
        capture_applied(project, target, &mut opened, &to).await?;
        let Some(way) = find_way_back(project, target, &mut opened, &to).await? else {
            return show_run(context, site, &target.name, RunOutcome::Nothing);
        };
        if self.dry_run {
            return show_way(context, target, &way);
        }
        self.take(context, (site, target, &opened), to, &way).await
    }
}

impl Rollback {
    async fn take(
        &self,
        context: &Context,
        (site, target, opened): (&Site<'_>, &Target, &Opened),
        to: RollbackTo,
        way: &WayBack,
    ) -> Result<CommandResult, CommandError> {
        let progress = site.progress(context);
        let request = RollbackRequest { to, run: run(context, "rollback", false, &progress) };
        let outcome = take_way_back(target, opened, &request, way, self.unproven).await;
        drop(request);
        drop(progress);
        let mut shown = show_run(context, site, &target.name, outcome?)?;
        add_proof(&mut shown, context, way)?;
        Ok(shown)
    }
}

/// Adds what the try showed.
fn add_proof(
    shown: &mut CommandResult,
    context: &Context,
    way: &WayBack,
) -> Result<(), CommandError> {
    render::proof(&mut shown.text, &context.out, &way.proof, &way.derived);
    let entries = std::mem::take(&mut shown.targets).into_iter();
    shown.targets = entries.map(|entry| with_proof(entry, way)).collect::<Result<_, _>>()?;
    Ok(())
}

fn with_proof(entry: TargetEntry, way: &WayBack) -> Result<TargetEntry, serde_json::Error> {
    entry.field("proof", &way.proof)?.field("derived", &way.derived)
}

fn show_way(
    context: &Context,
    target: &Target,
    way: &WayBack,
) -> Result<CommandResult, CommandError> {
    let mut text = String::new();
    render::plan(&mut text, &context.out, &way.plan);
    if !way.derived.is_empty() {
        render::derived(&mut text, &context.out, &way.plan, &way.derived);
    }
    render::proof(&mut text, &context.out, &way.proof, &way.derived);
    text.push_str(&format!("Nothing was changed in {}.\n", target.name));
    let entry = TargetEntry::new(&target.name).field("plan", &*way.plan)?;
    let unproven = matches!(way.proof, Proof::Unproven { .. });
    Ok(CommandResult {
        text,
        targets: vec![with_proof(entry, way)?],
        problems: refusal(target, way).into_iter().collect(),
        exit: unproven.then_some(ExitCode::Refused),
        ..CommandResult::default()
    })
}
