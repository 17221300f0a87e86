//! Cuts a script into statements where psql would.
//!
//! Invariant: the pieces, in order, concatenate to the input, whatever the input is.

mod psql;
mod statement;
mod stream;

use std::ops::Range;

use crate::lex::{Lexer, Token, TokenKind};
pub(crate) use psql::{Meta, is_copy_end, read_meta};
use statement::Open;
pub use stream::{Part, ScriptStream};

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
    /// A psql command between statements or ending one, from its backslash to the end of the line
    /// or to `\\`. One in the middle of a statement is part of the statement's piece.
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
    /// A function body in SQL-standard form, `BEGIN ATOMIC … END`, or a `CASE` inside it.
    AtomicBody,
}

/// Splits a script at its statements' semicolons.
#[must_use]
pub fn split(text: &str) -> Vec<Piece> {
    let mut splitter = Splitter {
        text,
        lexer: Lexer::new(text),
        pieces: Vec::new(),
        written: 0,
        open: None,
        copies: 0,
    };
    while let Some(token) = splitter.lexer.next() {
        splitter.take(token);
    }
    splitter.finish();
    splitter.pieces
}

/// Whether a statement is a `COPY … FROM STDIN`.
pub(crate) fn is_copy_in(statement: &str) -> bool {
    let mut open = Open::new(0);
    Lexer::new(statement)
        .filter(|token| !token.is_trivia())
        .for_each(|token| open.take(statement, token));
    open.is_copy_in()
}

struct Splitter<'text> {
    text: &'text str,
    lexer: Lexer<'text>,
    pieces: Vec<Piece>,
    /// Where the pieces so far end.
    written: usize,
    /// The statement being read.
    open: Option<Open>,
    /// How many `COPY … FROM STDIN` of this line wait for their data.
    copies: usize,
}

impl Splitter<'_> {
    fn take(&mut self, token: Token) {
        if !token.closed {
            return self.abandon(token);
        }
        match token.kind {
            TokenKind::Blank | TokenKind::LineComment | TokenKind::BlockComment => {}
            TokenKind::Backslash => self.take_backslash(token),
            TokenKind::Symbol(b';') => self.take_semicolon(token),
            _ => {
                let text = self.text;
                self.open.get_or_insert_with(|| Open::new(token.start)).take(text, token);
            }
        }
    }

    fn take_semicolon(&mut self, token: Token) {
        let Some(open) = &mut self.open else { return };
        if open.is_nested() {
            open.take(self.text, token);
        } else {
            self.end_statement(token.end);
            self.read_copy_data();
        }
    }

    fn take_backslash(&mut self, token: Token) {
        let meta = read_meta(self.text, token.start);
        self.lexer.seek(meta.end);
        match &mut self.open {
            Some(open) if !meta.ends_statement() => open.pass(meta.end),
            Some(open) => {
                let end = open.end();
                self.end_statement(end);
                self.push(token.start, PieceKind::Trivia);
                self.push(meta.end, PieceKind::Meta);
                self.read_copy_data();
            }
            None => {
                self.push(token.start, PieceKind::Trivia);
                self.push(meta.end, PieceKind::Meta);
                self.read_copy_data();
            }
        }
    }

    fn end_statement(&mut self, end: usize) {
        let Some(open) = self.open.take() else { return };
        self.copies += usize::from(open.is_copy_in());
        self.push(open.start(), PieceKind::Trivia);
        self.push(end, PieceKind::Statement);
    }

    /// psql reads the data from the line after the one that the COPY stands on.
    fn read_copy_data(&mut self) {
        if self.copies == 0 {
            return;
        }
        let Some(line) = psql::next_line(self.text, self.lexer.offset()) else { return };
        self.push(line, PieceKind::Trivia);
        for _ in 0..std::mem::take(&mut self.copies) {
            let end = psql::copy_data_end(self.text, self.written);
            self.push(end, PieceKind::CopyData);
        }
        self.lexer.seek(self.written);
    }

    fn abandon(&mut self, token: Token) {
        let construct = construct_of(self.text, token);
        let start = self.open.take().map_or(token.start, |open| open.start());
        self.push(start, PieceKind::Trivia);
        let opened = Unterminated { construct, opened_at: token.start };
        self.push(token.end, PieceKind::Unterminated(opened));
    }

    fn finish(&mut self) {
        if let Some(open) = &self.open {
            match open.unclosed() {
                Some(unclosed) => {
                    let start = open.start();
                    self.push(start, PieceKind::Trivia);
                    self.push(self.text.len(), PieceKind::Unterminated(unclosed));
                }
                None => {
                    let end = open.end();
                    self.end_statement(end);
                }
            }
        }
        self.push(self.text.len(), PieceKind::Trivia);
    }

    fn push(&mut self, end: usize, kind: PieceKind) {
        if end > self.written {
            self.pieces.push(Piece { range: self.written..end, kind });
            self.written = end;
        }
    }
}

fn construct_of(text: &str, token: Token) -> Construct {
    match token.kind {
        TokenKind::BlockComment => Construct::Comment,
        TokenKind::QuotedIdent | TokenKind::UnicodeIdent => Construct::Identifier,
        TokenKind::DollarString => {
            let opening = &text[token.start..token.end];
            let length = opening[1..].find('$').map_or(opening.len(), |at| at + 2);
            Construct::DollarString(opening[..length].to_owned())
        }
        _ => Construct::String,
    }
}
