//! `pgfleet rollback`

use clap::Args;
use pgfleet_engine::conduct::{RollbackRequest, RollbackTo, drop_objects, roll_back};
use pgfleet_engine::typeorm::capture_applied;

use super::apply::{run, show_run};
use super::context::Context;
use super::everywhere::PerTarget;
use super::outcome::{CommandError, CommandResult};
use super::site::Site;

/// Take applied migrations back by their down parts, the newest first
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pgfleet rollback --allow-data-loss             the last migration
  pgfleet rollback --steps 3 --allow-data-loss
  pgfleet rollback --to 20250101120000           everything after that version; `--to 0` everything
  pgfleet rollback --objects session_bookings,session_reminders --allow-data-loss")]
pub struct Rollback {
    /// Everything that was applied after this migration, which itself stays; 0 takes back all
    #[arg(long, value_name = "VERSION", conflicts_with = "steps")]
    to: Option<String>,
    /// The last N migrations
    #[arg(long, value_name = "N", default_value_t = 1)]
    steps: usize,
    /// Drop these objects, dependents first, and leave the history as it is
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', conflicts_with_all = ["to", "steps"])]
    objects: Vec<String>,
}

impl PerTarget for Rollback {
    const NAME: &'static str = "rollback";
    const CHANGES: bool = true;

    async fn on(&self, context: &Context, site: &Site<'_>) -> Result<CommandResult, CommandError> {
        let (project, (target, mut opened)) = (site.project, site.open().await?);
        let to = self.to.clone().map_or(RollbackTo::Steps(self.steps), RollbackTo::Version);
        if self.objects.is_empty() {
            capture_applied(project, target, &mut opened, &to).await?;
        }
        let progress = site.progress(context);
        let request = RollbackRequest { to, run: run(context, "rollback", false, &progress) };
        let outcome = match self.objects.as_slice() {
            [] => roll_back(target, &opened, &request).await,
            objects => drop_objects(target, &opened, objects, &request.run).await,
        };
        drop(request);
        drop(progress);
        show_run(context, site, &target.name, outcome?)
    }
}
