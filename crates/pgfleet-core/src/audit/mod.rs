//! What is wrong with the rows and the schema of a database: questions to ask, and findings.
//!
//! Invariant: a rule that cannot be asked or answered becomes a finding of its own; nothing is left
//! out in silence.

mod catalog;
mod declared;
mod finding;
mod html;
mod judge;
mod names;
mod rules;

pub use catalog::{
    Catalog, CatalogColumn, CatalogEnum, CatalogIndex, CatalogSequence, CatalogTable, ForeignKey,
    OnDelete, TableName,
};
pub use declared::{AuditRule, declared_questions, parse_audit_rules};
pub use finding::{AuditCategory, AuditReport, Finding};
pub use html::audit_html;
pub use judge::{Answer, Question, Reading, judge_answer, not_answered};
pub use rules::{RULES, lint, questions};
