//! Reads the definitions that PostgreSQL itself writes (`pg_get_constraintdef`, `pg_get_indexdef`)
//! as far as keys need it, and finds in any SQL text the statements that rely on a key.

use std::ops::Range;

use crate::cursor::{Cursor, Tokens};
use crate::lex::{Lexer, TokenKind};
use crate::name::{QualifiedName, quote_ident};

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// Its columns.
    pub columns: Vec<String>,
    /// The table that it references.
    pub table: QualifiedName,
    /// The columns that it references.
    pub references: Vec<String>,
}

/// The column list of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyColumns {
    /// In order; none for an expression.
    pub columns: Vec<Option<String>>,
    /// Where the text between the parentheses stands.
    pub range: Range<usize>,
}

/// An `INSERT … ON CONFLICT (columns)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictTarget {
    /// The table that is inserted into.
    pub table: QualifiedName,
    /// The columns of the conflict target, in order.
    pub columns: Vec<String>,
    /// Where the text between the parentheses stands.
    pub range: Range<usize>,
}

/// Reads `FOREIGN KEY (a) REFERENCES s.t(b) …`.
#[must_use]
pub fn foreign_key(definition: &str) -> Option<ForeignKey> {
    let tokens = Tokens::new(definition);
    let mut cursor = tokens.cursor();
    cursor.eat(&["FOREIGN", "KEY"]).then_some(())?;
    let columns = names(cursor.parenthesized()?)?;
    cursor.eat(&["REFERENCES"]).then_some(())?;
    let table = cursor.qualified()?;
    let references = names(cursor.parenthesized()?)?;
    Some(ForeignKey { columns, table, references })
}

/// Reads the columns of `UNIQUE (a, b) …`, `PRIMARY KEY (a)` or `CREATE UNIQUE INDEX … (a, b) …`.
#[must_use]
pub fn key_columns(definition: &str) -> Option<KeyColumns> {
    let tokens = Tokens::new(definition);
    let mut cursor = tokens.cursor();
    while !cursor.at_end() && !cursor.is_symbol(b'(') {
        cursor.bump();
    }
    let inside = cursor.parenthesized()?;
    let range = inside.offset()..inside.end_before(&inside.end());
    let column = |mut item: Cursor<'_>| {
        let name = item.ident()?;
        // An operator class, collation or order may follow; a parenthesis is a function's.
        (!item.is_symbol(b'(')).then_some(name)
    };
    Some(KeyColumns { columns: inside.items().into_iter().map(column).collect(), range })
}

/// An index's or key's definition with another name for one of its columns: in the list, in `INCLUDE`, in
/// expressions and in `WHERE`.
#[must_use]
pub fn with_column_renamed(definition: &str, from: &str, to: &str) -> String {
    let tokens = Tokens::new(definition);
    let mut cursor = tokens.cursor();
    while !cursor.at_end() && !cursor.is_symbol(b'(') {
        cursor.bump();
    }
    let (mut text, mut copied, mut is_part) = (String::new(), 0, false);
    while !cursor.at_end() {
        let before = cursor;
        let name = if is_part { None } else { cursor.ident() };
        // A name before a parenthesis is a function's.
        if name.as_deref() == Some(from) && !cursor.is_symbol(b'(') {
            text.push_str(&definition[copied..before.offset()]);
            text.push_str(&quote_ident(to));
            copied = before.end_before(&cursor);
        }
        if name.is_none() {
            is_part = matches!(cursor.text(), "." | "::" | ":");
            cursor.bump();
        }
    }
    text + &definition[copied..]
}

fn names(list: Cursor<'_>) -> Option<Vec<String>> {
    list.items().into_iter().map(|mut item| item.ident()).collect()
}

/// All conflict targets in a text, those inside of bodies between dollar quotes too.
#[must_use]
pub fn conflict_targets(text: &str) -> Vec<ConflictTarget> {
    let mut found = Vec::new();
    search(text, 0, &mut found);
    found
}

