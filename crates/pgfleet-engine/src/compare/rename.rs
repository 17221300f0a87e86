//! Runs renames on a scratch copy of the first schema, which is read again: what depends on a name
//! follows it there as it will in the database, and the rest of the difference starts from that.

use std::collections::BTreeSet;

use pgfleet_core::config::Settings;
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::folder::Migration;
use pgfleet_core::program;
use pgfleet_core::schema::diff::Statement;
use pgfleet_core::schema::rename::{
    Proposal, RenameRequest, RenameStep, detect, resolve, taken_back, wake,
};
use pgfleet_core::schema::{Schema, Scope};

use super::proof::make_copy;
use super::{ScriptError, run_script, without_histories};
use crate::catalog::read_schema;
use crate::conduct::{Target, read_include};
use crate::connect::Session;
use crate::project::{Folder, Project};
use crate::scratch::{Scratch, ScratchServer};

/// A schema of which something is renamed.
#[derive(Debug, Default)]
pub struct Renamed {
    /// What is there afterwards; none when nothing is renamed.
    schema: Option<Schema>,
    /// What is done, in order.
    pub steps: Vec<RenameStep>,
    /// What of the rest looks like a rename.
    pub proposals: Vec<Proposal>,
}

impl Renamed {
    /// What the rest of a difference starts from.
    pub fn start<'s>(&'s self, from: &'s Schema) -> &'s Schema {
        self.schema.as_ref().unwrap_or(from)
    }

    /// These renames, and others that start from what they leave.
    #[must_use]
    pub(super) fn then(mut self, more: Self) -> Self {
        self.schema = more.schema.or(self.schema);
        self.steps.extend(more.steps);
        self
    }

    /// The statements that rename, and the rest after them.
    pub fn before(&self, rest: &[Statement]) -> Vec<Statement> {
        self.steps.iter().map(RenameStep::statement).chain(rest.iter().cloned()).collect()
    }
}

/// What shall be renamed.
#[derive(Default)]
pub struct RenameWishes<'a> {
    /// What is asked for.
    pub requests: Vec<RenameRequest>,
    /// Says whether what looks like a rename is one; nothing that is not asked for is renamed without.
    pub consent: Option<&'a dyn Fn(&Proposal) -> bool>,
}

/// Renames what is asked for or consented to, and what PostgreSQL named after it.
///
/// # Errors
/// When a rename is not possible between the two schemas, no copy can be made, or the server refuses.
pub async fn rename(
    project: &Project,
    from: &Schema,
    to: &Schema,
    wishes: &RenameWishes<'_>,
) -> Result<Renamed, Box<Problem>> {
    let steps = resolve(from, to, &wishes.requests)?;
    let proposals = if steps.is_empty() { detect(from, to, &[]) } else { Vec::new() };
    if steps.is_empty() && (wishes.consent.is_none() || proposals.is_empty()) {
        return Ok(Renamed { proposals, ..Renamed::default() });
    }
    let (server, target) = ScratchServer::of_project(project).await?;
    let scratch = Scratch::create_on(server, &target).await?;
    let copy = scratch.target(&target);
    let renamed = on_copy(&copy, from, to, (steps, wishes)).await;
    scratch.drop().await?;
    renamed
}

