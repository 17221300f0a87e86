//! Checks: declared expectations, the SQL that looks, and the verdict. Data in, data out.
//!
//! [`Check`]s are read from `[[check]]` tables. [`catalog_sql`] asks for the catalog facts that a
//! set of checks needs in one batch, [`questions`] for the answers that only the data can give;
//! [`judge`] turns both into [`CheckResult`]s. [`propose`] goes the other way: facts in, a
//! declaration out.
//!
//! Invariant: a check whose facts could not be had is a failed check that says why, never an
//! error of the whole.

mod catalog;
mod check;
mod declaration;
mod describe;
mod fields;
mod http;
mod judge;
mod propose;
mod question;
mod reference;
mod result;
mod type_name;

pub use catalog::{
    Aspect, Catalog, ColumnFact, EnumFact, ForeignKeyFact, IndexFact, Scope, TableFact, TextRow,
    TriggerFact, catalog_sql, facts_sql, read_catalog, row_counts_sql,
};
pub use check::{
    Check, ColumnExpectation, Columns, Counted, Enums, Env, Expected, Extensions, ForeignKeys,
    Functions, Indexes, Isolation, Kind, Policies, Reference, Rows, Sql, Tables, Triggers,
};
pub use declaration::{declaration_problems, parse_declaration};
pub use http::{FieldExpectation, Http, StatusExpectation};
pub use judge::{Answer, Evidence, ProbeOutcome, judge};
pub use propose::propose;
pub use question::{Question, questions};
pub use reference::{ColumnReference, TableName};
pub use result::CheckResult;

#[cfg(test)]
mod fuzz;
