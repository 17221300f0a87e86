//! Declarations become tables: names, types, defaults and relations are resolved.
//!
//! Source of the order and the rules: `sql_schema_calculator.rs` and the crate `parser-database` of
//! prisma/prisma-engines.

mod attributes;
mod columns;
mod condition;
mod datasource;
mod defaults;
mod indexes;
mod literals;
mod native;
mod operator_class;
mod relations;
mod scope;

use super::SchemaError;
use super::database::{Database, EnumType, ObjectName, Table};
use super::syntax::{Declaration, Enum};

use relations::Relations;
use scope::Scope;

/// The tables of all declarations.
///
/// # Errors
/// Everything that is wrong.
pub(super) fn resolve(declarations: &[Declaration]) -> Result<Database, Vec<SchemaError>> {
    let mut errors = Vec::new();
    let scope = Scope::new(declarations, &mut errors);
    let mut database = Database {
        extensions: scope.datasource.extensions.clone(),
        enums: collect(scope.enums.iter().map(|e| enum_type(&scope, e)), &mut errors),
        ..Database::default()
    };
    let tables = scope.models.iter().map(|model| model_table(&scope, model));
    let tables: Vec<_> = tables.map(|table| keep(table, &mut errors)).collect();
    let mut relations = Relations::new(&scope, &tables, &mut errors);
    if errors.is_empty() {
        relations.resolve(&mut errors);
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let (relation_tables, foreign_keys) = relations.finish();
    database.tables = tables.into_iter().flatten().chain(relation_tables).collect();
    database.foreign_keys = foreign_keys;
    database.schemas = used_schemas(&database);
    Ok(database)
}

fn collect<T>(
    results: impl Iterator<Item = Result<T, SchemaError>>,
    errors: &mut Vec<SchemaError>,
) -> Vec<T> {
    results.filter_map(|result| result.map_err(|error| errors.push(error)).ok()).collect()
}

/// Views have no table.
fn keep(
    table: Result<Option<Table>, Vec<SchemaError>>,
    errors: &mut Vec<SchemaError>,
) -> Option<Table> {
    table.unwrap_or_else(|found| {
        errors.extend(found);
        None
    })
}

fn enum_type(scope: &Scope<'_>, declared: &Enum) -> Result<EnumType, SchemaError> {
    if declared.values.is_empty() {
        return Err(SchemaError::new("an enum must have a value", declared.name.at));
    }
    attributes::check(&declared.attributes, &["map", "schema"], "@@")?;
    let values = declared.values.iter().map(|value| {
        attributes::check(&value.attributes, &["map"], "@")?;
        attributes::mapped(&value.attributes, &value.name)
    });
    Ok(EnumType {
        source: declared.name.text.clone(),
        name: scope.enum_name(declared)?,
        values: values.collect::<Result<_, _>>()?,
    })
}

fn model_table(
    scope: &Scope<'_>,
    model: &super::syntax::Model,
) -> Result<Option<Table>, Vec<SchemaError>> {
    if model.is_view {
        return Ok(None);
    }
    let known = ["id", "unique", "index", "map", "schema", "ignore", "shardKey"];
    attributes::check(&model.attributes, &known, "@@").map_err(|error| vec![error])?;
    let name = scope.table_name(model).map_err(|error| vec![error])?;
    let mut errors = Vec::new();
    let columns = collect(columns::columns(scope, model), &mut errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut table = Table {
        model: model.name.text.clone(),
        is_relation: false,
        name,
        columns,
        primary_key: None,
        indexes: Vec::new(),
    };
    table.primary_key = indexes::primary_key(model, &table).map_err(|error| vec![error])?;
    table.indexes = indexes::indexes(model, &table).map_err(|error| vec![error])?;
    Ok(Some(table))
}

fn used_schemas(database: &Database) -> Vec<String> {
    let tables = database.tables.iter().map(|table| &table.name);
    let names = tables.chain(database.enums.iter().map(|one| &one.name));
    let mut schemas: Vec<_> = names.map(|name: &ObjectName| name.schema.clone()).collect();
    schemas.sort();
    schemas.dedup();
    schemas
}
