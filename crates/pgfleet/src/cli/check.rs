//! `pgfleet check`

use clap::Args;
use pgfleet_core::diagnose::ExitCode;
use pgfleet_engine::preflight::check_folder;

use super::context::Context;
use super::outcome::{CommandError, CommandResult};
use crate::render::TargetEntry;

/// Look through the migration folder without a database: order, encodings, syntax, objects
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pgfleet check --dir migrations
  pgfleet check --output github      annotations for a pull request")]
pub struct Check {}

impl Check {
    pub fn run(self, context: &Context) -> Result<CommandResult, CommandError> {
        let project = context.project()?;
        let folder = project.open_folder()?;
        let found = check_folder(&project, &folder);
        let errors = found.problems.iter().filter(|problem| problem.is_error()).count();
        let text = format!(
            "{}: {} migrations ({}), {} statements, {errors} errors, {} warnings and notes\n",
            folder.tree.root,
            found.migrations.len(),
            folder.set.format,
            found.migrations.iter().map(|m| m.statements).sum::<usize>(),
            found.problems.len() - errors,
        );
        let entry = TargetEntry::new(&folder.tree.root)
            .field("format", &folder.set.format)?
            .field("migrations", &found.migrations)?;
        Ok(CommandResult {
            text,
            targets: vec![entry],
            exit: (errors > 0).then_some(ExitCode::NotSo),
            problems: found.problems,
            ..CommandResult::default()
        })
    }
}
