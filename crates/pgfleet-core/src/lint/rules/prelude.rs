//! What every rule needs.

pub(super) use pgfleet_sql::QualifiedName;
pub(super) use pgfleet_sql::shape::{ActionKind, ConstraintKind, Shape};

pub(super) use crate::diagnose::Severity;
pub(super) use crate::lint::finding::Finding;
pub(super) use crate::lint::scene::{End, Scene, quoted_list};
pub(super) use crate::lint::{Definition, RuleLevel};
