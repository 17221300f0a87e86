//! One number for a row, computed by the server; backups, splits and rehearsals add them up to tell
//! whether two sides hold the same rows, whatever their order.
//!
//! Invariant: equal rows give equal numbers on any server, in any database and on every major
//! version, under settings that give a value the same text everywhere: values go in as the bytes of
//! their binary form or as text, never by an OID that another database gives anew (PostgreSQL
//! hashes enums by it).

use serde::{Deserialize, Serialize};

/// How a row becomes a number; sums of different algorithms cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// `hash_record_extended` of the columns' bytes. PostgreSQL adds up the columns' hashes times powers of
    /// 31 in it, so that a sum over rows does not change when two rows exchange the values of a column: only
    /// for backups that were made with it.
    Record1,
    /// The same, hashed once more, so that a sum says which values stand together in a row; PostgreSQL 14
    /// and newer.
    Record2,
    /// `hashtextextended` of the row's text; about half as fast, everywhere.
    Text1,
}

impl Algorithm {
    /// The fastest that a server has.
    pub fn of_server(version_num: u32) -> Self {
        if version_num >= 140_000 { Self::Record2 } else { Self::Text1 }
    }
}

/// A value of a row: an expression, and the name of its type in `pg_catalog.pg_type` when it is one
/// of PostgreSQL's own base types; empty for any other.
#[derive(Debug, Clone)]
pub struct RowValue<'a> {
    /// SQL.
    pub expression: String,
    /// `int4`, `text` …
    pub base_type: &'a str,
}

/// The expression, a `bigint`, for rows of these values.
pub fn row_hash(values: &[RowValue<'_>], algorithm: Algorithm) -> String {
    if values.is_empty() {
        return "0::bigint".to_owned();
    }
    match algorithm {
        Algorithm::Record1 => record_hash(values),
        // The whole hash goes in as the seed.
        Algorithm::Record2 => format!("pg_catalog.hashint4extended(0, {})", record_hash(values)),
        Algorithm::Text1 => {
            let values: Vec<_> = values.iter().map(|value| value.expression.as_str()).collect();
            format!(
                "pg_catalog.hashtextextended(ROW({})::text COLLATE \"C\", 0)",
                values.join(", ")
            )
        }
    }
}

fn record_hash(values: &[RowValue<'_>]) -> String {
    let values: Vec<_> = values.iter().map(hashed).collect();
    format!("pg_catalog.hash_record_extended(ROW({}), 0)", values.join(", "))
}

/// What stands for a value. Eight-byte integers and times go in as bytes, because PostgreSQL folds
/// them to four before it hashes them (`hashint8extended`), so that 1 and 2³² are alike; numerics
/// because 1.0 and 1.00 hash alike.
fn hashed(value: &RowValue<'_>) -> String {
    let expression = &value.expression;
    match value.base_type {
        "int2" | "int4" | "oid" | "bool" | "date" | "uuid" | "bytea" => expression.clone(),
        "text" | "varchar" | "bpchar" => format!("{expression} COLLATE \"C\""),
        "int8" => format!("pg_catalog.int8send({expression})"),
        "float4" => format!("pg_catalog.float4send({expression})"),
        "float8" => format!("pg_catalog.float8send({expression})"),
        "numeric" => format!("pg_catalog.numeric_send({expression})"),
        "timestamp" => format!("pg_catalog.timestamp_send({expression})"),
        "timestamptz" => format!("pg_catalog.timestamptz_send({expression})"),
        "time" => format!("pg_catalog.time_send({expression})"),
        _ => format!("{expression}::text COLLATE \"C\""),
    }
}

/// The name in `pg_type` of what `format_type` writes without length and precision; empty for types
/// that go in as text.
pub fn base_type_named(format_type: &str) -> &'static str {
    match format_type.strip_prefix("pg_catalog.").unwrap_or(format_type) {
        "smallint" => "int2",
        "integer" => "int4",
        "bigint" => "int8",
        "oid" => "oid",
        "boolean" => "bool",
        "date" => "date",
        "uuid" => "uuid",
        "bytea" => "bytea",
        "text" => "text",
        "character varying" => "varchar",
        "bpchar" => "bpchar",
        "real" => "float4",
        "double precision" => "float8",
        "numeric" => "numeric",
        "timestamp without time zone" => "timestamp",
        "timestamp with time zone" => "timestamptz",
        "time without time zone" => "time",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_in_by_their_type() {
        let value =
            |expression: &str, base_type| RowValue { expression: expression.to_owned(), base_type };
        let values = [value("a", "int4"), value("b", "int8"), value("c", "")];
        let row = "pg_catalog.hash_record_extended(ROW(a, pg_catalog.int8send(b), \
                   c::text COLLATE \"C\"), 0)";
        assert_eq!(row_hash(&values, Algorithm::Record1), row);
        let again = format!("pg_catalog.hashint4extended(0, {row})");
        assert_eq!(row_hash(&values, Algorithm::Record2), again);
        assert_eq!(
            row_hash(&values, Algorithm::Text1),
            "pg_catalog.hashtextextended(ROW(a, b, c)::text COLLATE \"C\", 0)"
        );
        assert_eq!(row_hash(&[], Algorithm::Record1), "0::bigint");
    }

    #[test]
    fn types_are_known_by_what_format_type_writes() {
        assert_eq!(base_type_named("timestamp with time zone"), "timestamptz");
        assert_eq!(base_type_named("pg_catalog.text"), "text");
        assert_eq!(base_type_named("jsonb"), "");
    }
}
