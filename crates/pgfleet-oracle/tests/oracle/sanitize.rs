//! Takes out of a psql script what is not SQL, byte for byte.

use pgfleet_sql::{PieceKind, split};

const SENDING: &[&str] = &[
    ";",
    "g",
    "gx",
    "gset",
    "gexec",
    "gdesc",
    "crosstabview",
    "watch",
    "bind_named",
    "parse",
    "sendpipeline",
];

/// A text of the same length that holds only SQL.
pub fn sql_only(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for piece in split(text) {
        let range = piece.range;
        match piece.kind {
            PieceKind::CopyData | PieceKind::Unterminated(_) => blank(&mut bytes[range]),
            PieceKind::Meta => {
                let name: String = text[range.start + 1..range.end]
                    .chars()
                    .take_while(|character| !character.is_whitespace())
                    .collect();
                blank(&mut bytes[range.clone()]);
                if SENDING.contains(&name.as_str()) {
                    bytes[range.start] = b';';
                }
            }
            PieceKind::Statement => statement_only(text, range, &mut bytes),
            PieceKind::Trivia => {}
        }
    }
    String::from_utf8(bytes).unwrap()
}

pub fn blank(bytes: &mut [u8]) {
    for byte in bytes.iter_mut().filter(|byte| **byte != b'\n') {
        *byte = b' ';
    }
}

/// Colons of variables outside quotes, comments and brackets, and commands in the middle.
fn statement_only(text: &str, range: std::ops::Range<usize>, bytes: &mut [u8]) {
    let base = range.start;
    for (start, end) in pgfleet_sql::script::references(&text[range.clone()]) {
        blank(&mut bytes[base + start..base + end]);
    }
}
