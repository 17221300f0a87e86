//! Rehearses a plan: runs it on a scratch copy of the target, looks at what every statement locks and
//! rewrites, and tries each migration's way back.
//!
//! Invariant: the target is read, never written.

mod alike;
mod backwards;
mod bench;
mod known;
mod picture;
mod sizes;

use std::time::Instant;

use pgfleet_core::diagnose::Problem;
use pgfleet_core::plan::Plan;
use pgfleet_core::rehearse::{Rehearsal, RowChoice};

use crate::conduct::{ChangeError, Opened, Target, open};
use crate::project::Project;
use crate::scratch::{Copied, Scratch};
pub use alike::Rehearsals;
pub(crate) use alike::likeness;
use backwards::Backwards;
use bench::Bench;
use sizes::Sizes;

/// What a rehearsal is asked to do.
#[derive(Debug, Clone, Copy, Default)]
pub struct RehearsalOptions {
    /// Which rows are copied; none copies the structure alone.
    pub rows: Option<RowChoice>,
    /// Leave out the ways back.
    pub forwards_only: bool,
}

/// What a rehearsal showed.
#[derive(Debug, Clone)]
pub struct Rehearsed {
    /// What was seen.
    pub rehearsal: Rehearsal,
    /// Why it did not come to its end; empty when it did.
    pub problems: Vec<Problem>,
}

/// Rehearses a plan that was made on the target's present state.
///
/// # Errors
/// When no copy can be made or asked. A statement that fails is part of what the rehearsal shows.
pub async fn rehearse(
    project: &Project,
    target: &Target,
    opened: &Opened,
    plan: &Plan,
    options: RehearsalOptions,
) -> Result<Rehearsed, ChangeError> {
    let begun = Instant::now();
    let sizes = Sizes::read(&opened.session).await;
    let sizes = sizes.map_err(|error| target.session_problem(&error))?;
    let scratch = Scratch::create(project, target).await?;
    let stage = Stage { project, target, opened, plan, options, sizes: &sizes };
    let rehearsed = stage.on_copy(&scratch).await;
    let dropped = scratch.drop().await;
    let mut rehearsed = rehearsed?;
    rehearsed.rehearsal.elapsed_ms = begun.elapsed().as_secs_f64() * 1000.0;
    dropped.map(|()| rehearsed).map_err(ChangeError::from)
}

struct Stage<'a> {
    project: &'a Project,
    target: &'a Target,
    opened: &'a Opened,
    plan: &'a Plan,
    options: RehearsalOptions,
    sizes: &'a Sizes,
}

impl Stage<'_> {
    async fn on_copy(&self, scratch: &Scratch) -> Result<Rehearsed, ChangeError> {
        let copied = match self.options.rows {
            Some(choice) => scratch.copy_with_rows(self.target, self.opened, choice).await?,
            None => scratch.copy_from(self.target, self.opened).await?,
        };
        // Ways back lose rows that later statements should find: they get a copy of their own.
        match copied {
            Copied::WithRows { .. } if !self.options.forwards_only => {
                let second = scratch.clone_database().await?;
                let rehearsed = self.on_copies(scratch, Some(&second), copied).await;
                second.drop().await?;
                rehearsed
            }
            _ => self.on_copies(scratch, None, copied).await,
        }
    }

    async fn on_copies(
        &self,
        scratch: &Scratch,
        second: Option<&Scratch>,
        copied: Copied,
    ) -> Result<Rehearsed, ChangeError> {
        let copy = scratch.target(self.target);
        let second = second.map(|second| second.target(self.target));
        let on_copy = open(self.project, &copy, self.opened.folder.clone()).await?;
        let open_units = &on_copy.state.open_units;
        let bench =
            Bench::set_up(&copy, &self.opened.folder.tree.location, self.sizes, open_units).await?;
        let second = match &second {
            Some(second) => Some(
                Bench::set_up(second, &self.opened.folder.tree.location, self.sizes, open_units)
                    .await?,
            ),
            None => None,
        };
        let statistics = self.sizes.give_to(&copy, &bench.worker).await?;
        let rows_copied = match copied {
            Copied::WithRows { rows, .. } => Some(rows),
            Copied::Empty | Copied::Dumped => None,
        };
        let copy = copied.to_string();
        let rehearsal = Rehearsal { copy, statistics, rows_copied, ..Rehearsal::default() };
        let rehearsed = self.run(bench, second, &on_copy, rehearsal).await;
        on_copy.session.close().await;
        rehearsed
    }

    async fn run(
        &self,
        mut bench: Bench<'_>,
        mut second: Option<Bench<'_>>,
        on_copy: &Opened,
        mut rehearsal: Rehearsal,
    ) -> Result<Rehearsed, ChangeError> {
        for bench in std::iter::once(&bench).chain(&second) {
            bench.record(&self.plan.setup).await.map_err(|failed| problem(bench, failed))?;
        }
        let measures = second.is_some();
        let mut backwards = Backwards::new(self.project, on_copy, measures);
        let mut problems = Vec::new();
        for (at, step) in self.plan.sql_steps().enumerate() {
            let tried = second.as_mut().unwrap_or(&mut bench);
            if !self.options.forwards_only {
                backwards.look_before(tried).await?;
            }
            if let Err(failed) = bench.run_step(step).await {
                problems = bench.explain(self.plan, at, failed).await;
                break;
            }
            if self.options.forwards_only {
                continue;
            }
            let seen = std::mem::take(&mut bench.seen);
            let reversal = match &mut second {
                Some(second) => {
                    let ran = second.run_step(step).await;
                    ran.map_err(|failed| problem(second, failed))?;
                    backwards.try_back(second, step).await?
                }
                None => backwards.try_back(&mut bench, step).await?,
            };
            rehearsal.reversals.push(reversal);
            bench.seen = seen;
            bench.catch_up().await.map_err(|failed| problem(&bench, failed))?;
        }
        rehearsal.complete = problems.is_empty();
        rehearsal.statements = std::mem::take(&mut bench.seen);
        bench.close().await;
        if let Some(second) = second {
            second.close().await;
        }
        Ok(Rehearsed { rehearsal, problems })
    }
}

fn problem(bench: &Bench<'_>, failed: bench::Failed) -> ChangeError {
    failed.into_problem(bench.copy).into()
}
