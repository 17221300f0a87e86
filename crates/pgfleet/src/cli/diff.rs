//! `pgfleet diff`

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use pgfleet_core::diagnose::ExitCode;
use pgfleet_core::plan::{DifferenceInput, PlanFile, SchemaBase, plan_difference};
use pgfleet_core::rows::difference_demands;
use pgfleet_core::schema::Schema;
use pgfleet_core::schema::diff::{Change, Difference, Statement, Unit, compare, units};
use pgfleet_core::schema::hazard::{StatementHazard, add_proposals, hazards, rename_hazards};
use pgfleet_core::schema::rename::Proposal;
use pgfleet_engine::compare::{
    Desired, RenameWishes, Side, complete_desired, complete_start, prove, read_side, rename,
};
use pgfleet_engine::project::Project;
use pgfleet_engine::rows::broken_by_difference;
use serde::Serialize;

use super::context::Context;
use super::global::Output;
use super::outcome::{CommandError, CommandResult};
use super::renames::{RenameEntry, RenameFlags, rename_entries};
use super::written::write_file;
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
        let (mut shown, desired) =
            self.look(context, &project, (&from, to), &wishes.wishes()).await?;
        let problems = broken_by_difference(&project, &self.from, &shown.schemas.demands).await?;
        if shown.schemas.proven && !shown.statements.is_empty() {
            let after = prove(&project, from, &desired, &shown.statements).await?;
            if self.shows_fingerprints(context) {
                shown.schemas.to = after.fingerprint();
            }
        }
        let text = shown.text();
        if let Some(file) = &self.out {
            self.write(file, &text, &shown)?;
        }
        let differs = self.exit_code && !shown.statements.is_empty();
        Ok(CommandResult {
            text,
            targets: vec![shown.entry(&project.settings.target)?],
            exit: differs.then_some(ExitCode::NotSo),
            problems,
            ..CommandResult::default()
        })
    }

    async fn look(
        &self,
        context: &Context,
        project: &Project,
        (from, to): (&Schema, Schema),
        wishes: &RenameWishes<'_>,
    ) -> Result<(Shown, Desired), CommandError> {
        let renamed = rename(project, from, &to, wishes).await?;
        let (renamed, desired) = complete_desired(project, from, (&self.to, to), renamed).await?;
        let to = &desired.schema;
        let difference = self.difference(compare(renamed.start(from), to));
        let rest = difference.statements();
        let mut of_rest = hazards(&difference, &rest);
        add_proposals(&mut of_rest, &rest, &renamed.proposals);
        let mut all_hazards = rename_hazards(&renamed.steps, to);
        all_hazards.extend(of_rest);
        let is_seen = self.shows_fingerprints(context);
        let fingerprint = |schema: &Schema| match is_seen {
            true => schema.fingerprint(),
            false => String::new(),
        };
        let schemas = SchemaBase {
            from: fingerprint(from),
            to: fingerprint(to),
            scope: project.settings.scope.clone(),
            proven: !self.no_proof,
            demands: difference_demands(&difference, &rest, &renamed.steps),
        };
        let shown = Shown {
            schemas,
            statements: renamed.before(&rest),
            hazards: all_hazards,
            changes: difference.changes(),
            renames: rename_entries(&renamed.steps),
            proposals: renamed.proposals.clone(),
            unmodelled: [from, to].map(|side| side.unmodelled.clone()),
            left_out: [from, to].map(|side| side.left_out.clone()),
        };
        Ok((shown, desired))
    }

    fn difference<'s>(&self, difference: Difference<'s>) -> Difference<'s> {
        if self.no_online { difference } else { difference.with_online_forms() }
    }

    /// People are shown none, and of a large schema they cost as much as comparing.
    fn shows_fingerprints(&self, context: &Context) -> bool {
        self.writes_plan() || context.global.output != Output::Human
    }

    fn writes_plan(&self) -> bool {
        let extension = self.out.as_ref().and_then(|file| file.extension());
        extension.is_some_and(|extension| extension == "json")
    }

    /// A plan where the file's name ends in `.json`, else a script.
    fn write(&self, file: &Path, script: &str, shown: &Shown) -> Result<(), CommandError> {
        let (from, to) = (&self.from, &self.to);
        let text = match self.writes_plan() {
            true => {
                let (title, schemas) = (&format!("{from} to {to}"), shown.schemas.clone());
                let (statements, hazards) = (&shown.statements, &shown.hazards);
                let input = DifferenceInput { title, schemas, statements, hazards };
                PlanFile { plan: plan_difference(input)?, rehearsal: None }.to_text()?
            }
            false => {
                format!("-- pgfleet diff: from {from} to {to}\n{}\n{script}", render::PSQL_HEAD)
            }
        };
        write_file(file, "the statements", &text)
    }
}

/// All that is shown of a difference, so that the schemas need not be held for it.
struct Shown {
    schemas: SchemaBase,
    statements: Vec<Statement>,
    hazards: Vec<Vec<StatementHazard>>,
    changes: Vec<Change>,
    renames: Vec<RenameEntry>,
    proposals: Vec<Proposal>,
    unmodelled: [Vec<String>; 2],
    left_out: [Vec<String>; 2],
}

impl Shown {
    fn text(&self) -> String {
        let mut text = String::new();
        render::statements(&mut text, &self.statements, &self.hazards);
        let left_out: BTreeSet<_> = self.left_out.iter().flatten().map(String::as_str).collect();
        if !left_out.is_empty() {
            let names = Vec::from_iter(left_out).join(", ");
            text.insert_str(0, &format!("-- left out: schema {names}\n"));
        }
        text
    }

    fn entry(&self, target: &str) -> Result<TargetEntry, CommandError> {
        Ok(TargetEntry::new(target)
            .field("from", &self.schemas.from)?
            .field("to", &self.schemas.to)?
            .field("renames", &self.renames)?
            .field("proposals", &self.proposals)?
            .field("changes", &self.changes)?
            .field("statements", &entries(&self.statements, &self.hazards))?
            .field("proven", &self.schemas.proven)?
            .field("unmodelled", &self.unmodelled)?
            .field("left_out", &self.left_out)?)
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
