//! Rows that refer to nothing, or to what is marked as deleted.

use pgfleet_sql::quote_ident;

use super::{address, column_sql, counting, finding, listing, live, rows_where};
use crate::audit::catalog::{Catalog, CatalogColumn, CatalogTable, ForeignKey};
use crate::audit::finding::{AuditCategory, Finding};
use crate::audit::judge::{GUESS, Question, Reading, counting_sql};
use crate::audit::names::{referred, singular, snake};
use crate::diagnose::Severity;

pub(super) fn ask(catalog: &Catalog, table: &CatalogTable, questions: &mut Vec<Question>) {
    for key in &table.foreign_keys {
        questions.push(orphans(table, key));
        questions.extend(live_children(catalog, table, key));
    }
    let declared = |column: &CatalogColumn| {
        table.foreign_keys.iter().any(|key| key.columns.contains(&column.name))
    };
    for column in table.columns.iter().filter(|column| !declared(column)) {
        questions.extend(likely(catalog, table, column));
    }
}

fn orphans(table: &CatalogTable, key: &ForeignKey) -> Question {
    let set: Vec<_> =
        key.columns.iter().map(|name| format!("t.{} IS NOT NULL", quote_ident(name))).collect();
    let condition = format!(
        "{} AND NOT EXISTS (SELECT FROM {} p WHERE {})",
        set.join(" AND "),
        key.parent,
        joined(key)
    );
    let what = format!("rows refer to no row of {} ({})", key.parent, key.name);
    let advice = "Delete them or give them a row to refer to; then ALTER TABLE … VALIDATE CONSTRAINT. \
                  They came in while the key was not valid or triggers were off.";
    let found = finding(
        "orphan",
        AuditCategory::References,
        Severity::Error,
        object(table, key),
        what,
        advice,
    );
    counting(found, table, &condition)
}

fn object(table: &CatalogTable, key: &ForeignKey) -> String {
    let columns: Vec<_> = key.columns.iter().map(|name| quote_ident(name)).collect();
    format!("{}.{}", table.name, columns.join(", "))
}

/// `p.id = t.user_id AND …`
fn joined(key: &ForeignKey) -> String {
    let pairs = key.columns.iter().zip(&key.parent_columns);
    let pair =
        |(own, of): (&String, &String)| format!("p.{} = t.{}", quote_ident(of), quote_ident(own));
    pairs.map(pair).collect::<Vec<_>>().join(" AND ")
}

fn live_children(catalog: &Catalog, table: &CatalogTable, key: &ForeignKey) -> Option<Question> {
    let parent = catalog.table(&key.parent).filter(|parent| parent.name != table.name)?;
    let parent_live = live(parent, "p")?;
    let own = live(table, "t").map(|own| format!("{own} AND ")).unwrap_or_default();
    let condition = format!(
        "{own}EXISTS (SELECT FROM {} p WHERE {} AND NOT ({parent_live}))",
        key.parent,
        joined(key)
    );
    let what = format!("live rows whose row in {} is marked as deleted", key.parent);
    let advice = "Mark them as deleted too, or clean them; joins that filter the parent hide them.";
    let found = finding(
        "live-child-of-deleted",
        AuditCategory::References,
        Severity::Warning,
        object(table, key),
        what,
        advice,
    );
    Some(counting(found, table, &condition))
}

/// A column named as another table whose key is of the same type.
fn likely(catalog: &Catalog, table: &CatalogTable, column: &CatalogColumn) -> Option<Question> {
    let of = referred(&column.name)?;
    let parent = parent_of(catalog, table, column, &of)?;
    let key = parent.primary_key.first()?;
    if parent.name == table.name && *key == column.name {
        // `track_id` of `track` is its own key.
        return None;
    }
    let (name, parent_key) = (column_sql(column), quote_ident(key));
    let condition = format!(
        "{name} IS NOT NULL AND NOT EXISTS (SELECT FROM {} p WHERE p.{parent_key} = {name})",
        parent.name
    );
    let found = Finding {
        sql: Some(listing(table, &condition)),
        ..finding(
            "orphan-likely",
            AuditCategory::References,
            Severity::Warning,
            address(table, column),
            format!("{GUESS} {}", parent.name),
            format!(
                "ALTER TABLE {} ADD FOREIGN KEY ({}) REFERENCES {} ({parent_key}) NOT VALID, \
                 then VALIDATE CONSTRAINT once every row fits",
                table.name,
                quote_ident(&column.name),
                parent.name
            ),
        )
    };
    let total = format!("SELECT pg_catalog.count({name}) FROM {} t", table.name);
    let sql = counting_sql(&rows_where(table, &condition), &total);
    Some(Question { finding: found, sql, reading: Reading::Guess })
}

/// The only table of that name whose key could be meant, one of the same schema first. A name with
/// a word in front (`created_by_user_id`) means the table all the same.
fn parent_of<'a>(
    catalog: &'a Catalog,
    table: &CatalogTable,
    column: &CatalogColumn,
    of: &str,
) -> Option<&'a CatalogTable> {
    let fits = |parent: &&CatalogTable| {
        let [key] = parent.primary_key.as_slice() else { return false };
        parent.column(key).is_some_and(|key| key.type_name == column.type_name)
    };
    let named = |parent: &&CatalogTable| {
        let name = singular(&snake(&parent.name.name));
        name == of || (name.len() > 3 && of.ends_with(&format!("_{name}")))
    };
    let all: Vec<_> = catalog.tables.iter().filter(fits).filter(named).collect();
    let near: Vec<_> = all.iter().copied().filter(|p| p.name.schema == table.name.schema).collect();
    match (near.as_slice(), all.as_slice()) {
        ([one], _) | ([], [one]) => Some(one),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_named_as_its_own_table_refers_to_nothing() {
        let table = |name: &str, columns: &[&str]| -> CatalogTable {
            let column = |name: &&str| serde_json::json!({"name": name, "type": "integer", "category": "N", "not_null": true});
            let columns: Vec<_> = columns.iter().map(column).collect();
            let key = columns[0]["name"].clone();
            serde_json::from_value(serde_json::json!({
                "schema": "public", "name": name, "rows_estimate": 1.0, "heap_bytes": 8192,
                "row_width": null, "dead_rows": 0, "columns": columns, "primary_key": [key],
                "foreign_keys": [], "indexes": []
            }))
            .unwrap()
        };
        let tables = vec![table("tracks", &["track_id"]), table("lines", &["line_id", "track_id"])];
        let catalog = Catalog { tables, ..Catalog::default() };
        let asked = |at: usize| {
            let mut questions = Vec::new();
            ask(&catalog, &catalog.tables[at], &mut questions);
            questions.iter().map(|asked| asked.finding.object.clone()).collect::<Vec<_>>()
        };
        assert_eq!(asked(0), Vec::<String>::new());
        assert_eq!(asked(1), ["public.lines.track_id"]);
    }
}
