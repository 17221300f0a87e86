//! `pgfleet tenantize`

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::folder::Format;
use pgfleet_core::tenancy::Phase;
use pgfleet_engine::conduct::{Opened, Target};
use pgfleet_engine::project::Project;
use pgfleet_engine::tenantize::{Tenantized, tenantize};
use serde_json::json;

use super::context::Context;
use super::outcome::{CommandError, CommandResult};
use crate::render::TargetEntry;

/// Write the migration that gives every table of [tenancy] its tenant column, and the checks for it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pgfleet tenantize --dry-run            the migration, its way back and the checks
  pgfleet tenantize                      write them, then: pgfleet apply && pgfleet verify --checks tenancy.checks.toml
  pgfleet tenantize add_organisation

The migration is run on a scratch copy, forth and back, before it is written.")]
pub struct Tenantize {
    /// What the migration is called [default: add_COLUMN]
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Show it and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Where the checks are written
    #[arg(long, value_name = "FILE", default_value = "tenancy.checks.toml")]
    checks: PathBuf,
}

impl Tenantize {
    pub async fn run(self, context: &Context) -> Result<CommandResult, CommandError> {
        let (project, target, opened) = context.open().await?;
        let made = tenantize(&project, &target, &opened).await?;
        let mut text = described(&made);
        let mut written = Vec::new();
        if made.plan.is_empty() {
            text.push_str("Nothing to do: every table is as declared.\n");
        } else if self.dry_run {
            text.push_str(&format!(
                "\n{}\n-- The way back:\n\n{}",
                script(&made.up),
                script(&made.down)
            ));
            text.push_str(&format!("\n# {}\n{}", self.checks.display(), made.checks));
        } else {
            written = self.write(&project, &opened, &made)?;
            for file in &written {
                text.push_str(&format!("Wrote {file}\n"));
            }
            text.push_str(&format!(
                "Proven on a scratch copy, forth and back.\nNext: pgfleet plan, then pgfleet apply, then pgfleet verify --checks {}\n",
                self.checks.display()
            ));
        }
        let entry = entry(&target, &made, &written)?;
        Ok(CommandResult { text, targets: vec![entry], ..CommandResult::default() })
    }

    fn write(
        &self,
        project: &Project,
        opened: &Opened,
        made: &Tenantized,
    ) -> Result<Vec<String>, CommandError> {
        let name = match (&self.name, &project.settings.tenancy) {
            (Some(name), _) => name.clone(),
            (None, Some(tenancy)) => format!("add_{}", tenancy.column.to_lowercase()),
            (None, None) => "tenantize".to_owned(),
        };
        let (folder, shown) = project.folder_path()?;
        let format = opened.folder.set.format;
        if format != Format::Plain {
            return Err(Problem::error(
                Code::FormatUnclear,
                format!("{shown} is a folder of {format}, for which tenantize cannot write files"),
            )
            .fix_with(
                "Have it printed, and put it into a migration.",
                "pgfleet tenantize --dry-run",
            )
            .into());
        }
        let version = next_version(opened);
        let files = [
            (format!("{version}_{name}.sql"), script(&made.up)),
            (format!("{version}_{name}.down.sql"), script(&made.down)),
        ];
        let mut written = Vec::new();
        for (path, text) in files {
            write_new(&folder.join(&path), &text)?;
            written.push(format!("{shown}/{path}"));
        }
        let checks = project.root.join(&self.checks);
        fs::write(&checks, &made.checks).map_err(|error| unwritable(&checks, &error))?;
        written.push(self.checks.display().to_string());
        Ok(written)
    }
}

fn next_version(opened: &Opened) -> String {
    let versions = opened.folder.set.migrations.iter().map(|m| m.version.as_str());
    let last = versions.filter_map(|v| Some((v.parse::<u64>().ok()?, v.len()))).max();
    let (number, width) = last.unwrap_or((0, 4));
    format!("{:0width$}", number + 1)
}

fn write_new(path: &Path, text: &str) -> Result<(), CommandError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| unwritable(path, &error))?;
    }
    fs::write(path, text).map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &std::io::Error) -> CommandError {
    let what = format!("{} cannot be written", path.display());
    Problem::error(Code::FileUnreadable, what).because(error.to_string()).into()
}

fn script(statements: &[String]) -> String {
    statements.iter().map(|statement| format!("{statement};\n")).collect()
}

fn described(made: &Tenantized) -> String {
    let mut text = String::new();
    for table in &made.plan.tables {
        text.push_str(&format!("{} ({})\n", table.table, table.state));
        for section in table.sections.iter().filter(|section| !section.what.is_empty()) {
            let what =
                section.what.split_once(": ").map_or(section.what.as_str(), |(_, what)| what);
            let when = if section.phase == Phase::Last { ", at the end" } else { "" };
            text.push_str(&format!("  {what}{when}\n"));
        }
    }
    for name in &made.plan.absent {
        text.push_str(&format!("{name} is not there and is left out\n"));
    }
    if made
        .plan
        .tables
        .iter()
        .any(|table| table.sections.iter().any(|s| s.what.contains(" becomes ")))
    {
        text.push_str(
            "Statements of the application with ON CONFLICT on such a key must name the tenant too.\n",
        );
    }
    text
}

fn entry(
    target: &Target,
    made: &Tenantized,
    written: &[String],
) -> Result<TargetEntry, CommandError> {
    let tables: Vec<_> = made
        .plan
        .tables
        .iter()
        .map(|table| {
            let sections = table.sections.iter().filter(|section| !section.what.is_empty());
            let changes: Vec<_> = sections.map(|section| section.what.clone()).collect();
            json!({ "table": table.table.to_string(), "state": table.state, "changes": changes })
        })
        .collect();
    let absent: Vec<_> = made.plan.absent.iter().map(ToString::to_string).collect();
    Ok(TargetEntry::new(&target.name)
        .field("tables", &tables)?
        .field("absent", &absent)?
        .field("up", &made.up)?
        .field("down", &made.down)?
        .field("checks", &made.checks)?
        .field("files", &written)?)
}
