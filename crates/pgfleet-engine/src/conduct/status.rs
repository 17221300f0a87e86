//! `status`: each migration's verdict in a target.

use std::sync::Arc;

use pgfleet_core::diagnose::Problem;
use pgfleet_core::folder::Format;
use pgfleet_core::history::MigrationStatus;

use super::target::{Target, open};
use crate::project::{Folder, Project};
use crate::truth::untrue_claims;

/// What `status` shows.
#[derive(Debug)]
pub struct TargetStatus {
    /// The target's name.
    pub target: String,
    /// Where it is, without secrets.
    pub server: String,
    /// The folder's dialect, as the history settled it.
    pub format: Format,
    /// The history table, whether there or not.
    pub history_table: String,
    /// In the folder's order.
    pub migrations: Vec<MigrationStatus>,
    /// What is wrong with the folder, and what the history claims that is not there.
    pub problems: Vec<Problem>,
}

/// Reads a target and holds the folder against it. Changes nothing.
///
/// # Errors
/// When the target cannot be reached or read.
pub async fn status(
    project: &Project,
    target: &Target,
    folder: impl Into<Arc<Folder>>,
) -> Result<TargetStatus, Box<Problem>> {
    let folder = folder.into();
    read_statements_beside(&folder);
    let opened = open(project, target, folder).await?;
    let mut problems = opened.folder.set.problems.clone();
    problems.extend(opened.assumption());
    let untrue = untrue_claims(&opened).await.map_err(|error| target.session_problem(&error))?;
    problems.extend(untrue.into_iter().map(|problem| problem.in_target(&target.name)));
    Ok(TargetStatus {
        target: target.name.clone(),
        server: target.spec.redacted(),
        format: opened.dialect.format(),
        history_table: opened.state.table.to_string(),
        migrations: opened.statuses,
        problems,
    })
}

/// Has the statements read on another thread while the server is asked; who needs them first waits
/// for that thread.
fn read_statements_beside(folder: &Arc<Folder>) {
    let folder = folder.clone();
    tokio::task::spawn_blocking(move || {
        folder.up_programs();
    });
}
