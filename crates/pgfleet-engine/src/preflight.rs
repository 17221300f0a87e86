//! What must be true of a folder, and of a target, before a run begins to change it.

use pgfleet_core::diagnose::Problem;
use pgfleet_core::report::Event;

use crate::conduct::{ChangeError, Opened, Target};
use crate::connect::{check_pooler, preflight, probe};
use crate::execute::EventSink;
use crate::project::{Folder, Project};

/// Refuses targets that cannot be changed: standbys, read-only roles, transaction-mode poolers.
/// Warnings go to the events.
///
/// # Errors
/// Everything that stands in the way.
pub async fn check_target(
    target: &Target,
    opened: &Opened,
    events: &dyn EventSink,
) -> Result<(), ChangeError> {
    let facts = probe(&opened.session).await.map_err(|error| target.session_problem(&error))?;
    let mut problems = preflight(&facts);
    if let Err(problem) = check_pooler(&target.spec, &opened.session, &facts).await {
        problems.push(problem);
    }
    let named = problems.into_iter().map(|problem| problem.in_target(&target.name));
    let (errors, warnings): (Vec<_>, Vec<_>) = named.partition(Problem::is_error);
    for warning in warnings {
        events.send(Event::Warned { problem: Box::new(warning) });
    }
    if errors.is_empty() { Ok(()) } else { Err(errors.into()) }
}

/// A migration of a folder, looked through.
#[derive(Debug, serde::Serialize)]
pub struct CheckedMigration {
    /// The identity in the history.
    pub version: String,
    /// What a person calls it.
    pub name: String,
    /// Statements in it.
    pub statements: usize,
}

/// A folder, looked through.
#[derive(Debug)]
pub struct CheckedFolder {
    /// In order.
    pub migrations: Vec<CheckedMigration>,
    /// Everything worth saying.
    pub problems: Vec<Problem>,
}

/// Looks through a folder without a database.
pub fn check_folder(_project: &Project, folder: &Folder) -> CheckedFolder {
    let mut problems = folder.set.problems.clone();
    let mut migrations = Vec::new();
    for migration in &folder.set.migrations {
        let read = |path: &str, relative: bool, including: &str| {
            crate::conduct::read_include(&folder.tree, path, relative, including)
        };
        let program = pgfleet_core::program::build(&migration.up, &read);
        problems.extend(pgfleet_core::program::syntax_problems(&program));
        migrations.push(CheckedMigration {
            version: migration.version.clone(),
            name: migration.name.clone(),
            statements: program.statements.len(),
        });
        problems.extend(program.problems);
    }
    CheckedFolder { migrations, problems }
}
