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
        summed(&row_hash(&self.values(), algorithm), &self.from_clause(None))
    }

    /// The same of the table's rows: the same answer for equal rows.
    pub fn sum_back_sql(&self, algorithm: Algorithm) -> String {
        summed(&row_hash(&self.values_back(), algorithm), &self.table_clause())
    }

    /// Each row's number, and a text that names the row; sorted by number.
    pub fn numbered_sql(&self, algorithm: Algorithm) -> String {
        let hash = row_hash(&self.values(), algorithm);
        numbered(&hash, &self.key_text(), &self.from_clause(None))
    }

    /// The same of the table's rows.
    pub fn numbered_back_sql(&self, algorithm: Algorithm) -> String {
        let hash = row_hash(&self.values_back(), algorithm);
        numbered(&hash, &self.key_text_back(), &self.table_clause())
    }

    fn values(&self) -> Vec<RowValue<'static>> {
        let value = |column: &Column| column.summed(&format!("({}\n)", column.expression));
        self.columns.iter().map(value).collect()
    }

    fn values_back(&self) -> Vec<RowValue<'static>> {
        let value = |column: &Column| column.summed(&format!("t.{}", quote_ident(&column.name)));
        self.columns.iter().map(value).collect()
    }

    /// `FROM …` of the table, called `t`.
    fn table_clause(&self) -> String {
        format!("FROM {} t", self.into.name())
    }

    /// A text that names a row of `s`: its key's columns.
    pub fn key_text(&self) -> String {
        if self.key.is_empty() {
            return "s::text".to_owned();
        }
        concatenated(self.key.iter().map(|column| (column.as_str(), "s", column.as_str())))
    }

    /// The same text for the row `t` of the table that came from it, or the whole row where a column of the
    /// key did not come along as it is.
    fn key_text_back(&self) -> String {
        let came = |key: &String| {
            let same = |column: &&Column| column.plain_name().as_ref() == Some(key);
            self.columns.iter().find(same).map(|column| column.name.as_str())
        };
        let columns: Option<Vec<_>> =
            self.key.iter().map(|key| Some((key.as_str(), "t", came(key)?))).collect();
        match columns.filter(|columns| !columns.is_empty()) {
            Some(columns) => concatenated(columns.into_iter()),
            None => "t::text".to_owned(),
        }
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

fn summed(hash: &str, from: &str) -> String {
    format!("SELECT pg_catalog.count(*), coalesce(pg_catalog.sum({hash}), 0)::numeric {from}")
}

fn numbered(hash: &str, name: &str, from: &str) -> String {
    format!("SELECT {hash}, {name} {from} ORDER BY 1")
}

/// `name=value, …` of columns: what they are called, of which row, and what they are called there.
fn concatenated<'a>(columns: impl Iterator<Item = (&'a str, &'a str, &'a str)>) -> String {
    let part = |(name, row, column): (&str, &str, &str)| {
        let label = pgfleet_sql::quote_literal_standard(&format!("{name}="));
        format!("{label} || {row}.{}::text", quote_ident(column))
    };
    format!("pg_catalog.concat_ws(', ', {})", columns.map(part).collect::<Vec<_>>().join(", "))
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
