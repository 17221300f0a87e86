//! Constraints, of tables and of columns.

use std::ops::Range;

use crate::cursor::Cursor;
use crate::name::QualifiedName;

/// A constraint as it is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConstraintShape {
    /// Its kind.
    pub kind: ConstraintKind,
    /// Its name, when it is given one.
    pub name: Option<String>,
    /// The whole declaration.
    pub range: Range<usize>,
    /// The columns it is on; of a check, none are listed.
    pub columns: Vec<String>,
    /// The expression of a check, without its parentheses, blanks reduced.
    pub expression: String,
    /// What a foreign key refers to.
    pub references: Option<Reference>,
    /// Existing rows are not looked at.
    pub not_valid: bool,
    /// It is kept for documentation only: `NOT ENFORCED`.
    pub not_enforced: bool,
    /// The index that it takes over.
    pub using_index: Option<String>,
}

/// Kinds of constraints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ConstraintKind {
    /// `CHECK`.
    Check,
    /// `PRIMARY KEY`.
    PrimaryKey,
    /// `UNIQUE`.
    Unique,
    /// `FOREIGN KEY`.
    ForeignKey,
    /// `EXCLUDE`.
    Exclusion,
    /// `NOT NULL column`, a table constraint since PostgreSQL 18.
    NotNull,
}

/// What a foreign key refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The table.
    pub table: QualifiedName,
    /// Its columns; empty for the primary key.
    pub columns: Vec<String>,
    /// `REFERENCES` and what follows it.
    pub range: Range<usize>,
    /// Deleting a referenced row changes or deletes referring rows.
    pub cascades: bool,
}

/// A table constraint.
pub(super) fn read(mut cursor: Cursor<'_>) -> Option<ConstraintShape> {
    let whole = cursor;
    let name = cursor.eat(&["CONSTRAINT"]).then(|| cursor.ident()).flatten();
    let kind = eat_kind(&mut cursor)?;
    let mut constraint = new(kind, name);
    match kind {
        ConstraintKind::Check => constraint.expression = expression(&mut cursor),
        ConstraintKind::NotNull => constraint.columns.extend(cursor.ident()),
        ConstraintKind::Exclusion => {}
        _ => constraint.columns = columns(&mut cursor),
    }
    if cursor.eat(&["USING", "INDEX"]) && !cursor.is(&["TABLESPACE"]) {
        constraint.using_index = cursor.ident();
    }
    read_tail(&mut cursor, &mut constraint);
    constraint.range = whole.range_until(&cursor);
    Some(constraint)
}

/// A constraint that is declared with its column; `None` when the next part is something else.
pub(super) fn read_inline(
    start: Cursor<'_>,
    cursor: &mut Cursor<'_>,
    name: Option<String>,
    column: &str,
) -> Option<ConstraintShape> {
    let kind = if cursor.is(&["REFERENCES"]) {
        ConstraintKind::ForeignKey
    } else if cursor.is_any(&["CHECK", "UNIQUE", "PRIMARY"]) {
        eat_kind(cursor)?
    } else {
        return None;
    };
    let mut constraint = new(kind, name);
    constraint.columns = vec![column.to_owned()];
    if kind == ConstraintKind::Check {
        constraint.expression = expression(cursor);
    }
    if cursor.is(&["REFERENCES"]) {
        constraint.references = reference(cursor);
    }
    constraint.range = start.range_until(cursor);
    Some(constraint)
}

fn new(kind: ConstraintKind, name: Option<String>) -> ConstraintShape {
    ConstraintShape {
        kind,
        name,
        range: 0..0,
        columns: Vec::new(),
        expression: String::new(),
        references: None,
        not_valid: false,
        not_enforced: false,
        using_index: None,
    }
}

fn eat_kind(cursor: &mut Cursor<'_>) -> Option<ConstraintKind> {
    let kinds: [(&[&str], ConstraintKind); 6] = [
        (&["CHECK"], ConstraintKind::Check),
        (&["PRIMARY", "KEY"], ConstraintKind::PrimaryKey),
        (&["UNIQUE"], ConstraintKind::Unique),
        (&["FOREIGN", "KEY"], ConstraintKind::ForeignKey),
        (&["EXCLUDE"], ConstraintKind::Exclusion),
        (&["NOT", "NULL"], ConstraintKind::NotNull),
    ];
    kinds.iter().find(|(words, _)| cursor.eat(words)).map(|(_, kind)| *kind)
}

fn expression(cursor: &mut Cursor<'_>) -> String {
    cursor.parenthesized().map(|inside| inside.rest_text()).unwrap_or_default()
}

/// `[NULLS [NOT] DISTINCT] (a, b)`
fn columns(cursor: &mut Cursor<'_>) -> Vec<String> {
    cursor.eat(&["NULLS", "NOT", "DISTINCT"]);
    cursor.eat(&["NULLS", "DISTINCT"]);
    let items = cursor.parenthesized().map(Cursor::items).unwrap_or_default();
    items.into_iter().filter_map(|mut item| item.ident()).collect()
}

fn read_tail(cursor: &mut Cursor<'_>, constraint: &mut ConstraintShape) {
    while !cursor.at_end() && !cursor.is_symbol(b';') {
        if cursor.is(&["REFERENCES"]) {
            constraint.references = reference(cursor);
        } else if cursor.eat(&["NOT", "VALID"]) {
            constraint.not_valid = true;
        } else if cursor.eat(&["NOT", "ENFORCED"]) {
            constraint.not_enforced = true;
        } else {
            cursor.skip();
        }
    }
}

/// `REFERENCES table [(columns)] [ON DELETE action] [ON UPDATE action]`
fn reference(cursor: &mut Cursor<'_>) -> Option<Reference> {
    let start = *cursor;
    cursor.eat(&["REFERENCES"]);
    let table = cursor.qualified()?;
    let columns = columns(cursor);
    let range = start.range_until(cursor);
    let mut cascades = false;
    loop {
        if cursor.eat(&["ON", "DELETE"]) {
            cascades = cursor.is_any(&["CASCADE", "SET"]);
            eat_action(cursor);
        } else if cursor.eat(&["ON", "UPDATE"]) {
            eat_action(cursor);
        } else if cursor.eat(&["MATCH"]) {
            cursor.bump();
        } else {
            break;
        }
    }
    Some(Reference { table, columns, range, cascades })
}

fn eat_action(cursor: &mut Cursor<'_>) {
    if cursor.eat(&["NO", "ACTION"]) || cursor.eat_any(&["CASCADE", "RESTRICT"]) {
        return;
    }
    if cursor.eat(&["SET"]) {
        cursor.bump();
        cursor.parenthesized();
    }
}
