//! What is lacking where names say that it is needed.

use super::{address, column_sql, counting, finding, live};
use crate::audit::catalog::{CatalogColumn, CatalogTable};
use crate::audit::finding::AuditCategory;
use crate::audit::judge::Question;
use crate::audit::names::{ends_as, is_own_code, is_state_of_address};
use crate::diagnose::Severity;

const NEEDED: &[&str] = &[
    "email",
    "email_address",
    "username",
    "user_name",
    "login",
    "name",
    "nom",
    "title",
    "password",
    "password_hash",
    "mot_de_passe",
    "status",
    "statut",
    "state",
    "type",
    "role",
    "currency",
    "slug",
    "created_at",
];

pub(super) fn ask(table: &CatalogTable, questions: &mut Vec<Question>) {
    let is_needed = |column: &&CatalogColumn| {
        let names = table.columns.iter().map(|column| column.name.as_str());
        let is_named = ends_as(&column.name, NEEDED) || is_own_code(&column.name, &table.name.name);
        is_named && !is_state_of_address(&column.name, names)
    };
    for column in table.columns.iter().filter(is_needed) {
        if !column.not_null {
            questions.push(question(
                table,
                column,
                "required-null",
                "IS NULL",
                "rows without a value",
            ));
        }
        if column.category == 'S' {
            let empty = "!~ '[^[:space:]]'";
            questions.push(question(
                table,
                column,
                "required-empty",
                empty,
                "rows with an empty value",
            ));
        }
    }
}

fn question(
    table: &CatalogTable,
    column: &CatalogColumn,
    rule: &str,
    is: &str,
    what: &str,
) -> Question {
    let live = live(table, "t").map(|live| format!(" AND {live}")).unwrap_or_default();
    let condition = format!("{}{} {is}{live}", column_sql(column), cast(column));
    let advice = match rule {
        "required-null" => {
            "Fill them in, then ALTER COLUMN … SET NOT NULL; or leave the rule out for this table."
        }
        _ => "Fill them in, then add a CHECK that the text is not blank.",
    };
    let found = finding(
        rule,
        AuditCategory::Required,
        Severity::Warning,
        address(table, column),
        what,
        advice,
    );
    counting(found, table, &condition)
}

fn cast(column: &CatalogColumn) -> &'static str {
    if column.category == 'S' { "::text" } else { "" }
}
