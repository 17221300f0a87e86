//! `pgfleet integrity`

use std::path::PathBuf;

use clap::Args;
use pgfleet_core::diagnose::{Code, ExitCode, Problem};
use pgfleet_engine::integrity::{ReferenceResult, check_declared};
use pgfleet_engine::project::Project;
use pgfleet_engine::split::{SPLIT_NAME, Split, check_references};

use super::context::Context;
use super::outcome::{CommandError, CommandResult};
use crate::render::{self, TargetEntry};

/// Check that every reference between databases, which no foreign key can span, has its partner
#[derive(Debug, Args)]
#[command(after_help = "\
References are declared in pgfleet.toml, by names of targets and groups, or in split.toml, by
families:
  [[reference]]
  from = \"tenants.clients(owner_id)\"
  to = \"auth.users(id)\"

Examples:
  pgfleet integrity
  pgfleet integrity --output json")]
pub struct Integrity {
    /// The declaration of a split, relative to the project's folder [default: split.toml, when it is
    /// there]
    #[arg(long, value_name = "FILE")]
    declaration: Option<PathBuf>,
}

impl Integrity {
    pub async fn run(self, context: &Context) -> Result<CommandResult, CommandError> {
        let project = context.project()?;
        let mut results = check_declared(&project).await?;
        match self.split(&project)? {
            Some(split) => results.extend(check_references(&split).await?),
            None if project.file.reference.is_empty() => return Err(none_declared().into()),
            None => {}
        }
        let mut text = String::new();
        render::references(&mut text, &context.out, &results);
        if results.is_empty() {
            text.push_str("No references between databases are declared.\n");
        }
        let problems: Vec<Problem> = results.iter().filter_map(ReferenceResult::problem).collect();
        let exit = (!problems.is_empty()).then_some(ExitCode::NotSo);
        let entry = TargetEntry::new("source").field("references", &results)?;
        let (targets, tables) = (vec![entry], vec![render::reference_table(&results)]);
        Ok(CommandResult { text, targets, exit, problems, tables, ..CommandResult::default() })
    }

    /// The one that is named, else the usual one where it is there.
    fn split(&self, project: &Project) -> Result<Option<Split>, CommandError> {
        let usual = || {
            let usual = PathBuf::from(SPLIT_NAME);
            project.root.join(&usual).exists().then_some(usual)
        };
        let Some(file) = self.declaration.clone().or_else(usual) else { return Ok(None) };
        Ok(Some(Split::open(project, &file)?))
    }
}

fn none_declared() -> Problem {
    Problem::error(Code::ConfigInvalid, "no references are declared")
        .because("pgfleet.toml has no [[reference]], and there is no split.toml")
        .fix("docs/split.md shows how they are declared.")
}
