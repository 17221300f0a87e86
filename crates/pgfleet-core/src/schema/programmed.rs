//! Objects that hold code: routines, views, triggers, rules, policies, operators.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::table::{Column, is_default};

/// A function, window function or procedure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routine {
    /// It is called, not selected.
    #[serde(default, skip_serializing_if = "is_default")]
    pub procedure: bool,
    /// `pg_get_functiondef`.
    pub definition: String,
    /// `pg_get_function_identity_arguments`: names, modes and types.
    #[serde(default)]
    pub arguments: String,
    /// How many arguments have defaults.
    #[serde(default, skip_serializing_if = "is_default")]
    pub defaults: i32,
    /// `pg_get_function_result`; nothing for a procedure.
    #[serde(default, skip_serializing_if = "is_default")]
    pub result: Option<String>,
}

/// A view or materialized view.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// `pg_get_viewdef`, without the semicolon.
    pub definition: String,
    /// `security_barrier=true` and the like, or storage parameters; sorted.
    #[serde(default, skip_serializing_if = "is_default")]
    pub options: Vec<String>,
    /// What it gives.
    #[serde(default)]
    pub columns: Vec<Column>,
}

/// An aggregate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aggregate {
    /// `pg_get_function_arguments`, or `*`.
    pub arguments: String,
    /// The clauses of `CREATE AGGREGATE`, values as SQL; those without value are empty.
    pub properties: BTreeMap<String, String>,
}

/// An operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operator {
    /// The clauses of `CREATE OPERATOR`, values as SQL; those without value are empty.
    pub properties: BTreeMap<String, String>,
}

/// An operator family, with the operators and functions that no class of it brings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorFamily {
    /// `OPERATOR 1 app.<(a, b)`, `FUNCTION 1 (a, b) app.f(a, b)`; sorted.
    #[serde(default)]
    pub members: Vec<String>,
}

/// An operator class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorClass {
    /// The method's default for the type.
    #[serde(default, skip_serializing_if = "is_default")]
    pub default: bool,
    /// The type that is indexed.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Its family, as SQL.
    pub family: String,
    /// The type that is stored, when it is another.
    #[serde(default, skip_serializing_if = "is_default")]
    pub storage: Option<String>,
    /// As those of a family.
    #[serde(default)]
    pub members: Vec<String>,
}

/// A cast.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cast {
    /// `WITH FUNCTION f(a)`, `WITHOUT FUNCTION` or `WITH INOUT`.
    pub method: String,
    /// `AS ASSIGNMENT`, `AS IMPLICIT` or nothing.
    #[serde(default, skip_serializing_if = "is_default")]
    pub context: String,
}

/// When a trigger or rule fires, by `session_replication_role`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Firing {
    /// In ordinary sessions.
    #[default]
    Origin,
    /// Never.
    Disabled,
    /// In replication alone.
    Replica,
    /// In both.
    Always,
}

/// A trigger of a table or view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    /// `pg_get_triggerdef`.
    pub definition: String,
    /// When it fires.
    #[serde(default, skip_serializing_if = "is_default")]
    pub firing: Firing,
    /// `CREATE CONSTRAINT TRIGGER`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub constraint: bool,
}

/// A rule that is not a view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// `pg_get_ruledef`.
    pub definition: String,
    /// When it is used.
    #[serde(default, skip_serializing_if = "is_default")]
    pub firing: Firing,
}

/// A trigger of the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventTrigger {
    /// `ddl_command_end` and the like.
    pub event: String,
    /// Command tags that it is limited to, sorted.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tags: Vec<String>,
    /// The function, as SQL, without parentheses.
    pub function: String,
    /// When it fires.
    #[serde(default, skip_serializing_if = "is_default")]
    pub firing: Firing,
}

/// A row-level security policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// `ALL`, `SELECT`, `INSERT`, `UPDATE` or `DELETE`.
    pub command: String,
    /// `AS PERMISSIVE`, not `AS RESTRICTIVE`.
    pub permissive: bool,
    /// Sorted; `PUBLIC` alone for all.
    pub roles: Vec<String>,
    /// Which rows are seen.
    #[serde(default, skip_serializing_if = "is_default")]
    pub using: Option<String>,
    /// Which rows may be written.
    #[serde(default, skip_serializing_if = "is_default")]
    pub check: Option<String>,
}
