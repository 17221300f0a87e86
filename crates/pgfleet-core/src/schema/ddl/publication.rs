//! Publications.

use pgfleet_sql::quote_ident;

use super::{address, literal};
use crate::schema::{Object, Publication, PublishedTable, Schema, Table};

pub(super) fn create(schema: &Schema, object: &Object, publication: &Publication) -> String {
    let what = match (publication.all_tables, objects(schema, publication)) {
        (true, _) => " FOR ALL TABLES".to_owned(),
        (false, objects) if objects.is_empty() => String::new(),
        (false, objects) => format!(" FOR {}", objects.join(", ")),
    };
    format!("CREATE {}{what} WITH ({})", address(object), parameters(publication))
}

fn parameters(publication: &Publication) -> String {
    format!(
        "publish = {}, publish_via_partition_root = {}",
        literal(&publication.publish.join(", ")),
        publication.via_root
    )
}

fn objects(schema: &Schema, publication: &Publication) -> Vec<String> {
    let namespace = |schema: &String| format!("TABLES IN SCHEMA {}", quote_ident(schema));
    // PostgreSQL 14 knows `TABLE` before the first one only.
    let word = |at| if at == 0 { "TABLE " } else { "" };
    let only = |one: &PublishedTable| if has_heirs(schema, &one.table) { "ONLY " } else { "" };
    let tables = publication
        .tables
        .iter()
        .enumerate()
        .map(|(at, one)| format!("{}{}{}", word(at), only(one), table(one)));
    tables.chain(publication.schemas.iter().map(namespace)).collect()
}

fn table(table: &PublishedTable) -> String {
    let columns: Vec<_> = table.columns.iter().map(|column| quote_ident(column)).collect();
    let columns = match columns.is_empty() {
        true => String::new(),
        false => format!(" ({})", columns.join(", ")),
    };
    let condition = table.condition.as_ref().map(|c| format!(" WHERE ({c})")).unwrap_or_default();
    format!("{}{columns}{condition}", table.table)
}

/// True when other tables inherit from a table: its name alone would stand for them too.
fn has_heirs(schema: &Schema, table: &str) -> bool {
    let inherits = |one: &Table| {
        one.partition_bound.is_none() && one.parents.iter().any(|parent| parent == table)
    };
    schema.objects.iter().filter_map(Object::table).any(inherits)
}

pub(super) fn alter(
    schema: &Schema,
    object: &Object,
    old: &Publication,
    new: &Publication,
) -> Vec<String> {
    let mut statements = Vec::new();
    if (&old.publish, old.via_root) != (&new.publish, new.via_root) {
        statements.push(format!("ALTER {} SET ({})", address(object), parameters(new)));
    }
    if (&old.tables, &old.schemas) != (&new.tables, &new.schemas) {
        statements.extend(set_objects(schema, object, old, new));
    }
    statements
}

/// `SET` replaces the whole list, which cannot be empty.
fn set_objects(
    schema: &Schema,
    object: &Object,
    old: &Publication,
    new: &Publication,
) -> Vec<String> {
    let wanted = objects(schema, new);
    if !wanted.is_empty() {
        return vec![format!("ALTER {} SET {}", address(object), wanted.join(", "))];
    }
    let bare = |table: &PublishedTable| PublishedTable {
        columns: Vec::new(),
        condition: None,
        ..table.clone()
    };
    let tables = old.tables.iter().map(bare).collect();
    let gone = objects(schema, &Publication { tables, ..old.clone() });
    vec![format!("ALTER {} DROP {}", address(object), gone.join(", "))]
}
