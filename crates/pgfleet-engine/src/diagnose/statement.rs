//! The head of a CREATE statement: kind, name, and how to make the same thing elsewhere.
//!
//! Invariant: only heads that can be moved with certainty are read; anything else is `None`.

use pgfleet_sql::{QualifiedName, parse_qualified, quote_ident};

/// Kinds that can be created elsewhere and compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparable {
    Table,
    Index,
    View,
    Routine,
    Type,
}

impl Comparable {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Index => "index",
            Self::View => "view",
            Self::Routine => "function",
            Self::Type => "type",
        }
    }
}

/// What a CREATE statement creates, and its text around the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Create<'a> {
    pub(super) kind: Comparable,
    pub(super) name: QualifiedName,
    /// The table of an index.
    pub(super) table: Option<QualifiedName>,
    /// `CREATE UNIQUE INDEX`: the words before the name, without IF NOT EXISTS and CONCURRENTLY.
    head: String,
    /// Everything after the name (for an index: after the table).
    tail: &'a str,
}

impl<'a> Create<'a> {
    pub(super) fn read(statement: &'a str) -> Option<Self> {
        let mut scanner = Scanner { rest: statement };
        scanner.expect("create")?;
        let mut head = vec!["CREATE".to_owned()];
        let kind = loop {
            let word = scanner.word()?.to_ascii_lowercase();
            head.push(word.to_ascii_uppercase());
            match word.as_str() {
                "or" | "replace" | "unlogged" | "unique" => {}
                "table" => break Comparable::Table,
                "index" => break Comparable::Index,
                "view" => break Comparable::View,
                "function" | "procedure" => break Comparable::Routine,
                "type" => break Comparable::Type,
                _ => return None,
            }
        };
        scanner.skip("concurrently");
        if scanner.skip("if") {
            scanner.expect("not")?;
            scanner.expect("exists")?;
        }
        let name = scanner.name()?;
        let table = match kind {
            Comparable::Index => Some(scanner.index_table()?),
            _ => None,
        };
        let create = Self { kind, name, table, head: head.join(" "), tail: scanner.rest };
        create.is_movable().then_some(create)
    }

    /// CREATE TABLE … AS would run a query, and a partition or child would lock its parent.
    fn is_movable(&self) -> bool {
        let tail = self.tail.to_ascii_lowercase();
        match self.kind {
            Comparable::Table => tail.trim_start().starts_with('(') && !tail.contains("inherits"),
            _ => true,
        }
    }

    /// The statement that creates the same in another schema.
    pub(super) fn moved_to(&self, schema: &str) -> String {
        let schema = quote_ident(schema);
        let own = quote_ident(&self.name.name);
        match &self.table {
            Some(table) => {
                format!("{} {own} ON {schema}.{}{}", self.head, quote_ident(&table.name), self.tail)
            }
            None => format!("{} {schema}.{own}{}", self.head, self.tail),
        }
    }
}

/// Reads words and names, past blanks and comments.
struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    fn skip_blanks(&mut self) {
        loop {
            self.rest = self.rest.trim_start();
            if self.rest.starts_with("--") {
                self.rest = self.rest.split_once('\n').map_or("", |(_, after)| after);
            } else if self.rest.starts_with("/*") {
                self.rest = self.rest.split_once("*/").map_or("", |(_, after)| after);
            } else {
                return;
            }
        }
    }

    fn word(&mut self) -> Option<&'a str> {
        self.skip_blanks();
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let end = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!word.is_empty()).then_some(word)
    }

    fn skip(&mut self, wanted: &str) -> bool {
        let before = self.rest;
        let found = self.word().is_some_and(|word| word.eq_ignore_ascii_case(wanted));
        if !found {
            self.rest = before;
        }
        found
    }

    fn expect(&mut self, wanted: &str) -> Option<()> {
        self.skip(wanted).then_some(())
    }

    fn name(&mut self) -> Option<QualifiedName> {
        self.skip_blanks();
        let start = self.rest;
        loop {
            self.part()?;
            match self.rest.strip_prefix('.') {
                Some(rest) => self.rest = rest,
                None => break,
            }
        }
        parse_qualified(&start[..start.len() - self.rest.len()])
    }

    fn part(&mut self) -> Option<()> {
        let Some(quoted) = self.rest.strip_prefix('"') else { return self.word().map(|_| ()) };
        let mut rest = quoted;
        loop {
            let (_, after) = rest.split_once('"')?;
            match after.strip_prefix('"') {
                Some(more) => rest = more,
                None => {
                    self.rest = after;
                    return Some(());
                }
            }
        }
    }

    fn index_table(&mut self) -> Option<QualifiedName> {
        self.expect("on")?;
        self.skip("only");
        self.name()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(statement: &str) -> Option<String> {
        Create::read(statement).map(|create| create.moved_to("s"))
    }

    #[test]
    fn statements_are_moved_to_another_schema() {
        for (statement, expected) in [
            (
                "CREATE TABLE IF NOT EXISTS public.\"A\"\"b\" (id int)",
                Some("CREATE TABLE s.\"A\"\"b\" (id int)"),
            ),
            (
                "-- x\ncreate /* y */ unlogged table t(id int)",
                Some("CREATE UNLOGGED TABLE s.t(id int)"),
            ),
            (
                "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON ONLY a.t USING btree (x)",
                Some("CREATE UNIQUE INDEX i ON s.t USING btree (x)"),
            ),
            (
                "CREATE OR REPLACE VIEW v AS SELECT 1",
                Some("CREATE OR REPLACE VIEW s.v AS SELECT 1"),
            ),
            ("CREATE TABLE t AS SELECT 1", None),
            ("CREATE TABLE t PARTITION OF p DEFAULT", None),
            ("CREATE TEMP TABLE t (a int)", None),
            ("CREATE INDEX ON t (a)", None),
            ("DROP TABLE t", None),
            ("CREATE TABLE \"open", None),
            ("", None),
        ] {
            assert_eq!(moved(statement).as_deref(), expected, "{statement}");
        }
    }
}
