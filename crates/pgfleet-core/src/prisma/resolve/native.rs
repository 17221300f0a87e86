//! Prisma's scalar types and `@db` types as types of PostgreSQL.
//!
//! Source: `postgres_datamodel_connector.rs` and `native_types.rs` of prisma/prisma-engines.

use crate::prisma::SchemaError;
use crate::prisma::syntax::{Attribute, ExpressionKind};

/// A scalar type of Prisma.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar {
    String,
    Boolean,
    Int,
    BigInt,
    Float,
    Decimal,
    DateTime,
    Json,
    Bytes,
}

/// Numbers in the parentheses of a type.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Parameters {
    None,
    /// One, which may be left out.
    Length,
    /// Precision and scale, or none.
    PrecisionAndScale,
}

/// Name behind `@db.`, the scalar that it goes with, SQL, parameters.
const NATIVE: &[(&str, Scalar, &str, Parameters)] = &[
    ("SmallInt", Scalar::Int, "SMALLINT", Parameters::None),
    ("Integer", Scalar::Int, "INTEGER", Parameters::None),
    ("BigInt", Scalar::BigInt, "BIGINT", Parameters::None),
    ("Decimal", Scalar::Decimal, "DECIMAL", Parameters::PrecisionAndScale),
    ("Money", Scalar::Decimal, "MONEY", Parameters::None),
    ("Inet", Scalar::String, "INET", Parameters::None),
    ("Oid", Scalar::Int, "OID", Parameters::None),
    ("Citext", Scalar::String, "CITEXT", Parameters::None),
    ("Real", Scalar::Float, "REAL", Parameters::None),
    ("DoublePrecision", Scalar::Float, "DOUBLE PRECISION", Parameters::None),
    ("VarChar", Scalar::String, "VARCHAR", Parameters::Length),
    ("Char", Scalar::String, "CHAR", Parameters::Length),
    ("Text", Scalar::String, "TEXT", Parameters::None),
    ("ByteA", Scalar::Bytes, "BYTEA", Parameters::None),
    ("Timestamp", Scalar::DateTime, "TIMESTAMP", Parameters::Length),
    ("Timestamptz", Scalar::DateTime, "TIMESTAMPTZ", Parameters::Length),
    ("Date", Scalar::DateTime, "DATE", Parameters::None),
    ("Time", Scalar::DateTime, "TIME", Parameters::Length),
    ("Timetz", Scalar::DateTime, "TIMETZ", Parameters::Length),
    ("Boolean", Scalar::Boolean, "BOOLEAN", Parameters::None),
    ("Bit", Scalar::String, "BIT", Parameters::Length),
    ("VarBit", Scalar::String, "VARBIT", Parameters::Length),
    ("Uuid", Scalar::String, "UUID", Parameters::None),
    ("Xml", Scalar::String, "XML", Parameters::None),
    ("Json", Scalar::Json, "JSON", Parameters::None),
    ("JsonB", Scalar::Json, "JSONB", Parameters::None),
];

impl Scalar {
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "String" => Self::String,
            "Boolean" => Self::Boolean,
            "Int" => Self::Int,
            "BigInt" => Self::BigInt,
            "Float" => Self::Float,
            "Decimal" => Self::Decimal,
            "DateTime" => Self::DateTime,
            "Json" => Self::Json,
            "Bytes" => Self::Bytes,
            _ => return None,
        })
    }

    fn usual_type(self) -> &'static str {
        match self {
            Self::String => "TEXT",
            Self::Boolean => "BOOLEAN",
            Self::Int => "INTEGER",
            Self::BigInt => "BIGINT",
            Self::Float => "DOUBLE PRECISION",
            Self::Decimal => "DECIMAL(65,30)",
            Self::DateTime => "TIMESTAMP(3)",
            Self::Json => "JSONB",
            Self::Bytes => "BYTEA",
        }
    }
}

/// The type of a column: what `@db` says, else the usual one.
pub(super) fn native_type(
    scalar: Scalar,
    attribute: Option<&Attribute>,
) -> Result<String, SchemaError> {
    let Some(attribute) = attribute else { return Ok(scalar.usual_type().to_owned()) };
    let fail = |what: String| Err(SchemaError::new(what, attribute.name.at));
    let name = attribute.name.text.split_once('.').map_or("", |(_, name)| name);
    let Some((_, goes_with, sql, takes)) = NATIVE.iter().find(|native| native.0 == name) else {
        return fail(format!("PostgreSQL has no type {name:?} in Prisma; use Unsupported(…)"));
    };
    if *goes_with != scalar {
        return fail(format!("a field of type {scalar:?} cannot be @{}", attribute.name.text));
    }
    let numbers = numbers(attribute)?;
    match (takes, numbers.as_slice()) {
        (_, []) => Ok((*sql).to_owned()),
        (Parameters::Length, [length]) => Ok(format!("{sql}({length})")),
        (Parameters::PrecisionAndScale, [precision, scale]) => {
            Ok(format!("{sql}({precision},{scale})"))
        }
        _ => fail(format!("@{} does not take {} numbers", attribute.name.text, numbers.len())),
    }
}

fn numbers(attribute: &Attribute) -> Result<Vec<u32>, SchemaError> {
    let number = |argument: &crate::prisma::syntax::Argument| {
        let parsed = match &argument.value.kind {
            ExpressionKind::Number(text) => text.parse().ok(),
            _ => None,
        };
        parsed.ok_or_else(|| SchemaError::new("expected a number", argument.value.at))
    };
    attribute.arguments.iter().map(number).collect()
}
