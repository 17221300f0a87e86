//! `pgfleet inspect`

use std::path::{Path, PathBuf};

use clap::Args;
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::schema::Schema;
use pgfleet_engine::compare::read_target;

use super::context::Context;
use super::everywhere::PerTarget;
use super::global::Output;
use super::outcome::{CommandError, CommandResult};
use super::site::Site;
use super::written::write_file;
use crate::render::{self, TargetEntry};

/// Read the schema of the database: every object, what depends on what, and a fingerprint
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pgfleet inspect
  pgfleet inspect --out schema.json    a snapshot that `pgfleet diff` takes as a side
  pgfleet inspect --schema app --output json")]
pub struct Inspect {
    /// Write the schema to a file, as JSON
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Only what is in this schema
    #[arg(long, value_name = "NAME")]
    schema: Option<String>,
}

impl PerTarget for Inspect {
    const NAME: &'static str = "inspect";
    const CHANGES: bool = false;

    async fn on(&self, context: &Context, site: &Site<'_>) -> Result<CommandResult, CommandError> {
        let target = site.target()?;
        let whole = read_target(target).await?;
        let mut schema = match &self.schema {
            // Asked for by name, a platform's schema is shown.
            Some(_) => whole,
            None => whole.within(&target.settings.scope),
        };
        if let Some(name) = &self.schema {
            schema = schema.only(name);
        }
        if let Some(file) = &self.out {
            write(file, &schema)?;
        }
        let mut text = String::new();
        render::schema(&mut text, &context.out, &schema);
        let mut entry = TargetEntry::new(&target.name)
            .field("server", &target.spec.redacted())?
            .field("fingerprint", &schema.fingerprint())?;
        // A large schema takes a while to write.
        if context.global.output == Output::Json && !site.is_one_of_many() {
            entry = entry.field("schema", &schema)?;
        }
        let digits = schema.fingerprint().chars().take(12).collect::<String>();
        let headline = format!("{} objects, fingerprint {digits}", schema.objects.len());
        let targets = vec![entry];
        Ok(CommandResult { text, headline, targets, ..CommandResult::default() })
    }

    fn check_many(&self) -> Result<(), CommandError> {
        match &self.out {
            Some(_) => {
                Err(Problem::error(Code::GroupNotPossible, "--out writes the schema of one target")
                    .fix("Leave --group out, and name a --target or --url.")
                    .into())
            }
            None => Ok(()),
        }
    }
}

fn write(file: &Path, schema: &Schema) -> Result<(), CommandError> {
    write_file(file, "the schema", &(serde_json::to_string_pretty(schema)? + "\n"))
}
