//! The parts of a statement, each with its place: what a rule looks at and marks.
//!
//! [`crate::classify()`] says what a statement does; a [`Shape`] says how it is written. Invariant: any
//! text has a shape; what is not recognised in full is [`Shape::Other`] or lacks parts, and every
//! range is a range of the statement.

mod alter;
mod column;
mod comments;
mod constraint;
mod index;
mod others;
mod table;

use std::ops::Range;

pub use alter::{Action, ActionKind, AlterShape};
pub use column::{ColumnShape, DefaultShape, Volatility};
pub use comments::{Comment, comments};
pub use constraint::{ConstraintKind, ConstraintShape, Reference};
pub use index::{IndexKey, IndexShape};
pub use others::{EnumShape, PolicyShape, RoutineShape, TypeChange};
pub use table::{Persistence, TableShape};

use crate::cursor::{Cursor, Tokens};
use crate::lex::Lexer;
use crate::name::QualifiedName;

/// How a statement is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// `CREATE TABLE`.
    CreateTable(Box<TableShape>),
    /// `ALTER TABLE`, and of foreign tables.
    AlterTable(AlterShape),
    /// `CREATE INDEX`.
    CreateIndex(Box<IndexShape>),
    /// `CREATE TYPE … AS ENUM`.
    CreateEnum(EnumShape),
    /// `ALTER TYPE`.
    AlterType(QualifiedName, TypeChange),
    /// `CREATE POLICY` and `ALTER POLICY`.
    Policy(PolicyShape),
    /// `CREATE FUNCTION` and `CREATE PROCEDURE`.
    CreateRoutine(RoutineShape),
    /// Anything else.
    Other,
}

/// Reads the shape of one statement.
#[must_use]
pub fn shape(statement: &str) -> Shape {
    // Rows in bulk have no shape, and need not be taken apart to learn that.
    let first = Lexer::new(statement).find(|token| !token.is_trivia());
    let first = first.map_or("", |token| &statement[token.start..token.end]);
    if !["CREATE", "ALTER"].iter().any(|word| first.eq_ignore_ascii_case(word)) {
        return Shape::Other;
    }
    let tokens = Tokens::new(statement);
    let mut cursor = tokens.cursor();
    if cursor.eat(&["CREATE"]) {
        return created(cursor).unwrap_or(Shape::Other);
    }
    if cursor.eat(&["ALTER"]) {
        return altered(cursor).unwrap_or(Shape::Other);
    }
    Shape::Other
}

fn created(mut cursor: Cursor<'_>) -> Option<Shape> {
    cursor.eat(&["OR", "REPLACE"]);
    let persistence = table::eat_persistence(&mut cursor);
    if cursor.eat(&["TABLE"]) {
        return table::read(cursor, persistence).map(|table| Shape::CreateTable(Box::new(table)));
    }
    let unique = cursor.eat(&["UNIQUE"]);
    if cursor.eat(&["INDEX"]) {
        return index::read(cursor, unique).map(|index| Shape::CreateIndex(Box::new(index)));
    }
    if cursor.eat(&["TYPE"]) {
        return others::read_enum(cursor).map(Shape::CreateEnum);
    }
    if cursor.eat(&["POLICY"]) {
        return others::read_policy(cursor).map(Shape::Policy);
    }
    if cursor.eat_any(&["FUNCTION", "PROCEDURE"]) {
        return others::read_routine(cursor).map(Shape::CreateRoutine);
    }
    None
}

fn altered(mut cursor: Cursor<'_>) -> Option<Shape> {
    cursor.eat(&["FOREIGN"]);
    if cursor.eat(&["TABLE"]) {
        return alter::read(cursor).map(Shape::AlterTable);
    }
    if cursor.eat(&["TYPE"]) {
        let name = cursor.qualified()?;
        return Some(Shape::AlterType(name, others::read_type_change(cursor)));
    }
    if cursor.eat(&["POLICY"]) {
        return others::read_policy(cursor).map(Shape::Policy);
    }
    None
}

/// Reads a column as it is declared, `name type …`; `None` when there is no name.
#[must_use]
pub fn column_shape(declaration: &str) -> Option<ColumnShape> {
    let tokens = Tokens::new(declaration);
    column::read(tokens.cursor())
}

/// Reads a table constraint as it is declared, `[CONSTRAINT name] CHECK (…)` and its kin.
#[must_use]
pub fn constraint_shape(declaration: &str) -> Option<ConstraintShape> {
    let tokens = Tokens::new(declaration);
    constraint::read(tokens.cursor())
}

/// The first place where these words, given in upper case, stand next to each other outside
/// strings, quoted names and comments.
#[must_use]
pub fn words_range(statement: &str, words: &[&str]) -> Option<Range<usize>> {
    let tokens = Tokens::new(statement);
    let mut cursor = tokens.cursor();
    while !cursor.at_end() {
        let start = cursor;
        if cursor.eat(words) {
            return Some(start.range_until(&cursor));
        }
        cursor.bump();
    }
    None
}

/// The first place where an identifier stands, as it is stored or in the case it is written in.
#[must_use]
pub fn name_range(statement: &str, name: &str) -> Option<Range<usize>> {
    let tokens = Tokens::new(statement);
    let mut cursor = tokens.cursor();
    while !cursor.at_end() {
        let mut after = cursor;
        if after.ident().is_some_and(|found| found == name) {
            return Some(cursor.range_until(&after));
        }
        cursor.bump();
    }
    None
}

#[cfg(test)]
mod tests;
