//! `pgfleet doctor`

use clap::Args;
use pgfleet_core::diagnose::ExitCode;
use pgfleet_engine::doctor::{Finding, examine};

use super::context::Context;
use super::outcome::{CommandError, CommandResult};
use crate::render::{Role, TargetEntry};

/// Look at the whole set-up: configuration, folder, variables, server, role, pooler, programs
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  pgfleet doctor")]
pub struct Doctor {}

impl Doctor {
    pub async fn run(self, context: &Context) -> Result<CommandResult, CommandError> {
        let project = context.project()?;
        let findings = examine(&project).await;
        let mut text = String::new();
        for finding in &findings {
            text.push_str(&line(context, finding));
        }
        let problems: Vec<_> = findings.iter().flat_map(|f| f.problems.clone()).collect();
        let failed = problems.iter().any(|problem| problem.is_error());
        let entry = TargetEntry::new(&project.settings.target).field("findings", &findings)?;
        Ok(CommandResult {
            text,
            targets: vec![entry],
            problems,
            exit: failed.then_some(ExitCode::NotSo),
            ..CommandResult::default()
        })
    }
}

fn line(context: &Context, finding: &Finding) -> String {
    let style = &context.out;
    let mark = match finding.ok() {
        true => style.paint(Role::Good, style.glyph("✓", "ok  ")),
        false => style.paint(Role::Bad, style.glyph("✗", "FAIL")),
    };
    format!("{mark} {}: {}\n", finding.what, finding.found)
}
