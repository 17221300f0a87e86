//! `pgfleet baseline`

use clap::Args;
use pgfleet_engine::conduct::baseline;

use super::apply::{run, show_run};
use super::context::Context;
use super::everywhere::PerTarget;
use super::outcome::{CommandError, CommandResult};
use super::site::Site;

/// Record migrations as applied without running them, for a database that has them already
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  pgfleet baseline 20250101120000")]
pub struct Baseline {
    /// Up to and including this migration
    version: String,
}

impl PerTarget for Baseline {
    const NAME: &'static str = "baseline";
    const CHANGES: bool = true;

    async fn on(&self, context: &Context, site: &Site<'_>) -> Result<CommandResult, CommandError> {
        let (target, opened) = site.open().await?;
        let progress = site.progress(context);
        let run = run(context, "baseline", false, &progress);
        let outcome = baseline(target, &opened, &self.version, &run).await;
        drop(run);
        drop(progress);
        show_run(context, site, &target.name, outcome?)
    }
}
