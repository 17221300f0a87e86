//! `pgfleet reset`

use clap::Args;
use pgfleet_engine::conduct::{Target, reset};

use super::context::Context;
use super::outcome::{CommandError, CommandResult};
use crate::render::TargetEntry;

/// Empty a development database: drop every schema of yours, histories and journal included
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  pgfleet reset --allow-data-loss && pgfleet apply

Refused unless the database is on this machine or the configuration says development = true.")]
pub struct Reset {}

impl Reset {
    pub async fn run(self, context: &Context) -> Result<CommandResult, CommandError> {
        let project = context.project()?;
        let target = Target::of(&project)?;
        let dropped = reset(&target, context.global.allow_data_loss).await?;
        let entry = TargetEntry::new(&target.name).field("dropped_schemas", &dropped)?;
        let text = format!("Emptied {}: schemas {}.\n", target.spec.redacted(), dropped.join(", "));
        Ok(CommandResult { text, targets: vec![entry], ..CommandResult::default() })
    }
}
