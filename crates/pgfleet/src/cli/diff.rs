//! `pgfleet diff`

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use pgfleet_core::diagnose::{Code, ExitCode, Problem};
use pgfleet_core::plan::{DifferenceInput, PlanFile, SchemaBase, plan_difference};
use pgfleet_core::rows::difference_demands;
use pgfleet_core::schema::diff::{Difference, Statement, Unit, compare, units};
use pgfleet_core::schema::hazard::{StatementHazard, add_proposals, hazards, rename_hazards};
use pgfleet_engine::compare::{Side, complete_desired, complete_start, prove, read_side, rename};
use pgfleet_engine::rows::broken_by_difference;
use serde::Serialize;

use super::context::Context;
use super::outcome::{CommandError, CommandResult};
use super::renames::{RenameFlags, rename_entries};
use crate::render::{self, TargetEntry};

/// Show the statements that turn one schema into another, proven on a scratch copy
#[derive(Debug, Args)]
#[command(after_help = "\
Each side is one of: a URL, `target`, `migrations` (the folder, replayed), `empty`, `prisma`, a
snapshot (.json, of `pgfleet inspect --out`), a .prisma or .sql file, a folder of them, or
`command:…` (SQL that a shell command prints; `command` alone is the configured one).

Existing tables stay usable: indexes are built concurrently, constraints are validated in a
transaction of their own, columns become NOT NULL by a validated check. --no-online writes the
short forms instead. Comments above a statement say what it locks, rewrites, loses, or may fail on.

What has another name in TO is dropped and created unless --rename says that it is the same. OLD is its
name in FROM, NEW the one in TO; KIND (table, column, type, value, view, function …) tells apart what has
one name. Keys, indexes and sequences that PostgreSQL named after it follow. In an SQL file a comment
`-- pgfleet: renamed-from OLD` above a table or column says the same. --detect-renames asks about what
looks like a rename, or takes all of it with --yes; nothing is renamed without a word of yours.

Examples:
  pgfleet diff target migrations
  pgfleet diff postgres://host/staging postgres://host/production --exit-code
  pgfleet diff target schema.sql --out change.sql && psql -f change.sql
  pgfleet diff target schema.sql --out plan.json && pgfleet apply --plan plan.json
  pgfleet diff target schema.sql --rename customers=clients --rename customers.mail=email")]
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
    /// Write plain statements, which may block readers and writers of existing tables for long
    #[arg(long)]
    no_online: bool,
    /// Compare only these schemas
    #[arg(long, value_name = "NAME")]
    schema: Vec<String>,
    /// Leave these schemas out
    #[arg(long, value_name = "NAME")]
    exclude_schema: Vec<String>,
    #[command(flatten)]
    renames: RenameFlags,
    /// Write a script that psql runs, or, to a .json file, a plan that `apply --plan` runs
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// A statement as scripts see it.
#[derive(Debug, Serialize)]
pub(super) struct StatementEntry<'a> {
    sql: &'a str,
    /// Number of the transaction, from 1; none outside of transactions.
    transaction: Option<usize>,
    hazards: &'a [StatementHazard],
}

