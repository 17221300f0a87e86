//! What psql reads that is not SQL: its commands and COPY data.
//!
//! Invariant: a command never goes beyond its line. The rules are those of psql's own scanner
//! (src/bin/psql/psqlscanslash.l).

use crate::lex::is_blank;

/// Commands that send the statement before them.
const SENDING: &[&str] = &[
    "bind_named",
    "crosstabview",
    "g",
    "gdesc",
    "gexec",
    "gset",
    "gx",
    "parse",
    "sendpipeline",
    "watch",
];

/// Commands whose argument is the rest of the line, backslashes included.
const WHOLE_LINE: &[&str] = &["!", "copy", "ef", "ev", "h", "help", "sf", "sf+", "sv", "sv+"];

/// A psql command in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Meta<'text> {
    /// Its name, without the backslash.
    pub command: &'text str,
    /// Everything after the name.
    pub arguments: &'text str,
    /// Where the command ends in the text, after a separating `\\` when there is one.
    pub end: usize,
}

impl Meta<'_> {
    /// Whether it sends the statement before it, as a semicolon does.
    pub(crate) fn ends_statement(&self) -> bool {
        self.command == ";" || SENDING.contains(&self.command)
    }
}

/// Reads the command whose backslash is at `at`.
pub(crate) fn read_meta(text: &str, at: usize) -> Meta<'_> {
    let after = at + 1;
    if let Some(symbol @ (";" | ":" | "\\")) = text.get(after..after + 1) {
        return Meta { command: symbol, arguments: "", end: after + 1 };
    }
    let line = line_end(text, after);
    let ends_name = |byte: &u8| is_blank(*byte) || *byte == b'\\';
    let name_length = text.as_bytes()[after..line].iter().position(ends_name);
    let name_end = name_length.map_or(line, |length| after + length);
    let command = &text[after..name_end];
    let arguments_end =
        if WHOLE_LINE.contains(&command) { line } else { arguments_end(text, name_end, line) };
    let arguments = &text[name_end..arguments_end];
    let separated = text[arguments_end..].starts_with("\\\\");
    Meta { command, arguments, end: arguments_end + if separated { 2 } else { 0 } }
}

/// Where the line ends, before its CR and LF.
fn line_end(text: &str, from: usize) -> usize {
    let end = text[from..].find('\n').map_or(text.len(), |length| from + length);
    if end > from && text.as_bytes()[end - 1] == b'\r' { end - 1 } else { end }
}

/// The first backslash outside quotes, or the end of the line.
fn arguments_end(text: &str, from: usize, line: usize) -> usize {
    let bytes = &text.as_bytes()[..line];
    let (mut at, mut quote) = (from, None);
    while let Some(byte) = bytes.get(at) {
        match (quote, *byte) {
            (None, b'\\') => return at,
            (None, b'\'' | b'"' | b'`') => quote = Some(*byte),
            // A backslash escapes in single quotes only.
            (Some(b'\''), b'\\') => at += 1,
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
        at += 1;
    }
    line
}

/// The start of the next line, when only blanks and comments stand before it.
pub(super) fn next_line(text: &str, from: usize) -> Option<usize> {
    let rest = &text[from..];
    let line = &rest[..=rest.find('\n')?];
    let mut significant = crate::lex::Lexer::new(line).filter(|token| !token.is_trivia());
    significant.next().is_none().then_some(from + line.len())
}

/// The end of COPY data that begins at `from`: after its `\.` line, or the end of the text.
pub(super) fn copy_data_end(text: &str, from: usize) -> usize {
    let mut at = from;
    for line in text[from..].split_inclusive('\n') {
        at += line.len();
        if is_copy_end(line) {
            break;
        }
    }
    at
}

/// Whether a line is the one that closes COPY data.
pub(crate) fn is_copy_end(line: &str) -> bool {
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line) == "\\."
}
