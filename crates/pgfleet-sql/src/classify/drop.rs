//! DROP.
//!
//! Invariant: whatever holds rows or hides them behind CASCADE is a loss of data.

use super::{Facts, Kind, LockMode, ObjectKind, ObjectRef, Severity, Transaction, object};
use crate::cursor::Cursor;
use crate::name::QualifiedName;

pub(super) fn read(mut cursor: Cursor<'_>, facts: &mut Facts) {
    cursor.eat(&["DROP"]);
    if cursor.eat(&["OWNED"]) {
        facts.name(Kind::Drop, "DROP OWNED");
        return facts.lose(Severity::Certain, "drops everything that the role owns");
    }
    let Some((kind, label)) = object::eat_kind(&mut cursor) else { return };
    facts.name(Kind::Drop, format!("DROP {label}"));
    let concurrently = kind == ObjectKind::Index && cursor.eat(&["CONCURRENTLY"]);
    facts.if_exists = cursor.eat(&["IF", "EXISTS"]);
    let cascade = cursor.has(&["CASCADE"]);
    read_names(cursor, kind, facts);
    if !facts.if_exists {
        facts.once_only("there is nothing left to drop");
    }
    lock_dropped(kind, concurrently, facts);
    if cascade {
        facts.lock_unnamed(LockMode::AccessExclusive);
    }
    lose_dropped(kind, cascade, facts);
    let outside = matches!(kind, ObjectKind::Database | ObjectKind::Tablespace);
    // Dropping the remote slot cannot be undone; the text does not say whether there is one.
    if concurrently || outside || kind == ObjectKind::Subscription {
        facts.transaction = Transaction::Never;
    }
}

fn read_names(mut cursor: Cursor<'_>, kind: ObjectKind, facts: &mut Facts) {
    if matches!(kind, ObjectKind::UserMapping | ObjectKind::Transform) {
        cursor.eat(&["FOR"]);
    }
    if kind == ObjectKind::Cast {
        let pair = cursor.parenthesized().map(|pair| QualifiedName::bare(pair.rest_text()));
        facts.drops.extend(pair.map(|name| ObjectRef { kind, name, on: None }));
        return;
    }
    while let Some(name) = cursor.qualified() {
        cursor.parenthesized();
        let on = (cursor.eat(&["ON"])).then(|| cursor.qualified()).flatten();
        facts.drops.push(ObjectRef { kind, name, on });
        if !cursor.eat_symbol(b',') {
            break;
        }
    }
}

fn lock_dropped(kind: ObjectKind, concurrently: bool, facts: &mut Facts) {
    let mode =
        if concurrently { LockMode::ShareUpdateExclusive } else { LockMode::AccessExclusive };
    for dropped in facts.drops.clone() {
        match &dropped.on {
            Some(table) => facts.lock(mode, table),
            None if object::is_relation(kind) => facts.lock(mode, &dropped.name),
            None if kind == ObjectKind::Index => {
                facts.lock_unnamed(mode);
                facts.lock(mode, &dropped.name);
            }
            None => {}
        }
    }
}

fn lose_dropped(kind: ObjectKind, cascade: bool, facts: &mut Facts) {
    let names: Vec<_> = facts.drops.iter().map(|dropped| dropped.name.to_string()).collect();
    let names = names.join(", ");
    match kind {
        ObjectKind::Table => facts.lose(Severity::Certain, format!("drops table {names}")),
        ObjectKind::Database => facts.lose(Severity::Certain, format!("drops database {names}")),
        ObjectKind::MaterializedView => {
            facts.lose(Severity::Certain, format!("drops materialized view {names} with its rows"));
        }
        ObjectKind::Schema if cascade => {
            facts.lose(Severity::Certain, format!("drops schema {names} with all that is in it"));
        }
        ObjectKind::Sequence => {
            facts.lose(Severity::Possible, format!("forgets where sequence {names} stood"));
        }
        ObjectKind::Type | ObjectKind::Domain | ObjectKind::Extension if cascade => {
            let what = format!("drops the columns whose type is (or is in) {names}");
            facts.lose(Severity::Certain, what);
        }
        ObjectKind::ForeignTable | ObjectKind::View => {}
        _ if cascade => {
            facts.lose(Severity::Possible, format!("drops {names} and whatever depends on it"));
        }
        _ => {}
    }
}