impl Diff {
    pub async fn run(self, context: &Context) -> Result<CommandResult, CommandError> {
        let wishes = self.renames.wishes(context, &self.to)?;
        let mut project = context.project()?;
        let scope = &mut Arc::make_mut(&mut project.settings).scope;
        if !self.schema.is_empty() {
            scope.include = self.schema.clone();
        }
        scope.exclude.extend(self.exclude_schema.iter().cloned());
        let (from, to) =
            tokio::try_join!(read_side(&project, &self.from), read_side(&project, &self.to))?;
        let from = complete_start(&self.from, from, &to);
        let renamed = rename(&project, &from, &to, &wishes.wishes()).await?;
        let (renamed, desired) = complete_desired(&project, &from, (&self.to, to), renamed).await?;
        let to = &desired.schema;
        let difference = self.difference(compare(renamed.start(&from), to));
        let rest = difference.statements();
        let statements = renamed.before(&rest);
        let proven = !self.no_proof;
        if proven && !statements.is_empty() {
            prove(&project, &from, &desired, &statements).await?;
        }
        let mut all_hazards = rename_hazards(&renamed.steps, to);
        let mut of_rest = hazards(&difference, &rest);
        add_proposals(&mut of_rest, &rest, &renamed.proposals);
        all_hazards.extend(of_rest);
        let hazards = all_hazards;
        let steps = &renamed.steps;
        let demands = difference_demands(&difference, &rest, steps);
        let problems = broken_by_difference(&project, &self.from, &demands).await?;
        let mut text = String::new();
        render::statements(&mut text, &statements, &hazards);
        let mut left_out: Vec<_> = from.left_out.iter().chain(&to.left_out).cloned().collect();
        left_out.sort();
        left_out.dedup();
        if !left_out.is_empty() {
            text.insert_str(0, &format!("-- left out: schema {}\n", left_out.join(", ")));
        }
        if let Some(file) = &self.out {
            let scope = project.settings.scope.clone();
            let (from, to) = (from.fingerprint(), to.fingerprint());
            let schemas = SchemaBase { from, to, scope, proven, demands };
            self.write(file, &text, schemas, (&statements, &hazards))?;
        }
        let entry = TargetEntry::new(&project.settings.target)
            .field("from", &from.fingerprint())?
            .field("to", &to.fingerprint())?
            .field("renames", &rename_entries(steps))?
            .field("proposals", &renamed.proposals)?
            .field("changes", &difference.changes())?
            .field("statements", &entries(&statements, &hazards))?
            .field("proven", &proven)?
            .field("unmodelled", &[&from.unmodelled, &to.unmodelled])?
            .field("left_out", &[&from.left_out, &to.left_out])?;
        let differs = self.exit_code && !statements.is_empty();
        Ok(CommandResult {
            text,
            targets: vec![entry],
            exit: differs.then_some(ExitCode::NotSo),
            problems,
            ..CommandResult::default()
        })
    }

    fn difference<'s>(&self, difference: Difference<'s>) -> Difference<'s> {
        if self.no_online { difference } else { difference.with_online_forms() }
    }

    /// A plan where the file's name ends in `.json`, else a script.
    fn write(
        &self,
        file: &Path,
        script: &str,
        schemas: SchemaBase,
        (statements, hazards): (&[Statement], &[Vec<StatementHazard>]),
    ) -> Result<(), CommandError> {
        let (from, to) = (&self.from, &self.to);
        let text = match file.extension().is_some_and(|extension| extension == "json") {
            true => {
                let title = &format!("{from} to {to}");
                let input = DifferenceInput { title, schemas, statements, hazards };
                PlanFile { plan: plan_difference(input)?, rehearsal: None }.to_text()?
            }
            false => {
                format!("-- pgfleet diff: from {from} to {to}\n{}\n{script}", render::PSQL_HEAD)
            }
        };
        std::fs::write(file, text).map_err(|error| {
            let what = format!("the statements cannot be written to {}", file.display());
            Problem::error(Code::Usage, what).because(error.to_string()).into()
        })
    }
}

/// Statements with their transactions and hazards.
pub(super) fn entries<'a>(
    statements: &'a [Statement],
    hazards: &'a [Vec<StatementHazard>],
) -> Vec<StatementEntry<'a>> {
    let mut number = 0;
    let numbered = units(statements).into_iter().flat_map(|Unit { statements, outside }| {
        number += usize::from(!outside);
        let transaction = (!outside).then_some(number);
        statements.iter().map(move |statement| (statement, transaction))
    });
    let numbered: Vec<_> = numbered.collect();
    let entry = |((statement, transaction), hazards): ((&'a Statement, _), &'a Vec<_>)| {
        StatementEntry { sql: &statement.sql, transaction, hazards }
    };
    numbered.into_iter().zip(hazards).map(entry).collect()
}
