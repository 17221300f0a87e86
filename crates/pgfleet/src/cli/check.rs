//! `pgfleet check`

use clap::Args;
use pgfleet_core::diagnose::ExitCode;
use pgfleet_engine::preflight::check_folder;
use pgfleet_engine::project::Project;

use super::context::Context;
use super::everywhere::folders_of;
use super::outcome::{CommandError, CommandResult};
use crate::render::{TargetEntry, counted};

/// Look through the migration folder without a database: order, encodings, syntax, objects
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pgfleet check --dir migrations
  pgfleet check --group all          the folder of each group
  pgfleet check --output github      annotations for a pull request")]
pub struct Check {}

impl Check {
    pub fn run(self, context: &Context) -> Result<CommandResult, CommandError> {
        let mut whole = CommandResult::default();
        for project in folders_of(context)? {
            let one = Self::look(&project)?;
            whole.text.push_str(&one.text);
            whole.targets.extend(one.targets);
            whole.problems.extend(one.problems);
            whole.exit = whole.exit.or(one.exit);
        }
        Ok(whole)
    }

    fn look(project: &Project) -> Result<CommandResult, CommandError> {
        let folder = project.open_folder()?;
        let found = check_folder(project, &folder);
        let errors = found.problems.iter().filter(|problem| problem.is_error()).count();
        let statements = found.migrations.iter().map(|m| m.statements).sum();
        let text = format!(
            "{}: {} ({}), {}, {}, {} warnings and notes\n",
            folder.tree.root,
            counted(found.migrations.len(), "migration"),
            folder.set.format,
            counted(statements, "statement"),
            counted(errors, "error"),
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
