//! What was made of a folder, kept for other targets: statements, and plans for those in the same
//! state.
//!
//! Invariant: a key holds everything that a plan is made from besides the folder, so that a plan
//! from the shelf is the plan that would have been made.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use pgfleet_core::config::Variables;
use pgfleet_core::plan::{ColumnTypes, Direction, Plan, fingerprint_rows, hash_text};
use pgfleet_core::program::{self, Program};

use super::change::ChangeError;
use super::includes::read_include;
use crate::project::Folder;
use crate::state::TargetState;

/// How many plans are kept. A fleet has few states, unless each target has values of its own.
const PLANS_MAX: usize = 64;

/// The statements of a folder's up parts, once somebody asked for them. A clone begins empty, for the
/// reason that [`PlanShelf`]'s does.
#[derive(Debug, Default)]
pub struct ProgramShelf(OnceLock<Vec<Program>>);

impl Clone for ProgramShelf {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Folder {
    /// The statements of each migration's up part, in the folder's order.
    pub fn up_programs(&self) -> &[Program] {
        let tree = &self.tree;
        let read = |path: &str, relative: bool, including: &str| {
            read_include(tree, path, relative, including)
        };
        let migrations = self.set.migrations.iter();
        self.programs.0.get_or_init(|| migrations.map(|m| program::build(&m.up, &read)).collect())
    }
}

/// Plans by what they were made from. A clone begins empty: the folder that it belongs to is about
/// to be changed.
#[derive(Debug, Default)]
pub struct PlanShelf {
    plans: Mutex<HashMap<String, Arc<Plan>>>,
}

impl Clone for PlanShelf {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl PlanShelf {
    /// The plan of a key, made when it is not there. Errors are not kept.
    pub(super) fn get_or_make(
        &self,
        key: String,
        make: impl FnOnce() -> Result<Plan, ChangeError>,
    ) -> Result<Arc<Plan>, ChangeError> {
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(plan) = plans.get(&key) {
            return Ok(plan.clone());
        }
        let plan = Arc::new(make()?);
        if plans.len() >= PLANS_MAX {
            plans.clear();
        }
        plans.insert(key, plan.clone());
        Ok(plan)
    }

    /// How many plans there are.
    pub fn len(&self) -> usize {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// True when no plan was made yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Everything that a plan is made from besides the folder.
pub(super) fn plan_key<'v>(
    state: &TargetState,
    variables: &Variables,
    column_types: &ColumnTypes,
    direction: Direction,
    versions: impl Iterator<Item = &'v str>,
) -> String {
    let next_rank = state.rows.iter().map(|row| row.rank).max().unwrap_or(0);
    let columns = state.history.as_ref().map(|history| &history.columns);
    let versions: Vec<_> = versions.collect();
    hash_text(&format!(
        "{:?} {:?} {next_rank} {columns:?} {} {variables:?} {column_types:?} {direction:?} {versions:?}",
        state.table,
        fingerprint_rows(&state.rows),
        state.holds_tables,
    ))
}
