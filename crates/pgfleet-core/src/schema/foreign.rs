//! Foreign-data wrappers, servers and user mappings.

use serde::{Deserialize, Serialize};

use super::table::is_default;

/// One option.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ForeignOption {
    /// Its name.
    pub name: String,
    /// Its value; empty where it is a secret, which is never read.
    pub value: String,
}

/// A foreign-data wrapper.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ForeignDataWrapper {
    /// The handler function, as SQL.
    #[serde(skip_serializing_if = "is_default")]
    pub handler: Option<String>,
    /// The validator function, as SQL.
    #[serde(skip_serializing_if = "is_default")]
    pub validator: Option<String>,
    /// Sorted by name.
    #[serde(skip_serializing_if = "is_default")]
    pub options: Vec<ForeignOption>,
}

/// A foreign server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignServer {
    /// Its wrapper's name.
    pub wrapper: String,
    /// `TYPE`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub server_type: Option<String>,
    /// `VERSION`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub server_version: Option<String>,
    /// Sorted by name.
    #[serde(default, skip_serializing_if = "is_default")]
    pub options: Vec<ForeignOption>,
}

/// A user mapping. Its options hold passwords and are never read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserMapping {
    /// The role, or `PUBLIC`.
    pub role: String,
    /// The server's name.
    pub server: String,
}
