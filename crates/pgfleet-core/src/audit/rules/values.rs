//! Values that cannot be right.

use pgfleet_sql::quote_literal;

use super::{address, column_sql, counting, finding, listing, rows_where};
use crate::audit::catalog::{Catalog, CatalogColumn, CatalogEnum, CatalogTable};
use crate::audit::finding::{AuditCategory, Finding};
use crate::audit::judge::{Question, Reading, counting_sql};
use crate::audit::names::{ends_as, singular, snake};
use crate::diagnose::Severity;

const QUANTITIES: &[&str] = &[
    "quantity",
    "qty",
    "quantite",
    "stock",
    "on_hand",
    "price",
    "prix",
    "unit_price",
    "weight",
    "poids",
    "height",
    "width",
    "length",
    "duration",
    "age",
    "capacity",
    "hours",
];
const PAST: &[&str] =
    &["created_at", "created_on", "birth_date", "birthdate", "date_of_birth", "registered_at"];
const KINDS: &[&str] =
    &["status", "statut", "state", "role", "type", "kind", "category", "priority"];
const PERIODS: &[(&str, &str)] = &[
    ("start_date", "end_date"),
    ("starts_at", "ends_at"),
    ("start_at", "end_at"),
    ("start_time", "end_time"),
    ("started_at", "ended_at"),
    ("started_at", "finished_at"),
    ("valid_from", "valid_until"),
    ("valid_from", "valid_to"),
    ("date_debut", "date_fin"),
];
/// Of PostgreSQL's regular expressions, without regard to case.
const TEST_TEXT: &str = r"^(test|tests|testing|demo|dummy|fake|foo|foobar|asdf|qwerty|xxx+)([ _.@+-]|\d|$)|lorem ipsum|@(example|test|localhost|fake|mailinator)(\.|$)";

pub(super) fn ask(catalog: &Catalog, table: &CatalogTable, questions: &mut Vec<Question>) {
    for column in &table.columns {
        match column.category {
            'N' if ends_as(&column.name, QUANTITIES) => {
                questions.push(negative(table, column));
            }
            'D' if ends_as(&column.name, PAST) && is_moment(column) => {
                questions.push(future(table, column));
            }
            'S' => ask_text(catalog, table, column, questions),
            _ => {}
        }
    }
    questions.extend(periods(table));
}

fn ask_text(
    catalog: &Catalog,
    table: &CatalogTable,
    column: &CatalogColumn,
    questions: &mut Vec<Question>,
) {
    if let Some(labels) = enum_of(catalog, table, column) {
        questions.push(unknown(table, column, labels));
    }
    if ends_as(&column.name, KINDS) {
        questions.push(variants(table, column));
    }
    if ends_as(
        &column.name,
        &["email", "email_address", "username", "login", "name", "nom", "title"],
    ) {
        questions.push(test_rows(table, column));
    }
}

fn is_moment(column: &CatalogColumn) -> bool {
    column.type_name.starts_with("timestamp") || column.type_name == "date"
}

fn value_finding(
    rule: &str,
    table: &CatalogTable,
    column: &CatalogColumn,
    what: String,
    advice: &str,
) -> Finding {
    let (category, severity) = (AuditCategory::Values, Severity::Warning);
    finding(rule, category, severity, address(table, column), what, advice)
}

fn negative(table: &CatalogTable, column: &CatalogColumn) -> Question {
    let advice = "Correct them, then add CHECK (… >= 0).";
    let found = value_finding("negative-quantity", table, column, "values below 0".into(), advice);
    counting(found, table, &format!("{} < 0", column_sql(column)))
}

fn future(table: &CatalogTable, column: &CatalogColumn) -> Question {
    let advice = "Look at the clock and the time zone of what wrote them.";
    let found =
        value_finding("time-in-future", table, column, "times in the future".into(), advice);
    let condition = format!("{} > pg_catalog.now() + interval '1 day'", column_sql(column));
    counting(found, table, &condition)
}

