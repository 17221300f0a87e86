//! What the data source block says about the database.

use super::attributes::text;
use crate::prisma::SchemaError;
use crate::prisma::database::Extension;
use crate::prisma::syntax::{Argument, Datasource, Declaration, Expression, ExpressionKind};

#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    pub schemas: Vec<String>,
    pub extensions: Vec<Extension>,
    /// `relationMode = "prisma"`: relations are kept by the client and have no foreign keys.
    pub without_foreign_keys: bool,
}

pub(super) fn settings(declarations: &[Declaration], errors: &mut Vec<SchemaError>) -> Settings {
    let mut sources = declarations.iter().filter_map(|declaration| match declaration {
        Declaration::Datasource(source) => Some(source),
        _ => None,
    });
    let Some(source) = sources.next() else { return Settings::default() };
    if let Some(second) = sources.next() {
        errors.push(SchemaError::new("there is a second datasource", second.at));
    }
    read(source).unwrap_or_else(|error| {
        errors.push(error);
        Settings::default()
    })
}

fn read(source: &Datasource) -> Result<Settings, SchemaError> {
    let property = |name: &str| {
        source.properties.iter().find(|(key, _)| key.text == name).map(|(_, value)| value)
    };
    check_provider(property("provider"))?;
    let mode = property("relationMode").or(property("referentialIntegrity"));
    Ok(Settings {
        schemas: property("schemas").map_or(Ok(Vec::new()), |value| list(value, text))?,
        extensions: property("extensions").map_or(Ok(Vec::new()), extensions)?,
        without_foreign_keys: mode.map(text).transpose()?.as_deref() == Some("prisma"),
    })
}

/// Other databases than PostgreSQL have other rules.
fn check_provider(provider: Option<&Expression>) -> Result<(), SchemaError> {
    let Some(provider) = provider else { return Ok(()) };
    let name = text(provider)?;
    if matches!(name.as_str(), "postgresql" | "postgres") {
        return Ok(());
    }
    Err(SchemaError::new(format!("the schema is for {name}, not for PostgreSQL"), provider.at))
}

fn list<T>(
    value: &Expression,
    item: impl Fn(&Expression) -> Result<T, SchemaError>,
) -> Result<Vec<T>, SchemaError> {
    match &value.kind {
        ExpressionKind::List(items) => items.iter().map(item).collect(),
        _ => item(value).map(|one| vec![one]),
    }
}

/// In order of the names that the schema gives them, as Prisma sorts them.
fn extensions(value: &Expression) -> Result<Vec<Extension>, SchemaError> {
    let mut named = list(value, |item| match &item.kind {
        ExpressionKind::Word(name) => Ok((name.clone(), extension(name, &[])?)),
        ExpressionKind::Call(name, arguments) => Ok((name.clone(), extension(name, arguments)?)),
        _ => Err(SchemaError::new("expected the name of an extension", item.at)),
    })?;
    named.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(named.into_iter().map(|(_, extension)| extension).collect())
}

fn extension(name: &str, arguments: &[Argument]) -> Result<Extension, SchemaError> {
    let argument = |wanted: &str| {
        let found = arguments.iter().find(|argument| argument.name.as_deref() == Some(wanted));
        found.map(|argument| text(&argument.value)).transpose()
    };
    Ok(Extension {
        name: argument("map")?.unwrap_or_else(|| name.to_owned()),
        schema: argument("schema")?,
        version: argument("version")?,
    })
}
