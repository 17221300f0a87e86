//! The expectation held against a database.

use serde::Serialize;

use super::expectation::{Expectation, ExpectedEnum, ExpectedTable};
use super::origins::Origins;
use super::outline::{Outline, OutlineTable};
use crate::prisma::ObjectName;

/// What is there and what is missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MissingReport {
    /// Every expected table.
    pub models: Vec<ModelRow>,
    /// Columns that existing tables lack.
    pub columns: Vec<ColumnRow>,
    /// Enums that are missing or lack values.
    pub enums: Vec<EnumRow>,
    /// Tables that nothing expects.
    pub extra_tables: Vec<String>,
}

/// An expected table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModelRow {
    /// What the code calls it.
    pub model: String,
    /// What the database calls it.
    pub table: String,
    /// It is there.
    pub exists: bool,
    /// The pending migration that creates it.
    pub migration: Option<String>,
    /// The applied migration that made it; it is gone since.
    pub made_by: Option<String>,
}

/// A column that an existing table lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnRow {
    /// What the code calls the table.
    pub model: String,
    /// What the database calls the table.
    pub table: String,
    /// The column.
    pub column: String,
    /// The pending migration that adds it.
    pub migration: Option<String>,
    /// The applied migration that made it; it is gone since.
    pub made_by: Option<String>,
}

/// An enum that is missing, or a value that it lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnumRow {
    /// The enum in the database.
    pub name: String,
    /// The value; none when the whole enum is missing.
    pub value: Option<String>,
    /// The pending migration that creates it.
    pub migration: Option<String>,
    /// The applied migration that made it; it is gone since.
    pub made_by: Option<String>,
}

impl MissingReport {
    /// Expected tables that are not there.
    pub fn missing_models(&self) -> impl Iterator<Item = &ModelRow> {
        self.models.iter().filter(|row| !row.exists)
    }

    /// True when something is not there that an applied migration made.
    pub fn lost_something(&self) -> bool {
        self.missing_models().any(|row| row.made_by.is_some())
            || self.columns.iter().any(|row| row.made_by.is_some())
            || self.enums.iter().any(|row| row.made_by.is_some())
    }

    /// True when the database has everything that is expected.
    pub fn complete(&self) -> bool {
        self.missing_models().next().is_none() && self.columns.is_empty() && self.enums.is_empty()
    }
}

/// What migrations create, by what their text tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Makers {
    /// Those that are not applied yet.
    pub pending: Origins,
    /// Those that are.
    pub applied: Origins,
}

impl Makers {
    /// Who will make it, and who has.
    fn of<'o>(
        &'o self,
        find: impl Fn(&'o Origins) -> Option<&'o str>,
    ) -> (Option<String>, Option<String>) {
        let pending = find(&self.pending).map(str::to_owned);
        let applied = find(&self.applied).map(str::to_owned).filter(|_| pending.is_none());
        (pending, applied)
    }
}

/// Holds an expectation against a database. `ignored` are tables that belong to tools.
pub fn compare(
    expected: &Expectation,
    found: &Outline,
    makers: &Makers,
    ignored: &[ObjectName],
) -> MissingReport {
    let wanted = |name: &ObjectName| expected.tables.iter().any(|table| table.name == *name);
    let schemas: Vec<_> = expected.tables.iter().map(|table| &table.name.schema).collect();
    let extra = found
        .tables
        .keys()
        .filter(|name| schemas.contains(&&name.schema) && !wanted(name) && !ignored.contains(name));
    MissingReport {
        models: expected.tables.iter().map(|table| model_row(table, found, makers)).collect(),
        columns: expected.tables.iter().flat_map(|t| column_rows(t, found, makers)).collect(),
        enums: expected.enums.iter().flat_map(|one| enum_rows(one, found, makers)).collect(),
        extra_tables: extra.map(ObjectName::shown).collect(),
    }
}

fn model_row(table: &ExpectedTable, found: &Outline, makers: &Makers) -> ModelRow {
    let exists = found.tables.contains_key(&table.name);
    let (migration, made_by) =
        if exists { (None, None) } else { makers.of(|origins| origins.table(&table.name)) };
    let (model, table) = (table.model.clone(), table.name.shown());
    ModelRow { model, table, exists, migration, made_by }
}

fn column_rows(table: &ExpectedTable, found: &Outline, makers: &Makers) -> Vec<ColumnRow> {
    let Some(OutlineTable { columns, .. }) = found.tables.get(&table.name) else {
        return Vec::new();
    };
    let missing = table.columns.iter().filter(|column| !columns.contains_key(*column));
    let row = |column: &String| {
        let (migration, made_by) = makers.of(|origins| origins.column(&table.name, column));
        let (model, table) = (table.model.clone(), table.name.shown());
        ColumnRow { model, table, column: column.clone(), migration, made_by }
    };
    missing.map(row).collect()
}

fn enum_rows(expected: &ExpectedEnum, found: &Outline, makers: &Makers) -> Vec<EnumRow> {
    let row = |value: Option<&String>| {
        let (migration, made_by) = makers.of(|origins| match value {
            Some(value) => origins.value(&expected.name, value),
            None => origins.enum_type(&expected.name),
        });
        EnumRow { name: expected.name.shown(), value: value.cloned(), migration, made_by }
    };
    let Some(values) = found.enums.get(&expected.name) else { return vec![row(None)] };
    let missing = expected.values.iter().filter(|value| !values.contains(value));
    missing.map(|value| row(Some(value))).collect()
}
