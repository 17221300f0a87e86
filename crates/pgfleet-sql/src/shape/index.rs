//! `CREATE INDEX`.

use std::ops::Range;

use crate::cursor::Cursor;
use crate::name::QualifiedName;

/// An index as it is created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexShape {
    /// Its name, when it is given one.
    pub name: Option<String>,
    /// `INDEX` and what stands before the table: what a rule about its making marks.
    pub head: Range<usize>,
    /// The table.
    pub table: QualifiedName,
    /// No two rows may have the same key.
    pub unique: bool,
    /// It is built without blocking writers.
    pub concurrently: bool,
    /// It may be there already.
    pub if_not_exists: bool,
    /// The access method, `btree` when none is named.
    pub method: String,
    /// What it is on, in order.
    pub keys: Vec<IndexKey>,
    /// Further columns that it carries.
    pub include: Vec<String>,
    /// The condition of a partial index, blanks reduced; empty for a whole one.
    pub condition: String,
    /// NULLs count as equal.
    pub nulls_not_distinct: bool,
}

/// One key of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexKey {
    /// The column, when it is one and no expression.
    pub column: Option<String>,
    /// The key as written, with operator class, collation and order.
    pub text: String,
}

impl IndexShape {
    /// The columns when every key is one; `None` with an expression among them.
    #[must_use]
    pub fn columns(&self) -> Option<Vec<&str>> {
        self.keys.iter().map(|key| key.column.as_deref()).collect()
    }
}

pub(super) fn read(mut cursor: Cursor<'_>, unique: bool) -> Option<IndexShape> {
    let start = cursor;
    let concurrently = cursor.eat(&["CONCURRENTLY"]);
    let if_not_exists = cursor.eat(&["IF", "NOT", "EXISTS"]);
    let name = if cursor.is(&["ON"]) { None } else { cursor.qualified() };
    let head = start.range_until(&cursor);
    cursor.eat(&["ON"]);
    cursor.eat(&["ONLY"]);
    let before_table = cursor;
    let table = cursor.qualified()?;
    let head = if head.is_empty() { before_table.range_until(&cursor) } else { head };
    let method = cursor.eat(&["USING"]).then(|| cursor.ident()).flatten();
    let keys = cursor.parenthesized().map(Cursor::items).unwrap_or_default();
    let include = if cursor.eat(&["INCLUDE"]) { cursor.parenthesized() } else { None };
    let include = include.map(Cursor::items).unwrap_or_default();
    Some(IndexShape {
        name: name.map(|name| name.name),
        head,
        table,
        unique,
        concurrently,
        if_not_exists,
        method: method.unwrap_or_else(|| "btree".to_owned()),
        keys: keys.into_iter().map(read_key).collect(),
        include: include.into_iter().filter_map(|mut item| item.ident()).collect(),
        condition: condition(cursor),
        nulls_not_distinct: cursor.has(&["NULLS", "NOT", "DISTINCT"]),
    })
}

/// A column is a name that no parenthesis follows: `lower(x)` is an expression.
fn read_key(item: Cursor<'_>) -> IndexKey {
    let mut after = item;
    let name = after.ident();
    let column = name.filter(|_| !after.is_symbol(b'(') && !after.is_symbol(b'.'));
    IndexKey { column, text: item.rest_text() }
}

fn condition(cursor: Cursor<'_>) -> String {
    let condition = cursor.find(&["WHERE"]).map(|rest| rest.rest_text()).unwrap_or_default();
    condition.trim_end_matches(';').trim_end().to_owned()
}
