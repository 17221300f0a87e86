//! Extensions, collations, types and text search objects.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::table::{Column, is_default};

/// An extension. What belongs to it is not listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extension {
    /// Where its objects are.
    pub schema: String,
    /// The installed version. It does not count in comparisons: each server brings its own.
    pub version: String,
    /// Its objects can be moved to another schema.
    #[serde(default)]
    pub relocatable: bool,
}

/// The clauses of a `CREATE … (NAME = value, …)`, values as SQL.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Properties {
    /// By name.
    pub properties: BTreeMap<String, String>,
}

/// A range type.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RangeType {
    /// The clauses of `CREATE TYPE … AS RANGE`.
    #[serde(flatten)]
    pub clauses: Properties,
    /// The name of its constructors as SQL, when it is not its own, as after `ALTER TYPE … RENAME`. It
    /// does not count in comparisons: a dump does not say it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub constructors: Option<String>,
    /// The same of its multirange type.
    #[serde(default, skip_serializing_if = "is_default")]
    pub multirange_constructors: Option<String>,
}

impl RangeType {
    /// The type of its bounds, as SQL.
    pub fn subtype(&self) -> &str {
        self.clauses.properties.get("SUBTYPE").map_or("", String::as_str)
    }

    /// Names as SQL and argument types of its constructors, then of those of its multirange type; `own` is
    /// its name (`makeRangeConstructors` and `makeMultirangeConstructors` in
    /// src/backend/commands/typecmds.c).
    pub fn constructors<'a>(&'a self, own: &'a str) -> [(&'a str, String); 5] {
        let subtype = self.subtype();
        let name = self.constructors.as_deref().unwrap_or(own);
        let multirange = self.multirange_constructors.as_deref().or(self.multirange());
        let multirange = multirange.unwrap_or_default();
        [
            (name, format!("{subtype}, {subtype}")),
            (name, format!("{subtype}, {subtype}, text")),
            (multirange, String::new()),
            (multirange, own.to_owned()),
            (multirange, format!("VARIADIC {own}[]")),
        ]
    }

    /// Its multirange type, as SQL.
    pub fn multirange(&self) -> Option<&str> {
        self.clauses.properties.get("MULTIRANGE_TYPE_NAME").map(String::as_str)
    }
}

/// An enum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnumType {
    /// In order.
    pub labels: Vec<String>,
}

/// A domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainType {
    /// The type below it.
    pub base: String,
    /// `NOT NULL`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub not_null: bool,
    /// The default.
    #[serde(default, skip_serializing_if = "is_default")]
    pub default: Option<String>,
    /// As SQL, when it is not the base type's own.
    #[serde(default, skip_serializing_if = "is_default")]
    pub collation: Option<String>,
    /// Checks, sorted by name.
    #[serde(default, skip_serializing_if = "is_default")]
    pub constraints: Vec<DomainConstraint>,
}

/// A check of a domain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DomainConstraint {
    /// Its name.
    pub name: String,
    /// `pg_get_constraintdef`.
    pub definition: String,
}

/// A composite type.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Composite {
    /// In order; only name, type and collation are set.
    #[serde(default)]
    pub attributes: Vec<Column>,
}

/// A text search configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextSearchConfig {
    /// The parser, as SQL.
    pub parser: String,
    /// By token type.
    #[serde(default)]
    pub mappings: Vec<TextSearchMapping>,
}

/// What a configuration does with a type of token.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TextSearchMapping {
    /// The parser's name for it.
    pub token: String,
    /// Dictionaries as SQL, in order.
    pub dictionaries: Vec<String>,
}
