//! Whether a statement that is no command may be one of a newer server.
//!
//! Source: the list of SQL commands in PostgreSQL's documentation, versions 14 to 18.

use crate::lex::{Lexer, TokenKind};

const COMMANDS: &[&str] = &[
    "ABORT",
    "ALTER",
    "ANALYZE",
    "BEGIN",
    "CALL",
    "CHECKPOINT",
    "CLOSE",
    "CLUSTER",
    "COMMENT",
    "COMMIT",
    "COPY",
    "CREATE",
    "DEALLOCATE",
    "DECLARE",
    "DELETE",
    "DISCARD",
    "DO",
    "DROP",
    "END",
    "EXECUTE",
    "EXPLAIN",
    "FETCH",
    "GRANT",
    "IMPORT",
    "INSERT",
    "LISTEN",
    "LOAD",
    "LOCK",
    "MERGE",
    "MOVE",
    "NOTIFY",
    "PREPARE",
    "REASSIGN",
    "REFRESH",
    "REINDEX",
    "RELEASE",
    "RESET",
    "REVOKE",
    "ROLLBACK",
    "SAVEPOINT",
    "SECURITY",
    "SELECT",
    "SET",
    "SHOW",
    "START",
    "TABLE",
    "TRUNCATE",
    "UNLISTEN",
    "UPDATE",
    "VACUUM",
    "VALUES",
    "WITH",
];

/// What follows CREATE, ALTER and DROP.
const KINDS: &[&str] = &[
    "ACCESS",
    "AGGREGATE",
    "CAST",
    "COLLATION",
    "CONSTRAINT",
    "CONVERSION",
    "DATABASE",
    "DEFAULT",
    "DOMAIN",
    "EVENT",
    "EXTENSION",
    "FOREIGN",
    "FUNCTION",
    "GLOBAL",
    "GROUP",
    "INDEX",
    "LANGUAGE",
    "LARGE",
    "LOCAL",
    "MATERIALIZED",
    "OPERATOR",
    "OR",
    "OWNED",
    "POLICY",
    "PROCEDURAL",
    "PROCEDURE",
    "PUBLICATION",
    "RECURSIVE",
    "REPLACE",
    "ROLE",
    "ROUTINE",
    "RULE",
    "SCHEMA",
    "SEQUENCE",
    "SERVER",
    "STATISTICS",
    "SUBSCRIPTION",
    "SYSTEM",
    "TABLE",
    "TABLESPACE",
    "TEMP",
    "TEMPORARY",
    "TEXT",
    "TRANSFORM",
    "TRIGGER",
    "TRUSTED",
    "TYPE",
    "UNIQUE",
    "UNLOGGED",
    "USER",
    "VIEW",
];

/// Shorter words are one slip away from too many others.
const SLIP_LEAST: usize = 4;

/// Whether the first words are neither a command nor nearly one.
pub(super) fn is_unknown(statement: &str) -> bool {
    let tokens = Lexer::new(statement).filter(|token| !token.is_trivia());
    let mut words = tokens.map(|token| match token.kind {
        TokenKind::Word => statement[token.start..token.end].to_ascii_uppercase(),
        _ => String::new(),
    });
    let Some(first) = words.next().filter(|word| !word.is_empty()) else { return false };
    match first.as_str() {
        "CREATE" | "ALTER" | "DROP" => {
            let kind = words.next().unwrap_or_default();
            !kind.is_empty() && !is_nearly(&kind, KINDS)
        }
        _ => !is_nearly(&first, COMMANDS),
    }
}

fn is_nearly(word: &str, known: &[&str]) -> bool {
    known.iter().any(|one| word == *one || (one.len() >= SLIP_LEAST && is_one_slip(word, one)))
}

/// One letter too many, too few or wrong, or two that changed places.
fn is_one_slip(word: &str, known: &str) -> bool {
    let (word, known) = (word.as_bytes(), known.as_bytes());
    let alike = |(a, b): &(&u8, &u8)| a == b;
    let before = word.iter().zip(known).take_while(alike).count();
    let (word, known) = (&word[before..], &known[before..]);
    let after = word.iter().rev().zip(known.iter().rev()).take_while(alike).count();
    let (word, known) = (&word[..word.len() - after], &known[..known.len() - after]);
    match (word, known) {
        ([a, b], [c, d]) => a == d && b == c,
        (word, known) => word.len() <= 1 && known.len() <= 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_no_new_command() {
        for slip in
            ["SELEC 1", "CRAETE TABLE t ()", "create tabel t ()", "DROP INDX i", "(SELECT", ""]
        {
            assert!(!is_unknown(slip), "{slip}");
        }
        for new in ["WAIT FOR LSN '0/0'", "CREATE BOARD b", "hello"] {
            assert!(is_unknown(new), "{new}");
        }
    }
}
