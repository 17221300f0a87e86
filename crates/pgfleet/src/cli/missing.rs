//! `pgfleet missing`

use std::path::PathBuf;

use clap::Args;
use pgfleet_core::diagnose::{Code, ExitCode, Problem};
use pgfleet_core::missing::MissingReport;
use pgfleet_engine::missing::missing;

use super::context::Context;
use super::everywhere::PerTarget;
use super::outcome::{CommandError, CommandResult};
use super::site::Site;
use crate::render::{self, MissingOptions, TargetEntry, counted};

/// Show which tables the code expects and the database lacks, and which migration creates them
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pgfleet missing                    schema.prisma against the database
  pgfleet missing --schema packages/db/schema.prisma --all
  pgfleet missing --dir migrations   without Prisma: what all migrations create

Exits with 1 when anything is missing.")]
pub struct Missing {
    /// The Prisma schema, a file or a folder [default: beside the migrations, or as package.json says]
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// Show the tables that are there too
    #[arg(long)]
    all: bool,
}

impl PerTarget for Missing {
    const NAME: &'static str = "missing";
    const CHANGES: bool = false;

    async fn on(&self, context: &Context, site: &Site<'_>) -> Result<CommandResult, CommandError> {
        // A folder with errors is looked at all the same: they are told with the result.
        let folder = site.folder.any(site.project)?;
        let target = site.target()?;
        let found = missing(site.project, target, folder, self.schema.as_deref()).await?;
        let mut text = format!("{} against {}\n", found.expected_from, found.server);
        let options = MissingOptions { all: self.all };
        render::missing(&mut text, &context.out, &found.report, options);
        let entry = TargetEntry::new(&target.name)
            .field("server", &found.server)?
            .field("expected_from", &found.expected_from)?
            .field("models", &found.report.models)?
            .field("columns", &found.report.columns)?
            .field("enums", &found.report.enums)?
            .field("extra_tables", &found.report.extra_tables)?;
        let mut problems = found.problems;
        let (headline, details) = (headline(&found.report), details(&found.report));
        problems.extend(summary(&found.report).map(|problem| problem.in_target(&target.name)));
        Ok(CommandResult {
            text,
            headline,
            details,
            targets: vec![entry],
            problems,
            exit: (!found.report.complete()).then_some(ExitCode::NotSo),
            ..CommandResult::default()
        })
    }
}

/// `nothing is missing`, or how much.
fn headline(report: &MissingReport) -> String {
    match report.complete() {
        true => "nothing is missing".to_owned(),
        false => format!("{} missing", lacking(report)),
    }
}

/// `2 tables and 1 column`: what there is none of is not counted.
fn lacking(report: &MissingReport) -> String {
    let counts = [
        (report.missing_models().count(), "table"),
        (report.columns.len(), "column"),
        (report.enums.len(), "enum value"),
    ];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let counts: Vec<_> = counts.map(|(count, noun)| counted(count, noun)).collect();
    match counts.as_slice() {
        [others @ .., last] if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        _ => counts.concat(),
    }
}

/// Everything that is missing, with the migration that makes it or made it.
fn details(report: &MissingReport) -> Vec<String> {
    let whence = |pending: &Option<String>, made_by: &Option<String>| match (pending, made_by) {
        (Some(pending), _) => format!("{pending} is pending"),
        (None, Some(made_by)) => format!("gone since {made_by} made it"),
        (None, None) => "no migration makes it".to_owned(),
    };
    let tables = report
        .missing_models()
        .map(|row| format!("table {}: {}", row.table, whence(&row.migration, &row.made_by)));
    let columns = report.columns.iter().map(|row| {
        format!("column {} of {}: {}", row.column, row.table, whence(&row.migration, &row.made_by))
    });
    let enums = report.enums.iter().map(|row| {
        let value = row.value.iter().map(|value| format!("'{value}' of ")).collect::<String>();
        format!("{value}enum {}: {}", row.name, whence(&row.migration, &row.made_by))
    });
    tables.chain(columns).chain(enums).collect()
}

/// What is missing in a sentence, and what to do about it.
fn summary(report: &MissingReport) -> Option<Problem> {
    if report.complete() {
        return None;
    }
    let missing: Vec<_> = report.missing_models().collect();
    let what = format!("the database lacks {}", lacking(report));
    let mut problem = Problem::warning(Code::TablesMissing, what)
        .because("the code expects them; queries that use them fail");
    let has_migration = |row: &&&pgfleet_core::missing::ModelRow| row.migration.is_some();
    let pending = missing.iter().filter(has_migration).count();
    let of_parts = report.columns.iter().map(|row| &row.migration);
    let of_parts = of_parts.chain(report.enums.iter().map(|row| &row.migration));
    let is_pending = pending > 0 || of_parts.flatten().next().is_some();
    let lost = missing.iter().filter(|row| row.made_by.is_some()).count();
    if report.lost_something() {
        let again = "Make again what applied migrations made and is gone; look at it, then run it with psql.";
        problem = problem.fix_with(again, "pgfleet diff target migrations --out repair.sql");
    }
    let needs_one = pending + lost < missing.len();
    if needs_one {
        let write = "Write the migration for the tables that need one.";
        problem = problem.fix_with(write, "pgfleet generate add_missing_tables");
    }
    if is_pending || needs_one || !report.lost_something() {
        problem = problem.fix_with("Apply what is pending.", "pgfleet apply");
    }
    Some(problem)
}
