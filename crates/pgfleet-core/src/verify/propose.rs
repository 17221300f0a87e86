//! Writes a declaration from what a database holds, to be read, trimmed and kept by a person.

use std::fmt::Write;

use super::reference::spelled;
use super::{Catalog, ColumnFact, TableFact};
use crate::preflight::is_history_table;

/// The largest row count that is taken for seeded data.
const MAX_SEED_ROWS: u64 = 1_000;

/// A declaration, as TOML text with comments, that `catalog` satisfies; for the schemas that it
/// was read for. Tables with counted rows, up to 1,000, are taken for seeded ones, but for histories
/// of migrations, which grow.
pub fn propose(catalog: &Catalog) -> String {
    let mut text = String::from(
        "# Proposed from a database. Keep what must hold everywhere; relax counts with `at_least`.\n",
    );
    for schema in schemas(catalog) {
        propose_schema(&mut text, catalog, &schema);
    }
    if !catalog.extensions.is_empty() {
        text.push_str("\n[[check]]\nkind = \"extensions\"\n");
        push_list(&mut text, "list", catalog.extensions.iter().map(String::as_str));
    }
    text
}

fn schemas(catalog: &Catalog) -> Vec<String> {
    let mut schemas: Vec<String> = catalog.tables.iter().map(|t| t.schema.clone()).collect();
    schemas.extend(catalog.enums.iter().map(|found| found.schema.clone()));
    schemas.sort();
    schemas.dedup();
    schemas
}

fn propose_schema(text: &mut String, catalog: &Catalog, schema: &str) {
    let tables: Vec<&TableFact> = catalog.tables.iter().filter(|t| t.schema == schema).collect();
    if !tables.is_empty() {
        push_comment(text, &format!("Schema {schema}: tables"));
        push_kind(text, "tables", schema);
        push_value(text, "exactly", tables.len());
        push_list(text, "list", tables.iter().map(|table| table.name.as_str()));
    }
    propose_counts(text, catalog, schema);
    propose_row_security(text, catalog, schema, &tables);
    propose_enums(text, catalog, schema);
    propose_columns(text, catalog, schema, &tables);
    propose_rows(text, schema, &tables);
}

fn propose_counts(text: &mut String, catalog: &Catalog, schema: &str) {
    let of = |found: &str| found == schema;
    let counts = [
        ("indexes", catalog.indexes.iter().filter(|i| i.valid && of(&i.schema)).count()),
        ("triggers", catalog.triggers.iter().filter(|t| t.enabled && of(&t.schema)).count()),
        ("foreign_keys", catalog.foreign_keys.iter().filter(|k| of(&k.schema)).count()),
        ("functions", catalog.functions.iter().filter(|[s, _]| of(s)).count()),
    ];
    for (kind, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
        push_kind(text, kind, schema);
        push_value(text, "at_least", count);
    }
}

fn propose_row_security(text: &mut String, catalog: &Catalog, schema: &str, tables: &[&TableFact]) {
    let policies = catalog.policies.iter().filter(|[s, ..]| s == schema).count();
    let named = |wanted: fn(&TableFact) -> bool| -> Vec<&str> {
        tables.iter().filter(|table| wanted(table)).map(|table| table.name.as_str()).collect()
    };
    let (enabled, forced) = (named(|table| table.row_security), named(|t| t.row_security_forced));
    if policies == 0 && enabled.is_empty() && forced.is_empty() {
        return;
    }
    push_kind(text, "policies", schema);
    if policies > 0 {
        push_value(text, "at_least", policies);
    }
    for (key, names) in [("enabled", enabled), ("forced", forced)] {
        if !names.is_empty() {
            push_list(text, key, names.into_iter());
        }
    }
}

fn propose_enums(text: &mut String, catalog: &Catalog, schema: &str) {
    for found in catalog.enums.iter().filter(|found| found.schema == schema) {
        text.push_str("\n[[check]]\nkind = \"enums\"\n");
        let _ = writeln!(text, "type = {}", quoted(&table_name(schema, &found.name)));
        let values: Vec<String> = found.values.iter().map(|value| quoted(value)).collect();
        let _ = writeln!(text, "values = [{}]", values.join(", "));
    }
}

fn propose_columns(text: &mut String, catalog: &Catalog, schema: &str, tables: &[&TableFact]) {
    for table in tables {
        let of_table = |c: &&ColumnFact| c.schema == schema && c.table == table.name;
        text.push_str("\n[[check]]\nkind = \"columns\"\n");
        let _ = writeln!(text, "table = {}", quoted(&table_name(schema, &table.name)));
        text.push_str("[check.columns]\n");
        for column in catalog.columns.iter().filter(of_table) {
            let null = if column.not_null { " not null" } else { "" };
            let of_type = quoted(&format!("{}{null}", column.type_name));
            let _ = writeln!(text, "{} = {of_type}", key(&column.name));
        }
    }
}

fn propose_rows(text: &mut String, schema: &str, tables: &[&TableFact]) {
    let few = |rows| (1..=MAX_SEED_ROWS).contains(&rows);
    let seeded = |table: &&&TableFact| {
        table.rows.is_some_and(few) && !is_history_table(&table.schema, &table.name)
    };
    for table in tables.iter().filter(seeded) {
        text.push_str("\n# Seeded rows, as far as the count can tell.\n");
        text.push_str("[[check]]\nkind = \"rows\"\n");
        let _ = writeln!(text, "table = {}", quoted(&table_name(schema, &table.name)));
        push_value(text, "exactly", table.rows.unwrap_or_default());
    }
}

fn push_comment(text: &mut String, comment: &str) {
    // A schema's name may hold a line break, which would end the comment.
    let _ = writeln!(text, "\n# {}", comment.replace(char::is_control, " "));
}

fn push_kind(text: &mut String, kind: &str, schema: &str) {
    let _ = writeln!(text, "\n[[check]]\nkind = \"{kind}\"");
    if schema != "public" {
        let _ = writeln!(text, "schema = {}", quoted(schema));
    }
}

fn push_value(text: &mut String, name: &str, value: impl std::fmt::Display) {
    let _ = writeln!(text, "{name} = {value}");
}

fn push_list<'a>(text: &mut String, name: &str, items: impl Iterator<Item = &'a str>) {
    let _ = writeln!(text, "{name} = [");
    for item in items {
        let _ = writeln!(text, "  {},", quoted(&spelled(item)));
    }
    text.push_str("]\n");
}

fn table_name(schema: &str, name: &str) -> String {
    let name = spelled(name);
    if schema == "public" { name } else { format!("{}.{name}", spelled(schema)) }
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.chars().all(bare) { name.to_owned() } else { quoted_key(name) }
}

/// A TOML key in basic quotes; unlike a value's, they may not span lines.
fn quoted_key(name: &str) -> String {
    let mut text = String::from("\"");
    for character in name.chars() {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            control if control.is_control() => {
                let _ = write!(text, "\\u{:04X}", u32::from(control));
            }
            other => text.push(other),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests;
