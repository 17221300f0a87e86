//! `CREATE TABLE`.

use std::ops::Range;

use super::column::{self, ColumnShape};
use super::constraint::{self, ConstraintShape};
use crate::classify::create_table::is_constraint;
use crate::cursor::Cursor;
use crate::name::QualifiedName;

/// A table as it is created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableShape {
    /// Its name.
    pub name: QualifiedName,
    /// Where the name stands.
    pub name_range: Range<usize>,
    /// How long its rows live.
    pub persistence: Persistence,
    /// The table may be there already.
    pub if_not_exists: bool,
    /// Its columns.
    pub columns: Vec<ColumnShape>,
    /// Its table constraints.
    pub constraints: Vec<ConstraintShape>,
    /// Columns or constraints come from elsewhere: `LIKE`, `INHERITS`, `OF`, `PARTITION OF`, `AS`.
    pub borrows: bool,
    /// The table it is a partition of.
    pub partition_of: Option<QualifiedName>,
    /// Its rows go to partitions.
    pub partitioned: bool,
    /// The tables it inherits from.
    pub inherits: Vec<QualifiedName>,
    /// Its rows and columns are those of a query.
    pub of_query: bool,
}

/// How long a table's rows live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Persistence {
    /// Until they are deleted.
    Permanent,
    /// Until the session ends.
    Temporary,
    /// Until the server crashes.
    Unlogged,
}

pub(super) fn eat_persistence(cursor: &mut Cursor<'_>) -> Persistence {
    cursor.eat_any(&["GLOBAL", "LOCAL"]);
    if cursor.eat_any(&["TEMP", "TEMPORARY"]) {
        Persistence::Temporary
    } else if cursor.eat(&["UNLOGGED"]) {
        Persistence::Unlogged
    } else {
        Persistence::Permanent
    }
}

pub(super) fn read(mut cursor: Cursor<'_>, persistence: Persistence) -> Option<TableShape> {
    let if_not_exists = cursor.eat(&["IF", "NOT", "EXISTS"]);
    let start = cursor;
    let name = cursor.qualified()?;
    let mut table = TableShape {
        name,
        name_range: start.range_until(&cursor),
        persistence,
        if_not_exists,
        columns: Vec::new(),
        constraints: Vec::new(),
        borrows: false,
        partition_of: None,
        partitioned: false,
        inherits: Vec::new(),
        of_query: false,
    };
    if cursor.eat(&["PARTITION", "OF"]) {
        table.partition_of = cursor.qualified();
        table.borrows = true;
    } else if cursor.eat(&["OF"]) {
        cursor.qualified();
        table.borrows = true;
    }
    for item in cursor.parenthesized().map(Cursor::items).unwrap_or_default() {
        read_item(item, &mut table);
    }
    read_tail(cursor, &mut table);
    Some(table)
}

fn read_item(mut item: Cursor<'_>, table: &mut TableShape) {
    if item.eat(&["LIKE"]) {
        table.borrows = true;
    } else if is_constraint(item) {
        table.constraints.extend(constraint::read(item));
    } else {
        table.columns.extend(column::read(item));
    }
}

fn read_tail(cursor: Cursor<'_>, table: &mut TableShape) {
    table.partitioned = cursor.has(&["PARTITION", "BY"]);
    if let Some(mut rest) = cursor.find(&["INHERITS"]) {
        let parents = rest.parenthesized();
        table.inherits = parents.map(|mut list| list.qualified_list()).unwrap_or_default();
    }
    table.of_query = cursor.has(&["AS"]);
    table.borrows |= table.of_query || !table.inherits.is_empty();
}
