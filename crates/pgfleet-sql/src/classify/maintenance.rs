//! Maintenance, explicit locks and comments.
//!
//! Invariant: VACUUM, REINDEX CONCURRENTLY and their kin are never allowed in a transaction block.

use super::{Facts, Kind, LockMode, LockUse, ObjectKind, Transaction, object};
use crate::cursor::Cursor;

pub(super) fn read(mut cursor: Cursor<'_>, facts: &mut Facts) {
    let verb = cursor.word().to_ascii_uppercase();
    cursor.bump();
    match verb.as_str() {
        "VACUUM" => read_vacuum(cursor, facts),
        "ANALYZE" | "ANALYSE" => {
            facts.name(Kind::Maintenance, "ANALYZE");
            read_tables(cursor, LockMode::ShareUpdateExclusive, facts);
        }
        "REINDEX" => read_reindex(cursor, facts),
        "CLUSTER" => read_cluster(cursor, facts),
        "REFRESH" => read_refresh(cursor, facts),
        "CHECKPOINT" => facts.name(Kind::Maintenance, "CHECKPOINT"),
        "LOCK" => read_lock(cursor, facts),
        "COMMENT" => read_comment(cursor, facts),
        _ => facts.name(Kind::Comment, "SECURITY LABEL"),
    }
}

fn read_vacuum(mut cursor: Cursor<'_>, facts: &mut Facts) {
    facts.name(Kind::Maintenance, "VACUUM");
    facts.transaction = Transaction::Never;
    let mut full = option_is_on(&mut cursor, "FULL");
    while cursor.is_any(&["FULL", "FREEZE", "VERBOSE", "ANALYZE", "ANALYSE"]) {
        full |= cursor.is(&["FULL"]);
        cursor.bump();
    }
    if full {
        facts.rewrite("VACUUM FULL writes the table anew");
    }
    let mode = if full { LockMode::AccessExclusive } else { LockMode::ShareUpdateExclusive };
    read_tables(cursor, mode, facts);
}

/// Whether the parenthesised options that are next have one that is not switched off.
fn option_is_on(cursor: &mut Cursor<'_>, name: &str) -> bool {
    let options = cursor.parenthesized().map(Cursor::items).unwrap_or_default();
    options.into_iter().any(|mut option| {
        option.eat(&[name]) && !option.is_any(&["FALSE", "OFF"]) && option.text() != "0"
    })
}

/// `[(options)] [VERBOSE] [table [(columns)], …]`
fn read_tables(mut cursor: Cursor<'_>, mode: LockMode, facts: &mut Facts) {
    cursor.parenthesized();
    cursor.eat_any(&["VERBOSE"]);
    for mut item in cursor.items() {
        item.eat(&["ONLY"]);
        if let Some(name) = item.qualified() {
            facts.lock(mode, &name);
            facts.uses(ObjectKind::Relation, name);
        }
    }
    if facts.uses.is_empty() {
        facts.lock_unnamed(mode);
    }
}

fn read_reindex(mut cursor: Cursor<'_>, facts: &mut Facts) {
    facts.name(Kind::Maintenance, "REINDEX");
    let mut concurrently = option_is_on(&mut cursor, "CONCURRENTLY");
    let index = cursor.is(&["INDEX"]);
    let whole = cursor.is_any(&["SCHEMA", "DATABASE", "SYSTEM"]);
    cursor.bump();
    concurrently |= cursor.eat(&["CONCURRENTLY"]);
    facts.scans = true;
    let mode = if concurrently { LockMode::ShareUpdateExclusive } else { LockMode::Share };
    if concurrently || whole {
        facts.transaction = Transaction::Never;
    }
    let Some(name) = cursor.qualified().filter(|_| !whole) else {
        return facts.lock_unnamed(mode);
    };
    if index {
        facts.lock_unnamed(mode);
        let index_mode =
            if concurrently { LockMode::ShareUpdateExclusive } else { LockMode::AccessExclusive };
        facts.lock(index_mode, &name);
        facts.uses(ObjectKind::Index, name);
    } else {
        facts.lock(mode, &name);
        facts.uses(ObjectKind::Relation, name);
    }
}

