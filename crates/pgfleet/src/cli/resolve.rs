//! `pgfleet resolve`

use clap::Args;
use pgfleet_engine::conduct::{Resolution, resolve};

use super::apply::{run, show_run};
use super::context::Context;
use super::everywhere::PerTarget;
use super::outcome::{CommandError, CommandResult};
use super::site::Site;

/// Tell the history what you know about a migration
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pgfleet resolve --applied 20250101120000       all of it is in the database
  pgfleet resolve --rolled-back 20250101120000   nothing of it is
  pgfleet resolve --checksum 20250101120000      the file was edited, and means the same")]
#[group(required = true, multiple = false)]
pub struct Resolve {
    /// All of it is in the database
    #[arg(long, value_name = "VERSION")]
    applied: Option<String>,
    /// Nothing of it is in the database
    #[arg(long, value_name = "VERSION")]
    rolled_back: Option<String>,
    /// The file was edited without changing what it means
    #[arg(long, value_name = "VERSION")]
    checksum: Option<String>,
}

impl PerTarget for Resolve {
    const NAME: &'static str = "resolve";
    const CHANGES: bool = true;

    async fn on(&self, context: &Context, site: &Site<'_>) -> Result<CommandResult, CommandError> {
        let chosen = [
            (&self.applied, Resolution::Applied),
            (&self.rolled_back, Resolution::RolledBack),
            (&self.checksum, Resolution::Checksum),
        ];
        let (target, opened) = site.open().await?;
        let progress = site.progress(context);
        let run = run(context, "resolve", false, &progress);
        let mut outcome = Ok(pgfleet_engine::conduct::RunOutcome::Nothing);
        for (version, resolution) in chosen {
            if let Some(version) = version {
                outcome = resolve(target, &opened, version, resolution, &run).await;
            }
        }
        drop(run);
        drop(progress);
        show_run(context, site, &target.name, outcome?)
    }
}
