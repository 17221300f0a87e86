//! Order-independent checksums of a table's rows, computed by the server: which query gives them,
//! under which settings, in which parts.
//!
//! Invariant: equal rows give equal sums under [`CANONICAL_SETTINGS`], whatever the order of rows
//! and columns.

use pgfleet_sql::{QualifiedName, quote_ident};
use serde::{Deserialize, Serialize};

use crate::checksum::{Algorithm, RowValue, row_hash};

/// Under these, the same value has the same text everywhere. `row_security = off` makes a policy
/// that would hide rows an error.
pub const CANONICAL_SETTINGS: &str = "SET LOCAL search_path = ''; SET LOCAL \"TimeZone\" = 'UTC'; \
    SET LOCAL \"DateStyle\" = 'ISO, YMD'; SET LOCAL \"IntervalStyle\" = 'postgres'; \
    SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1; SET LOCAL lc_monetary = 'C'; \
    SET LOCAL row_security = off; SET LOCAL statement_timeout = 0; \
    SET LOCAL idle_in_transaction_session_timeout = 0;";

/// Pages (of 8 KiB) of a large table that one query sums.
const PAGES_AT_ONCE: u64 = 32_768;

/// A table to sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableShape {
    /// Which one.
    pub name: QualifiedName,
    /// Columns that are stored and not computed, in any order.
    pub columns: Vec<ChecksumColumn>,
    /// Pages of its heap.
    pub pages: u64,
    /// Bytes of heap and TOAST.
    pub bytes: u64,
}

/// A column to sum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChecksumColumn {
    /// Its name.
    pub name: String,
    /// The name of its type in `pg_catalog.pg_type` when it is one of PostgreSQL's own base types
    /// (of a domain, the type below); empty for any other.
    pub base_type: String,
}

/// Pages of a table, the last one not included; no end is the table's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRange {
    /// The first page.
    pub from: u64,
    /// The page after the last.
    pub to: Option<u64>,
}

/// The query that gives the number of rows and their sum, as text. It needs [`CANONICAL_SETTINGS`].
/// Sums of disjoint ranges add up to the sum of the table.
pub fn checksum_sql(table: &TableShape, algorithm: Algorithm, range: Option<PageRange>) -> String {
    format!(
        "SELECT pg_catalog.count(*)::text, coalesce(pg_catalog.sum({}), 0)::text FROM ONLY {} t{}",
        hash_of(&table.columns, algorithm),
        table.name,
        range.map(condition).unwrap_or_default(),
    )
}

/// The ranges that workers share; one without bounds where the server cannot scan a range by
/// itself (before PostgreSQL 14), or the table is small.
pub fn split_pages(table: &TableShape, server_version_num: u32) -> Vec<Option<PageRange>> {
    if server_version_num < 140_000 || table.pages <= PAGES_AT_ONCE {
        return vec![None];
    }
    let starts = (0..table.pages).step_by(PAGES_AT_ONCE as usize);
    let range = |from: u64| {
        let end = from + PAGES_AT_ONCE;
        // Pages that came after the size was read belong to the last range.
        Some(PageRange { from, to: (end < table.pages).then_some(end) })
    };
    starts.map(range).collect()
}

fn condition(range: PageRange) -> String {
    let below = range.to.map(|to| format!(" AND t.ctid < '({to},0)'::tid")).unwrap_or_default();
    format!(" WHERE t.ctid >= '({},0)'::tid{below}", range.from)
}

fn hash_of(columns: &[ChecksumColumn], algorithm: Algorithm) -> String {
    let mut columns: Vec<_> = columns.iter().collect();
    columns.sort_by(|a, b| a.name.cmp(&b.name));
    let values = columns.into_iter().map(|column| RowValue {
        expression: format!("t.{}", quote_ident(&column.name)),
        base_type: &column.base_type,
    });
    row_hash(&values.collect::<Vec<_>>(), algorithm)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(columns: &[(&str, &str)], pages: u64) -> TableShape {
        let column = |(name, base_type): &(&str, &str)| ChecksumColumn {
            name: (*name).to_owned(),
            base_type: (*base_type).to_owned(),
        };
        TableShape {
            name: QualifiedName::new("app", "Orders"),
            columns: columns.iter().map(column).collect(),
            pages,
            bytes: pages * 8192,
        }
    }

    #[test]
    fn columns_are_taken_by_name_and_by_type() {
        let table = table(&[("total", "int8"), ("kind", ""), ("id", "int4")], 1);
        assert_eq!(
            checksum_sql(&table, Algorithm::Record1, None),
            "SELECT pg_catalog.count(*)::text, coalesce(pg_catalog.sum(\
             pg_catalog.hash_record_extended(ROW(t.id, t.kind::text COLLATE \"C\", \
             pg_catalog.int8send(t.total)), 0)), 0)::text FROM ONLY app.\"Orders\" t"
        );
        let range = PageRange { from: 5, to: Some(9) };
        assert!(checksum_sql(&table, Algorithm::Text1, Some(range)).ends_with(
            "hashtextextended(ROW(t.id, t.kind, t.total)::text COLLATE \"C\", 0)), 0)::text \
             FROM ONLY app.\"Orders\" t WHERE t.ctid >= '(5,0)'::tid AND t.ctid < '(9,0)'::tid"
        ));
    }

    #[test]
    fn a_table_without_columns_is_counted() {
        let sql = checksum_sql(&table(&[], 1), Algorithm::Record1, None);
        assert!(sql.contains("sum(0::bigint)"), "{sql}");
    }

    #[test]
    fn ranges_cover_every_page_once() {
        assert_eq!(split_pages(&table(&[], 100), 150_000), [None]);
        assert_eq!(split_pages(&table(&[], 100_000), 130_000), [None]);
        let ranges = split_pages(&table(&[], 100_000), 150_000);
        let mut next = 0;
        for range in ranges.iter().flatten() {
            assert_eq!(range.from, next);
            next = range.to.unwrap_or(u64::MAX);
        }
        assert_eq!((ranges.len(), next), (4, u64::MAX));
    }
}
