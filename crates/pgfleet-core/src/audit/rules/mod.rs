//! The built-in rules, one file for each kind.

mod duplicates;
mod references;
mod required;
mod schema;
mod stale;
mod values;

use pgfleet_sql::quote_ident;

use super::catalog::{Catalog, CatalogColumn, CatalogTable};
use super::finding::{AuditCategory, Finding};
use super::judge::Question;
use crate::diagnose::Severity;

/// Every built-in rule with what it looks for, for `--list-rules` and to check names by.
pub const RULES: &[(&str, &str)] = &[
    ("orphan", "rows whose declared foreign key refers to no row"),
    ("orphan-likely", "rows of a column that looks like a reference and refers to no row"),
    ("foreign-key-missing", "a column that refers to another table's rows without a foreign key"),
    ("live-child-of-deleted", "rows that are live while their parent is marked as deleted"),
    ("duplicate-value", "values that should be there once: e-mail addresses, codes, user names"),
    ("duplicate-row", "whole rows that are there twice in a table without a key"),
    ("required-null", "NULL where names say that a value is needed"),
    ("required-empty", "empty text where names say that a value is needed"),
    ("unknown-value", "text that is none of the labels of the enum that the column is named by"),
    ("spelling-variants", "values of a status or role that differ only in case or blanks"),
    ("negative-quantity", "quantities, prices and the like below 0"),
    ("time-in-future", "creation and birth dates in the future"),
    ("end-before-start", "periods that end before they begin"),
    ("test-row", "rows that look like tests: test@…, @example.com, lorem ipsum"),
    ("expired", "sessions and tokens whose time is over"),
    ("stale-notification", "notifications older than 90 days"),
    ("sequence-behind", "a sequence that would give a number that its column has already"),
    ("sequence-near-end", "a sequence that has used more than 80 % of its numbers"),
    ("foreign-key-index", "a foreign key without an index to find its rows by"),
    ("foreign-key-unvalidated", "a foreign key that was never checked on all rows"),
    ("primary-key-missing", "a table without a primary key"),
    ("index-invalid", "an index that a failed CREATE INDEX CONCURRENTLY left"),
    ("index-duplicate", "two indexes that do the same"),
    ("index-unused", "an index that was never used since statistics began"),
    ("bloat", "a table that takes much more room than its rows"),
];

/// What to ask the rows.
pub fn questions(catalog: &Catalog) -> Vec<Question> {
    let mut questions = Vec::new();
    for table in &catalog.tables {
        references::ask(catalog, table, &mut questions);
        duplicates::ask(table, &mut questions);
        required::ask(table, &mut questions);
        values::ask(catalog, table, &mut questions);
        stale::ask(table, &mut questions);
    }
    schema::ask(catalog, &mut questions);
    questions
}

/// What the catalog alone tells.
pub fn lint(catalog: &Catalog) -> Vec<Finding> {
    schema::lint(catalog)
}

/// A finding without count and samples.
fn finding(
    rule: &str,
    category: AuditCategory,
    severity: Severity,
    object: String,
    what: impl Into<String>,
    recommendation: impl Into<String>,
) -> Finding {
    Finding {
        rule: rule.to_owned(),
        category,
        severity,
        object,
        what: what.into(),
        count: None,
        samples: Vec::new(),
        recommendation: recommendation.into(),
        sql: None,
    }
}

/// Rows of a table that satisfy a condition on alias `t`, as [`Question::counting`] takes them.
fn rows_where(table: &CatalogTable, condition: &str) -> String {
    format!("SELECT {} AS k FROM {} t WHERE {condition}", table.key_sql(), table.name)
}

/// The same as a query for people.
fn listing(table: &CatalogTable, condition: &str) -> String {
    format!("SELECT t.* FROM {} t WHERE {condition}", table.name)
}

/// A question about rows that satisfy a condition.
fn counting(finding: Finding, table: &CatalogTable, condition: &str) -> Question {
    let finding = Finding { sql: Some(listing(table, condition)), ..finding };
    Question::counting(finding, &rows_where(table, condition))
}

/// `t.column`
fn column_sql(column: &CatalogColumn) -> String {
    format!("t.{}", quote_ident(&column.name))
}

/// `schema.table.column`
fn address(table: &CatalogTable, column: &CatalogColumn) -> String {
    format!("{}.{}", table.name, quote_ident(&column.name))
}

/// The column that marks a row as deleted, as a condition on an alias that holds for live rows.
fn live(table: &CatalogTable, alias: &str) -> Option<String> {
    let is = |column: &&CatalogColumn| match column.category {
        'D' => super::names::ends_as(&column.name, &["deleted_at", "deleted_on", "date_deleted"]),
        'B' => super::names::ends_as(&column.name, &["is_deleted", "deleted"]),
        _ => false,
    };
    let column = table.columns.iter().find(is)?;
    let name = format!("{alias}.{}", quote_ident(&column.name));
    Some(match column.category {
        'D' => format!("{name} IS NULL"),
        _ => format!("{name} IS NOT TRUE"),
    })
}
