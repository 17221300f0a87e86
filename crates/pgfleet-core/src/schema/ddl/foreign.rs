//! Foreign-data wrappers, servers, user mappings, and options of foreign things.

use pgfleet_sql::quote_ident;

use super::privileges::role;
use super::{address, literal};
use crate::schema::{ForeignDataWrapper, ForeignOption, ForeignServer, Object, UserMapping};

/// ` OPTIONS (name 'value', …)`, or nothing.
pub(super) fn options(options: &[ForeignOption]) -> String {
    let option = |option: &ForeignOption| {
        format!("{} {}", quote_ident(&option.name), literal(&option.value))
    };
    match options.is_empty() {
        true => String::new(),
        false => {
            format!(" OPTIONS ({})", options.iter().map(option).collect::<Vec<_>>().join(", "))
        }
    }
}

/// `OPTIONS (ADD …, SET …, DROP …)`, or nothing.
pub(super) fn changed_options(old: &[ForeignOption], new: &[ForeignOption]) -> Option<String> {
    let mut changes = Vec::new();
    for option in new {
        let had = old.iter().find(|other| other.name == option.name);
        let verb = match had {
            Some(had) if had.value == option.value => continue,
            Some(_) => "SET",
            None => "ADD",
        };
        changes.push(format!("{verb} {} {}", quote_ident(&option.name), literal(&option.value)));
    }
    let gone = old.iter().filter(|option| new.iter().all(|other| other.name != option.name));
    changes.extend(gone.map(|option| format!("DROP {}", quote_ident(&option.name))));
    (!changes.is_empty()).then(|| format!("OPTIONS ({})", changes.join(", ")))
}

pub(super) fn create_wrapper(object: &Object, wrapper: &ForeignDataWrapper) -> String {
    let function = |word: &str, name: &Option<String>| {
        name.as_ref().map(|name| format!(" {word} {name}")).unwrap_or_default()
    };
    format!(
        "CREATE {}{}{}{}",
        address(object),
        function("HANDLER", &wrapper.handler),
        function("VALIDATOR", &wrapper.validator),
        options(&wrapper.options)
    )
}

pub(super) fn alter_wrapper(
    object: &Object,
    old: &ForeignDataWrapper,
    new: &ForeignDataWrapper,
) -> Vec<String> {
    let mut clauses = Vec::new();
    let mut function = |word: &str, old: &Option<String>, new: &Option<String>| {
        if old != new {
            clauses.push(match new {
                Some(name) => format!("{word} {name}"),
                None => format!("NO {word}"),
            });
        }
    };
    function("HANDLER", &old.handler, &new.handler);
    function("VALIDATOR", &old.validator, &new.validator);
    clauses.extend(changed_options(&old.options, &new.options));
    match clauses.is_empty() {
        true => Vec::new(),
        false => vec![format!("ALTER {} {}", address(object), clauses.join(" "))],
    }
}

pub(super) fn can_alter(old: &ForeignServer, new: &ForeignServer) -> bool {
    old.wrapper == new.wrapper
        && old.server_type == new.server_type
        && (old.server_version.is_none() || new.server_version.is_some())
}

pub(super) fn create_server(object: &Object, server: &ForeignServer) -> String {
    let clause = |word: &str, value: &Option<String>| {
        value.as_ref().map(|value| format!(" {word} {}", literal(value))).unwrap_or_default()
    };
    format!(
        "CREATE {}{}{} FOREIGN DATA WRAPPER {}{}",
        address(object),
        clause("TYPE", &server.server_type),
        clause("VERSION", &server.server_version),
        quote_ident(&server.wrapper),
        options(&server.options)
    )
}

pub(super) fn alter_server(
    object: &Object,
    old: &ForeignServer,
    new: &ForeignServer,
) -> Vec<String> {
    let mut clauses = Vec::new();
    if let (true, Some(version)) = (old.server_version != new.server_version, &new.server_version) {
        clauses.push(format!("VERSION {}", literal(version)));
    }
    clauses.extend(changed_options(&old.options, &new.options));
    match clauses.is_empty() {
        true => Vec::new(),
        false => vec![format!("ALTER {} {}", address(object), clauses.join(" "))],
    }
}

/// Without options, as those are secrets that were never read.
pub(super) fn create_mapping(mapping: &UserMapping) -> String {
    format!(
        "CREATE USER MAPPING FOR {} SERVER {}",
        role(&mapping.role),
        quote_ident(&mapping.server)
    )
}

pub(super) fn drop_mapping(mapping: &UserMapping) -> String {
    format!("DROP USER MAPPING FOR {} SERVER {}", role(&mapping.role), quote_ident(&mapping.server))
}
