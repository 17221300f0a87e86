//! The kinds of checks, as `[[check]]` tables declare them.
//!
//! Invariant: an unknown key is an error, so that a misspelled expectation is never a passed one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ColumnReference, Http, TableName};

/// One declared expectation.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Check {
    /// How many tables a schema has, and which.
    Tables(Tables),
    /// The columns of one table.
    Columns(Columns),
    /// How many indexes there are, and which.
    Indexes(Indexes),
    /// How many triggers there are, and which.
    Triggers(Triggers),
    /// Row-level security: where it is on, and the policies.
    Policies(Policies),
    /// How many foreign keys there are, and which.
    ForeignKeys(ForeignKeys),
    /// How many functions and procedures there are, and which.
    Functions(Functions),
    /// Which extensions are installed.
    Extensions(Extensions),
    /// The values of an enum type.
    Enums(Enums),
    /// How many rows of a table fit a condition.
    Rows(Rows),
    /// What a query that gives one value gives.
    Sql(Sql),
    /// Which environment variables are set.
    Env(Env),
    /// What a service answers over HTTP.
    Http(Http),
    /// Whether an ordinary role reaches the rows of other tenants.
    Isolation(Isolation),
    /// Whether values of a table are found in another database.
    Reference(Reference),
}

/// The kind of a check, as `kind = "…"` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // each is documented at the variant of `Check` of the same name
pub enum Kind {
    Tables,
    Columns,
    Indexes,
    Triggers,
    Policies,
    ForeignKeys,
    Functions,
    Extensions,
    Enums,
    Rows,
    Sql,
    Env,
    Http,
    Isolation,
    Reference,
}

/// How many of a thing there should be. An empty one expects nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// No fewer than these.
    pub at_least: Option<u64>,
    /// Neither more nor fewer.
    pub exactly: Option<u64>,
    /// No more than these.
    pub at_most: Option<u64>,
}

/// `tables`: base and partitioned tables, without views and what extensions brought.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Tables {
    /// What a person calls the check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The schema looked at; `public` when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// No fewer tables than these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u64>,
    /// This many tables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exactly: Option<u64>,
    /// Tables that must exist.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub list: Vec<TableName>,
}

/// `columns`: of one table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Columns {
    /// What a person calls the check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The table or view.
    pub table: TableName,
    /// The columns that must exist: names, or names with a type and nullability.
    pub columns: ColumnExpectation,
    /// True when there must be no others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only: bool,
    /// A table that is not there is as expected: databases of a fleet need not have all of them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub if_exists: bool,
}

/// Columns by name alone, or each with a type such as `"uuid not null"`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(
    untagged,
    expecting = "columns are a list of names, or names with types: { id = \"uuid not null\" }"
)]
pub enum ColumnExpectation {
    /// Names alone.
    Names(Vec<String>),
    /// Name → type, `not null` or `null`, or both, or the empty text for neither.
    Types(BTreeMap<String, String>),
}

macro_rules! counted_kind {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            /// What a person calls the check.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub name: Option<String>,
            /// The schema looked at; `public` when absent.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub schema: Option<String>,
            /// No fewer than these.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub at_least: Option<u64>,
            /// Neither more nor fewer.
            #[serde(skip_serializing_if = "Option::is_none")]
            pub exactly: Option<u64>,
            $($(#[$field_doc])* pub $field: $type,)*
        }
    };
}

counted_kind! {
    /// `indexes`: those of keys included, as the view `pg_indexes` lists them.
    Indexes {
        /// Only the indexes of this table.
        #[serde(skip_serializing_if = "Option::is_none")]
        table: Option<TableName>,
        /// Indexes that must exist and be valid.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        list: Vec<String>,
    }
}

counted_kind! {
    /// `triggers`: each once, whatever events it fires on; disabled ones do not count.
    Triggers {
        /// Only the triggers of this table.
        #[serde(skip_serializing_if = "Option::is_none")]
        table: Option<TableName>,
        /// Triggers that must exist: `trigger` or `table.trigger`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        list: Vec<TableName>,
    }
}

counted_kind! {
    /// `policies`: row-level security.
    Policies {
        /// Only the policies of this table.
        #[serde(skip_serializing_if = "Option::is_none")]
        table: Option<TableName>,
        /// Policies that must exist, by name.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        list: Vec<String>,
        /// Tables with row-level security on.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        enabled: Vec<TableName>,
        /// Tables whose owner is subject to it too.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        forced: Vec<TableName>,
        /// When `table` is not there, that is as expected.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        if_exists: bool,
    }
}

counted_kind! {
    /// `foreign_keys`: each constraint once, partitions' copies not counted.
    ForeignKeys {
        /// Only those that this table declares.
        #[serde(skip_serializing_if = "Option::is_none")]
        table: Option<TableName>,
        /// Keys that must exist: `child.column -> parent.column`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        list: Vec<ColumnReference>,
    }
}

counted_kind! {
    /// `functions`: and procedures, without what extensions brought.
    Functions {
        /// Functions that must exist, by name.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        list: Vec<TableName>,
    }
}

/// `extensions`: installed in the database.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Extensions {
    /// What a person calls the check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Their names.
    pub list: Vec<String>,
}

/// `enums`: the values of one enum type, in order.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Enums {
    /// What a person calls the check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The type: `type` or `schema.type`.
    pub r#type: TableName,
    /// Its values, in order.
    pub values: Vec<String>,
}

/// `rows`: how many rows of a table fit a condition.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rows {
    /// What a person calls the check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The table or view.
    pub table: TableName,
    /// An SQL condition; all rows when absent.
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// No fewer rows than these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u64>,
    /// This many rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exactly: Option<u64>,
    /// No more rows than these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<u64>,
    /// A table that is not there is as expected: databases of a fleet need not have all of them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub if_exists: bool,
}

/// `sql`: a query that gives one value.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Sql {
    /// What a person calls the check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A query of one row and one column.
    pub query: String,
    /// Its value, compared as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub equals: Option<Expected>,
    /// Its value as a number is no less.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// Its value as a number is no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_most: Option<f64>,
    /// Its value as text matches this PostgreSQL regular expression (operator `~`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matches: Option<String>,
}

/// A value as TOML writes it.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(untagged, expecting = "a value is a text, a number, true or false")]
pub enum Expected {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Another number.
    Float(f64),
    /// Text.
    Text(String),
}

/// `env`: environment variables that are set and not empty. Values are never shown.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Env {
    /// What a person calls the check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Their names.
    pub variables: Vec<String>,
}

/// `isolation`: the role reaches no row of another tenant. Tried in a transaction that is rolled
/// back.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Isolation {
    /// What a person calls the check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Tables with a tenant column.
    pub tables: Vec<TableName>,
    /// The tenant column.
    pub column: String,
    /// The application's ordinary role.
    pub role: String,
    /// The setting that says whose rows a session may see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub setting: Option<String>,
}

/// `reference`: what no foreign key can say, because the table that is referred to is in another
/// database.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// What a person calls the check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// From a table of the target to one of the other database.
    pub key: ColumnReference,
    /// The other database: a URL, `env:NAME`, or the name of a target.
    #[serde(rename = "in")]
    pub database: String,
}
