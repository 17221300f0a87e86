//! `UPDATE` and `DELETE` cut at the places where a further condition can be put in.
//!
//! Invariant: what is put in narrows the statement and changes nothing else; text before the
//! condition keeps its offsets.

use std::ops::Range;

use crate::cursor::{Cursor, Tokens};
use crate::name::{QualifiedName, quote_ident};

/// An `UPDATE` or `DELETE`, cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowChange {
    /// `UPDATE` or `DELETE`.
    pub command: &'static str,
    /// The table whose rows are changed.
    pub table: QualifiedName,
    /// `ONLY` stands before it.
    pub only: bool,
    /// What the statement calls the table.
    pub alias: Option<String>,
    /// Columns that are set.
    pub sets: Vec<String>,
    /// The text behind `FROM` or `USING`.
    sources: Option<Range<usize>>,
    /// The text behind `WHERE`.
    condition: Option<Range<usize>>,
    /// Where the statement ends, without its semicolon.
    end: usize,
}

/// Why a statement cannot be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotCuttable {
    /// Another command, or one that begins with `WITH`.
    #[error("it is no UPDATE or DELETE")]
    OtherCommand,
    /// `RETURNING`: its rows would come in parts.
    #[error("it has RETURNING, whose rows nobody would see")]
    Returning,
    /// `WHERE CURRENT OF`.
    #[error("it goes by a cursor (CURRENT OF)")]
    CursorPosition,
}

/// A narrowed statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Narrowed {
    /// The text, without a semicolon.
    pub sql: String,
    inserted: Range<usize>,
}

impl RowChange {
    /// Cuts a statement.
    ///
    /// # Errors
    /// When it is not one `UPDATE` or `DELETE` that a condition can be put into.
    pub fn parse(sql: &str) -> Result<Self, NotCuttable> {
        let tokens = Tokens::new(sql);
        let mut cursor = tokens.cursor();
        let update = cursor.eat(&["UPDATE"]);
        if !update && !cursor.eat(&["DELETE", "FROM"]) {
            return Err(NotCuttable::OtherCommand);
        }
        let only = cursor.eat(&["ONLY"]);
        let table = target(&mut cursor).ok_or(NotCuttable::OtherCommand)?;
        let alias = alias(&mut cursor);
        let sets = if update { set_columns(&mut cursor)? } else { Vec::new() };
        let keyword = if update { "FROM" } else { "USING" };
        let sources = cursor.eat(&[keyword]).then(|| clause(&mut cursor));
        let condition = cursor.eat(&["WHERE"]).then(|| {
            let is_position = cursor.is(&["CURRENT", "OF"]);
            (clause(&mut cursor), is_position)
        });
        if cursor.is(&["RETURNING"]) {
            return Err(NotCuttable::Returning);
        }
        if condition.as_ref().is_some_and(|(_, is_position)| *is_position) {
            return Err(NotCuttable::CursorPosition);
        }
        let end = tokens.cursor().end_before(&cursor);
        let (command, condition) =
            (if update { "UPDATE" } else { "DELETE" }, condition.map(|(range, _)| range));
        Ok(Self { command, table, only, alias, sets, sources, condition, end })
    }

    /// What its conditions call the table, as SQL.
    pub fn called(&self) -> String {
        quote_ident(self.alias.as_deref().unwrap_or(&self.table.name))
    }

    /// The statement has a `WHERE`.
    pub fn has_condition(&self) -> bool {
        self.condition.is_some()
    }

