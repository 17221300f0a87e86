//! The condition of a partial index as SQL (Prisma's preview feature `partialIndexes`).

use pgfleet_sql::{quote_ident_always as quoted, quote_literal_standard as literal};

use super::attributes::text;
use super::indexes::column_name;
use super::literals::decimal;
use crate::prisma::SchemaError;
use crate::prisma::database::Table;
use crate::prisma::syntax::{Attribute, Expression, ExpressionKind, Name};

/// What `where` says: `raw("sql")`, or an object with a value for each field.
pub(super) fn condition(
    table: &Table,
    attribute: &Attribute,
) -> Result<Option<String>, SchemaError> {
    let Some(value) = attribute.argument("where", None) else { return Ok(None) };
    match &value.kind {
        ExpressionKind::Call(name, arguments) if name == "raw" => {
            let sql = arguments.first().map(|argument| text(&argument.value)).transpose()?;
            let missing = || SchemaError::new("the condition is missing", value.at);
            sql.filter(|sql| !sql.is_empty()).ok_or_else(missing).map(Some)
        }
        ExpressionKind::Object(members) if !members.is_empty() => {
            let terms = members.iter().map(|(field, value)| term(table, field, value));
            Ok(Some(terms.collect::<Result<Vec<_>, _>>()?.join(" AND ")))
        }
        _ => Err(SchemaError::new("expected raw(…) or an object", value.at)),
    }
}

fn term(table: &Table, field: &Name, value: &Expression) -> Result<String, SchemaError> {
    let column = column_name(table, &field.text).ok_or_else(|| {
        let what = format!("the model {} has no column {:?}", table.model, field.text);
        SchemaError::new(what, field.at)
    })?;
    let column = quoted(&column);
    let (value, negated) = match &value.kind {
        ExpressionKind::Object(members) => match members.as_slice() {
            [(name, value)] if name.text == "not" => (value, true),
            _ => return Err(SchemaError::new("only `not` is known here", value.at)),
        },
        _ => (value, false),
    };
    Ok(match (constant(value)?, negated) {
        (None, false) => format!("{column} IS NULL"),
        (None, true) => format!("{column} IS NOT NULL"),
        (Some(constant), false) => format!("{column} = {constant}"),
        (Some(constant), true) => format!("{column} != {constant}"),
    })
}

/// `None` is `null`.
fn constant(value: &Expression) -> Result<Option<String>, SchemaError> {
    let wrong = || SchemaError::new("this is no value of a condition", value.at);
    match &value.kind {
        ExpressionKind::Word(word) if word == "null" => Ok(None),
        ExpressionKind::Word(word) if word == "true" || word == "false" => Ok(Some(word.clone())),
        ExpressionKind::Number(number) => decimal(number).map(Some).ok_or_else(wrong),
        ExpressionKind::Text(_) => text(value).map(|text| Some(literal(&text))),
        _ => Err(wrong()),
    }
}
