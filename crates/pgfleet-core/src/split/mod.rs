//! One database into several: what is declared in `split.toml`, held against the shapes of the
//! source and of the databases to fill, becomes moves, questions to the data, and findings.
//!
//! Invariant: every column of a target and every table and column of the source is accounted for:
//! moved, filled by a default, left behind on purpose, or named in a finding.

mod declaration;
mod finding;
mod mapping;
mod moves;
mod place_name;
mod plan;
mod shape;
mod space;
mod survey;
#[cfg(test)]
mod tests;
mod text;

pub use declaration::{
    FamilySection, ReferenceSection, SeedSection, SoftDeleted, SplitFile, TableSection, parse,
};
pub use finding::{Declare, Finding, Level, declarations};
pub use mapping::{Mapped, map_tables};
pub use moves::{Column, Move, PageRange, Rows};
pub use place_name::{ColumnsOf, FamilyTable};
pub use plan::{DatabasePlan, SplitPlan};
pub use shape::{ColumnShape, ForeignKeyShape, KeyShape, Shape, TableShape};
pub use space::{FreeSpace, Space, size, space_finding, time_finding};
pub use survey::{
    Question, Survey, foreign_key_question, keeps_foreign_key, keeps_key, key_question, row_survey,
};
pub use text::expand_variables;
