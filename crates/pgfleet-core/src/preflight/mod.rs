//! Preflight: what can be told about a folder before any server has seen it.
//!
//! The statements are walked once, in apply order, while a [`World`] keeps the names that exist at
//! each moment. Invariant: an error is only reported when it is certain. Whatever may have created
//! an object unseen (a DO block, an extension, another search path) turns the doubt into a note,
//! or into silence.

mod claims;
mod history_tables;
mod known;
mod rules;
mod world;

use serde::Serialize;

use crate::diagnose::Problem;
use crate::folder::{Migration, MigrationKind, MigrationSet};
use crate::plan::creates;
use crate::program::{Program, Statement};

pub use claims::{Claim, claims};
pub use history_tables::is_history_table;
pub use known::KnownObjects;

pub(crate) use world::spelled;

use rules::Rules;
use world::World;

/// What preflight found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Preflight {
    /// Those of the folder's reader first, then those of the statements in apply order.
    pub problems: Vec<Problem>,
    /// Every migration, in apply order.
    pub migrations: Vec<MigrationSummary>,
}

/// One migration at a glance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MigrationSummary {
    /// The identity in the history.
    pub version: String,
    /// What a person calls it.
    pub name: String,
    /// Its file, relative to the folder.
    pub file: String,
    /// The file's size.
    pub size_bytes: u64,
    /// Statements in it.
    pub statements: usize,
    /// What it creates, for display: `table users`, `index users_email_key` …
    pub creates: Vec<String>,
}

impl Preflight {
    /// True when something would stop a run.
    pub fn has_errors(&self) -> bool {
        self.problems.iter().any(Problem::is_error)
    }
}

/// A statement and where it stands in the folder.
#[derive(Clone, Copy)]
struct Here<'a> {
    statement: &'a Statement,
    /// Counts all statements of the folder.
    order: usize,
}

/// Looks at all migrations of a folder.
///
/// `programs` holds the up parts as [`crate::program::build`] made them, each with the index of its
/// migration in the set, in apply order. `known` is what exists before the first of them.
pub fn preflight(
    set: &MigrationSet,
    programs: &[(usize, Program)],
    known: &KnownObjects,
) -> Preflight {
    let programs: Vec<_> = programs
        .iter()
        .filter_map(|(index, program)| Some((set.migrations.get(*index)?, program)))
        .collect();
    let mut problems = set.problems.clone();
    problems.extend(walk(&programs, known));
    let migrations = programs.iter().map(|(migration, program)| summary(migration, program));
    Preflight { problems, migrations: migrations.collect() }
}

fn walk(programs: &[(&Migration, &Program)], known: &KnownObjects) -> Vec<Problem> {
    // A baseline repeats what the versions before it create, and runs instead of them.
    let walked = programs.iter().filter(|(m, _)| m.kind != MigrationKind::Baseline);
    let walked: Vec<_> = walked.copied().collect();
    let all = walked.iter().flat_map(|(_, program)| &program.statements);
    let mut world = World::new(known, all);
    let mut rules = Rules::default();
    let mut order = 0;
    for (migration, program) in walked {
        rules.begin(migration, program);
        for statement in &program.statements {
            let here = Here { statement, order };
            rules.look(&world, here);
            world.take(here);
            order += 1;
        }
        rules.end(migration, program);
    }
    rules.finish()
}

fn summary(migration: &Migration, program: &Program) -> MigrationSummary {
    MigrationSummary {
        version: migration.version.clone(),
        name: migration.name.clone(),
        file: migration.file.clone(),
        size_bytes: migration.size_bytes,
        statements: program.statements.len(),
        creates: creates(&program.statements),
    }
}
