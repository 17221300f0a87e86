//! `@default` as SQL.
//!
//! Source: `constant_expression_to_sql_default` and `render_default` of prisma/prisma-engines.

use pgfleet_sql::quote_literal_standard as literal;

use super::attributes::{mapped, text};
use super::columns::FieldKind;
use super::literals::{bytes, date_time, decimal, integer};
use super::native::Scalar;
use crate::prisma::SchemaError;
use crate::prisma::database::Column;
use crate::prisma::ddl::column_type;
use crate::prisma::syntax::{Argument, Attribute, Enum, Expression, ExpressionKind};

/// Functions whose values the client makes.
const BY_CLIENT: &[&str] = &["uuid", "cuid", "ulid", "nanoid"];

/// Where a column's default comes from.
pub(super) enum Default {
    Sql(String),
    /// A sequence of its own.
    Serial,
    /// The client; the database knows nothing of it.
    ByClient,
}

/// Understands `@default(…)` of a column whose type is settled.
pub(super) fn default(
    kind: FieldKind<'_>,
    column: &Column,
    attribute: &Attribute,
) -> Result<Default, SchemaError> {
    let value = attribute
        .argument("value", Some(0))
        .ok_or_else(|| SchemaError::new("the default is missing", attribute.name.at))?;
    match &value.kind {
        ExpressionKind::Call(name, arguments) => call(kind, name, arguments, value),
        ExpressionKind::List(items) if column.is_list => {
            let items: Result<Vec<_>, _> = items.iter().map(|item| constant(kind, item)).collect();
            Ok(Default::Sql(format!("ARRAY[{}]::{}", items?.join(", "), column_type(column))))
        }
        _ if column.is_list => Err(SchemaError::new("the default of a list is a list", value.at)),
        _ => constant(kind, value).map(Default::Sql),
    }
}

fn call(
    kind: FieldKind<'_>,
    name: &str,
    arguments: &[Argument],
    value: &Expression,
) -> Result<Default, SchemaError> {
    let scalar = match kind {
        FieldKind::Scalar(scalar) => Some(scalar),
        _ => None,
    };
    match (name, scalar) {
        ("dbgenerated", _) => db_generated(arguments),
        ("now", Some(Scalar::DateTime)) => Ok(Default::Sql("CURRENT_TIMESTAMP".to_owned())),
        ("autoincrement", Some(Scalar::Int | Scalar::BigInt)) => Ok(Default::Serial),
        (name, Some(Scalar::String)) if BY_CLIENT.contains(&name) => Ok(Default::ByClient),
        _ => {
            let what = format!("{name}() cannot be the default of this field");
            Err(SchemaError::new(what, value.at))
        }
    }
}

/// Without an argument the default is the database's own affair.
fn db_generated(arguments: &[Argument]) -> Result<Default, SchemaError> {
    let Some(argument) = arguments.first() else { return Ok(Default::ByClient) };
    let sql = text(&argument.value)?;
    if sql.is_empty() {
        return Err(SchemaError::new("dbgenerated takes SQL, or nothing", argument.value.at));
    }
    Ok(Default::Sql(sql))
}

fn constant(kind: FieldKind<'_>, value: &Expression) -> Result<String, SchemaError> {
    match kind {
        FieldKind::Scalar(scalar) => scalar_constant(scalar, value),
        FieldKind::Enum(declared) => enum_constant(declared, value),
        FieldKind::Unsupported(_) | FieldKind::Relation(_) => {
            Err(SchemaError::new("only dbgenerated(…) can be its default", value.at))
        }
    }
}

fn enum_constant(declared: &Enum, value: &Expression) -> Result<String, SchemaError> {
    let ExpressionKind::Word(word) = &value.kind else {
        return Err(SchemaError::new("expected a value of the enum", value.at));
    };
    match declared.values.iter().find(|candidate| candidate.name.text == *word) {
        Some(found) => Ok(literal(&mapped(&found.attributes, &found.name)?)),
        None => {
            let what = format!("{word:?} is no value of the enum {}", declared.name.text);
            Err(SchemaError::new(what, value.at))
        }
    }
}

fn scalar_constant(scalar: Scalar, value: &Expression) -> Result<String, SchemaError> {
    let wrong = || SchemaError::new(format!("this is no value of type {scalar:?}"), value.at);
    match (&value.kind, scalar) {
        (ExpressionKind::Number(number), Scalar::Int | Scalar::BigInt) => {
            integer(number).ok_or_else(wrong)
        }
        (
            ExpressionKind::Number(number) | ExpressionKind::Text(number),
            Scalar::Decimal | Scalar::Float,
        ) => decimal(number).ok_or_else(wrong),
        (ExpressionKind::Word(word), Scalar::Boolean) if word == "true" || word == "false" => {
            Ok(word.clone())
        }
        (ExpressionKind::Text(_), Scalar::String | Scalar::Json) => Ok(literal(&text(value)?)),
        (ExpressionKind::Text(moment), Scalar::DateTime) => {
            date_time(moment).map(|moment| literal(&moment)).ok_or_else(wrong)
        }
        (ExpressionKind::Text(base64), Scalar::Bytes) => {
            bytes(base64).map(|hex| literal(&hex)).ok_or_else(wrong)
        }
        _ => Err(wrong()),
    }
}
