//! `pgfleet drift`

use clap::Args;
use pgfleet_core::diagnose::ExitCode;
use pgfleet_core::schema::diff::compare;
use pgfleet_core::schema::hazard::hazards;
use pgfleet_engine::compare::{Side, applied_schema, read_side};

use super::context::Context;
use super::outcome::{CommandError, CommandResult};
use crate::render::{self, TargetEntry};

/// Show what the database has that its applied migrations do not explain, and the reverse
#[derive(Debug, Args)]
#[command(after_help = "\
Exits with 1 when there is drift.

Examples:
  pgfleet drift
  pgfleet drift --output json")]
pub struct Drift {
    /// Show the statements that would take the drift away
    #[arg(long)]
    sql: bool,
}

impl Drift {
    pub async fn run(self, context: &Context) -> Result<CommandResult, CommandError> {
        let project = context.project()?;
        let history = applied_schema(&project).await?;
        let target = read_side(&project, &Side::Target).await?;
        let difference = compare(&history, &target);
        let changes = difference.changes();
        let mut text = String::new();
        match changes.is_empty() {
            true => text.push_str("No drift: the database is what its history says.\n"),
            false => {
                text.push_str("The database differs from what its applied migrations make:\n");
                render::changes(&mut text, &context.out, &changes);
            }
        }
        let back = compare(&target, &history).with_online_forms();
        let statements = back.statements();
        let hazards = hazards(&back, &statements);
        if self.sql {
            render::statements(&mut text, &statements, &hazards);
        }
        let entry = TargetEntry::new(&project.settings.target)
            .field("changes", &changes)?
            .field("statements", &statements)?;
        Ok(CommandResult {
            text,
            targets: vec![entry],
            exit: (!changes.is_empty()).then_some(ExitCode::NotSo),
            ..CommandResult::default()
        })
    }
}
