//! What is there more than once.

use super::{address, column_sql, finding, live};
use crate::audit::catalog::{CatalogColumn, CatalogTable};
use crate::audit::finding::{AuditCategory, Finding};
use crate::audit::judge::Question;
use crate::audit::names::{ends_as, is_own_code};
use crate::diagnose::Severity;

const ONCE: &[&str] = &[
    "email",
    "email_address",
    "username",
    "user_name",
    "login",
    "slug",
    "siret",
    "siren",
    "vat_number",
    "invoice_number",
    "order_number",
    "sku",
    "iban",
    "ean",
    "barcode",
];

pub(super) fn ask(table: &CatalogTable, questions: &mut Vec<Question>) {
    let once = |column: &&CatalogColumn| {
        let is_once = ends_as(&column.name, ONCE) || is_own_code(&column.name, &table.name.name);
        column.category == 'S' && is_once
    };
    let unique = |column: &CatalogColumn| {
        table.indexes.iter().any(|index| {
            index.unique && index.columns.iter().flatten().any(|name| *name == column.name)
        })
    };
    for column in table.columns.iter().filter(once).filter(|column| !unique(column)) {
        questions.push(values(table, column));
    }
    if table.primary_key.is_empty() && !table.indexes.iter().any(|index| index.unique) {
        questions.push(rows(table));
    }
}

/// Addresses and names are the same in any case.
fn values(table: &CatalogTable, column: &CatalogColumn) -> Question {
    let value = format!("pg_catalog.lower(pg_catalog.btrim({}::text))", column_sql(column));
    let live = live(table, "t").map(|live| format!(" AND {live}")).unwrap_or_default();
    let groups = format!(
        "SELECT {value} AS k, pg_catalog.count(*) AS times FROM {} t \
         WHERE {} IS NOT NULL AND {value} <> ''{live} GROUP BY 1 HAVING pg_catalog.count(*) > 1",
        table.name,
        column_sql(column)
    );
    let found = Finding {
        sql: Some(format!("{groups} ORDER BY 2 DESC")),
        ..finding(
            "duplicate-value",
            AuditCategory::Duplicates,
            Severity::Warning,
            address(table, column),
            "values that several rows have",
            "Merge the rows, then CREATE UNIQUE INDEX CONCURRENTLY.",
        )
    };
    Question::counting(found, &format!("SELECT g.k FROM ({groups}) g"))
}

fn rows(table: &CatalogTable) -> Question {
    let groups = format!(
        "SELECT t::text AS k FROM {} t GROUP BY t::text HAVING pg_catalog.count(*) > 1",
        table.name
    );
    let found = Finding {
        sql: Some(groups.clone()),
        ..finding(
            "duplicate-row",
            AuditCategory::Duplicates,
            Severity::Warning,
            table.name.to_string(),
            "rows that are there more than once, in all columns",
            "Keep one of each, and give the table a primary key.",
        )
    };
    Question::counting(found, &groups)
}
