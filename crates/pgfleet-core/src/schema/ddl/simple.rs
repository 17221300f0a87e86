//! Schemas, extensions, collations and extended statistics.

use pgfleet_sql::quote_ident;

use super::address;
use crate::schema::{Extension, Object, Properties, Statistics};

/// `public` is there in every new database; it may have been dropped all the same.
pub(super) fn create_schema(object: &Object) -> String {
    match object.id.name.as_str() {
        "public" => "CREATE SCHEMA IF NOT EXISTS public".to_owned(),
        _ => format!("CREATE {}", address(object)),
    }
}

pub(super) fn create_extension(object: &Object, extension: &Extension) -> String {
    let name = object.id.sql_name();
    match extension.schema.as_str() {
        "pg_catalog" => format!("CREATE EXTENSION IF NOT EXISTS {name}"),
        schema => {
            format!("CREATE EXTENSION IF NOT EXISTS {name} WITH SCHEMA {}", quote_ident(schema))
        }
    }
}

pub(super) fn alter_extension(object: &Object, old: &Extension, new: &Extension) -> Vec<String> {
    if old.schema == new.schema {
        return Vec::new();
    }
    vec![format!("ALTER {} SET SCHEMA {}", address(object), quote_ident(&new.schema))]
}

pub(super) fn create_collation(object: &Object, properties: &Properties) -> String {
    format!("CREATE {} ({})", address(object), clauses(properties))
}

/// `NAME = value, …`; a clause without value is its name alone.
pub(super) fn clauses(properties: &Properties) -> String {
    let clause = |(name, value): (&String, &String)| match value.as_str() {
        "" => name.clone(),
        value => format!("{name} = {value}"),
    };
    properties.properties.iter().map(clause).collect::<Vec<_>>().join(", ")
}

pub(super) fn create_statistics(object: &Object, statistics: &Statistics) -> Vec<String> {
    let mut statements = vec![statistics.definition.clone()];
    statements.extend(statistics.target.map(|target| set_target(object, target)));
    statements
}

pub(super) fn alter_statistics(object: &Object, old: &Statistics, new: &Statistics) -> Vec<String> {
    if old.target == new.target {
        return Vec::new();
    }
    vec![set_target(object, new.target.unwrap_or(-1))]
}

fn set_target(object: &Object, target: i32) -> String {
    format!("ALTER {} SET STATISTICS {target}", address(object))
}
