//! A move: which rows of the source fill a table, as the SELECT that gives them.
//!
//! Invariant: the SELECT's columns have the types of the table's columns without length and
//! precision, so that no cast shortens or rounds a value: what does not fit is refused where the row
//! is written.

use pgfleet_sql::quote_ident;
use serde::{Deserialize, Serialize};

use super::place_name::FamilyTable;
use crate::checksum::{Algorithm, RowValue, base_type_named, row_hash};

/// Fills one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Move {
    /// The table.
    pub into: FamilyTable,
    /// Where its rows come from.
    pub rows: Rows,
    /// Its columns that are written, in order.
    pub columns: Vec<Column>,
    /// Rows travel in PostgreSQL's binary form.
    pub is_binary: bool,
    /// The columns that tell its rows apart, for messages; of the source, or of the query.
    pub key: Vec<String>,
}

/// Where rows come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rows", rename_all = "snake_case")]
pub enum Rows {
    /// A table of the source, called `s` in expressions.
    Table {
        /// The table, quoted.
        table: String,
        /// Only these rows.
        condition: Option<String>,
    },
    /// A query on the source, called `s` in expressions.
    Query {
        /// The query.
        query: String,
    },
}

/// A column that is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its value, over `s`.
    pub expression: String,
    /// The type that the value is cast to.
    pub cast: String,
    /// The column's type with length or precision.
    pub full_type: String,
}

/// Pages of a table's file, the last one excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageRange {
    /// The first page.
    pub from: u64,
    /// The page after the last; none is the end of the file, however long it is.
    pub until: Option<u64>,
}

impl Move {
    /// The SELECT of the rows, of all or of those in some pages.
    pub fn select(&self, pages: Option<PageRange>) -> String {
        let columns: Vec<_> = self.columns.iter().map(Column::select).collect();
        format!("SELECT {} {}", columns.join(", "), self.from_clause(pages))
    }

    /// `FROM … WHERE …` of the rows.
    pub fn from_clause(&self, pages: Option<PageRange>) -> String {
        match &self.rows {
            Rows::Query { query } => format!("FROM ({query}\n) s"),
            Rows::Table { table, condition } => {
                let mut conditions: Vec<String> =
                    condition.iter().map(|condition| format!("({condition}\n)")).collect();
                conditions.extend(pages.map(PageRange::condition));
                let conditions = match conditions.is_empty() {
                    true => String::new(),
                    false => format!(" WHERE {}", conditions.join(" AND ")),
                };
                format!("FROM {table} s{conditions}")
            }
        }
    }

    /// `FROM … WHERE …` of those rows that fit a condition over `s`.
    pub fn from_where(&self, condition: &str) -> String {
        let from = self.from_clause(None);
        match &self.rows {
            Rows::Table { condition: Some(_), .. } => format!("{from} AND ({condition})"),
            _ => format!("{from} WHERE ({condition})"),
        }
    }

    /// The table's columns that are written, quoted.
    pub fn column_list(&self) -> String {
        let names: Vec<_> = self.columns.iter().map(|column| quote_ident(&column.name)).collect();
        names.join(", ")
    }

    /// Counts the rows and adds up a number for each.
    pub fn sum_sql(&self, algorithm: Algorithm) -> String {
        let value = |column: &Column| format!("({}\n)", column.expression);
        self.summed(value, &self.from_clause(None), algorithm)
    }

    /// The same of the table's rows: the same answer for equal rows.
    pub fn sum_back_sql(&self, algorithm: Algorithm) -> String {
        let value = |column: &Column| format!("t.{}", quote_ident(&column.name));
        self.summed(value, &format!("FROM {} t", self.into.name()), algorithm)
    }

    fn summed(
        &self,
        value: impl Fn(&Column) -> String,
        from: &str,
        algorithm: Algorithm,
    ) -> String {
        let values: Vec<_> =
            self.columns.iter().map(|column| column.summed(&value(column))).collect();
        format!(
            "SELECT pg_catalog.count(*), coalesce(pg_catalog.sum({}), 0)::numeric {from}",
            row_hash(&values, algorithm)
        )
    }

    /// A text that names a row of `s`: its key's columns.
    pub fn key_text(&self) -> String {
        if self.key.is_empty() {
            return "s::text".to_owned();
        }
        let part = |column: &String| {
            let name = quote_ident(column);
            format!(
                "{} || s.{name}::text",
                pgfleet_sql::quote_literal_standard(&format!("{column}="))
            )
        };
        let parts: Vec<_> = self.key.iter().map(part).collect();
        format!("pg_catalog.concat_ws(', ', {})", parts.join(", "))
    }

    /// COPY out of the source.
    pub fn copy_out(&self, pages: Option<PageRange>) -> String {
        format!("COPY ({}) TO STDOUT{}", self.select(pages), self.format_clause())
    }

    /// COPY into the table.
    pub fn copy_in(&self) -> String {
        let (table, columns) = (self.into.name(), self.column_list());
        format!("COPY {table} ({columns}) FROM STDIN{}", self.format_clause())
    }

    fn format_clause(&self) -> &'static str {
        if self.is_binary { " (FORMAT binary)" } else { "" }
    }
}

impl Column {
    /// `1.5` and `1.50` are the same number in other bytes (`trim_scale`, PostgreSQL 13).
    fn summed(&self, value: &str) -> RowValue<'static> {
        let cast = format!("({value}::{})", self.cast);
        let base_type = base_type_named(&self.cast);
        let expression = match base_type {
            "numeric" => format!("pg_catalog.trim_scale{cast}"),
            _ => cast,
        };
        RowValue { expression, base_type }
    }

    /// True when the value is a column of `s` as it is, so that reading it cannot fail.
    pub(super) fn is_plain(&self) -> bool {
        self.plain_name().is_some()
    }

    /// The column of `s` that the value is.
    pub(super) fn plain_name(&self) -> Option<String> {
        let name = self.expression.strip_prefix("s.").and_then(pgfleet_sql::parse_qualified)?;
        name.schema.is_none().then_some(name.name)
    }

    fn select(&self) -> String {
        format!("({}\n)::{} AS {}", self.expression, self.cast, quote_ident(&self.name))
    }
}

impl PageRange {
    /// Ranges of about `size` pages that cover a file, the last one without an end.
    pub fn cover(pages: u64, size: u64) -> Vec<Self> {
        let starts = (0..pages.max(1)).step_by(usize::try_from(size.max(1)).unwrap_or(usize::MAX));
        let mut ranges: Vec<_> =
            starts.map(|from| Self { from, until: Some(from + size.max(1)) }).collect();
        if let Some(last) = ranges.last_mut() {
            last.until = None;
        }
        ranges
    }

    /// A condition that PostgreSQL 14 and later read as a range scan ("TID Range Scan").
    fn condition(self) -> String {
        let from = format!("s.ctid >= '({},0)'", self.from);
        match self.until {
            Some(until) => format!("{from} AND s.ctid < '({until},0)'"),
            None => from,
        }
    }
}