    /// The statement's own condition.
    pub fn condition<'sql>(&self, sql: &'sql str) -> Option<&'sql str> {
        sql.get(self.condition.clone()?).map(str::trim)
    }

    /// The statement for those of its rows for which `range` holds.
    pub fn narrowed(&self, sql: &str, range: &str) -> Narrowed {
        let (at, text) = match &self.condition {
            Some(condition) => (condition.start, format!("({range}) AND (")),
            None => (self.end, format!("\nWHERE {range}")),
        };
        let (before, after) = (&sql[..at], &sql[at..self.end]);
        let close = if self.condition.is_some() { "\n)" } else { "" };
        let inserted = at..at + text.len();
        Narrowed { sql: format!("{before}{text}{after}{close}"), inserted }
    }

    /// The byte offset in the statement of an offset in what [`RowChange::counted`] gave; none for
    /// what is not its condition.
    pub fn counted_offset(&self, sql: &str, counted: &str, offset: usize) -> Option<usize> {
        let condition = self.condition(sql)?;
        let inside = offset.checked_sub(counted.rfind(condition)?)?;
        let start = self.condition.clone()?.start;
        (inside <= condition.len()).then_some(start + inside)
    }

    /// A query that counts the rows which the statement would change, of those for which `range`
    /// holds.
    pub fn counted(&self, sql: &str, range: &str) -> String {
        let only = if self.only { "ONLY " } else { "" };
        let from = format!("{only}{} AS {}", self.table, self.called());
        let own = self.condition(sql).map(|condition| format!("(\n{condition}\n)"));
        let sources = self.sources.clone().and_then(|range| sql.get(range));
        let condition = match (sources, own) {
            (None, None) => String::new(),
            (None, Some(own)) => format!(" AND {own}"),
            (Some(sources), own) => {
                let own = own.map(|own| format!(" WHERE {own}")).unwrap_or_default();
                format!(" AND EXISTS (SELECT 1 FROM {sources}\n{own})")
            }
        };
        format!("SELECT pg_catalog.count(*) FROM {from} WHERE ({range}){condition}")
    }
}

impl Narrowed {
    /// The byte offset in the statement as it was; none for what was put in.
    pub fn original_offset(&self, offset: usize) -> Option<usize> {
        match offset {
            _ if offset < self.inserted.start => Some(offset),
            _ if offset < self.inserted.end => None,
            _ => Some(offset - self.inserted.len()),
        }
    }
}

/// `name`, `name *`, `(name)`.
fn target(cursor: &mut Cursor<'_>) -> Option<QualifiedName> {
    let table = match cursor.parenthesized() {
        Some(mut inside) => inside.qualified(),
        None => cursor.qualified(),
    };
    if cursor.text() == "*" {
        cursor.bump();
    }
    table
}

fn alias(cursor: &mut Cursor<'_>) -> Option<String> {
    let named = cursor.eat(&["AS"]);
    let is_clause = cursor.is_any(&["SET", "USING", "WHERE", "RETURNING"]);
    if named || (cursor.is_name() && !is_clause) { cursor.ident() } else { None }
}

/// The columns that `SET a = …, (b, c) = …, d.e[1] = …` names, up to the next clause.
fn set_columns(cursor: &mut Cursor<'_>) -> Result<Vec<String>, NotCuttable> {
    if !cursor.eat(&["SET"]) {
        return Err(NotCuttable::OtherCommand);
    }
    let mut columns = Vec::new();
    loop {
        match cursor.parenthesized() {
            Some(list) => columns.extend(list.items().iter_mut().filter_map(Cursor::ident)),
            None => columns.extend(cursor.ident()),
        }
        while !cursor.at_end() && !cursor.is_symbol(b',') && !ends_clause(cursor) {
            skip_value(cursor);
        }
        if !cursor.eat_symbol(b',') {
            return Ok(columns);
        }
    }
}

/// `IS DISTINCT FROM` is no clause.
fn skip_value(cursor: &mut Cursor<'_>) {
    if !cursor.eat(&["DISTINCT", "FROM"]) {
        cursor.skip();
    }
}

fn ends_clause(cursor: &Cursor<'_>) -> bool {
    cursor.is_any(&["FROM", "USING", "WHERE", "RETURNING"]) || cursor.is_symbol(b';')
}

