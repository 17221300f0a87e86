//! Reads the arguments of attributes.

use crate::prisma::SchemaError;
use crate::prisma::syntax::{Attribute, Expression, ExpressionKind, Name, attribute};

/// Refuses attributes that are not known: one may change the tables. Those with a dot, such as
/// `@db.Text`, belong to the data source.
pub(super) fn check(
    attributes: &[Attribute],
    known: &[&str],
    sign: &str,
) -> Result<(), SchemaError> {
    let unknown = attributes.iter().find(|attribute| {
        let name = attribute.name.text.as_str();
        let of_the_database = sign == "@" && name.contains('.');
        !of_the_database && !known.contains(&name)
    });
    match unknown {
        None => Ok(()),
        Some(attribute) => {
            let what = format!("the attribute {sign}{} is not known here", attribute.name.text);
            Err(SchemaError::new(what, attribute.name.at))
        }
    }
}

/// Refuses arguments that are not known: one may change the tables.
pub(super) fn check_arguments(attribute: &Attribute, known: &[&str]) -> Result<(), SchemaError> {
    let unknown = attribute
        .arguments
        .iter()
        .find(|argument| argument.name.as_deref().is_some_and(|name| !known.contains(&name)));
    match unknown.and_then(|argument| argument.name.as_deref().zip(Some(argument.value.at))) {
        None => Ok(()),
        Some((name, at)) => {
            let what = format!("@{} takes no argument {name:?}", attribute.name.text);
            Err(SchemaError::new(what, at))
        }
    }
}

/// The name in the database: that of `@map` or `@@map`, else its own.
pub(super) fn mapped_name(attributes: &[Attribute], own: &str) -> Result<String, SchemaError> {
    let Some(map) = attribute(attributes, "map") else { return Ok(own.to_owned()) };
    text_argument(map, "name", Some(0))?
        .filter(|name| !name.is_empty())
        .ok_or_else(|| SchemaError::new("the name to map to is missing", map.name.at))
}

pub(super) fn mapped(attributes: &[Attribute], own: &Name) -> Result<String, SchemaError> {
    mapped_name(attributes, &own.text)
}

pub(super) fn text_argument(
    attribute: &Attribute,
    name: &str,
    place: Option<usize>,
) -> Result<Option<String>, SchemaError> {
    attribute.argument(name, place).map(text).transpose()
}

pub(super) fn text(value: &Expression) -> Result<String, SchemaError> {
    match &value.kind {
        ExpressionKind::Text(text) => without_nul(text, value),
        _ => Err(SchemaError::new("expected a text in double quotes", value.at)),
    }
}

/// PostgreSQL stores no NUL.
fn without_nul(text: &str, value: &Expression) -> Result<String, SchemaError> {
    if text.contains('\0') {
        return Err(SchemaError::new("PostgreSQL cannot store the character NUL", value.at));
    }
    Ok(text.to_owned())
}

pub(super) fn word(value: &Expression) -> Result<&str, SchemaError> {
    match &value.kind {
        ExpressionKind::Word(word) => Ok(word),
        _ => Err(SchemaError::new("expected a word", value.at)),
    }
}

pub(super) fn words(value: &Expression) -> Result<Vec<String>, SchemaError> {
    match &value.kind {
        ExpressionKind::List(items) => {
            items.iter().map(|item| word(item).map(str::to_owned)).collect()
        }
        _ => word(value).map(|one| vec![one.to_owned()]),
    }
}
