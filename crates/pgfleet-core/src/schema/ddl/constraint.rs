//! Constraints of tables.

use pgfleet_sql::quote_ident;

use super::table::{changed_options, option_list};
use crate::schema::diff::{Difference, is_checked_after};
use crate::schema::{Constraint, ConstraintKind, Object, same_text};

const NOT_VALID: &str = " NOT VALID";

/// A constraint that was not checked can be checked; foreign keys can change their deferrability;
/// the rest belongs to the index.
pub(super) fn can_alter(old: &Constraint, new: &Constraint) -> bool {
    let validates = !old.validated
        && new.validated
        && old
            .definition
            .strip_suffix(NOT_VALID)
            .is_some_and(|old| same_text(old, &new.definition));
    let same = same_text(&old.definition, &new.definition);
    let in_place = old.kind == new.kind && old.parent_index == new.parent_index;
    in_place && (same || validates || redefers(old, new))
}

/// `ALTER CONSTRAINT` is for foreign keys alone.
fn redefers(old: &Constraint, new: &Constraint) -> bool {
    let is_key = old.kind == ConstraintKind::ForeignKey && new.kind == ConstraintKind::ForeignKey;
    is_key
        && split(&old.definition).1 != split(&new.definition).1
        && split(&old.definition).0 == split(&new.definition).0
}

/// The definition without its deferrability, and that.
fn split(definition: &str) -> (&str, &'static str) {
    for (suffix, clause) in [
        (" DEFERRABLE INITIALLY DEFERRED", "DEFERRABLE INITIALLY DEFERRED"),
        (" DEFERRABLE", "DEFERRABLE INITIALLY IMMEDIATE"),
    ] {
        if let Some(rest) = definition.strip_suffix(suffix) {
            return (rest, clause);
        }
    }
    (definition, "NOT DEFERRABLE")
}

pub(super) fn create(
    difference: &Difference<'_>,
    at: usize,
    object: &Object,
    constraint: &Constraint,
) -> Vec<String> {
    // The server gives every partition the exclusions of its partitioned table, and takes no other in their
    // place.
    let from_above =
        constraint.kind == ConstraintKind::Exclusion && constraint.parent_index.is_some();
    if constraint.inherited || from_above {
        let checked = is_checked_after(difference, at).then(|| validate(object));
        return checked.into_iter().collect();
    }
    let only = match constraint.kind {
        ConstraintKind::PrimaryKey | ConstraintKind::Unique => "ONLY ",
        _ => "",
    };
    let name = quote_ident(&object.id.name);
    let table = object.id.sql_table();
    let is_key = matches!(constraint.kind, ConstraintKind::PrimaryKey | ConstraintKind::Unique);
    let definition = match is_key {
        true => with_options(constraint),
        false => constraint.definition.clone(),
    };
    let mut statements =
        vec![format!("ALTER TABLE {only}{table} ADD CONSTRAINT {name} {definition}")];
    if !constraint.index_options.is_empty() && !is_key {
        let index = index_name(object);
        let options = option_list(&constraint.index_options);
        statements.push(format!("ALTER INDEX {index} SET ({options})"));
    }
    let parent = constraint.parent_index.as_deref();
    statements.extend(super::index::join_parent(difference, at, &index_name(object), parent));
    statements
}

/// The definition with the storage parameters of its index, which stand before its deferrability.
fn with_options(key: &Constraint) -> String {
    let rest = split(&key.definition).0;
    let tail = &key.definition[rest.len()..];
    format!("{rest}{}{tail}", super::column::with(&key.index_options))
}

/// The unique index that a key is made from: `UNIQUE NULLS NOT DISTINCT (a) INCLUDE (b)` has the
/// clauses of `CREATE INDEX` in another order.
pub(crate) fn key_index(object: &Object, key: &Constraint, name: &str) -> String {
    let (rest, _) = split(&key.definition);
    let rest = rest.strip_prefix("PRIMARY KEY").or(rest.strip_prefix("UNIQUE")).unwrap_or(rest);
    let (columns, nulls) = match rest.trim_start().strip_prefix("NULLS NOT DISTINCT") {
        Some(rest) => (rest.trim(), " NULLS NOT DISTINCT"),
        None => (rest.trim(), ""),
    };
    let (table, name) = (object.id.sql_table(), quote_ident(name));
    let options = super::column::with(&key.index_options);
    format!("CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} {columns}{nulls}{options}")
}

/// A key made from an index, which gets the key's name.
pub(crate) fn from_index(object: &Object, key: &Constraint, index: &str) -> String {
    let (table, name) = (object.id.sql_table(), quote_ident(&object.id.name));
    let word = if key.kind == ConstraintKind::PrimaryKey { "PRIMARY KEY" } else { "UNIQUE" };
    let (_, clause) = split(&key.definition);
    let deferral = if clause == "NOT DEFERRABLE" { String::new() } else { format!(" {clause}") };
    let index = quote_ident(index);
    format!("ALTER TABLE {table} ADD CONSTRAINT {name} {word} USING INDEX {index}{deferral}")
}

/// Checks the rows that are there.
pub(super) fn validate(object: &Object) -> String {
    let (table, name) = (object.id.sql_table(), quote_ident(&object.id.name));
    format!("ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
}

fn index_name(object: &Object) -> String {
    format!("{}.{}", quote_ident(&object.id.schema), quote_ident(&object.id.name))
}

pub(super) fn drop(object: &Object) -> String {
    let (table, name) = (object.id.sql_table(), quote_ident(&object.id.name));
    format!("ALTER TABLE {table} DROP CONSTRAINT {name}")
}

pub(super) fn alter(object: &Object, old: &Constraint, new: &Constraint) -> Vec<String> {
    let (table, name) = (object.id.sql_table(), quote_ident(&object.id.name));
    let mut statements = Vec::new();
    if redefers(old, new) {
        let clause = split(&new.definition).1;
        statements.push(format!("ALTER TABLE {table} ALTER CONSTRAINT {name} {clause}"));
    } else if old.validated != new.validated {
        statements.push(validate(object));
    }
    let index = format!("INDEX {}", index_name(object));
    statements.extend(changed_options(&index, &old.index_options, &new.index_options));
    statements
}

/// As it stands inside of `CREATE TABLE`.
pub(super) fn inline(object: &Object, constraint: &Constraint) -> String {
    format!("CONSTRAINT {} {}", quote_ident(&object.id.name), constraint.definition)
}
