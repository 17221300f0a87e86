//! schema.prisma as a side of a comparison: what it has no word for stays as the other side has it.

use pgfleet_core::diagnose::Problem;
use pgfleet_core::prisma::beyond::{Completed, complete};
use pgfleet_core::schema::Schema;
use pgfleet_core::schema::diff::{Statement, compare};

use super::rename::{RenameWishes, Renamed, rename};
use super::side::Side;
use crate::project::Project;

/// What a change leads to.
#[derive(Debug, Clone)]
pub struct Desired {
    /// All of it.
    pub schema: Schema,
    /// What schema.prisma alone asks for, when it is the desired schema.
    prisma: Option<Schema>,
}

impl Desired {
    /// What `after` still lacks, as statements. Where a column that schema.prisma changes is used by
    /// what it has no word for, PostgreSQL writes that otherwise afterwards: it counts as the same
    /// when it is there.
    pub fn rest(&self, after: &Schema) -> Vec<Statement> {
        let rest = compare(after, &self.schema).statements();
        let Some(prisma) = self.prisma.as_ref().filter(|_| !rest.is_empty()) else { return rest };
        let ids = |schema: &Schema| {
            schema.objects.iter().map(|object| object.id.clone()).collect::<Vec<_>>()
        };
        let completed = complete(after, prisma).schema;
        let is_done = ids(after) == ids(&self.schema) && compare(after, &completed).is_empty();
        if is_done { Vec::new() } else { rest }
    }
}

/// The desired schema and what is renamed on the way to it; keys and indexes that are the same but for
/// the name are renamed, too. Nothing is added unless the desired schema comes from schema.prisma.
///
/// # Errors
/// When no scratch copy can be made, or the server refuses a rename.
pub async fn complete_desired(
    project: &Project,
    from: &Schema,
    (side, to): (&Side, Schema),
    renamed: Renamed,
) -> Result<(Renamed, Desired), Box<Problem>> {
    if !side.is_prisma() {
        return Ok((renamed, Desired { schema: to, prisma: None }));
    }
    let Completed { schema, renames } = complete(renamed.start(from), &to);
    let desired = Desired { schema, prisma: Some(to) };
    if renames.is_empty() {
        return Ok((renamed, desired));
    }
    let wishes = RenameWishes { requests: renames, consent: None };
    let more = rename(project, renamed.start(from), &desired.schema, &wishes).await?;
    Ok((renamed.then(more), desired))
}

/// The first side, when it is schema.prisma: what it has no word for is as in the second one.
pub fn complete_start(side: &Side, from: Schema, to: &Schema) -> Schema {
    if side.is_prisma() { complete(to, &from).schema } else { from }
}