async fn on_copy(
    copy: &Target,
    from: &Schema,
    to: &Schema,
    (steps, wishes): (Vec<RenameStep>, &RenameWishes<'_>),
) -> Result<Renamed, Box<Problem>> {
    make_copy(copy, from).await?;
    let session = copy.connect().await?;
    let scope = &copy.settings.scope;
    let renamed = rename_on(&session, scope, to, steps).await;
    let renamed = match (renamed, wishes.consent) {
        (Ok(renamed), Some(consent)) => agree(&session, scope, (from, to), renamed, consent).await,
        (renamed, _) => renamed,
    };
    session.close().await;
    let mut renamed = renamed?;
    renamed.proposals = detect(renamed.start(from), to, &renamed.steps);
    Ok(renamed)
}

/// Renames what is consented to, again and again: the columns of a table can only be looked at when
/// the table has its new name. Each is asked about once.
async fn agree(
    session: &Session,
    scope: &Scope,
    (from, to): (&Schema, &Schema),
    mut renamed: Renamed,
    consent: &dyn Fn(&Proposal) -> bool,
) -> Result<Renamed, Box<Problem>> {
    let mut asked = BTreeSet::new();
    loop {
        let mut proposals = detect(renamed.start(from), to, &renamed.steps);
        proposals.retain(|proposal| asked.insert(proposal.rename.clone()) && consent(proposal));
        let requests: Vec<_> = proposals.iter().filter_map(Proposal::request).collect();
        let steps = resolve(renamed.start(from), to, &requests)?;
        if steps.is_empty() {
            return Ok(renamed);
        }
        renamed = continue_on(session, scope, to, (renamed, steps)).await?;
    }
}

/// Runs steps in a database that has the first schema, and then those that follow from them.
///
/// # Errors
/// [`Code::RenameFailed`] when the server refuses one.
pub async fn rename_on(
    session: &Session,
    scope: &Scope,
    to: &Schema,
    steps: Vec<RenameStep>,
) -> Result<Renamed, Box<Problem>> {
    continue_on(session, scope, to, (Renamed::default(), steps)).await
}

/// Takes back the names that a migration gave on a copy that it left, looks, and gives them again: what
/// is renamed is not dropped and made anew on the way back. Nothing is renamed when the server refuses.
///
/// # Errors
/// [`Code::RenameFailed`] when the copy could not be put back.
pub(crate) async fn rename_back(
    copy: &Target,
    folder: &Folder,
    migration: &Migration,
    (after, before): (&Schema, &Schema),
) -> Result<Renamed, Box<Problem>> {
    let read = |path: &str, relative: bool, including: &str| {
        read_include(&folder.tree, path, relative, including)
    };
    let program = program::build(&migration.up, &read);
    let statements = program.statements.iter().map(|one| (one.sql.as_str(), &one.facts));
    let steps = taken_back(after, before, statements);
    if steps.is_empty() {
        return Ok(Renamed::default());
    }
    let session = copy.connect().await?;
    let renamed = there_and_back(&session, &copy.settings, before, steps).await;
    session.close().await;
    renamed
}

async fn there_and_back(
    session: &Session,
    settings: &Settings,
    before: &Schema,
    steps: Vec<RenameStep>,
) -> Result<Renamed, Box<Problem>> {
    let mut renamed = Renamed::default();
    let taken = renaming(session, &settings.scope, before, &mut renamed, steps).await;
    let inverse: Vec<_> =
        renamed.steps.iter().rev().map(|step| step.inverse().statement()).collect();
    run_script(session, &inverse).await.map_err(|error| refused(&error))?;
    if taken.is_err() {
        return Ok(Renamed::default());
    }
    renamed.schema = renamed.schema.map(|schema| without_histories(schema, settings));
    Ok(renamed)
}

async fn continue_on(
    session: &Session,
    scope: &Scope,
    to: &Schema,
    (mut renamed, steps): (Renamed, Vec<RenameStep>),
) -> Result<Renamed, Box<Problem>> {
    renaming(session, scope, to, &mut renamed, steps).await?;
    Ok(renamed)
}

/// `renamed` has what was done, whatever fails.
async fn renaming(
    session: &Session,
    scope: &Scope,
    to: &Schema,
    renamed: &mut Renamed,
    mut steps: Vec<RenameStep>,
) -> Result<(), Box<Problem>> {
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
    Ok(())
}

fn failed() -> Problem {
    Problem::error(Code::RenameFailed, "the renames fail on a scratch copy")
}

fn refused(error: &ScriptError) -> Box<Problem> {
    let problem = failed().because(error.error.to_string());
    Box::new(problem.detail(format!("in: {}", error.statement)))
}
