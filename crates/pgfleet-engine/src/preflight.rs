//! What must be true of a folder, and of a target, before a run begins to change it.

use pgfleet_core::diagnose::Problem;
use pgfleet_core::folder::{Format, SqlBody};
use pgfleet_core::place::Place;
use pgfleet_core::preflight::{KnownObjects, Preflight, preflight as preflight_folder};
use pgfleet_core::program;
use pgfleet_core::report::Event;

use crate::conduct::{ChangeError, Opened, Target, read_include};
use crate::connect::{check_pooler, preflight, probe};
use crate::environment;
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

/// Looks through a folder without a database.
pub fn check_folder(project: &Project, folder: &Folder) -> Preflight {
    let tree = &folder.tree;
    let read =
        |path: &str, relative: bool, including: &str| read_include(tree, path, relative, including);
    let migrations = folder.set.migrations.iter().enumerate();
    let programs: Vec<_> =
        migrations.map(|(at, migration)| (at, program::build(&migration.up, &read))).collect();
    preflight_folder(&folder.set, &programs, &known_objects(project, folder))
}

/// What the environment supplies before the first migration.
fn known_objects(project: &Project, folder: &Folder) -> KnownObjects {
    match project.settings.environment.as_deref() {
        Some("supabase") => KnownObjects::supabase(),
        Some(file) => environment::prelude(file).map_or_else(
            |_| KnownObjects::open(),
            |sql| {
                let body = SqlBody::verbatim(sql, Place::at(file, 1, 1));
                KnownObjects::from_program(&program::build(&body, &|_, _, _| None))
            },
        ),
        None if folder.set.format == Format::Supabase => KnownObjects::supabase(),
        None => KnownObjects::none(),
    }
}
