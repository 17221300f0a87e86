//! Syntax errors of single statements, found without a server.
//!
//! Invariant: what PostgreSQL's own parser accepts is never reported; some of what it rejects is
//! not reported either, the server has the last word.

use std::ops::Range;

use squawk_syntax::SourceFile;

use crate::cursor::Tokens;
use crate::lex::{Lexer, TokenKind};

/// Deeper statements are left to the server, so that no input exhausts the stack.
const MAX_DEPTH: usize = 128;

/// How many links of a chain of operators count as one level of nesting.
const CHAIN_PER_DEPTH: usize = 2;

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
    if is_beyond_the_parser(statement) || is_misread(statement) {
        return Vec::new();
    }
    let strings = string_ranges(statement);
    let found = SourceFile::parse(statement).errors();
    let convert = |error: &squawk_syntax::syntax_error::SyntaxError| {
        let range = usize::from(error.range().start())..usize::from(error.range().end());
        SyntaxError { range, message: error.message().to_owned() }
    };
    let in_string = |error: &SyntaxError| {
        let holds = |string: &Range<usize>| {
            string.start <= error.range.start && error.range.end <= string.end
        };
        strings.iter().any(holds)
    };
    let kept = found.iter().map(convert);
    kept.filter(|error| !is_later_error(&error.message) && !in_string(error)).collect()
}

/// What a string holds (another language's code, digits with blanks) is not this parser's matter.
fn string_ranges(statement: &str) -> Vec<Range<usize>> {
    use TokenKind::{DollarString, EscapeString, String};
    let strings = Lexer::new(statement)
        .filter(|token| token.closed && matches!(token.kind, String | EscapeString | DollarString));
    strings.map(|token| token.start..token.end).collect()
}

/// What PostgreSQL finds wrong only after parsing.
fn is_later_error(message: &str) -> bool {
    [
        "SELECT ... INTO is not allowed",
        "Duplicate function body",
        "VARIADIC param must be last",
        "trailing junk after positional parameter",
    ]
    .iter()
    .any(|later| message.starts_with(later))
}

/// Commands of which the parser (squawk 2.68) refuses valid forms.
fn is_misread(statement: &str) -> bool {
    let tokens = Tokens::new(statement);
    let mut cursor = tokens.cursor();
    if cursor.eat(&["SET"]) {
        cursor.eat_any(&["LOCAL", "SESSION"]);
        return cursor.is(&["ROLE"]);
    }
    cursor.eat_any(&["CREATE", "ALTER", "DROP"])
        && (cursor.is(&["STATISTICS"]) || cursor.is(&["USER", "MAPPING"]))
}

/// Whether an `E'…'` may go on in another line, which the parser reads as a string of another kind.
fn is_continued(string: &str) -> bool {
    let inner = string.get(2..string.len() - 1).unwrap_or_default();
    inner.contains('\'') && inner.contains(['\n', '\r'])
}

/// Whether the statement holds what the parser does not know or cannot bear: psql's variables and
/// commands, or very deep nesting.
fn is_beyond_the_parser(statement: &str) -> bool {
    let (mut depth, mut deepest, mut chain) = (0usize, 0usize, 0usize);
    for token in Lexer::new(statement) {
        match token.kind {
            TokenKind::Symbol(b'(' | b'[') => depth += 1,
            TokenKind::Symbol(b')' | b']') => depth = depth.saturating_sub(1),
            TokenKind::Backslash => return true,
            TokenKind::EscapeString if is_continued(&statement[token.start..token.end]) => {
                return true;
            }
            TokenKind::Symbol(b':') if depth == 0 => return true,
            TokenKind::Symbol(b',' | b';') if depth <= 1 => chain = 0,
            TokenKind::Symbol(b'.') | TokenKind::Operator => chain += 1,
            TokenKind::Word if is_chaining(&statement[token.start..token.end]) => chain += 1,
            _ => {}
        }
        deepest = deepest.max(depth).max(chain / CHAIN_PER_DEPTH);
    }
    deepest > MAX_DEPTH
}

/// Words that make the tree deeper without a parenthesis.
fn is_chaining(word: &str) -> bool {
    const WORDS: &[&str] = &[
        "NOT",
        "OR",
        "AND",
        "CASE",
        "UNION",
        "INTERSECT",
        "EXCEPT",
        "JOIN",
        "IS",
        "IN",
        "COLLATE",
        "AT",
        "NOTNULL",
        "ISNULL",
        "LIKE",
        "ILIKE",
        "BETWEEN",
        "EXPLAIN",
        "SIMILAR",
        "CREATE",
        "PREPARE",
        "AS",
        "SELECT",
        "WITH",
        "ELSE",
        "OPERATOR",
    ];
    WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_found_where_they_are() {
        for (statement, at) in [("CREATE TABLE t (a int b text);", 21), ("SELECT FROM WHERE;", 11)]
        {
            let found = errors(statement);
            assert!(found.iter().any(|error| error.range.start == at), "{statement}: {found:?}");
        }
        assert!(!errors("SELEC 1;").is_empty());
        assert_eq!(errors("SELECT a FROM t WHERE b = 'x';"), []);
    }

    #[test]
    fn deep_statements_do_not_exhaust_the_stack() {
        for (part, end) in
            [("NOT ", "true"), ("- ", "1"), ("CASE WHEN ", "1"), ("a OR ", "b"), ("(", "1")]
        {
            let statement = format!("SELECT {}{end}", part.repeat(20_000));
            assert_eq!(errors(&statement), [], "{part}");
            let shallow = format!("SELECT {}{end}", part.repeat(120));
            let found = errors(&shallow);
            assert!(found.iter().all(|error| error.range.end <= shallow.len()), "{part}");
        }
    }
}
