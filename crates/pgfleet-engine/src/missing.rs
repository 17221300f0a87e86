//! `missing`: what the code expects, held against a target.

use std::path::Path;
use std::sync::Arc;

use pgfleet_core::diagnose::{Problem, Severity};
use pgfleet_core::folder::{Format, Migration, MigrationKind};
use pgfleet_core::history::Verdict;
use pgfleet_core::missing::{Expectation, Makers, MissingReport, compare, origins};
use pgfleet_core::preflight::claims;
use pgfleet_core::prisma::{DEFAULT_SCHEMA, ObjectName};
use pgfleet_core::program::Program;

use crate::compare::replay;
use crate::conduct::{ChangeError, Opened, Target, open};
use crate::outline::read_outline;
use crate::prisma_schema::read_schema;
use crate::project::{Folder, Project};

/// What a target lacks.
#[derive(Debug)]
pub struct TargetMissing {
    /// Where the target is, without secrets.
    pub server: String,
    /// Where the expectation comes from: the schema, or the migration folder.
    pub expected_from: String,
    /// What is there and what is not.
    pub report: MissingReport,
    /// What is wrong with the folder; it stops nothing here.
    pub problems: Vec<Problem>,
}

/// Holds what the code expects against a target: the Prisma schema where there is one, else what
/// all migrations of the folder make. Changes nothing.
///
/// # Errors
/// When the target or the schema cannot be read.
pub async fn missing(
    project: &Project,
    target: &Target,
    folder: impl Into<Arc<Folder>>,
    schema: Option<&Path>,
) -> Result<TargetMissing, ChangeError> {
    let opened = open(project, target, folder).await?;
    let outline = read_outline(&opened.session).await;
    let outline = outline.map_err(|error| target.session_problem(&error))?;
    let mut problems = opened.folder.set.problems.clone();
    let (expected_from, expected) = match is_prisma(&opened, schema) {
        true => of_prisma(project, &opened, schema)?,
        false => of_migrations(project, target, &opened, &mut problems).await,
    };
    let report = compare(&expected, &outline, &makers(&opened), &[history_table(&opened)]);
    opened.session.close().await;
    Ok(TargetMissing { server: target.spec.redacted(), expected_from, report, problems })
}

/// Which migrations make what.
pub(crate) fn makers(opened: &Opened) -> Makers {
    let made_by = |is_applied: bool| {
        let wanted = move |verdict| matches!(verdict, Verdict::Applied) == is_applied;
        origins(&programs(opened, &wanted), current_schema(opened))
    };
    Makers { pending: made_by(false), applied: made_by(true) }
}

fn is_prisma(opened: &Opened, schema: Option<&Path>) -> bool {
    schema.is_some() || opened.dialect.format() == Format::Prisma
}

fn of_prisma(
    project: &Project,
    opened: &Opened,
    schema: Option<&Path>,
) -> Result<(String, Expectation), ChangeError> {
    let found = read_schema(project, &opened.folder.tree.root, schema)?;
    Ok((found.shown, Expectation::of_prisma(&found.database, current_schema(opened))))
}

/// What the migrations make when they are replayed; where they cannot be, what their text tells.
async fn of_migrations(
    project: &Project,
    target: &Target,
    opened: &Opened,
    problems: &mut Vec<Problem>,
) -> (String, Expectation) {
    let root = opened.folder.tree.root.clone();
    match replay(project, target, opened.folder.clone()).await {
        Ok(schema) => (root, Expectation::of_schema(&schema)),
        Err(problem) => {
            let told = "the migrations cannot be replayed, so what their text tells is expected";
            let severity = Severity::Warning;
            problems.push(Problem { severity, ..problem.detail(told) });
            let all = programs(opened, &|_| true);
            let all: Vec<_> = all.iter().map(|(version, one)| (version.as_str(), *one)).collect();
            (root, Expectation::of_claims(&claims(&all), current_schema(opened)))
        }
    }
}

/// What names without a schema mean in the target.
pub(crate) fn current_schema(opened: &Opened) -> &str {
    match opened.state.schema.as_str() {
        "" => DEFAULT_SCHEMA,
        schema => schema,
    }
}

pub(crate) fn history_table(opened: &Opened) -> ObjectName {
    let table = &opened.state.table;
    let schema = table.schema.clone().unwrap_or_else(|| current_schema(opened).to_owned());
    ObjectName { schema, name: table.name.clone() }
}

/// The migrations with a verdict that is wanted, each with the name that people know it by.
fn programs<'o>(
    opened: &'o Opened,
    wanted: &dyn Fn(Verdict) -> bool,
) -> Vec<(String, &'o Program)> {
    let verdicts = opened.verdicts();
    let is_wanted = |migration: &Migration| {
        migration.kind != MigrationKind::Baseline
            && verdicts.get(migration.version.as_str()).is_some_and(|verdict| wanted(*verdict))
    };
    let migrations = opened.folder.set.migrations.iter().zip(opened.folder.up_programs());
    let migrations = migrations.filter(|(migration, _)| is_wanted(migration));
    migrations.map(|(migration, program)| (migration.label(), program)).collect()
}
