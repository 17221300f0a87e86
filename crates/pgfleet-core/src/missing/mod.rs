//! What the code expects and the database lacks: tables, columns, enums and their values, by name.
//!
//! Invariant: every expected table is in the report, whether it is there or not; what no pending
//! migration creates is said to need one.

mod expectation;
mod origins;
mod outline;
mod report;
#[cfg(test)]
mod tests;

pub use expectation::{Expectation, ExpectedEnum, ExpectedTable};
pub use origins::{Origins, origins};
pub use outline::{Difference, Outline, OutlineTable, differences};
pub use report::{ColumnRow, EnumRow, Makers, MissingReport, ModelRow, compare};
