//! Statements that read and write rows.
//!
//! Invariant: a statement that changes every row of a table says so as a loss.

use super::{Facts, Kind, LockMode, ObjectKind, ObjectRef, Severity, relations};
use crate::cursor::Cursor;
use crate::name::QualifiedName;

pub(super) fn read(mut cursor: Cursor<'_>, facts: &mut Facts) {
    if cursor.eat(&["EXPLAIN"]) {
        return read_explain(cursor, facts);
    }
    if cursor.eat(&["TRUNCATE"]) {
        return read_truncate(cursor, facts);
    }
    if cursor.eat(&["COPY"]) {
        return read_copy(cursor, facts);
    }
    relations::read(cursor, facts);
    read_verb(main_statement(cursor), facts);
    if cursor.is(&["WITH"]) && cursor.has_deep("DELETE") {
        facts.lose(Severity::Selective, "deletes rows in a common table expression");
    }
}

/// After the common table expressions.
fn main_statement(mut cursor: Cursor<'_>) -> Cursor<'_> {
    if !cursor.is(&["WITH"]) {
        return cursor;
    }
    let verbs = ["SELECT", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "MERGE"];
    while !cursor.at_end() && !cursor.is_any(&verbs) && !is_query_after_list(cursor) {
        cursor.skip();
    }
    cursor
}

/// A parenthesised query after a list of common table expressions: `WITH a AS (…) (SELECT …)`.
fn is_query_after_list(mut cursor: Cursor<'_>) -> bool {
    cursor.parenthesized().is_some() && cursor.is_symbol(b'(')
}

fn read_verb(cursor: Cursor<'_>, facts: &mut Facts) {
    match cursor.word().to_ascii_uppercase().as_str() {
        "INSERT" => read_insert(cursor, facts),
        "UPDATE" => read_update(cursor, facts),
        "DELETE" => read_delete(cursor, facts),
        "MERGE" => read_merge(cursor, facts),
        _ => read_query(cursor, facts),
    }
}

fn read_query(cursor: Cursor<'_>, facts: &mut Facts) {
    facts.name(Kind::Read, "SELECT");
    // `SELECT … INTO table` creates the table.
    let Some(mut target) = cursor.find(&["INTO"]) else { return };
    facts.name(Kind::Create, "SELECT INTO");
    while target.eat_any(&["TEMP", "TEMPORARY", "UNLOGGED", "LOCAL", "GLOBAL", "TABLE"]) {}
    if let Some(name) = target.qualified() {
        facts.once_only(format!("table {name} exists already"));
        facts.creates.push(ObjectRef { kind: ObjectKind::Table, name, on: None });
    }
}

fn read_insert(mut cursor: Cursor<'_>, facts: &mut Facts) {
    facts.name(Kind::Write, "INSERT");
    cursor.eat(&["INSERT", "INTO"]);
    let table = described(cursor.qualified());
    // An anti-join makes the usual insert without a unique key repeatable.
    let guarded = cursor.has(&["ON", "CONFLICT"]) || cursor.has(&["NOT", "EXISTS"]);
    if !guarded {
        facts.once_only(format!("inserts the same rows into {table} again"));
    }
}

fn read_update(mut cursor: Cursor<'_>, facts: &mut Facts) {
    facts.name(Kind::Write, "UPDATE");
    cursor.eat(&["UPDATE"]);
    cursor.eat(&["ONLY"]);
    let table = described(cursor.qualified());
    if !cursor.has(&["WHERE"]) {
        facts.scans = true;
        facts.lose(Severity::Certain, format!("overwrites every row of {table}"));
    }
}

fn read_delete(mut cursor: Cursor<'_>, facts: &mut Facts) {
    facts.name(Kind::Write, "DELETE");
    cursor.eat(&["DELETE", "FROM"]);
    cursor.eat(&["ONLY"]);
    let table = described(cursor.qualified());
    if cursor.has(&["WHERE"]) {
        facts.lose(Severity::Selective, format!("deletes chosen rows of {table}"));
    } else {
        facts.scans = true;
        facts.lose(Severity::Certain, format!("deletes every row of {table}"));
    }
}

fn read_merge(mut cursor: Cursor<'_>, facts: &mut Facts) {
    facts.name(Kind::Write, "MERGE");
    cursor.eat(&["MERGE", "INTO"]);
    let table = described(cursor.qualified());
    if cursor.has(&["THEN", "DELETE"]) {
        facts.lose(Severity::Selective, format!("deletes chosen rows of {table}"));
    }
}

fn read_truncate(mut cursor: Cursor<'_>, facts: &mut Facts) {
    facts.name(Kind::Write, "TRUNCATE");
    cursor.eat(&["TABLE"]);
    let mut names = Vec::new();
    loop {
        cursor.eat(&["ONLY"]);
        let Some(name) = cursor.qualified() else { break };
        names.push(name.to_string());
        facts.lock(LockMode::AccessExclusive, &name);
        facts.uses(ObjectKind::Relation, name);
        if !(cursor.eat_symbol(b',') || cursor.is_symbol(b'*')) {
            break;
        }
        while !cursor.at_end() && !cursor.is_name() {
            cursor.bump();
        }
    }
    let mut what = format!("deletes every row of {}", names.join(", "));
    if cursor.has(&["CASCADE"]) {
        what.push_str(" and of the tables that refer to it");
        facts.lock_unnamed(LockMode::AccessExclusive);
    }
    facts.lose(Severity::Certain, what);
}

fn read_copy(mut cursor: Cursor<'_>, facts: &mut Facts) {
    if cursor.is_symbol(b'(') {
        facts.name(Kind::Read, "COPY");
        if let Some(query) = cursor.parenthesized() {
            relations::read(query, facts);
        }
        return;
    }
    cursor.eat(&["BINARY"]);
    let Some(name) = cursor.qualified() else { return };
    cursor.parenthesized();
    let writes = cursor.is(&["FROM"]);
    facts.name(if writes { Kind::Write } else { Kind::Read }, "COPY");
    if writes {
        facts.once_only(format!("loads the same rows into {name} again"));
        facts.lock(LockMode::RowExclusive, &name);
    } else {
        facts.lock(LockMode::AccessShare, &name);
    }
    facts.uses(ObjectKind::Relation, name);
}

/// EXPLAIN ANALYZE does what its statement does.
fn read_explain(mut cursor: Cursor<'_>, facts: &mut Facts) {
    let options = cursor.parenthesized();
    let mut runs = options.is_some_and(|options| options.has_deep("ANALYZE"));
    while cursor.is_any(&["ANALYZE", "VERBOSE"]) {
        runs |= cursor.is(&["ANALYZE"]);
        cursor.bump();
    }
    if runs {
        super::read(cursor, facts);
    } else {
        relations::read(cursor, facts);
        facts.locks.clear();
    }
    facts.name(Kind::Read, "EXPLAIN");
}

fn described(table: Option<QualifiedName>) -> String {
    table.map_or_else(|| "the table".to_owned(), |name| name.to_string())
}
