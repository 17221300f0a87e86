//! The flags of commands that rename rather than drop and create.

use clap::Args;
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::schema::rename::{RenameOrigin, RenameRequest, RenameStep};
use serde::Serialize;

/// What shall be renamed.
#[derive(Debug, Default, Args)]
pub struct RenameFlags {
    /// Rename instead of dropping and creating; OLD as it is called now, NEW as it shall be called
    #[arg(long, value_name = "[KIND:]OLD=NEW")]
    rename: Vec<String>,
}

impl RenameFlags {
    /// The flags, understood.
    pub fn requests(&self) -> Result<Vec<RenameRequest>, Problem> {
        let parse = |text: &String| {
            text.parse().map_err(|error| {
                Problem::error(Code::RenameInvalid, format!("--rename {text} is no rename"))
                    .because(format!("{error}"))
                    .fix_with(
                        "Write it as OLD=NEW, with the kind before it where that helps.",
                        "pgfleet diff target schema.sql --rename column:app.customers.mail=email",
                    )
            })
        };
        self.rename.iter().map(parse).collect()
    }
}

/// A rename as scripts see it.
#[derive(Debug, Serialize)]
pub struct RenameEntry {
    what: String,
    to: String,
    by: RenameOrigin,
    sql: String,
}

/// Every rename of a difference, in order.
pub fn rename_entries(steps: &[RenameStep]) -> Vec<RenameEntry> {
    let entry = |step: &RenameStep| RenameEntry {
        what: step.thing.to_string(),
        to: step.result().to_string(),
        by: step.origin,
        sql: step.statement().sql,
    };
    steps.iter().map(entry).collect()
}
