//! Types, policies and routines.

use std::ops::Range;

use crate::cursor::Cursor;
use crate::name::QualifiedName;

/// An enum type as it is created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnumShape {
    /// Its name.
    pub name: QualifiedName,
    /// Its values in order.
    pub values: Vec<String>,
}

/// What `ALTER TYPE` does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeChange {
    /// `ADD VALUE`.
    AddValue {
        /// The value.
        value: String,
        /// `BEFORE` or `AFTER` another value.
        placed: bool,
    },
    /// `RENAME VALUE`.
    RenameValue {
        /// The old value.
        from: String,
        /// The new value.
        to: String,
    },
    /// `RENAME TO`.
    Rename(String),
    /// Anything else.
    Other,
}

/// A row security policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyShape {
    /// Its name.
    pub name: String,
    /// Its table.
    pub table: QualifiedName,
    /// The expressions of `USING` and `WITH CHECK`, without their parentheses, where each stands.
    pub expressions: Vec<Range<usize>>,
}

/// A function or procedure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutineShape {
    /// Its name.
    pub name: QualifiedName,
    /// It runs with its owner's rights; where that is said.
    pub security_definer: Option<Range<usize>>,
    /// It says which schemas its names mean.
    pub sets_search_path: bool,
}

pub(super) fn read_enum(mut cursor: Cursor<'_>) -> Option<EnumShape> {
    let name = cursor.qualified()?;
    if !cursor.eat(&["AS", "ENUM"]) {
        return None;
    }
    let values = cursor.parenthesized().map(Cursor::items).unwrap_or_default();
    let values = values.into_iter().filter_map(|mut item| item.string()).collect();
    Some(EnumShape { name, values })
}

pub(super) fn read_type_change(mut cursor: Cursor<'_>) -> TypeChange {
    if cursor.eat(&["ADD", "VALUE"]) {
        cursor.eat(&["IF", "NOT", "EXISTS"]);
        let value = cursor.string();
        let placed = cursor.is_any(&["BEFORE", "AFTER"]);
        return value.map_or(TypeChange::Other, |value| TypeChange::AddValue { value, placed });
    }
    if cursor.eat(&["RENAME", "VALUE"]) {
        let from = cursor.string();
        let to = cursor.eat(&["TO"]).then(|| cursor.string()).flatten();
        let both = from.zip(to);
        return both.map_or(TypeChange::Other, |(from, to)| TypeChange::RenameValue { from, to });
    }
    if cursor.eat(&["RENAME", "TO"]) {
        return cursor.ident().map_or(TypeChange::Other, TypeChange::Rename);
    }
    TypeChange::Other
}

pub(super) fn read_policy(mut cursor: Cursor<'_>) -> Option<PolicyShape> {
    let name = cursor.ident()?;
    cursor.eat(&["ON"]);
    let table = cursor.qualified()?;
    let mut expressions = Vec::new();
    while !cursor.at_end() {
        let begins = cursor.eat(&["USING"]) || cursor.eat(&["WITH", "CHECK"]);
        if begins && let Some(inside) = cursor.parenthesized() {
            expressions.push(inside.range());
        } else if !begins {
            cursor.skip();
        }
    }
    Some(PolicyShape { name, table, expressions })
}

pub(super) fn read_routine(mut cursor: Cursor<'_>) -> Option<RoutineShape> {
    let name = cursor.qualified()?;
    let (mut security_definer, mut sets_search_path) = (None, false);
    while !cursor.at_end() {
        let start = cursor;
        if cursor.eat(&["SECURITY", "DEFINER"]) {
            security_definer = Some(start.range_until(&cursor));
        } else if cursor.eat(&["SET"]) {
            let named = cursor.ident();
            sets_search_path |= named.is_some_and(|name| name.eq_ignore_ascii_case("search_path"));
        } else if cursor.is(&["BEGIN", "ATOMIC"]) {
            break;
        } else {
            cursor.skip();
        }
    }
    Some(RoutineShape { name, security_definer, sets_search_path })
}
