//! A column's declaration.

use std::ops::Range;

use super::constraint::{self, ConstraintKind, ConstraintShape};
use crate::classify::alter_table::{calls_unknown, calls_volatile};
use crate::classify::create_table::ends_type;
use crate::cursor::Cursor;

/// Words that begin the next part of a column's declaration.
const PARTS: &[&str] = &[
    "CONSTRAINT",
    "NOT",
    "NULL",
    "DEFAULT",
    "GENERATED",
    "UNIQUE",
    "PRIMARY",
    "CHECK",
    "REFERENCES",
    "DEFERRABLE",
    "INITIALLY",
];

/// A column as it is declared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnShape {
    /// Its name.
    pub name: String,
    /// The whole declaration.
    pub range: Range<usize>,
    /// Where the name stands.
    pub name_range: Range<usize>,
    /// Its type as written, blanks reduced to one space.
    pub type_text: String,
    /// Where the type stands; empty when there is none.
    pub type_range: Range<usize>,
    /// It is declared NOT NULL; where.
    pub not_null: Option<Range<usize>>,
    /// It has a default.
    pub default: Option<DefaultShape>,
    /// Its numbers come from `GENERATED … AS IDENTITY`.
    pub identity: bool,
    /// It is computed from other columns and stored; where that is said.
    pub stored: Option<Range<usize>>,
    /// It is computed from other columns when it is read.
    pub computed: bool,
    /// The constraints that are declared with it; their column is this one.
    pub constraints: Vec<ConstraintShape>,
}

/// A column's default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefaultShape {
    /// The expression as written.
    pub text: String,
    /// Where it stands.
    pub range: Range<usize>,
    /// Whether each row gets a value of its own.
    pub volatility: Volatility,
}

/// What a default costs when it is added to a table with rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Volatility {
    /// It is computed once and kept in the catalog.
    Once,
    /// It is computed for every row.
    PerRow,
    /// It calls a function that may be volatile.
    Unknown,
}

impl ColumnShape {
    /// `serial` and its kin: a sequence and a default that the type's name stands for.
    #[must_use]
    pub fn is_serial(&self) -> bool {
        matches!(
            self.type_text.to_ascii_lowercase().as_str(),
            "serial" | "bigserial" | "smallserial" | "serial2" | "serial4" | "serial8"
        )
    }

    /// The first constraint of a kind that is declared with the column.
    #[must_use]
    pub fn constraint(&self, kind: ConstraintKind) -> Option<&ConstraintShape> {
        self.constraints.iter().find(|constraint| constraint.kind == kind)
    }
}

pub(super) fn read(mut cursor: Cursor<'_>) -> Option<ColumnShape> {
    let whole = cursor;
    let name = cursor.ident()?;
    let mut column =
        ColumnShape { name, name_range: whole.range_until(&cursor), ..ColumnShape::default() };
    let start = cursor;
    while !cursor.at_end() && !ends_type(cursor) {
        cursor.skip();
    }
    column.type_text = start.text_until(&cursor);
    column.type_range = start.range_until(&cursor);
    while !cursor.at_end() && !cursor.is_symbol(b';') {
        read_part(&mut cursor, &mut column);
    }
    column.range = whole.range_until(&cursor);
    Some(column)
}

/// One part of the declaration; always moves on.
fn read_part(cursor: &mut Cursor<'_>, column: &mut ColumnShape) {
    let start = *cursor;
    let name = cursor.eat(&["CONSTRAINT"]).then(|| cursor.ident()).flatten();
    if cursor.eat(&["NOT", "NULL"]) {
        column.not_null = Some(start.range_until(cursor));
    } else if cursor.eat(&["DEFAULT"]) {
        column.default = Some(read_default(cursor));
    } else if cursor.eat(&["GENERATED"]) {
        read_generated(start, cursor, column);
    } else if let Some(constraint) = constraint::read_inline(start, cursor, name, &column.name) {
        column.constraints.push(constraint);
    } else if cursor.list_len() == start.list_len() {
        cursor.skip();
    }
}

fn read_default(cursor: &mut Cursor<'_>) -> DefaultShape {
    let start = *cursor;
    cursor.skip();
    while !cursor.at_end() && !cursor.is_any(PARTS) && !cursor.is_symbol(b';') {
        cursor.skip();
    }
    let volatility = match (calls_volatile(start), calls_unknown(start)) {
        (true, _) => Volatility::PerRow,
        (_, true) => Volatility::Unknown,
        _ => Volatility::Once,
    };
    DefaultShape { text: start.text_until(cursor), range: start.range_until(cursor), volatility }
}

fn read_generated(start: Cursor<'_>, cursor: &mut Cursor<'_>, column: &mut ColumnShape) {
    cursor.eat(&["ALWAYS"]);
    cursor.eat(&["BY", "DEFAULT"]);
    cursor.eat(&["AS"]);
    if cursor.eat(&["IDENTITY"]) {
        column.identity = true;
        cursor.parenthesized();
        return;
    }
    cursor.parenthesized();
    if cursor.eat(&["STORED"]) {
        column.stored = Some(start.range_until(cursor));
    } else {
        cursor.eat(&["VIRTUAL"]);
        column.computed = true;
    }
}
