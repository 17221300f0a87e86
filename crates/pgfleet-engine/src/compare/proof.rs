//! Proves a change before anybody sees it: applied to a scratch copy of what there is, read again,
//! compared with what there shall be.

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::schema::diff::{Statement, compare};
use pgfleet_core::schema::{Digests, Schema};

use super::{Desired, ScriptError, read_target, run_script};
use crate::conduct::Target;
use crate::project::Project;
use crate::scratch::{Scratch, ScratchServer};

/// How much of what is left is named.
const DIFFERENCES_SHOWN: usize = 5;

/// Proves that the statements turn `from` into `to`, and gives what the copy is then. The first is not held longer than it is needed: the
/// copies that are read take as much memory again.
///
/// # Errors
/// [`Code::ChangeUnproven`] when they fail or leave a difference, or when no copy can be made.
pub async fn prove(
    project: &Project,
    from: Schema,
    to: &Desired,
    statements: &[Statement],
) -> Result<Schema, Box<Problem>> {
    let (server, target) = ScratchServer::of_project(project).await?;
    let scratch = Scratch::create_on(server, &target).await?;
    let copy = scratch.target(&target);
    let proven = prove_on(&copy, from, to, statements).await;
    scratch.drop().await?;
    proven
}

async fn prove_on(
    copy: &Target,
    from: Schema,
    to: &Desired,
    statements: &[Statement],
) -> Result<Schema, Box<Problem>> {
    build(copy, &from).await?;
    let wanted = from.digests();
    drop(from);
    check_exact(copy, &wanted).await?;
    let session = copy.connect().await?;
    let run = run_script(&session, statements).await;
    run.map_err(|error| unproven("a statement of the change fails").failed(&error))?;
    session.close().await;
    let after = read_part(copy).await?;
    let rest = to.rest(&after);
    match rest.is_empty() {
        true => Ok(after),
        false => Err(unproven("the change leaves a difference").differs(&rest)),
    }
}

/// Makes an empty scratch database an exact copy of a schema.
pub(super) async fn make_copy(copy: &Target, schema: &Schema) -> Result<(), Box<Problem>> {
    build(copy, schema).await?;
    check_exact(copy, &schema.digests()).await
}

async fn build(copy: &Target, schema: &Schema) -> Result<(), Box<Problem>> {
    let start = read_part(copy).await?;
    let session = copy.connect().await?;
    let built = run_script(&session, &compare(&start, schema).statements()).await;
    session.close().await;
    built.map_err(|error| unproven("no copy of the first schema can be made").failed(&error))
}

async fn check_exact(copy: &Target, wanted: &Digests) -> Result<(), Box<Problem>> {
    let mut differences = wanted.differences(&read_part(copy).await?);
    if differences.is_empty() {
        return Ok(());
    }
    differences.truncate(DIFFERENCES_SHOWN);
    Err(unproven("the copy of the first schema is not exact").finish(differences))
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
        self.finish(
            rest.iter().take(DIFFERENCES_SHOWN).map(|statement| first(&statement.sql)).collect(),
        )
    }

    fn finish(self, details: Vec<String>) -> Box<Problem> {
        let problem = details.into_iter().fold(self.0, Problem::detail);
        Box::new(problem.fix_with(
            "See the statements without the proof, and check them by hand.",
            "pgfleet diff … --no-proof",
        ))
    }
}
