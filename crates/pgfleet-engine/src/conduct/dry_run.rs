//! `apply --dry-run`: the plan for real, on a scratch copy of the target.

use pgfleet_core::plan::Plan;

use super::apply::{ApplyRequest, apply, refuse_broken_rows};
use super::change::{ChangeError, RunOutcome};
use super::difference::refuse_rows;
use super::target::{Opened, Target, open};
use crate::project::Project;
use crate::scratch::{Copied, Scratch};

/// What a dry run showed.
#[derive(Debug)]
pub struct DryRun {
    /// How the run on the copy went.
    pub outcome: RunOutcome,
    /// How the copy was made, in words.
    pub copied: Copied,
}

/// Copies the target's structure and history into a scratch database and applies there.
///
/// # Errors
/// When no scratch database can be had, or what would stand in the way on the target.
pub async fn dry_run(
    project: &Project,
    target: &Target,
    opened: &Opened,
    request: &ApplyRequest<'_>,
) -> Result<DryRun, ChangeError> {
    // The copy has no rows that could break anything.
    match request.plan.as_ref().and_then(Plan::schemas) {
        Some(schemas) => refuse_rows(target, &opened.session, schemas).await?,
        None => refuse_broken_rows(target, opened, &request.selection).await?,
    }
    let scratch = Scratch::create(project, target).await?;
    let result = on_copy(project, target, opened, &scratch, request).await;
    let dropped = scratch.drop().await;
    let dry_run = result?;
    dropped.map(|()| dry_run).map_err(ChangeError::from)
}

async fn on_copy(
    project: &Project,
    target: &Target,
    opened: &Opened,
    scratch: &Scratch,
    request: &ApplyRequest<'_>,
) -> Result<DryRun, ChangeError> {
    let copied = scratch.copy_from(target, opened).await?;
    let copy = scratch.target(target);
    let on_copy = open(project, &copy, opened.folder.clone()).await?;
    let outcome = apply(&copy, &on_copy, request).await?;
    on_copy.session.close().await;
    Ok(DryRun { outcome, copied })
}