/// `CLUSTER [(options)] [VERBOSE] [table [USING index]]`, or of old `CLUSTER index ON table`.
fn read_cluster(mut cursor: Cursor<'_>, facts: &mut Facts) {
    facts.name(Kind::Maintenance, "CLUSTER");
    facts.rewrite("CLUSTER writes the table anew, sorted");
    cursor.parenthesized();
    cursor.eat(&["VERBOSE"]);
    let table = cursor.find(&["ON"]).and_then(|mut rest| rest.qualified());
    let Some(name) = table.or_else(|| cursor.qualified()) else {
        facts.transaction = Transaction::Never;
        return facts.lock_unnamed(LockMode::AccessExclusive);
    };
    facts.lock(LockMode::AccessExclusive, &name);
    facts.uses(ObjectKind::Relation, name);
}

fn read_refresh(mut cursor: Cursor<'_>, facts: &mut Facts) {
    facts.name(Kind::Maintenance, "REFRESH MATERIALIZED VIEW");
    cursor.eat(&["MATERIALIZED", "VIEW"]);
    let concurrently = cursor.eat(&["CONCURRENTLY"]);
    let mode = if concurrently { LockMode::Exclusive } else { LockMode::AccessExclusive };
    if !concurrently {
        facts.rewrite("REFRESH writes the materialized view anew");
    }
    if let Some(name) = cursor.qualified() {
        facts.lock(mode, &name);
        facts.uses(ObjectKind::MaterializedView, name);
    }
}

fn read_lock(mut cursor: Cursor<'_>, facts: &mut Facts) {
    facts.name(Kind::Other, "LOCK TABLE");
    cursor.eat(&["TABLE"]);
    let mode = cursor.find(&["IN"]).map_or(LockMode::AccessExclusive, lock_mode);
    loop {
        cursor.eat(&["ONLY"]);
        let Some(name) = cursor.qualified() else { break };
        facts.locks.push(LockUse { mode, relation: Some(name.clone()) });
        facts.uses(ObjectKind::Relation, name);
        if cursor.text() == "*" {
            cursor.bump();
        }
        if !cursor.eat_symbol(b',') {
            break;
        }
    }
}

fn lock_mode(cursor: Cursor<'_>) -> LockMode {
    let modes: [(&[&str], LockMode); 8] = [
        (&["ACCESS", "SHARE"], LockMode::AccessShare),
        (&["ROW", "SHARE"], LockMode::RowShare),
        (&["ROW", "EXCLUSIVE"], LockMode::RowExclusive),
        (&["SHARE", "UPDATE", "EXCLUSIVE"], LockMode::ShareUpdateExclusive),
        (&["SHARE", "ROW", "EXCLUSIVE"], LockMode::ShareRowExclusive),
        (&["SHARE"], LockMode::Share),
        (&["EXCLUSIVE"], LockMode::Exclusive),
        (&["ACCESS", "EXCLUSIVE"], LockMode::AccessExclusive),
    ];
    let found = modes.iter().find(|(words, _)| cursor.is(words));
    found.map_or(LockMode::AccessExclusive, |(_, mode)| *mode)
}

fn read_comment(mut cursor: Cursor<'_>, facts: &mut Facts) {
    facts.name(Kind::Comment, "COMMENT");
    cursor.eat(&["ON"]);
    let Some((kind, _)) = object::eat_kind(&mut cursor) else { return };
    if kind == ObjectKind::Column {
        let Some(table) = cursor.owner_and_name().and_then(|(table, _)| table) else { return };
        facts.lock(LockMode::ShareUpdateExclusive, &table);
        return facts.uses(ObjectKind::Relation, table);
    }
    let Some(name) = cursor.qualified() else { return };
    if object::is_relation(kind) {
        facts.lock(LockMode::ShareUpdateExclusive, &name);
        facts.uses(ObjectKind::Relation, name);
    } else if kind == ObjectKind::Type {
        facts.uses(kind, name);
    }
}
