//! Rows that nobody needs any more.

use super::{address, column_sql, counting, finding};
use crate::audit::catalog::{CatalogColumn, CatalogTable};
use crate::audit::finding::AuditCategory;
use crate::audit::judge::Question;
use crate::audit::names::{ends_as, has_word};
use crate::diagnose::Severity;

const PASSING: &[&str] =
    &["session", "token", "otp", "verification", "invitation", "invite", "reset", "nonce", "lock"];
const EXPIRY: &[&str] = &[
    "expires_at",
    "expires",
    "expiry",
    "expires_on",
    "expired_at",
    "expiration",
    "expire_at",
    "valid_until",
];
const ADVICE: &str =
    "Declare a [[maintain]] rule that takes them away in batches: pgfleet maintain.";

pub(super) fn ask(table: &CatalogTable, questions: &mut Vec<Question>) {
    let moment = |column: &&CatalogColumn| column.type_name.starts_with("timestamp");
    let named = |words: &[&str]| {
        table.columns.iter().filter(moment).find(|column| ends_as(&column.name, words))
    };
    let name = &table.name.name;
    if let Some(column) = named(EXPIRY).filter(|_| has_word(name, PASSING)) {
        let condition = format!("{} < pg_catalog.now()", column_sql(column));
        questions.push(question(table, column, "expired", "rows whose time is over", &condition));
    }
    if let Some(column) =
        named(&["created_at", "sent_at"]).filter(|_| has_word(name, &["notification", "alert"]))
    {
        let condition = format!("{} < pg_catalog.now() - interval '90 days'", column_sql(column));
        let what = "rows older than 90 days";
        questions.push(question(table, column, "stale-notification", what, &condition));
    }
}

fn question(
    table: &CatalogTable,
    column: &CatalogColumn,
    rule: &str,
    what: &str,
    condition: &str,
) -> Question {
    let (category, severity) = (AuditCategory::Stale, Severity::Note);
    counting(
        finding(rule, category, severity, address(table, column), what, ADVICE),
        table,
        condition,
    )
}
