//! `pgfleet baseline`

use clap::Args;
use pgfleet_engine::conduct::baseline;

use super::apply::{run, show_run};
use super::context::Context;
use super::outcome::{CommandError, CommandResult};

/// Record migrations as applied without running them, for a database that has them already
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  pgfleet baseline 20250101120000")]
pub struct Baseline {
    /// Up to and including this migration
    version: String,
}

impl Baseline {
    pub async fn run(self, context: &Context) -> Result<CommandResult, CommandError> {
        let (project, target, opened) = context.open().await?;
        let progress = context.progress();
        let run = run(context, "baseline", false, &progress);
        let outcome = baseline(&target, &opened, &self.version, &run).await;
        drop(run);
        progress.finish();
        show_run(context, &project, &target.name, outcome?)
    }
}
