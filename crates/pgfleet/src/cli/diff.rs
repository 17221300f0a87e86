//! `pgfleet diff`

use clap::Args;
use pgfleet_core::diagnose::ExitCode;
use pgfleet_core::schema::diff::compare;
use pgfleet_engine::compare::{Side, prove, read_side};

use super::context::Context;
use super::outcome::{CommandError, CommandResult};
use crate::render::{self, TargetEntry};

/// Show the statements that turn one schema into another, proven on a scratch copy
#[derive(Debug, Args)]
#[command(after_help = "\
Each side is one of: a URL, `target`, `migrations` (the folder, replayed), `empty`, a snapshot
(.json, of `pgfleet inspect --out`), an .sql file, or a folder of them.

Examples:
  pgfleet diff target migrations
  pgfleet diff postgres://host/staging postgres://host/production --exit-code
  pgfleet diff empty schema.sql > migration.sql")]
pub struct Diff {
    /// What there is
    #[arg(value_name = "FROM")]
    from: Side,
    /// What there shall be
    #[arg(value_name = "TO")]
    to: Side,
    /// Exit with 1 when the two differ
    #[arg(long)]
    exit_code: bool,
    /// Show the statements without trying them on a scratch copy
    #[arg(long)]
    no_proof: bool,
}

impl Diff {
    pub async fn run(self, context: &Context) -> Result<CommandResult, CommandError> {
        let project = context.project()?;
        let (from, to) =
            tokio::try_join!(read_side(&project, &self.from), read_side(&project, &self.to))?;
        let difference = compare(&from, &to);
        let statements = difference.statements();
        let proven = !self.no_proof;
        if proven && !statements.is_empty() {
            prove(&project, &from, &to, &statements).await?;
        }
        let mut text = String::new();
        render::statements(&mut text, &statements);
        let entry = TargetEntry::new(&project.settings.target)
            .field("from", &from.fingerprint())?
            .field("to", &to.fingerprint())?
            .field("changes", &difference.changes())?
            .field("statements", &statements)?
            .field("proven", &proven)?
            .field("unmodelled", &[&from.unmodelled, &to.unmodelled])?;
        let differs = self.exit_code && !difference.is_empty();
        Ok(CommandResult {
            text,
            targets: vec![entry],
            exit: differs.then_some(ExitCode::NotSo),
            ..CommandResult::default()
        })
    }
}
