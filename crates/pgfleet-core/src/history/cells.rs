//! Reading cells of history rows and writing values into SQL, the same for every dialect.

pub(super) use pgfleet_sql::quote_text as literal;

use super::{LayoutError, TextRow};

/// A cell that must hold a value.
pub(super) fn required<'row>(
    row: &'row TextRow,
    index: usize,
    column: &str,
) -> Result<&'row str, LayoutError> {
    optional(row, index).ok_or_else(|| LayoutError::new(format!("column {column} is null")))
}

/// A cell that may be null.
pub(super) fn optional(row: &TextRow, index: usize) -> Option<&str> {
    row.get(index)?.as_deref()
}

/// A boolean cell, as PostgreSQL prints it.
pub(super) fn boolean(row: &TextRow, index: usize, column: &str) -> Result<bool, LayoutError> {
    match required(row, index, column)? {
        "t" | "true" => Ok(true),
        "f" | "false" => Ok(false),
        other => Err(LayoutError::new(format!("column {column} holds {other:?}, not a boolean"))),
    }
}

/// A string literal or `NULL`.
pub(super) fn literal_or_null(value: Option<&str>) -> String {
    value.map_or_else(|| "NULL".to_owned(), literal)
}

/// An integer literal; `NULL` for text that is none, which the column then refuses.
pub(super) fn integer(value: &str) -> String {
    value.parse::<i64>().map_or_else(|_| "NULL".to_owned(), |number| number.to_string())
}

/// Milliseconds since the beginning of the transaction, as an expression.
pub(super) const ELAPSED_MS: &str =
    "(extract(epoch FROM clock_timestamp() - now()) * 1000)::bigint";

/// `1`, `2`, `3` … for rows without an order number of their own.
pub(super) fn rank(index: usize) -> i64 {
    i64::try_from(index).unwrap_or(i64::MAX - 1) + 1
}
