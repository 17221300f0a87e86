//! `pgfleet integrity`

use std::path::PathBuf;

use clap::Args;
use pgfleet_core::diagnose::{ExitCode, Problem};
use pgfleet_engine::split::{ReferenceResult, SPLIT_NAME, Split, check_references};

use super::context::Context;
use super::outcome::{CommandError, CommandResult};
use crate::render::{self, TargetEntry};

/// Check that every reference between databases, which no foreign key can span, has its partner
#[derive(Debug, Args)]
#[command(after_help = "\
References are declared in split.toml:
  [[reference]]
  from = \"auth.societe_users(user_id)\"
  to = \"auth.users(id)\"

Examples:
  pgfleet integrity
  pgfleet integrity --output json")]
pub struct Integrity {
    /// The declaration, relative to the project's folder
    #[arg(long, value_name = "FILE", default_value = SPLIT_NAME)]
    declaration: PathBuf,
}

impl Integrity {
    pub async fn run(self, context: &Context) -> Result<CommandResult, CommandError> {
        let project = context.project()?;
        let split = Split::open(&project, &self.declaration)?;
        let results = check_references(&split).await?;
        let mut text = String::new();
        render::references(&mut text, &context.out, &results);
        if results.is_empty() {
            text.push_str("No references between databases are declared.\n");
        }
        let problems: Vec<Problem> = results.iter().filter_map(ReferenceResult::problem).collect();
        let exit = (!problems.is_empty()).then_some(ExitCode::NotSo);
        let entry = TargetEntry::new("source").field("references", &results)?;
        Ok(CommandResult { text, targets: vec![entry], exit, problems, ..CommandResult::default() })
    }
}
