//! Syntax errors of single statements, found without a server.
//!
//! Invariant: what PostgreSQL's own parser accepts is never reported; some of what it rejects is
//! not reported either, the server has the last word.

use std::ops::Range;

use squawk_syntax::SourceFile;

use crate::lex::{Lexer, TokenKind};

/// Deeper statements are left to the server, so that no input exhausts the stack.
const MAX_DEPTH: usize = 128;

/// A place where a statement stops being SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// Byte offsets in the statement; may be empty at the place where something is missing.
    pub range: Range<usize>,
    /// What is wrong, one line.
    pub message: String,
}

/// The syntax errors of one statement, in order.
#[must_use]
pub fn errors(statement: &str) -> Vec<SyntaxError> {
    if is_beyond_the_parser(statement) {
        return Vec::new();
    }
    let found = SourceFile::parse(statement).errors();
    let convert = |error: &squawk_syntax::syntax_error::SyntaxError| {
        let range = usize::from(error.range().start())..usize::from(error.range().end());
        SyntaxError { range, message: error.message().to_owned() }
    };
    found.iter().map(convert).collect()
}

/// Whether the statement holds what the parser does not know or cannot bear: psql's variables and
/// commands, or very deep nesting.
fn is_beyond_the_parser(statement: &str) -> bool {
    let (mut depth, mut deepest) = (0usize, 0usize);
    for token in Lexer::new(statement) {
        match token.kind {
            TokenKind::Symbol(b'(' | b'[') => depth += 1,
            TokenKind::Symbol(b')' | b']') => depth = depth.saturating_sub(1),
            TokenKind::Backslash => return true,
            TokenKind::Symbol(b':') if depth == 0 => return true,
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest > MAX_DEPTH
}
