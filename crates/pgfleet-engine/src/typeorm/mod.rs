//! Migrations of TypeORM whose code cannot be read as SQL: the team's own TypeORM runs them on a
//! scratch database, and what it sends there becomes their SQL.
//!
//! Invariant: a captured migration sends the same statements to the target as to the scratch
//! database. Code that looks at rows, which a scratch database does not have, is refused: what it
//! sends depends on them.

mod node;
mod refusal;
mod request;

use std::sync::Arc;

use pgfleet_core::diagnose::{Code, Problem, Severity};
use pgfleet_core::folder::{
    Chunk, Format, Migration, SqlBody, TransactionMode, fill_typeorm_parameters,
};
use pgfleet_core::place::Place;
use pgfleet_core::plan::Direction;

use crate::conduct::{
    ChangeError, Opened, RollbackTo, Selection, Target, chosen_to_take_back, pending,
};
use crate::project::Project;
use crate::scratch::Scratch;
use node::{Captured, Node, Sent};
use request::Workplace;

/// Captures the SQL of the pending migrations that the selection wants and that hold code. They
/// are then as if they had been read. Other formats, and folders without code, cost nothing.
///
/// # Errors
/// When Node or a package is missing, no scratch database can be had, or a migration's statements
/// depend on rows. Nothing was changed in the target.
pub async fn capture_pending(
    project: &Project,
    target: &Target,
    opened: &mut Opened,
    selection: &Selection,
) -> Result<(), ChangeError> {
    let versions = pending(&opened.statuses, selection)?;
    capture(project, target, opened, &versions, Direction::Up).await
}

/// The same for what takes applied migrations back.
///
/// # Errors
/// As [`capture_pending`].
pub async fn capture_applied(
    project: &Project,
    target: &Target,
    opened: &mut Opened,
    to: &RollbackTo,
) -> Result<(), ChangeError> {
    let chosen = chosen_to_take_back(&opened.folder.set, &opened.statuses, to)?;
    let versions: Vec<_> = chosen.iter().map(|status| status.version.clone()).collect();
    capture(project, target, opened, &versions, Direction::Down).await
}

async fn capture(
    project: &Project,
    target: &Target,
    opened: &mut Opened,
    versions: &[String],
    direction: Direction,
) -> Result<(), ChangeError> {
    let order = until_last_opaque(opened, versions, direction);
    let Some(first) = order.iter().find_map(|at| place(&migration(opened, *at)?, direction)) else {
        return Ok(());
    };
    refuse_interrupted(opened, &order, direction)?;
    let workplace = Workplace::find(project, &opened.folder.tree)?;
    let node = Node::find(&workplace, &first).await?;
    let scratch = Scratch::create(project, target).await?;
    let run = Run { node: &node, workplace: &workplace, direction };
    let captured = run.on_scratch(&scratch, target, opened, &order).await;
    let dropped = scratch.drop().await;
    for (at, found) in captured? {
        take_in(opened, at, found, direction);
    }
    Ok(dropped?)
}

fn migration(opened: &Opened, at: usize) -> Option<Migration> {
    opened.folder.set.migrations.get(at).cloned()
}

/// Where code stands that could not be read.
fn place(migration: &Migration, direction: Direction) -> Option<Place> {
    match direction {
        Direction::Up => migration.opaque.clone(),
        Direction::Down => migration.opaque_down.clone(),
    }
}

/// Positions in the folder of the versions up to the last one that holds code; those before it are
/// needed for the structure that it finds.
fn until_last_opaque(opened: &Opened, versions: &[String], direction: Direction) -> Vec<usize> {
    let set = &opened.folder.set;
    if set.format != Format::Typeorm {
        return Vec::new();
    }
    let position = |version: &String| set.migrations.iter().position(|m| m.version == *version);
    let mut order: Vec<_> = versions.iter().filter_map(position).collect();
    let opaque = |at: &usize| place(&set.migrations[*at], direction).is_some();
    let end = order.iter().rposition(opaque).map_or(0, |last| last + 1);
    order.truncate(end);
    order
}

/// A migration that stopped half way would send other statements when it finds its own work.
fn refuse_interrupted(
    opened: &Opened,
    order: &[usize],
    direction: Direction,
) -> Result<(), Box<Problem>> {
    let open = &opened.state.open_units;
    let migrations = order.iter().map(|at| &opened.folder.set.migrations[*at]);
    for migration in migrations {
        let begun = open.iter().any(|unit| unit.version == migration.version);
        if let Some(place) = place(migration, direction).filter(|_| begun) {
            return Err(Box::new(refusal::interrupted(migration, place)));
        }
    }
    Ok(())
}

