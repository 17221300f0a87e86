//! Text search parsers, templates, dictionaries and configurations.

use pgfleet_sql::quote_ident;

use super::address;
use super::simple::clauses;
use crate::schema::{Object, Properties, TextSearchConfig, TextSearchMapping};

pub(super) fn create(object: &Object, properties: &Properties) -> String {
    format!("CREATE {} ({})", address(object), clauses(properties))
}

pub(super) fn can_alter_dictionary(old: &Properties, new: &Properties) -> bool {
    old.properties.get("TEMPLATE") == new.properties.get("TEMPLATE")
}

/// An option without value goes back to its default.
pub(super) fn alter_dictionary(object: &Object, old: &Properties, new: &Properties) -> Vec<String> {
    let mut changes = Vec::new();
    for (name, value) in &new.properties {
        if old.properties.get(name) != Some(value) {
            changes.push(format!("{name} = {value}"));
        }
    }
    let gone = old.properties.keys().filter(|name| !new.properties.contains_key(*name));
    changes.extend(gone.cloned());
    match changes.is_empty() {
        true => Vec::new(),
        false => vec![format!("ALTER {} ({})", address(object), changes.join(", "))],
    }
}

pub(super) fn create_config(object: &Object, config: &TextSearchConfig) -> Vec<String> {
    let mut statements = vec![format!("CREATE {} (PARSER = {})", address(object), config.parser)];
    statements.extend(config.mappings.iter().map(|mapping| map(object, "ADD", mapping)));
    statements
}

fn map(object: &Object, verb: &str, mapping: &TextSearchMapping) -> String {
    format!(
        "ALTER {} {verb} MAPPING FOR {} WITH {}",
        address(object),
        quote_ident(&mapping.token),
        mapping.dictionaries.join(", ")
    )
}

pub(super) fn alter_config(
    object: &Object,
    old: &TextSearchConfig,
    new: &TextSearchConfig,
) -> Vec<String> {
    let find = |config: &TextSearchConfig, token: &str| {
        config.mappings.iter().find(|mapping| mapping.token == token).cloned()
    };
    let mut statements = Vec::new();
    for mapping in &old.mappings {
        if find(new, &mapping.token).is_none() {
            let token = quote_ident(&mapping.token);
            statements.push(format!("ALTER {} DROP MAPPING FOR {token}", address(object)));
        }
    }
    for mapping in &new.mappings {
        match find(old, &mapping.token) {
            None => statements.push(map(object, "ADD", mapping)),
            Some(had) if had != *mapping => statements.push(map(object, "ALTER", mapping)),
            Some(_) => {}
        }
    }
    statements
}
