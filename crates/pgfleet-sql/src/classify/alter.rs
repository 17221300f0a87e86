//! ALTER of everything but tables, views, indexes and sequences, which share alter_table.
//!
//! Invariant: an ALTER that this module does not know in detail still names what it alters.

use super::{
    Facts, Kind, ObjectKind, ObjectRef, Rename, Severity, Transaction, alter_table, object,
};
use crate::cursor::{Cursor, Tokens};
use crate::name::QualifiedName;

pub(super) fn read(mut cursor: Cursor<'_>, facts: &mut Facts) {
    cursor.eat(&["ALTER"]);
    if cursor.eat(&["SYSTEM"]) {
        facts.name(Kind::Alter, "ALTER SYSTEM");
        facts.transaction = Transaction::Never;
        return;
    }
    if cursor.eat(&["DEFAULT", "PRIVILEGES"]) {
        return facts.name(Kind::Privilege, "ALTER DEFAULT PRIVILEGES");
    }
    let Some((kind, label)) = object::eat_kind(&mut cursor) else { return };
    facts.name(Kind::Alter, format!("ALTER {label}"));
    match kind {
        kind if object::is_relation(kind) || kind == ObjectKind::Index => {
            alter_table::read(cursor, kind, facts);
        }
        ObjectKind::Trigger | ObjectKind::Policy | ObjectKind::Rule => {
            read_part(cursor, kind, facts);
        }
        ObjectKind::Operator => facts.once_only("the change is made already"),
        _ => read_other(cursor, kind, facts),
    }
}

pub(super) fn altered(
    facts: &mut Facts,
    kind: ObjectKind,
    name: QualifiedName,
    on: Option<QualifiedName>,
) {
    facts.alters.push(ObjectRef { kind, name, on });
}

/// Something that belongs to a table: `ALTER TRIGGER name ON table …`.
fn read_part(mut cursor: Cursor<'_>, kind: ObjectKind, facts: &mut Facts) {
    facts.if_exists = cursor.eat(&["IF", "EXISTS"]);
    let Some(name) = cursor.ident() else { return };
    let table = cursor.eat(&["ON"]).then(|| cursor.qualified()).flatten();
    if let Some(table) = &table {
        facts.lock(super::LockMode::AccessExclusive, table);
        facts.uses(ObjectKind::Relation, table.clone());
    }
    read_rename(cursor, facts);
    let name = QualifiedName::bare(name);
    read_new_name(cursor, ObjectRef { kind, name: name.clone(), on: table.clone() }, facts);
    altered(facts, kind, name, table);
}

fn read_other(mut cursor: Cursor<'_>, kind: ObjectKind, facts: &mut Facts) {
    facts.if_exists = cursor.eat(&["IF", "EXISTS"]);
    if kind == ObjectKind::UserMapping {
        cursor.eat(&["FOR"]);
    }
    let Some(name) = cursor.qualified() else { return };
    cursor.parenthesized();
    match kind {
        ObjectKind::Type => read_type(cursor, &name, facts),
        ObjectKind::Domain => read_domain(cursor, facts),
        ObjectKind::Database if cursor.is(&["SET", "TABLESPACE"]) => {
            facts.transaction = Transaction::Never;
        }
        // These reach the publisher, or are refused in a block for the refresh they do.
        ObjectKind::Subscription
            if cursor.is(&["REFRESH"]) || cursor.has(&["PUBLICATION"]) || cursor.is(&["DROP"]) =>
        {
            facts.transaction = Transaction::Never;
        }
        _ => {}
    }
    read_rename(cursor, facts);
    read_new_name(cursor, ObjectRef { kind, name: name.clone(), on: None }, facts);
    altered(facts, kind, name, None);
}

fn read_rename(cursor: Cursor<'_>, facts: &mut Facts) {
    if cursor.is_any(&["RENAME"]) || cursor.is(&["SET", "SCHEMA"]) {
        facts.once_only("the old name is gone");
    } else if cursor.is_any(&["ADD"]) && !facts.if_not_exists {
        facts.once_only("what it adds exists already");
    } else if cursor.is_any(&["DROP"]) && !cursor.has(&["IF", "EXISTS"]) && drops_object(cursor) {
        facts.once_only("there is nothing left to drop");
    }
}

