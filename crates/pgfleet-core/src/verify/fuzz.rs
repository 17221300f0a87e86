//! No text panics, and what a reader takes a writer gives back.

use proptest::prelude::*;

use super::type_name::canonical;
use super::{ColumnReference, TableName, parse_declaration, questions};

/// Text that looks like a declaration often enough to get past the first error.
fn declaration() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "kind = ",
        "\"rows\"",
        "\"sql\"",
        "\"columns\"",
        "\"http\"",
        "table = ",
        "query = ",
        "where = ",
        "exactly = 1",
        "[check.columns]",
        "list = [",
        "]",
        "\n",
        "'",
        "\"",
        "a.b",
        "-> ",
        "(",
        ")",
        ";",
        "$$",
        "--",
        "/*",
        "url = \"http://",
        "status = ",
        "é",
        "\\",
    ]);
    let words = prop::collection::vec(word, 0..24);
    words.prop_map(|words| format!("[[check]]\n{}", words.concat()))
}

proptest! {
    #[test]
    fn no_declaration_panics(text in prop_oneof![any::<String>(), declaration()]) {
        match parse_declaration(&text, "checks.toml") {
            Ok(checks) => prop_assert!(questions(&checks).len() <= checks.len()),
            Err(problems) => prop_assert!(!problems.is_empty()),
        }
    }

    #[test]
    fn no_type_name_panics(name in "[a-z \\[\\](),0-9\"é]{0,24}") {
        prop_assert!(canonical(&name).len() <= name.len() + "timestamp without time zone".len() * 2);
    }

    #[test]
    fn names_survive_being_written(name in "[a-zA-Z.\" é]{1,8}", schema in "[a-z.\"]{0,3}") {
        prop_assume!(name.trim() == name);
        let schema = Some(schema).filter(|schema| !schema.is_empty());
        let table = TableName { schema, name };
        prop_assert_eq!(TableName::try_from(table.to_string()), Ok(table));
    }

    #[test]
    fn no_foreign_key_panics(text in "[a-c.,()\"> -]{0,24}") {
        if let Ok(key) = ColumnReference::try_from(text) {
            prop_assert_eq!(key.child_columns.len(), key.parent_columns.len());
        }
    }

    #[test]
    fn whatever_stands_in_a_condition_is_one_statement(condition in "[a1 ;()$\"*/-]{0,16}") {
        let rows = "[[check]]\nkind = 'rows'\ntable = 't'\nexactly = 1\nwhere = ";
        let text = format!("{rows}'{condition}'");
        let Ok(checks) = parse_declaration(&text, "c") else { return Ok(()) };
        let asked = questions(&checks);
        let pieces = pgfleet_sql::split(&asked[0].sql);
        let statements = pieces.iter().filter(|p| p.kind == pgfleet_sql::PieceKind::Statement);
        prop_assert_eq!(statements.count(), 1);
    }
}
