//! CREATE of everything but tables.
//!
//! Invariant: what is created without IF NOT EXISTS and OR REPLACE cannot be created twice.

use super::{
    Facts, Kind, LockMode, ObjectKind, ObjectRef, Transaction, create_table, object, relations,
};
use crate::cursor::Cursor;
use crate::name::QualifiedName;

pub(super) fn read(mut cursor: Cursor<'_>, facts: &mut Facts) {
    cursor.eat(&["CREATE"]);
    facts.or_replace = cursor.eat(&["OR", "REPLACE"]);
    while cursor.eat_any(&[
        "TEMP",
        "TEMPORARY",
        "LOCAL",
        "GLOBAL",
        "UNLOGGED",
        "UNIQUE",
        "RECURSIVE",
        "TRUSTED",
        "CONSTRAINT",
        "DEFAULT",
    ]) {}
    let Some((kind, label)) = object::eat_kind(&mut cursor) else { return };
    facts.name(Kind::Create, format!("CREATE {label}"));
    let concurrently = kind == ObjectKind::Index && cursor.eat(&["CONCURRENTLY"]);
    facts.if_not_exists = cursor.eat(&["IF", "NOT", "EXISTS"]);
    match kind {
        ObjectKind::Table | ObjectKind::ForeignTable => create_table::read(cursor, kind, facts),
        ObjectKind::Index => read_index(cursor, concurrently, facts),
        ObjectKind::View | ObjectKind::MaterializedView => read_view(cursor, kind, facts),
        ObjectKind::Trigger | ObjectKind::EventTrigger => read_trigger(cursor, kind, facts),
        ObjectKind::Policy | ObjectKind::Rule => read_policy_or_rule(cursor, kind, facts),
        ObjectKind::Schema => read_schema(cursor, facts),
        _ => read_other(cursor, kind, facts),
    }
    let label = facts.label.clone();
    let what = facts.creates.first().map_or(label, |created| described(kind, created));
    if !facts.if_not_exists && !facts.or_replace {
        facts.once_only(format!("{what} exists already"));
    }
}

fn described(kind: ObjectKind, created: &ObjectRef) -> String {
    format!("{} {}", format!("{kind:?}").to_lowercase(), created.name)
}

fn created(facts: &mut Facts, kind: ObjectKind, name: QualifiedName, on: Option<QualifiedName>) {
    facts.creates.push(ObjectRef { kind, name, on });
}

fn read_index(mut cursor: Cursor<'_>, concurrently: bool, facts: &mut Facts) {
    facts.scans = true;
    if concurrently {
        facts.transaction = Transaction::Never;
    }
    let name = if cursor.is(&["ON"]) { None } else { cursor.ident() };
    cursor.eat(&["ON"]);
    cursor.eat(&["ONLY"]);
    let Some(table) = cursor.qualified() else { return };
    let mode = if concurrently { LockMode::ShareUpdateExclusive } else { LockMode::Share };
    facts.lock(mode, &table);
    facts.uses(ObjectKind::Relation, table.clone());
    match name {
        Some(name) => {
            let name = QualifiedName { schema: table.schema.clone(), name };
            created(facts, ObjectKind::Index, name, Some(table));
        }
        // PostgreSQL chooses a free name each time.
        None => facts.once_only(format!("creates another index on {table}")),
    }
}

fn read_view(mut cursor: Cursor<'_>, kind: ObjectKind, facts: &mut Facts) {
    let Some(name) = cursor.qualified() else { return };
    if let Some(query) = cursor.find(&["AS"]) {
        relations::read(query, facts);
    }
    if facts.or_replace {
        facts.lock(LockMode::AccessExclusive, &name);
    }
    // A recursive view reads itself.
    facts.uses.retain(|used| used.name != name);
    created(facts, kind, name, None);
}

fn read_trigger(mut cursor: Cursor<'_>, kind: ObjectKind, facts: &mut Facts) {
    let Some(name) = cursor.ident() else { return };
    let on = cursor.find(&["ON"]).and_then(|mut rest| rest.qualified());
    let on = on.filter(|_| kind == ObjectKind::Trigger);
    if let Some(table) = &on {
        facts.lock(LockMode::ShareRowExclusive, table);
        facts.uses(ObjectKind::Relation, table.clone());
    }
    if let Some(mut rest) = cursor.find(&["EXECUTE"])
        && rest.eat_any(&["FUNCTION", "PROCEDURE"])
        && let Some(function) = rest.qualified()
    {
        facts.uses(ObjectKind::Function, function);
    }
    created(facts, kind, QualifiedName::bare(name), on);
}

