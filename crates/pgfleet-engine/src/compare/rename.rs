//! Runs renames on a scratch copy of the first schema, which is read again: what depends on a name
//! follows it there as it will in the database, and the rest of the difference starts from that.

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::schema::diff::Statement;
use pgfleet_core::schema::rename::{RenameRequest, RenameStep, resolve, wake};
use pgfleet_core::schema::{Schema, Scope};

use super::proof::make_copy;
use super::{ScriptError, run_script};
use crate::catalog::read_schema;
use crate::conduct::Target;
use crate::connect::Session;
use crate::project::Project;
use crate::scratch::Scratch;

/// A schema of which something is renamed.
#[derive(Debug, Default)]
pub struct Renamed {
    /// What is there afterwards; none when nothing is renamed.
    schema: Option<Schema>,
    /// What is done, in order.
    pub steps: Vec<RenameStep>,
}

impl Renamed {
    /// What the rest of a difference starts from.
    pub fn start<'s>(&'s self, from: &'s Schema) -> &'s Schema {
        self.schema.as_ref().unwrap_or(from)
    }

    /// The statements that rename, and the rest after them.
    pub fn before(&self, rest: &[Statement]) -> Vec<Statement> {
        self.steps.iter().map(RenameStep::statement).chain(rest.iter().cloned()).collect()
    }
}

/// Renames what is asked for, and what PostgreSQL named after it.
///
/// # Errors
/// When a rename is not possible between the two schemas, no copy can be made, or the server refuses.
pub async fn rename(
    project: &Project,
    from: &Schema,
    to: &Schema,
    requests: &[RenameRequest],
) -> Result<Renamed, Box<Problem>> {
    let steps = resolve(from, to, requests)?;
    if steps.is_empty() {
        return Ok(Renamed::default());
    }
    let target = Target::of(project)?;
    let scratch = Scratch::create(project, &target).await?;
    let copy = scratch.target(&target);
    let renamed = on_copy(&copy, from, to, steps).await;
    scratch.drop().await?;
    renamed
}

async fn on_copy(
    copy: &Target,
    from: &Schema,
    to: &Schema,
    steps: Vec<RenameStep>,
) -> Result<Renamed, Box<Problem>> {
    make_copy(copy, from).await?;
    let session = copy.connect().await?;
    let renamed = rename_on(&session, &copy.settings.scope, to, steps).await;
    session.close().await;
    renamed
}

/// Runs steps in a database that has the first schema, and then those that follow from them.
///
/// # Errors
/// [`Code::RenameFailed`] when the server refuses one.
pub async fn rename_on(
    session: &Session,
    scope: &Scope,
    to: &Schema,
    mut steps: Vec<RenameStep>,
) -> Result<Renamed, Box<Problem>> {
    let mut renamed = Renamed::default();
    while !steps.is_empty() {
        let statements: Vec<_> = steps.iter().map(RenameStep::statement).collect();
        let run = run_script(session, &statements).await;
        run.map_err(|error| refused(&error))?;
        renamed.steps.append(&mut steps);
        let schema = read_schema(session).await;
        let schema = schema.map_err(|error| Box::new(failed().because(error.to_string())))?;
        let schema = schema.within(scope);
        steps = wake(&schema, to, &renamed.steps);
        renamed.schema = Some(schema);
    }
    Ok(renamed)
}

fn failed() -> Problem {
    Problem::error(Code::RenameFailed, "the renames fail on a scratch copy")
}

fn refused(error: &ScriptError) -> Box<Problem> {
    let problem = failed().because(error.error.to_string());
    Box::new(problem.detail(format!("in: {}", error.statement)))
}
