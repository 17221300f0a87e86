//! Publications of logical replication.

use serde::{Deserialize, Serialize};

use super::table::is_default;

/// A publication.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Publication {
    /// `FOR ALL TABLES`.
    #[serde(skip_serializing_if = "is_default")]
    pub all_tables: bool,
    /// `insert, update, delete, truncate`, as far as it has them.
    pub publish: Vec<String>,
    /// `publish_via_partition_root`.
    #[serde(skip_serializing_if = "is_default")]
    pub via_root: bool,
    /// `FOR TABLE`, sorted.
    #[serde(skip_serializing_if = "is_default")]
    pub tables: Vec<PublishedTable>,
    /// `FOR TABLES IN SCHEMA`, sorted; since PostgreSQL 15.
    #[serde(skip_serializing_if = "is_default")]
    pub schemas: Vec<String>,
}

/// A table of a publication.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PublishedTable {
    /// As SQL.
    pub table: String,
    /// The columns that are published, when not all; since PostgreSQL 15.
    #[serde(default, skip_serializing_if = "is_default")]
    pub columns: Vec<String>,
    /// The condition on rows; since PostgreSQL 15.
    #[serde(default, skip_serializing_if = "is_default")]
    pub condition: Option<String>,
}
