//! CREATE TABLE: columns, and the tables it refers to.
//!
//! Invariant: a table that refers to itself does not use itself.

use super::{ColumnDecl, Facts, LockMode, ObjectKind, ObjectRef, relations};
use crate::cursor::Cursor;
use crate::name::QualifiedName;

/// Words after which a column's type has ended.
const AFTER_TYPE: &[&str] = &[
    "CONSTRAINT",
    "NOT",
    "NULL",
    "DEFAULT",
    "GENERATED",
    "UNIQUE",
    "PRIMARY",
    "CHECK",
    "REFERENCES",
    "COLLATE",
    "DEFERRABLE",
    "INITIALLY",
    "STORAGE",
    "COMPRESSION",
    "OPTIONS",
    "USING",
    "ENFORCED",
    "NO",
];

pub(super) fn read(mut cursor: Cursor<'_>, kind: ObjectKind, facts: &mut Facts) {
    let Some(name) = cursor.qualified() else { return };
    if cursor.eat(&["PARTITION", "OF"])
        && let Some(parent) = cursor.qualified()
    {
        facts.lock(LockMode::AccessExclusive, &parent);
        facts.uses(ObjectKind::Relation, parent);
    }
    if cursor.eat(&["OF"])
        && let Some(row) = cursor.qualified()
    {
        facts.uses(ObjectKind::Type, row);
    }
    if let Some(body) = cursor.parenthesized() {
        body.items().into_iter().for_each(|item| read_item(item, facts));
    }
    read_tail(cursor, facts);
    facts.uses.retain(|used| used.name != name);
    facts.locks.retain(|lock| lock.relation.as_ref() != Some(&name));
    facts.creates.push(ObjectRef { kind, name, on: None });
}

fn read_tail(cursor: Cursor<'_>, facts: &mut Facts) {
    if let Some(mut rest) = cursor.find(&["INHERITS"])
        && let Some(mut parents) = rest.parenthesized()
    {
        for parent in parents.qualified_list() {
            facts.lock(LockMode::ShareUpdateExclusive, &parent);
            facts.uses(ObjectKind::Relation, parent);
        }
    }
    if let Some(mut rest) = cursor.find(&["SERVER"])
        && let Some(server) = rest.qualified()
    {
        facts.uses(ObjectKind::Server, server);
    }
    if let Some(query) = cursor.find(&["AS"]) {
        facts.label = "CREATE TABLE AS".to_owned();
        relations::read(query, facts);
    }
}

fn read_item(mut item: Cursor<'_>, facts: &mut Facts) {
    if item.eat(&["LIKE"]) {
        if let Some(source) = item.qualified() {
            facts.lock(LockMode::AccessShare, &source);
            facts.uses(ObjectKind::Relation, source);
        }
    } else if is_constraint(item) {
        read_references(item, facts);
        mark_primary_key(item, facts);
    } else {
        read_column(item, facts);
    }
}

/// Whether an element of a table's parentheses, or what follows ADD, is a table constraint.
pub(crate) fn is_constraint(item: Cursor<'_>) -> bool {
    let mut after = item;
    after.bump();
    item.is_any(&["CONSTRAINT", "CHECK", "UNIQUE", "PRIMARY", "FOREIGN", "NOT"])
        || item.is(&["EXCLUDE"]) && (after.is(&["USING"]) || after.is_symbol(b'('))
}

/// A column's declaration.
pub(super) fn read_column(mut item: Cursor<'_>, facts: &mut Facts) {
    let whole = item;
    let Some(name) = item.ident() else { return };
    read_type(item, facts);
    let start = item;
    while !item.at_end() && !ends_type(item) {
        item.skip();
    }
    let type_text = start.text_until(&item);
    let serial =
        matches!(type_text.to_ascii_lowercase().as_str(), "serial" | "bigserial" | "smallserial");
    let not_null = serial
        || whole.has(&["NOT", "NULL"])
        || whole.has(&["PRIMARY", "KEY"])
        || whole.has(&["AS", "IDENTITY"]);
    facts.columns.push(ColumnDecl { name, type_text, not_null });
    read_references(whole, facts);
}

pub(crate) fn ends_type(item: Cursor<'_>) -> bool {
    let with_options = item.is(&["WITH", "OPTIONS"]);
    with_options || item.is_any(AFTER_TYPE) || item.is_symbol(b';')
}

/// A type in a schema is somebody's own.
pub(super) fn read_type(mut item: Cursor<'_>, facts: &mut Facts) {
    item.eat(&["SETOF"]);
    if let Some(name) = item.qualified()
        && name.schema.as_deref().is_some_and(|schema| schema != "pg_catalog")
    {
        facts.uses(ObjectKind::Type, name);
    }
}

/// A foreign key locks the table it refers to, because it makes triggers there.
pub(super) fn read_references(item: Cursor<'_>, facts: &mut Facts) {
    if let Some(mut rest) = item.find(&["REFERENCES"])
        && let Some(target) = rest.qualified()
    {
        facts.lock(LockMode::ShareRowExclusive, &target);
        facts.uses(ObjectKind::Relation, target);
    }
}

fn mark_primary_key(item: Cursor<'_>, facts: &mut Facts) {
    let Some(mut rest) = item.find(&["PRIMARY", "KEY"]) else { return };
    let Some(mut columns) = rest.parenthesized() else { return };
    let key: Vec<QualifiedName> = columns.qualified_list();
    for column in &mut facts.columns {
        column.not_null |= key.iter().any(|part| part.name == column.name);
    }
}