/// The text up to the next clause.
fn clause(cursor: &mut Cursor<'_>) -> Range<usize> {
    let begin = *cursor;
    while !cursor.at_end() && !is_after_clause(cursor) {
        skip_value(cursor);
    }
    begin.offset()..begin.end_before(cursor)
}

/// Joins in `FROM` may have `USING`.
fn is_after_clause(cursor: &Cursor<'_>) -> bool {
    cursor.is_any(&["WHERE", "RETURNING"]) || cursor.is_symbol(b';')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn narrowed(sql: &str) -> String {
        RowChange::parse(sql).unwrap().narrowed(sql, "R").sql
    }

    #[test]
    fn a_condition_is_put_in() {
        for (sql, expected) in [
            ("UPDATE t SET a = 1;", "UPDATE t SET a = 1\nWHERE R"),
            ("UPDATE t SET a = 1 -- all\n;", "UPDATE t SET a = 1\nWHERE R"),
            ("update s.t x set a=1 where b or c", "update s.t x set a=1 where (R) AND (b or c\n)"),
            ("DELETE FROM ONLY t * WHERE a -- b", "DELETE FROM ONLY t * WHERE (R) AND (a\n)"),
            (
                "UPDATE t SET a = (SELECT 1 FROM p WHERE p.id = t.p), b = x IS DISTINCT FROM y FROM q JOIN r USING (z) WHERE t.q = q.id",
                "UPDATE t SET a = (SELECT 1 FROM p WHERE p.id = t.p), b = x IS DISTINCT FROM y FROM q JOIN r USING (z) WHERE (R) AND (t.q = q.id\n)",
            ),
        ] {
            assert_eq!(narrowed(sql), expected);
        }
    }

    #[test]
    fn rows_are_counted_as_the_statement_would_find_them() {
        let sql = "UPDATE \"T\" AS x SET (a, b) = (1, 2), c[1] = 3 FROM p WHERE x.p = p.id;";
        let change = RowChange::parse(sql).unwrap();
        assert_eq!(change.sets, ["a", "b", "c"]);
        assert_eq!(change.called(), "x");
        assert_eq!(
            change.counted(sql, "R"),
            "SELECT pg_catalog.count(*) FROM \"T\" AS x WHERE (R) AND EXISTS (SELECT 1 FROM p\n WHERE (\nx.p = p.id\n))"
        );
    }

    #[test]
    fn offsets_of_the_count_lead_back() {
        let sql = "UPDATE t SET a = 1 FROM b WHERE b = é";
        let change = RowChange::parse(sql).unwrap();
        let counted = change.counted(sql, "b = é");
        let at = counted.rfind('é').unwrap();
        assert_eq!(change.counted_offset(sql, &counted, at), sql.find('é'));
        assert_eq!(change.counted_offset(sql, &counted, 0), None);
    }

    #[test]
    fn offsets_lead_back() {
        let sql = "UPDATE t SET a = 1 WHERE b = é";
        let narrowed = RowChange::parse(sql).unwrap().narrowed(sql, "id > 5");
        let at = narrowed.sql.find('é').unwrap();
        assert_eq!(narrowed.original_offset(at), sql.find('é'));
        assert_eq!(narrowed.original_offset(narrowed.sql.find("id").unwrap()), None);
        assert_eq!(narrowed.original_offset(7), Some(7));
    }

    #[test]
    fn what_cannot_be_cut_says_why() {
        for (sql, why) in [
            ("SELECT 1", NotCuttable::OtherCommand),
            ("WITH a AS (SELECT 1) UPDATE t SET a = 1", NotCuttable::OtherCommand),
            ("UPDATE t SET a = 1 RETURNING *", NotCuttable::Returning),
            ("DELETE FROM t WHERE CURRENT OF c", NotCuttable::CursorPosition),
            ("UPDATE", NotCuttable::OtherCommand),
        ] {
            assert_eq!(RowChange::parse(sql), Err(why), "{sql}");
        }
    }
}