fn read_policy_or_rule(mut cursor: Cursor<'_>, kind: ObjectKind, facts: &mut Facts) {
    let Some(name) = cursor.ident() else { return };
    let table = match kind {
        ObjectKind::Policy => cursor.find(&["ON"]),
        _ => cursor.find(&["TO"]),
    };
    let Some(mut rest) = table else { return };
    let Some(table) = rest.qualified() else { return };
    relations::read(rest, facts);
    facts.lock(LockMode::AccessExclusive, &table);
    facts.uses(ObjectKind::Relation, table.clone());
    if kind == ObjectKind::Rule {
        // Its own rows, not relations.
        facts.uses.retain(|used| !matches!(used.name.name.as_str(), "old" | "new"));
    }
    created(facts, kind, QualifiedName::bare(name), Some(table));
}

fn read_schema(mut cursor: Cursor<'_>, facts: &mut Facts) {
    let named = if cursor.is(&["AUTHORIZATION"]) { None } else { cursor.ident() };
    // Without a name of its own the schema is called as its owner.
    let owner = cursor.eat(&["AUTHORIZATION"]).then(|| cursor.ident()).flatten();
    if let Some(name) = named.or(owner) {
        created(facts, ObjectKind::Schema, QualifiedName::bare(name), None);
    }
}

fn read_other(mut cursor: Cursor<'_>, kind: ObjectKind, facts: &mut Facts) {
    if matches!(kind, ObjectKind::Database | ObjectKind::Tablespace)
        || kind == ObjectKind::Subscription && connects(cursor)
    {
        facts.transaction = Transaction::Never;
    }
    let name = match kind {
        ObjectKind::Operator => operator_name(&mut cursor),
        ObjectKind::Cast => {
            cursor.parenthesized().map(|pair| QualifiedName::bare(pair.rest_text()))
        }
        ObjectKind::Transform | ObjectKind::UserMapping => {
            cursor.eat(&["FOR"]);
            cursor.qualified()
        }
        ObjectKind::Statistics if cursor.is(&["ON"]) || cursor.is_symbol(b'(') => None,
        _ => cursor.qualified(),
    };
    if let Some(name) = name {
        created(facts, kind, name, None);
    }
    read_uses(cursor, kind, facts);
}

fn read_uses(cursor: Cursor<'_>, kind: ObjectKind, facts: &mut Facts) {
    match kind {
        ObjectKind::Statistics => {
            if let Some(table) = cursor.find(&["FROM"]).and_then(|mut rest| rest.qualified()) {
                facts.lock(LockMode::ShareUpdateExclusive, &table);
                facts.uses(ObjectKind::Relation, table);
            }
        }
        ObjectKind::Function | ObjectKind::Procedure => {
            if let Some(body) = cursor.find(&["BEGIN", "ATOMIC"]) {
                for statement in body.statements() {
                    relations::read(statement, facts);
                }
            }
        }
        ObjectKind::Publication => {
            for mut table in cursor.find(&["TABLE"]).map(Cursor::items).unwrap_or_default() {
                table.eat(&["TABLE"]);
                table.eat(&["ONLY"]);
                let Some(name) = table.qualified().filter(|_| !table.is(&["IN"])) else { continue };
                facts.lock(LockMode::ShareUpdateExclusive, &name);
                facts.uses(ObjectKind::Relation, name);
            }
        }
        _ => {}
    }
}

/// A subscription that makes its replication slot cannot be created in a transaction block.
fn connects(cursor: Cursor<'_>) -> bool {
    let options = cursor.find(&["WITH"]).and_then(|mut rest| rest.parenthesized());
    let off = |mut option: Cursor<'_>| {
        option.eat_any(&["CONNECT", "CREATE_SLOT"]) && {
            option.bump();
            let value = option.text().trim_matches('\'').to_ascii_lowercase();
            matches!(value.as_str(), "false" | "off" | "0" | "no")
        }
    };
    !options.map(Cursor::items).unwrap_or_default().into_iter().any(off)
}

/// `schema.===`
fn operator_name(cursor: &mut Cursor<'_>) -> Option<QualifiedName> {
    let schema = cursor.ident();
    cursor.eat_symbol(b'.');
    let name = cursor.text().to_owned();
    cursor.bump();
    (!name.is_empty()).then_some(QualifiedName { schema, name })
}
