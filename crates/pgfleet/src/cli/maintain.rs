//! `pgfleet maintain`

use std::path::PathBuf;

use clap::Args;
use pgfleet_engine::clean::{CleanRun, execute, preview};

use super::backup::notes;
use super::clean::{consent, done, nothing, resolved, rules, shown};
use super::context::Context;
use super::everywhere::PerTarget;
use super::outcome::{CommandError, CommandResult};
use super::site::Site;

/// Take away rows whose time is over, by rules that run time and again
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pgfleet maintain                                what would go
  pgfleet maintain --execute --allow-data-loss    from cron or a timer
  pgfleet maintain --group tenants

A rule in pgfleet.toml:
  [[maintain]]
  name = \"old sessions\"
  table = \"sessions\"
  where = \"t.expires_at < now() - interval '7 days'\"
  reason = \"expired\"

No backup is made: rules of `maintain` are for rows that nobody will ask for again. Use `clean` for
others.")]
pub struct Maintain {
    /// Read rules from this file, instead of pgfleet.toml
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Delete the rows
    #[arg(long)]
    execute: bool,
}

impl PerTarget for Maintain {
    const NAME: &'static str = "maintain";
    const CHANGES: bool = true;

    async fn on(&self, context: &Context, site: &Site<'_>) -> Result<CommandResult, CommandError> {
        let target = site.target()?;
        let rules = rules(&site.project.settings.maintain, self.rules.as_deref(), "maintain")?;
        let previews = preview(target, &rules).await?;
        if !self.execute || nothing(&previews) {
            return shown(context, target, &previews, "maintain");
        }
        consent(context, target, &previews, "maintain")?;
        let run = CleanRun { command: "maintain", backup: None };
        let outcome = execute(target, &resolved(&previews), &run, &notes(context, site)).await?;
        done(context, target, &previews, &outcome, None)
    }
}
