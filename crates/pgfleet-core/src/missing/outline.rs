//! The outline of a database: what its tables and enums are called and how they are defined, as
//! far as the server's own words for it can be compared.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::prisma::ObjectName;

/// Tables and enums of a database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline {
    /// Names of its schemas.
    pub schemas: BTreeSet<String>,
    /// Names of its extensions.
    pub extensions: BTreeSet<String>,
    /// Its tables.
    pub tables: BTreeMap<ObjectName, OutlineTable>,
    /// Its enums with their values, in order.
    pub enums: BTreeMap<ObjectName, Vec<String>>,
}

/// A table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutlineTable {
    /// Columns by name: type, NOT NULL and default in the server's words.
    pub columns: BTreeMap<String, String>,
    /// Constraints and indexes by name, in the server's words.
    pub objects: BTreeMap<String, String>,
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The table or enum.
    pub object: String,
    /// What about it.
    pub what: String,
}

/// How the tables and enums that both databases have differ, and what of `expected` is not there.
/// What `found` has beyond that is no difference.
pub fn differences(found: &Outline, expected: &Outline) -> Vec<Difference> {
    let tables = expected.tables.iter().flat_map(|(name, table)| {
        let whats = match found.tables.get(name) {
            Some(there) => table_differences(there, table),
            None => vec!["the table is missing".to_owned()],
        };
        whats.into_iter().map(move |what| Difference { object: name.shown(), what })
    });
    let enums = expected.enums.iter().filter_map(|(name, values)| {
        let what = enum_difference(found.enums.get(name), values)?;
        Some(Difference { object: name.shown(), what })
    });
    tables.chain(enums).collect()
}

fn table_differences(found: &OutlineTable, expected: &OutlineTable) -> Vec<String> {
    let columns = compare("column", &found.columns, &expected.columns);
    let objects = compare("key or index", &found.objects, &expected.objects);
    let more = found.columns.keys().filter(|name| !expected.columns.contains_key(*name));
    let more = more.map(|name| format!("column {name} is in no model"));
    columns.into_iter().chain(objects).chain(more).collect()
}

fn compare(
    what: &str,
    found: &BTreeMap<String, String>,
    expected: &BTreeMap<String, String>,
) -> Vec<String> {
    let differs = |(name, wanted): (&String, &String)| match found.get(name) {
        Some(there) if there == wanted => None,
        Some(there) => Some(format!("{what} {name} is {there}, not {wanted}")),
        None => Some(format!("{what} {name} is missing: {wanted}")),
    };
    expected.iter().filter_map(differs).collect()
}

fn enum_difference(found: Option<&Vec<String>>, expected: &[String]) -> Option<String> {
    let Some(found) = found else { return Some("the enum is missing".to_owned()) };
    let lacks: Vec<_> = expected.iter().filter(|value| !found.contains(value)).cloned().collect();
    if !lacks.is_empty() {
        return Some(format!("the enum lacks {}", lacks.join(", ")));
    }
    (found != expected)
        .then(|| format!("the enum is {}, not {}", found.join(", "), expected.join(", ")))
}