/// `RENAME TO name`, `RENAME [COLUMN] name TO name` and `SET SCHEMA name`.
pub(super) fn read_new_name(mut cursor: Cursor<'_>, object: ObjectRef, facts: &mut Facts) {
    if cursor.eat(&["SET", "SCHEMA"]) {
        let to = cursor.ident().map(|schema| QualifiedName::new(schema, &object.name.name));
        facts.rename = to.map(|to| Rename { from: object, to });
    } else if cursor.eat(&["RENAME", "TO"]) {
        let schema = object.name.schema.clone();
        let to = cursor.ident().map(|name| QualifiedName { schema, name });
        facts.rename = to.map(|to| Rename { from: object, to });
    } else if cursor.eat(&["RENAME"]) && object.kind != ObjectKind::Type {
        let constraint = cursor.eat(&["CONSTRAINT"]);
        let kind = if constraint { ObjectKind::Constraint } else { ObjectKind::Column };
        cursor.eat(&["COLUMN"]);
        let Some(old) = cursor.ident().filter(|_| cursor.eat(&["TO"])) else { return };
        let from = ObjectRef { kind, name: QualifiedName::bare(old), on: Some(object.name) };
        facts.rename = cursor.ident().map(|to| Rename { from, to: QualifiedName::bare(to) });
    }
}

/// A value of an enum or an attribute of a composite type that gets another name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenamedPart {
    /// The type.
    pub of_type: QualifiedName,
    /// A value, not an attribute.
    pub is_value: bool,
    /// The old name.
    pub old: String,
    /// The new one.
    pub new: String,
}

/// What `ALTER TYPE … RENAME VALUE` and `RENAME ATTRIBUTE` rename.
#[must_use]
pub fn renamed_part(statement: &str) -> Option<RenamedPart> {
    let tokens = Tokens::new(statement);
    let mut cursor = tokens.cursor();
    if !cursor.eat(&["ALTER", "TYPE"]) {
        return None;
    }
    let of_type = cursor.qualified()?;
    let is_value = cursor.is(&["RENAME", "VALUE"]);
    if !is_value && !cursor.is(&["RENAME", "ATTRIBUTE"]) {
        return None;
    }
    cursor.bump();
    cursor.bump();
    let name = |cursor: &mut Cursor<'_>| if is_value { cursor.string() } else { cursor.ident() };
    let old = name(&mut cursor).filter(|_| cursor.eat(&["TO"]))?;
    Some(RenamedPart { of_type, is_value, old, new: name(&mut cursor)? })
}

/// `DROP NOT NULL` and `DROP DEFAULT` can be repeated.
fn drops_object(cursor: Cursor<'_>) -> bool {
    !cursor.is(&["DROP", "NOT"]) && !cursor.is(&["DROP", "DEFAULT"])
}

fn read_type(mut cursor: Cursor<'_>, name: &QualifiedName, facts: &mut Facts) {
    if cursor.eat(&["ADD", "VALUE"]) {
        facts.transaction = Transaction::NeverUseValueUntilCommit;
        facts.if_not_exists = cursor.eat(&["IF", "NOT", "EXISTS"]);
        if let Some(value) = cursor.string() {
            if !facts.if_not_exists {
                facts.once_only(format!("the enum has the value {value} already"));
            }
            facts.added_enum_value = Some((name.clone(), value));
        }
    } else if cursor.is(&["DROP", "ATTRIBUTE"]) {
        facts.lose(Severity::Certain, format!("drops an attribute of {name}"));
    } else if cursor.is(&["ALTER", "ATTRIBUTE"]) {
        facts.rewrites = Some(format!("may rewrite the tables of type {name}"));
    }
}

fn read_domain(cursor: Cursor<'_>, facts: &mut Facts) {
    let checks = cursor.is_any(&["ADD", "VALIDATE"]) || cursor.is(&["SET", "NOT", "NULL"]);
    facts.scans = checks && !cursor.has(&["NOT", "VALID"]);
}
