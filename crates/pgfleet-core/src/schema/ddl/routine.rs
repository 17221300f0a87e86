//! Functions, procedures and aggregates.

use super::simple::clauses;
use crate::schema::{Aggregate, Object, Properties, Routine};

/// `CREATE OR REPLACE` keeps result, names and kinds of arguments, and takes away no default
/// (`ProcedureCreate` in src/backend/catalog/pg_proc.c).
pub(super) fn can_replace(old: &Routine, new: &Routine) -> bool {
    old.procedure == new.procedure
        && old.result == new.result
        && old.arguments == new.arguments
        && old.defaults <= new.defaults
}

pub(super) fn create_aggregate(object: &Object, aggregate: &Aggregate) -> String {
    let properties = Properties { properties: aggregate.properties.clone() };
    let name = object.id.sql_name();
    format!("CREATE AGGREGATE {name}({}) ({})", aggregate.arguments, clauses(&properties))
}
