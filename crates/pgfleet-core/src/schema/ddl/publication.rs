//! Publications.

use pgfleet_sql::quote_ident;

use super::{address, literal};
use crate::schema::{Object, Publication, PublishedTable};

pub(super) fn create(object: &Object, publication: &Publication) -> String {
    let what = match (publication.all_tables, objects(publication)) {
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

fn objects(publication: &Publication) -> Vec<String> {
    let schema = |schema: &String| format!("TABLES IN SCHEMA {}", quote_ident(schema));
    // PostgreSQL 14 knows `TABLE` before the first one only.
    let word = |at| if at == 0 { "TABLE " } else { "" };
    let tables = publication
        .tables
        .iter()
        .enumerate()
        .map(|(at, one)| format!("{}{}", word(at), table(one)));
    tables.chain(publication.schemas.iter().map(schema)).collect()
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

pub(super) fn alter(object: &Object, old: &Publication, new: &Publication) -> Vec<String> {
    let mut statements = Vec::new();
    if (&old.publish, old.via_root) != (&new.publish, new.via_root) {
        statements.push(format!("ALTER {} SET ({})", address(object), parameters(new)));
    }
    if (&old.tables, &old.schemas) != (&new.tables, &new.schemas) {
        statements.extend(set_objects(object, old, new));
    }
    statements
}

/// `SET` replaces the whole list, which cannot be empty.
fn set_objects(object: &Object, old: &Publication, new: &Publication) -> Vec<String> {
    let wanted = objects(new);
    if !wanted.is_empty() {
        return vec![format!("ALTER {} SET {}", address(object), wanted.join(", "))];
    }
    let bare = |table: &PublishedTable| PublishedTable {
        columns: Vec::new(),
        condition: None,
        ..table.clone()
    };
    let gone =
        objects(&Publication { tables: old.tables.iter().map(bare).collect(), ..old.clone() });
    vec![format!("ALTER {} DROP {}", address(object), gone.join(", "))]
}
