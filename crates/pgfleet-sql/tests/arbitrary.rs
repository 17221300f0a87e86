//! Properties that hold for any input whatever.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use pgfleet_sql::shape::{comments, shape};
use pgfleet_sql::{
    LineIndex, classify, decode, parse_qualified, quote_ident, quote_literal, read_script, split,
    syntax,
};
use proptest::prelude::*;

/// Text made of what splitting turns on.
fn sql_like() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "'",
        "\"",
        "$$",
        "$a$",
        "/*",
        "*/",
        "--",
        "\n",
        "\r\n",
        ";",
        "(",
        ")",
        "\\",
        "\\.",
        "\\g",
        "\\;",
        ":a",
        ":'a'",
        "\\set a b",
        "\\echo ",
        "COPY t FROM stdin",
        "CREATE FUNCTION f()",
        "BEGIN ATOMIC",
        "CASE",
        "END",
        "E'",
        "U&\"",
        "é",
        "WITH a AS (",
        "SELECT 1 FROM a, b",
        "ALTER TABLE t ADD",
        "DROP TABLE",
        ",",
        ".",
        "1e",
        " ",
        "[",
        "]",
        "\0",
        "DELETE FROM",
        "CREATE TABLE t (a int",
        "\\restrict x",
        "REFERENCES",
        "UPDATE t SET",
    ]);
    prop::collection::vec(part, 0..40).prop_map(|parts| parts.concat())
}

fn survive(text: &str) {
    let pieces = split(text);
    let joined: String = pieces.iter().map(|piece| &text[piece.range.clone()]).collect();
    assert_eq!(joined, text);
    let script = read_script(text);
    assert!(script.items.len() <= pieces.len() + text.matches('\\').count());
    for piece in pieces {
        let statement = &text[piece.range];
        let _ = (classify(statement), syntax::errors(statement), shape(statement));
    }
    let index = LineIndex::new(text);
    assert!(index.position(text.len()).line as usize == text.matches('\n').count() + 1);
    for comment in comments(text) {
        assert!(text.get(comment.range).is_some());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_text_is_split_without_loss(text in any::<String>()) {
        survive(&text);
    }

    #[test]
    fn any_sql_like_text_is_split_without_loss(text in sql_like()) {
        survive(&text);
    }

    #[test]
    fn any_bytes_are_text_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(source) = decode(&bytes) {
            survive(&source.text);
        }
    }

    #[test]
    fn a_quoted_name_is_one_name(name in "[^\0]{1,20}") {
        let quoted = quote_ident(&name);
        prop_assert_eq!(parse_qualified(&quoted).map(|found| found.name), Some(name));
    }

    #[test]
    fn a_quoted_literal_is_one_piece(value in "[^\0]{0,20}") {
        let statement = format!("SELECT {};", quote_literal(&value).unwrap());
        prop_assert_eq!(split(&statement).len(), 1);
    }
}