/// From now on the migration is as if it had been read.
fn take_in(opened: &mut Opened, at: usize, found: Found, direction: Direction) {
    let set = &mut Arc::make_mut(&mut opened.folder).set;
    let Some(migration) = set.migrations.get_mut(at) else { return };
    let opaque = match direction {
        Direction::Up => {
            migration.up = found.body;
            migration.opaque.take()
        }
        Direction::Down => {
            migration.down = Some(found.body);
            migration.opaque_down.take()
        }
    };
    if found.commits {
        migration.transaction = TransactionMode::Never;
    }
    let told = set.problems.iter_mut().filter(|p| p.code == Code::CodeOpaque && p.place == opaque);
    for problem in told {
        problem.severity = Severity::Note;
        problem.what = format!("this code was run by TypeORM {} to learn its SQL", found.typeorm);
        problem.cause = Some("It cannot be read as SQL. It ran on a scratch database.".to_owned());
        problem.fixes.clear();
    }
}

/// What a migration sends.
struct Found {
    body: SqlBody,
    commits: bool,
    typeorm: String,
}

struct Run<'a> {
    node: &'a Node,
    workplace: &'a Workplace,
    direction: Direction,
}

impl Run<'_> {
    /// Brings the scratch database to where each migration with code begins, and runs that.
    async fn on_scratch(
        &self,
        scratch: &Scratch,
        target: &Target,
        opened: &Opened,
        order: &[usize],
    ) -> Result<Vec<(usize, Found)>, Box<Problem>> {
        scratch.copy_from(target, opened).await?;
        let copy = scratch.target(target);
        let mut found = Vec::new();
        for at in order {
            let Some(migration) = opened.folder.set.migrations.get(*at) else { continue };
            match place(migration, self.direction) {
                Some(place) => found.push((*at, self.capture_one(&copy, migration, place).await?)),
                None => run_sql(&copy, migration, self.body(migration)).await?,
            }
        }
        Ok(found)
    }

    fn body<'m>(&self, migration: &'m Migration) -> Option<&'m SqlBody> {
        match self.direction {
            Direction::Up => Some(&migration.up),
            Direction::Down => migration.down.as_ref(),
        }
    }

    async fn capture_one(
        &self,
        copy: &Target,
        migration: &Migration,
        place: Place,
    ) -> Result<Found, Box<Problem>> {
        let request = self.workplace.request(copy, migration, self.direction);
        let answer = self.node.run(&request, migration, &place, self.workplace).await?;
        let Captured { typeorm, statements, commits } = answer;
        let chunk = |sent: Sent| self.chunk(copy, migration, &place, sent);
        let chunks: Result<Vec<_>, _> = statements.into_iter().map(chunk).collect();
        Ok(Found { body: SqlBody { chunks: chunks? }, commits, typeorm })
    }

    fn chunk(
        &self,
        copy: &Target,
        migration: &Migration,
        opaque: &Place,
        sent: Sent,
    ) -> Result<Chunk, Box<Problem>> {
        let place = sent.place.as_ref().map_or(opaque.clone(), |frame| self.workplace.place(frame));
        let filled = match sent.parameters.as_slice() {
            [] => Some(sent.sql),
            texts => fill_typeorm_parameters(&sent.sql, texts),
        };
        let Some(sql) = filled else {
            return Err(Box::new(refusal::parameter_missing(migration, place)));
        };
        if sql.contains(&copy.spec.database) {
            return Err(Box::new(refusal::names_database(migration, place)));
        }
        Ok(Chunk { sql, place, verbatim: false })
    }
}

/// Runs a migration that could be read, as far as its structure is concerned.
async fn run_sql(
    copy: &Target,
    migration: &Migration,
    body: Option<&SqlBody>,
) -> Result<(), Box<Problem>> {
    let session = copy.connect().await?;
    for chunk in body.map_or(&[][..], |body| &body.chunks) {
        if let Err(error) = session.batch(&chunk.sql).await {
            let problem = *copy.session_problem(&error);
            let why = "a migration with code comes after it, and is tried on a scratch copy first";
            let label = migration.label();
            let problem = problem.at(chunk.place.clone()).because(format!("{label}: {why}"));
            return Err(Box::new(problem));
        }
    }
    session.close().await;
    Ok(())
}
