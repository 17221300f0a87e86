//! Plans: steps, fingerprint and hazards, as data that can be shown, saved, reviewed and then
//! executed exactly.
//!
//! A plan is complete: it holds every statement and every row that will be written to the
//! history, so that executing it needs no second decision, and of the folder only the rows of large
//! COPY statements, which it recognises by their SHA-256.

mod artifact;
mod build;
mod derived;
mod difference;
mod fingerprint;
mod hazard;
mod rows;
mod unit;
mod widening;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::folder::Format;
use crate::place::Place;
use crate::rows::RowDemand;
use crate::schema::Scope;

pub use artifact::{PlanFile, PlanFileError};
pub(crate) use build::creates;
pub use build::{Direction, PlanInput, plan_down, plan_up};
pub use derived::{derive_way_back, derived_place};
pub use difference::{DifferenceInput, is_difference, plan_difference};
use fingerprint::fingerprint_plan;
pub use fingerprint::{fingerprint_rows, hash_text};
pub use hazard::{Hazard, HazardKind, needs_consent};
pub use rows::{CopyRows, RowsInFile};
pub use unit::{Settle, SharedKind, Unit, units_of};
pub use widening::{ColumnTypes, column_types_in, retyped_columns};

/// Layout version of the plan file. A reader refuses any other.
pub const PLAN_VERSION: u32 = 2;

/// What a run will do to one target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Layout version, [`PLAN_VERSION`].
    pub version: u32,
    /// What it was made of, and what a target must be like for it to be executed there.
    pub source: PlanSource,
    /// Of all the rest; identifies the plan in the journal, and tells when it was edited.
    pub fingerprint: String,
    /// Statements that create the history table, when it is not there.
    pub setup: Vec<String>,
    /// In execution order.
    pub steps: Vec<Step>,
    /// What to think about before saying yes.
    pub hazards: Vec<Hazard>,
    /// Where the migration folder is on this machine, for the rows that are read from it.
    #[serde(skip)]
    pub location: PathBuf,
}

/// What a plan was made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum PlanSource {
    /// Migrations of a folder, which are recorded in a history.
    Folder(HistoryBase),
    /// The difference of two schemas, which no history records.
    Difference(Box<SchemaBase>),
}

/// The history that a plan was made on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryBase {
    /// The folder's dialect.
    pub format: Format,
    /// The history table, quoted.
    pub history_table: String,
    /// Of the history's rows; a target whose history has another one is not touched.
    pub base: String,
}

/// The two schemas that a plan leads from and to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchemaBase {
    /// The first schema's fingerprint; a target of another one is not touched.
    pub from: String,
    /// The fingerprint that a target has afterwards.
    pub to: String,
    /// Which schemas were compared.
    pub scope: Scope,
    /// It was run on a scratch copy of the first schema, and led to the second.
    pub proven: bool,
    /// What rows must be, asked before anything runs.
    pub demands: Vec<RowDemand>,
}

/// One step of a plan: a closed list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// Run a migration's statements and record it.
    Sql(SqlStep),
}

/// Run a migration's statements, up or down, and record it in the history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SqlStep {
    /// The identity in the history.
    pub version: String,
    /// What a person calls it.
    pub name: String,
    /// `version_name`.
    pub label: String,
    /// Its file, as the user would type it.
    pub file: String,
    /// The file's size.
    pub size_bytes: u64,
    /// Up or down.
    pub direction: Direction,
    /// What is committed together; more than one when no single transaction can hold the whole.
    pub units: Vec<Unit>,
    /// Written before the first unit of a migration that has several.
    pub record_started: Vec<String>,
    /// Written with the last unit.
    pub record_done: Vec<String>,
    /// Written when a migration of several units fails; [`FAILURE_MESSAGE`] stands for the quoted
    /// message.
    pub record_failed: Vec<String>,
    /// What it creates, for display: `table users`, `index users_email_key` …
    pub creates: Vec<String>,
}

/// Stands in [`SqlStep::record_failed`] for the quoted error message.
pub const FAILURE_MESSAGE: &str = "'\u{1}pgfleet:failure-message\u{1}'";

/// The same text, as it is handed to a dialect to be quoted into [`FAILURE_MESSAGE`].
pub const FAILURE_MESSAGE_TEXT: &str = "\u{1}pgfleet:failure-message\u{1}";

/// A statement of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedStatement {
    /// The text to send.
    pub sql: String,
    /// Its command, like PostgreSQL's command tags; empty when not recognised.
    pub label: String,
    /// Where its first character stands.
    pub place: Place,
    /// True when lines and columns inside `sql` count on from `place`.
    pub verbatim: bool,
    /// The rows of a `COPY … FROM STDIN`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy_data: Option<CopyRows>,
    /// The object that `IF NOT EXISTS` may find there already, as the server's notice names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_not_exists: Option<String>,
    /// It changes settings of the session, so that what follows in the file depends on it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sets_session: bool,
}

impl Plan {
    /// True when there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The rows that stay in their files, in execution order.
    pub fn rows_in_files(&self) -> impl Iterator<Item = (&PlannedStatement, &RowsInFile)> {
        let statements = self.sql_steps().flat_map(|step| &step.units).flat_map(Unit::statements);
        statements.filter_map(|statement| match &statement.copy_data {
            Some(CopyRows::InFile(rows)) => Some((statement, rows.as_ref())),
            _ => None,
        })
    }

    /// The schemas that it leads from and to, unless it is made of a folder.
    pub fn schemas(&self) -> Option<&SchemaBase> {
        match &self.source {
            PlanSource::Difference(schemas) => Some(schemas),
            PlanSource::Folder(_) => None,
        }
    }

    /// The history that it was made on, unless it is in none.
    pub fn history(&self) -> Option<&HistoryBase> {
        match &self.source {
            PlanSource::Folder(history) => Some(history),
            PlanSource::Difference(_) => None,
        }
    }

    /// True when nothing was changed since the plan was made.
    pub fn is_intact(&self) -> bool {
        self.fingerprint == fingerprint_plan(self)
    }

    /// Makes it intact again after a change of ours.
    pub(crate) fn renew_fingerprint(&mut self) {
        self.fingerprint = fingerprint_plan(self);
    }

    /// The steps that run SQL: today, all.
    pub fn sql_steps(&self) -> impl Iterator<Item = &SqlStep> {
        self.steps.iter().map(|Step::Sql(step)| step)
    }
}

impl SqlStep {
    /// Statements in all units.
    pub fn statement_count(&self) -> usize {
        self.units.iter().map(|unit| unit.statements().len()).sum()
    }

    /// True when the whole migration is one transaction.
    pub fn is_one_transaction(&self) -> bool {
        matches!(self.units.as_slice(), [] | [Unit::Transaction { .. }])
    }
}
