//! The columns of the tables that the folder creates.
//!
//! Invariant: a table whose columns are not all in its text (`LIKE`, `INHERITS`, `AS`) is marked
//! incomplete, and nothing is said to be missing in it.

use std::collections::BTreeMap;

use pgfleet_sql::{ColumnDecl, Facts, ObjectKind, ObjectRef, QualifiedName};

use super::{Class, Key};
use crate::place::Place;
use crate::program::Statement;

/// Tables by name.
#[derive(Debug, Default)]
pub(in crate::preflight) struct Columns {
    tables: BTreeMap<Key, Table>,
}

/// A table and its columns.
#[derive(Debug)]
pub(in crate::preflight) struct Table {
    /// Where it is created.
    pub place: Place,
    /// All columns are known.
    pub complete: bool,
    columns: BTreeMap<String, Column>,
}

/// A column.
#[derive(Debug)]
pub(in crate::preflight) struct Column {
    /// Its type, spelled one way; none when it was changed since.
    pub data_type: Option<String>,
}

impl Table {
    pub(in crate::preflight) fn column_names(&self) -> Vec<String> {
        self.columns.keys().cloned().collect()
    }

    pub(in crate::preflight) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.get(name)
    }
}

impl Columns {
    pub(super) fn table(&self, key: &Key) -> Option<&Table> {
        self.tables.get(key)
    }

    pub(super) fn take(&mut self, statement: &Statement) {
        let facts = &statement.facts;
        for object in &facts.drops {
            self.drop(object);
        }
        for object in facts.creates.iter().filter(|object| object.kind == ObjectKind::Table) {
            let key = Key::named(Class::Relation, &object.name);
            self.tables.entry(key).or_insert_with(|| Table::new(statement));
        }
        self.alter(facts);
    }

    fn drop(&mut self, object: &ObjectRef) {
        match (object.kind, &object.on) {
            (ObjectKind::Table, _) => {
                self.tables.remove(&Key::named(Class::Relation, &object.name));
            }
            (ObjectKind::Schema, _) => {
                self.tables.retain(|key, _| key.schema_name() != object.name.name);
            }
            (ObjectKind::Column, Some(table)) => {
                if let Some(table) = self.of(table) {
                    table.columns.remove(&object.name.name);
                }
            }
            _ => {}
        }
    }

    fn of(&mut self, table: &QualifiedName) -> Option<&mut Table> {
        self.tables.get_mut(&Key::named(Class::Relation, table))
    }

    fn alter(&mut self, facts: &Facts) {
        for object in facts.creates.iter().filter(|object| object.kind == ObjectKind::Column) {
            let declared = facts.columns.iter().find(|column| column.name == object.name.name);
            if let (Some(table), Some(declared)) =
                (object.on.as_ref().and_then(|on| self.of(on)), declared)
            {
                table.columns.entry(declared.name.clone()).or_insert_with(|| column(declared));
            }
        }
        for object in facts.alters.iter().filter(|object| object.kind == ObjectKind::Column) {
            let table = object.on.as_ref().and_then(|on| self.of(on));
            if let Some(column) = table.and_then(|t| t.columns.get_mut(&object.name.name)) {
                column.data_type = None;
            }
        }
        self.rename(facts);
    }

    fn rename(&mut self, facts: &Facts) {
        let Some(rename) = &facts.rename else { return };
        match (rename.from.kind, &rename.from.on) {
            (ObjectKind::Column, Some(table)) => {
                if let Some(table) = self.of(table)
                    && let Some(column) = table.columns.remove(&rename.from.name.name)
                {
                    table.columns.insert(rename.to.name.clone(), column);
                }
            }
            (ObjectKind::Table, _) => {
                let old = Key::named(Class::Relation, &rename.from.name);
                if let Some(table) = self.tables.remove(&old) {
                    self.tables.insert(Key::named(Class::Relation, &rename.to), table);
                }
            }
            _ => {}
        }
    }
}

impl Table {
    fn new(statement: &Statement) -> Self {
        let columns = &statement.facts.columns;
        let words = statement.sql.to_ascii_uppercase();
        let hidden = ["LIKE", "INHERITS", "PARTITION OF"].iter().any(|word| words.contains(word));
        Self {
            place: statement.place.clone(),
            complete: !columns.is_empty() && !hidden && statement.facts.label == "CREATE TABLE",
            columns: columns.iter().map(|one| (one.name.clone(), column(one))).collect(),
        }
    }
}

fn column(declared: &ColumnDecl) -> Column {
    Column { data_type: Some(spelled(&declared.type_text)).filter(|text| !text.is_empty()) }
}

/// A type spelled one way: lower case, without blanks, PostgreSQL's aliases resolved ("Data Types"
/// in its documentation).
pub(crate) fn spelled(type_text: &str) -> String {
    let lower: String =
        type_text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ").replace('"', "");
    let (base, rest) = lower.split_at(lower.find(['(', '[']).unwrap_or(lower.len()));
    let base = match base.trim() {
        "int" | "integer" | "serial" | "serial4" => "int4",
        "bigint" | "bigserial" | "serial8" => "int8",
        "smallint" | "smallserial" | "serial2" => "int2",
        "character varying" => "varchar",
        "character" => "char",
        "decimal" => "numeric",
        "boolean" => "bool",
        "real" => "float4",
        "double precision" | "float" => "float8",
        "timestamp with time zone" => "timestamptz",
        "timestamp without time zone" => "timestamp",
        "time with time zone" => "timetz",
        "time without time zone" => "time",
        base => base.strip_prefix("public.").or(base.strip_prefix("pg_catalog.")).unwrap_or(base),
    };
    let rest = rest.replace(' ', "").replace("withouttimezone", "");
    // The precision stands between the words: `timestamp(3) with time zone`.
    match rest.strip_suffix("withtimezone") {
        Some(precision) => format!("{base}tz{precision}"),
        None => format!("{base}{rest}"),
    }
}
