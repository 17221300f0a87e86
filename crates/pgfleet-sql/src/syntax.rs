//! Syntax errors of single statements, found without a server.
//!
//! Invariant: what PostgreSQL's own parser accepts is never reported; some of what it rejects is
//! not reported either, the server has the last word.

mod command;

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
    /// True when a command begins here that the parser does not know, and that is not one slip of the
    /// pen away from one that it does: a newer server may have it.
    pub perhaps_newer: bool,
}

/// The syntax errors of one statement, in order.
#[must_use]
pub fn errors(statement: &str) -> Vec<SyntaxError> {
    if is_beyond_the_parser(statement) || is_misread(statement) {
        return Vec::new();
    }
    let strings = string_ranges(statement);
    let found = SourceFile::parse(statement).errors();
    let kept = found.iter().filter(|error| !is_later_error(error.message()));
    let convert = |error: &squawk_syntax::syntax_error::SyntaxError| {
        let range = usize::from(error.range().start())..usize::from(error.range().end());
        described(statement, range, error.message())
    };
    let in_string = |error: &SyntaxError| {
        let holds = |string: &Range<usize>| {
            string.start <= error.range.start && error.range.end <= string.end
        };
        strings.iter().any(holds)
    };
    kept.map(convert).filter(|error| !in_string(error)).collect()
}

/// The parser's message in words of SQL, beside what it is worth.
fn described(statement: &str, range: Range<usize>, message: &str) -> SyntaxError {
    let no_command = message.starts_with("expected command");
    let is_first = Lexer::new(statement)
        .find(|token| !token.is_trivia())
        .is_none_or(|first| first.start >= range.start);
    let found = Lexer::new(&statement[range.start..]).next();
    let found = found
        .map_or("", |token| &statement[range.start + token.start..][..token.end - token.start]);
    let message = match (no_command, is_first) {
        _ if is_merge_mark(&statement[range.start..]) => {
            "a mark of a merge that nobody finished".to_owned()
        }
        (true, true) => format!("no command begins with {}", shortened(statement)),
        (true, false) => format!("unexpected {}", shortened(found)),
        _ => in_words(message),
    };
    let perhaps_newer = no_command && is_first && command::is_unknown(statement);
    SyntaxError { range, message, perhaps_newer }
}

/// What `git merge` leaves where two sides differ.
fn is_merge_mark(text: &str) -> bool {
    ["<<<<<<< ", "=======", ">>>>>>> "].iter().any(|mark| text.starts_with(mark))
}

/// The first two words, or so much of them as fits a line.
fn shortened(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().take(2).collect();
    words.join(" ").trim_end_matches(';').chars().take(40).collect()
}

/// `expected COMMA` → `expected a comma`, `expected FROM_KW` → `expected FROM`.
fn in_words(message: &str) -> String {
    let word = |word: &str| match word.trim_end_matches(',') {
        "COMMA" => "a comma".to_owned(),
        "SEMICOLON" => "the end of the statement".to_owned(),
        "L_PAREN" => "(".to_owned(),
        "R_PAREN" => ")".to_owned(),
        "EQ" => "=".to_owned(),
        "IDENT" => "a name".to_owned(),
        "STRING" => "a string".to_owned(),
        "INT_NUMBER" | "FLOAT_NUMBER" => "a number".to_owned(),
        keyword => keyword.strip_suffix("_KW").unwrap_or(word).to_owned(),
    };
    let text = message.replace("path name", "a name");
    let words: Vec<_> = text.split(' ').map(word).collect();
    let text = words.join(" ");
    let mut letters = text.chars();
    let lower =
        letters.next().filter(|_| !text.starts_with("SELECT")).map(|c| c.to_ascii_lowercase());
    lower.map_or(text.clone(), |first| format!("{first}{}", letters.as_str()))
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
