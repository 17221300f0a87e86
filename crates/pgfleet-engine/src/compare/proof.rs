//! Proves a change before anybody sees it: applied to a scratch copy of what there is, read again,
//! compared with what there shall be.

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::schema::Schema;
use pgfleet_core::schema::diff::{Statement, compare};

use super::{Desired, ScriptError, read_target, run_script};
use crate::conduct::Target;
use crate::project::Project;
use crate::scratch::Scratch;

/// Proves that the statements turn `from` into `to`.
///
/// # Errors
/// [`Code::ChangeUnproven`] when they fail or leave a difference, or when no copy can be made.
pub async fn prove(
    project: &Project,
    from: &Schema,
    to: &Desired,
    statements: &[Statement],
) -> Result<(), Box<Problem>> {
    let target = Target::of(project)?;
    let scratch = Scratch::create(project, &target).await?;
    let copy = scratch.target(&target);
    let proven = prove_on(&copy, from, to, statements).await;
    scratch.drop().await?;
    proven
}

async fn prove_on(
    copy: &Target,
    from: &Schema,
    to: &Desired,
    statements: &[Statement],
) -> Result<(), Box<Problem>> {
    make_copy(copy, from).await?;
    let session = copy.connect().await?;
    let run = run_script(&session, statements).await;
    run.map_err(|error| unproven("a statement of the change fails").failed(&error))?;
    session.close().await;
    let rest = to.rest(&read_part(copy).await?);
    match rest.is_empty() {
        true => Ok(()),
        false => Err(unproven("the change leaves a difference").differs(&rest)),
    }
}

/// Makes an empty scratch database an exact copy of a schema.
pub(super) async fn make_copy(copy: &Target, schema: &Schema) -> Result<(), Box<Problem>> {
    let start = read_part(copy).await?;
    let session = copy.connect().await?;
    let built = run_script(&session, &compare(&start, schema).statements()).await;
    session.close().await;
    built.map_err(|error| unproven("no copy of the first schema can be made").failed(&error))?;
    let rest = compare(&read_part(copy).await?, schema).statements();
    match rest.is_empty() {
        true => Ok(()),
        false => Err(unproven("the copy of the first schema is not exact").differs(&rest)),
    }
}

/// What counts of the copy.
async fn read_part(copy: &Target) -> Result<Schema, Box<Problem>> {
    Ok(read_target(copy).await?.within(&copy.settings.scope))
}

struct Unproven(Problem);

fn unproven(what: &str) -> Unproven {
    Unproven(Problem::error(Code::ChangeUnproven, what.to_owned()))
}

impl Unproven {
    fn failed(self, error: &ScriptError) -> Box<Problem> {
        let statement = error.statement.lines().next().unwrap_or_default();
        self.finish(vec![error.error.to_string(), format!("in: {statement}")])
    }

    fn differs(self, rest: &[Statement]) -> Box<Problem> {
        let first = |sql: &str| sql.lines().next().unwrap_or_default().to_owned();
        self.finish(rest.iter().take(5).map(|statement| first(&statement.sql)).collect())
    }

    fn finish(self, details: Vec<String>) -> Box<Problem> {
        let problem = details.into_iter().fold(self.0, Problem::detail);
        Box::new(problem.fix_with(
            "See the statements without the proof, and check them by hand.",
            "pgfleet diff … --no-proof",
        ))
    }
}
