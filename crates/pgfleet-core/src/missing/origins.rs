//! Which pending migration creates what.

use std::collections::{BTreeMap, BTreeSet};

use pgfleet_sql::{Facts, ObjectKind, QualifiedName};

use crate::prisma::{DEFAULT_SCHEMA, ObjectName};
use crate::program::Program;

/// Which pending migration creates what, as far as its text tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins {
    tables: BTreeMap<ObjectName, String>,
    columns: BTreeMap<(ObjectName, String), String>,
    types: BTreeMap<ObjectName, String>,
    values: BTreeMap<(ObjectName, String), String>,
}

/// Reads pending migrations, each with the name that people know it by, in order. `schema` is what
/// names without one mean.
pub fn origins(pending: &[(String, &Program)], schema: &str) -> Origins {
    let mut origins = Origins::default();
    for (migration, program) in pending {
        for statement in &program.statements {
            origins.take(&statement.facts, migration, schema);
        }
    }
    origins
}

impl Origins {
    /// The migration that creates a table.
    pub fn table(&self, table: &ObjectName) -> Option<&str> {
        self.tables.get(table).map(String::as_str)
    }

    /// The migration that creates a column.
    pub fn column(&self, table: &ObjectName, column: &str) -> Option<&str> {
        self.columns.get(&(table.clone(), column.to_owned())).map(String::as_str)
    }

    /// The migration that creates a type.
    pub fn enum_type(&self, name: &ObjectName) -> Option<&str> {
        self.types.get(name).map(String::as_str)
    }

    /// The migration that adds a value to an enum.
    pub fn value(&self, name: &ObjectName, value: &str) -> Option<&str> {
        self.values.get(&(name.clone(), value.to_owned())).map(String::as_str)
    }

    fn take(&mut self, facts: &Facts, migration: &str, schema: &str) {
        let named = |name: &QualifiedName| placed_name(name, schema);
        for dropped in &facts.drops {
            self.tables.remove(&named(&dropped.name));
            self.types.remove(&named(&dropped.name));
        }
        for created in &facts.creates {
            match created.kind {
                ObjectKind::Table => {
                    self.tables.insert(named(&created.name), migration.to_owned());
                }
                ObjectKind::Type => {
                    self.types.insert(named(&created.name), migration.to_owned());
                }
                _ => {}
            }
        }
        self.take_columns(facts, migration, schema);
        self.take_rename(facts, migration, schema);
        if let Some((name, value)) = &facts.added_enum_value {
            self.values.insert((named(name), value.clone()), migration.to_owned());
        }
    }

    fn take_columns(&mut self, facts: &Facts, migration: &str, schema: &str) {
        let is_table = |kind: ObjectKind| matches!(kind, ObjectKind::Table);
        let tables =
            facts.creates.iter().chain(&facts.alters).filter(|object| is_table(object.kind));
        let tables: BTreeSet<_> = tables.map(|table| placed_name(&table.name, schema)).collect();
        for table in tables {
            for column in &facts.columns {
                let key = (table.clone(), column.name.clone());
                self.columns.insert(key, migration.to_owned());
            }
        }
    }

    fn take_rename(&mut self, facts: &Facts, migration: &str, schema: &str) {
        let Some(rename) = &facts.rename else { return };
        if rename.from.kind == ObjectKind::Table {
            self.tables.remove(&placed_name(&rename.from.name, schema));
            self.tables.insert(placed_name(&rename.to, schema), migration.to_owned());
        }
    }
}

fn placed_name(name: &QualifiedName, schema: &str) -> ObjectName {
    let own = name.schema.as_deref().unwrap_or(DEFAULT_SCHEMA);
    ObjectName { schema: own.to_owned(), name: name.name.clone() }.placed_in(schema)
}