fn search(text: &str, start: usize, found: &mut Vec<ConflictTarget>) {
    let part = &text[start..];
    let bodies = Lexer::new(part).filter(|token| token.kind == TokenKind::DollarString);
    for body in bodies.filter(|body| body.closed) {
        let inner = &part[body.start..body.end];
        let Some(tag) = inner[1..].find('$').map(|at| at + 2) else { continue };
        let (from, to) = (start + body.start + tag, start + body.end - tag);
        if from <= to {
            search(&text[..to], from, found);
        }
    }
    let tokens = Tokens::new(part);
    let mut cursor = tokens.cursor();
    let mut table = None;
    while !cursor.at_end() {
        if cursor.eat(&["INSERT", "INTO"]) {
            table = cursor.qualified();
        } else if cursor.is_symbol(b';') {
            table = None;
            cursor.bump();
        } else if cursor.eat(&["ON", "CONFLICT"]) && cursor.is_symbol(b'(') {
            let inside = cursor.parenthesized();
            let target = inside.zip(table.clone());
            found.extend(target.and_then(|(inside, table)| conflict(start, inside, table)));
        } else {
            cursor.bump();
        }
    }
}

fn conflict(start: usize, inside: Cursor<'_>, table: QualifiedName) -> Option<ConflictTarget> {
    let columns = names(inside)?;
    let from = inside.offset();
    let to = inside.end_before(&inside.end());
    Some(ConflictTarget { table, columns, range: start + from..start + to })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read() {
        let key = foreign_key(
            "FOREIGN KEY (user_id, \"B\") REFERENCES app.users(id, b) ON DELETE CASCADE",
        );
        let key = key.unwrap();
        assert_eq!(
            (key.columns, key.references),
            (vec!["user_id".into(), "B".into()], vec!["id".into(), "b".into()])
        );
        let text = "CREATE UNIQUE INDEX \"I (x)\" ON public.t USING btree (a, lower(b), \"C\" text_pattern_ops DESC) WHERE (d)";
        let key = key_columns(text).unwrap();
        assert_eq!(key.columns, [Some("a".to_owned()), None, Some("C".to_owned())]);
        assert_eq!(&text[key.range], "a, lower(b), \"C\" text_pattern_ops DESC");
        assert_eq!(key_columns("UNIQUE NULLS NOT DISTINCT (a)").unwrap().columns.len(), 1);
    }

    #[test]
    fn a_column_is_renamed_wherever_it_is_meant() {
        let text = "CREATE INDEX org ON public.org USING btree (org, lower(org), org(x), (org)::app.org, \"Org\") INCLUDE (org) WHERE (org = 'org'::org)";
        let wanted = "CREATE INDEX org ON public.org USING btree (\"Org new\", lower(\"Org new\"), org(x), (\"Org new\")::app.org, \"Org\") INCLUDE (\"Org new\") WHERE (\"Org new\" = 'org'::org)";
        assert_eq!(with_column_renamed(text, "org", "Org new"), wanted);
        assert_eq!(with_column_renamed("UNIQUE (a, \"B c\")", "B c", "b"), "UNIQUE (a, b)");
    }

    #[test]
    fn conflict_targets_are_found_in_bodies() {
        let text = "CREATE FUNCTION f() RETURNS trigger AS $f$ BEGIN\n INSERT INTO app.t (a, b) VALUES (1, 'on conflict (x)') ON CONFLICT (a, \"B\") DO NOTHING;\n INSERT INTO u SELECT 1 ON CONFLICT DO NOTHING; END $f$; INSERT INTO v VALUES (1) ON CONFLICT(id) DO UPDATE SET a = 1";
        let found = conflict_targets(text);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].table, QualifiedName::new("app", "t"));
        assert_eq!(&text[found[0].range.clone()], "a, \"B\"");
        assert_eq!(&text[found[1].range.clone()], "id");
    }
}