fn periods(table: &CatalogTable) -> Vec<Question> {
    let named = |name: &str| table.columns.iter().find(|column| snake(&column.name) == name);
    let question = |(from, to): &(&str, &str)| {
        let (from, to) = (named(from)?, named(to)?);
        let alike = from.type_name == to.type_name && is_moment(from);
        let what = format!("periods that end before {}", from.name);
        let found =
            value_finding("end-before-start", table, to, what, "Correct them, then add a CHECK.");
        let condition = format!("{} < {}", column_sql(to), column_sql(from));
        alike.then(|| counting(found, table, &condition))
    };
    PERIODS.iter().filter_map(question).collect()
}

/// An enum that is named as the column, or as table and column.
fn enum_of<'a>(
    catalog: &'a Catalog,
    table: &CatalogTable,
    column: &CatalogColumn,
) -> Option<&'a CatalogEnum> {
    let name = snake(&column.name);
    let long = format!("{}_{name}", singular(&snake(&table.name.name)));
    let fits = |wanted: &str| {
        catalog.enums.iter().find(|one| {
            let found = snake(&one.name);
            found == wanted
                || found == format!("{wanted}_enum")
                || found == format!("{wanted}_type")
        })
    };
    fits(&long).or_else(|| fits(&name))
}

/// Only where some rows have a label, in whatever case: `content` is seldom a `content_type`.
fn unknown(table: &CatalogTable, column: &CatalogColumn, of: &CatalogEnum) -> Question {
    let quoted = |labels: &mut dyn Iterator<Item = String>| -> String {
        let labels: Vec<_> = labels.filter_map(|label| quote_literal(&label).ok()).collect();
        labels.join(", ")
    };
    let value = format!("{}::text", column_sql(column));
    let condition = format!("{value} NOT IN ({})", quoted(&mut of.labels.iter().cloned()));
    let lower = quoted(&mut of.labels.iter().map(|label| label.to_lowercase()));
    let total = format!(
        "SELECT pg_catalog.count(*) FROM {} t WHERE pg_catalog.lower(pg_catalog.btrim({value})) IN ({lower})",
        table.name
    );
    let what = format!("values that the enum {} does not have", of.name);
    let advice =
        "Correct them, or add the value to the enum; then give the column the enum's type.";
    let found = value_finding("unknown-value", table, column, what, advice);
    Question {
        finding: Finding { sql: Some(listing(table, &condition)), ..found },
        sql: counting_sql(&rows_where(table, &condition), &total),
        reading: Reading::Suggested,
    }
}

/// All but the most frequent spelling of values that differ only in case or blanks.
fn variants(table: &CatalogTable, column: &CatalogColumn) -> Question {
    let value = format!("{}::text", column_sql(column));
    let counted = format!(
        "SELECT {value} AS v, pg_catalog.count(*) AS c FROM {} t WHERE {value} IS NOT NULL GROUP BY 1",
        table.name
    );
    let rare = format!(
        "SELECT v FROM (SELECT v, pg_catalog.row_number() OVER \
         (PARTITION BY pg_catalog.lower(pg_catalog.btrim(v)) ORDER BY c DESC, v) AS place \
         FROM ({counted}) s) r WHERE place > 1"
    );
    let condition = format!("{value} IN ({rare})");
    let what = "values that differ from a more frequent one only in case or blanks".into();
    let advice = "Write them alike, then add a CHECK or an enum type.";
    counting(value_finding("spelling-variants", table, column, what, advice), table, &condition)
}

fn test_rows(table: &CatalogTable, column: &CatalogColumn) -> Question {
    let pattern = quote_literal(TEST_TEXT).unwrap_or_default();
    let condition = format!("{}::text ~* {pattern}", column_sql(column));
    let found = Finding {
        category: AuditCategory::Stale,
        severity: Severity::Note,
        ..value_finding(
            "test-row",
            table,
            column,
            "rows that look like tests".into(),
            "Declare a [[clean]] rule for those that are, and take them away with `pgfleet clean`.",
        )
    };
    counting(found, table, &condition)
}
