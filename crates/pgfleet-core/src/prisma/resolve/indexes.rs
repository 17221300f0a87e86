//! Keys and indexes of a model: those of its fields first, then `@@index`, then `@@unique`, as
//! Prisma orders them.

use super::attributes::{check_arguments, text, text_argument, word};
use super::condition::condition;
use super::operator_class::operator_class;
use crate::prisma::database::{Index, IndexColumn, PrimaryKey, Table};
use crate::prisma::syntax::{
    Argument, Attribute, Expression, ExpressionKind, Field, Model, attribute,
};
use crate::prisma::{SchemaError, constraint_name};

/// The key that `@id` or `@@id` declares.
pub(super) fn primary_key(model: &Model, table: &Table) -> Result<Option<PrimaryKey>, SchemaError> {
    let of_field = model.fields.iter().find_map(|field| {
        attribute(&field.attributes, "id").map(|attribute| (attribute, Some(field)))
    });
    let of_model = attribute(&model.attributes, "id").map(|attribute| (attribute, None));
    let Some((attribute, field)) = of_field.or(of_model) else { return Ok(None) };
    check_arguments(attribute, &["fields", "name", "map", "clustered"])?;
    let columns = match field {
        Some(field) => vec![own_column(table, field, attribute)?],
        None => columns(table, attribute)?,
    };
    let given = text_argument(attribute, "map", None)?;
    Ok(Some(PrimaryKey {
        name: given.unwrap_or_else(|| constraint_name::primary_key(&table.name.name)),
        columns: columns.into_iter().map(|column| column.name).collect(),
    }))
}

/// All other indexes.
pub(super) fn indexes(model: &Model, table: &Table) -> Result<Vec<Index>, SchemaError> {
    let mut indexes = Vec::new();
    for field in &model.fields {
        if let Some(attribute) = attribute(&field.attributes, "unique") {
            let column = own_column(table, field, attribute)?;
            indexes.push(unique(table, attribute, vec![column])?);
        }
    }
    let named = |name: &'static str| {
        model.attributes.iter().filter(move |attribute| attribute.name.text == name)
    };
    for attribute in named("index") {
        indexes.push(plain(table, attribute)?);
    }
    for attribute in named("unique") {
        indexes.push(unique(table, attribute, columns(table, attribute)?)?);
    }
    Ok(indexes)
}

fn unique(
    table: &Table,
    attribute: &Attribute,
    columns: Vec<IndexColumn>,
) -> Result<Index, SchemaError> {
    check_arguments(attribute, &["fields", "name", "map", "sort", "where"])?;
    let given = text_argument(attribute, "map", None)?;
    let name = given.unwrap_or_else(|| constraint_name::unique(&table.name.name, &names(&columns)));
    let condition = condition(table, attribute)?;
    Ok(Index { name, is_unique: true, method: None, columns, condition })
}

/// `name` is an old spelling of `map` here.
fn plain(table: &Table, attribute: &Attribute) -> Result<Index, SchemaError> {
    let columns = columns(table, attribute)?;
    let given = text_argument(attribute, "map", None)?;
    let given =
        given.map_or_else(|| text_argument(attribute, "name", None), |map| Ok(Some(map)))?;
    let name = given.unwrap_or_else(|| constraint_name::index(&table.name.name, &names(&columns)));
    let (method, condition) = (method(attribute)?, condition(table, attribute)?);
    Ok(Index { name, is_unique: false, method, columns, condition })
}

fn names(columns: &[IndexColumn]) -> Vec<String> {
    columns.iter().map(|column| column.name.clone()).collect()
}

fn method(attribute: &Attribute) -> Result<Option<&'static str>, SchemaError> {
    let Some(value) = attribute.argument("type", None) else { return Ok(None) };
    Ok(match word(value)? {
        "BTree" => None,
        "Hash" => Some("HASH"),
        "Gist" => Some("GIST"),
        "Gin" => Some("GIN"),
        "SpGist" => Some("SPGIST"),
        "Brin" => Some("BRIN"),
        other => {
            let what = format!("PostgreSQL has no index of type {other}");
            return Err(SchemaError::new(what, value.at));
        }
    })
}

/// The column of a field that carries the attribute itself.
fn own_column(
    table: &Table,
    field: &Field,
    attribute: &Attribute,
) -> Result<IndexColumn, SchemaError> {
    let name = column_name(table, &field.name.text)
        .ok_or_else(|| SchemaError::new("a relation has no column to be a key", field.name.at))?;
    Ok(IndexColumn { name, operator_class: None, sort: sort(&attribute.arguments)? })
}

fn columns(table: &Table, attribute: &Attribute) -> Result<Vec<IndexColumn>, SchemaError> {
    let missing = || SchemaError::new("the fields are missing", attribute.name.at);
    let value = attribute.argument("fields", Some(0)).ok_or_else(missing)?;
    match &value.kind {
        ExpressionKind::List(items) if items.is_empty() => Err(missing()),
        ExpressionKind::List(items) => items.iter().map(|item| index_column(table, item)).collect(),
        _ => index_column(table, value).map(|column| vec![column]),
    }
}

fn index_column(table: &Table, item: &Expression) -> Result<IndexColumn, SchemaError> {
    let (field, arguments): (&str, &[Argument]) = match &item.kind {
        ExpressionKind::Word(field) => (field, &[]),
        ExpressionKind::Call(field, arguments) => (field, arguments),
        _ => return Err(SchemaError::new("expected a field", item.at)),
    };
    let name = column_name(table, field).ok_or_else(|| {
        SchemaError::new(format!("the model {} has no column {field:?}", table.model), item.at)
    })?;
    let class = arguments.iter().find(|argument| argument.name.as_deref() == Some("ops"));
    let operator_class = class.map(|argument| class_of(&argument.value)).transpose()?;
    Ok(IndexColumn { name, operator_class, sort: sort(arguments)? })
}

pub(super) fn column_name(table: &Table, field: &str) -> Option<String> {
    table.columns.iter().find(|column| column.field == field).map(|column| column.name.clone())
}

fn class_of(value: &Expression) -> Result<String, SchemaError> {
    let unknown = || SchemaError::new("this operator class is not known; use raw(…)", value.at);
    match &value.kind {
        ExpressionKind::Word(name) => operator_class(name).ok_or_else(unknown),
        ExpressionKind::Call(name, arguments) if name == "raw" => {
            text(&arguments.first().ok_or_else(unknown)?.value)
        }
        _ => Err(unknown()),
    }
}

fn sort(arguments: &[Argument]) -> Result<Option<&'static str>, SchemaError> {
    let given = arguments.iter().find(|argument| argument.name.as_deref() == Some("sort"));
    let Some(argument) = given else { return Ok(None) };
    match word(&argument.value)? {
        "Asc" => Ok(Some("ASC")),
        "Desc" => Ok(Some("DESC")),
        _ => Err(SchemaError::new("sort is Asc or Desc", argument.value.at)),
    }
}
