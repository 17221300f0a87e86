//! `pgfleet status`

use clap::Args;
use pgfleet_core::diagnose::ExitCode;
use pgfleet_core::history::{MigrationStatus, Verdict};
use pgfleet_engine::conduct::status;

use super::context::Context;
use super::everywhere::{PerTarget, TargetResult};
use super::outcome::{CommandError, CommandResult};
use super::site::Site;
use crate::render::{self, StatusOptions, TargetEntry};

/// Show each migration's verdict: applied, pending, failed, changed, missing file, out of order
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pgfleet status
  pgfleet status --url postgres://user@host/db --dir migrations --output json
  pgfleet status --exit-code && echo nothing is pending")]
pub struct Status {
    /// Exit with 1 when anything is not applied
    #[arg(long)]
    exit_code: bool,
    /// Show every migration, however many
    #[arg(long)]
    all: bool,
}

impl PerTarget for Status {
    const NAME: &'static str = "status";
    const CHANGES: bool = false;

    async fn on(&self, context: &Context, site: &Site<'_>) -> Result<CommandResult, CommandError> {
        let folder = site.folder.usable(site.project)?;
        let status = status(site.project, site.target()?, folder).await?;
        let mut text = String::new();
        text.push_str(&format!(
            "{} at {} ({}, history in {})\n",
            status.target, status.server, status.format, status.history_table
        ));
        render::status(
            &mut text,
            &context.out,
            &status.migrations,
            StatusOptions { all: self.all },
        );
        let entry = TargetEntry::new(&status.target)
            .field("server", &status.server)?
            .field("format", &status.format)?
            .field("history_table", &status.history_table)?
            .field("migrations", &status.migrations)?;
        let settled = status.migrations.iter().all(|m| m.verdict == Verdict::Applied);
        let unsettled = status.migrations.iter().filter(|m| m.verdict != Verdict::Applied);
        let told = |one: &MigrationStatus| {
            let verdict = render::verdict_word(one.verdict);
            let note = one.note.iter().map(|note| format!(": {note}"));
            format!("{} is {verdict}{}", one.version, note.collect::<String>())
        };
        Ok(CommandResult {
            text,
            headline: render::status_headline(&context.out, &status.migrations),
            details: unsettled.map(told).collect(),
            targets: vec![entry],
            problems: status.problems,
            exit: (self.exit_code && !settled).then_some(ExitCode::NotSo),
            statuses: status.migrations,
            ..CommandResult::default()
        })
    }

    fn overview(&self, context: &Context, group: &str, results: &[TargetResult]) -> String {
        let mut text = String::new();
        render::fleet_statuses(&mut text, &context.out, group, results);
        text
    }
}
