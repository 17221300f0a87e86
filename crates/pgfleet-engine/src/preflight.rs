//! What must be true of a target before a run begins to change it.

use pgfleet_core::diagnose::Problem;
use pgfleet_core::report::Event;

use crate::conduct::{ChangeError, Opened, Target};
use crate::connect::{check_pooler, preflight, probe};
use crate::execute::EventSink;

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
