//! Tables and what belongs to them.

use pgfleet_sql::quote_ident;
use serde::{Deserialize, Serialize};

use super::details::Details;
use super::foreign::ForeignOption;
use super::grant::Grant;

/// A table, partitioned table or foreign table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Table {
    /// In the order of their numbers.
    pub columns: Vec<Column>,
    /// How its rows are kept.
    #[serde(skip_serializing_if = "is_default")]
    pub persistence: Persistence,
    /// `RANGE (created_at)`, of a partitioned table.
    #[serde(skip_serializing_if = "is_default")]
    pub partition_key: Option<String>,
    /// `FOR VALUES FROM … TO …` or `DEFAULT`, of a partition.
    #[serde(skip_serializing_if = "is_default")]
    pub partition_bound: Option<String>,
    /// Tables that it inherits from, as SQL, in order; of a partition, its partitioned table.
    #[serde(skip_serializing_if = "is_default")]
    pub parents: Vec<String>,
    /// Storage parameters as `name=value`, those of the TOAST table as `toast.name=value`; sorted.
    #[serde(skip_serializing_if = "is_default")]
    pub options: Vec<String>,
    /// `ENABLE ROW LEVEL SECURITY`.
    #[serde(skip_serializing_if = "is_default")]
    pub row_security: bool,
    /// `FORCE ROW LEVEL SECURITY`.
    #[serde(skip_serializing_if = "is_default")]
    pub forces_row_security: bool,
    /// What logical replication identifies rows by.
    #[serde(skip_serializing_if = "is_default")]
    pub replica_identity: ReplicaIdentity,
    /// The index that `CLUSTER` orders its rows by, by its name.
    #[serde(skip_serializing_if = "is_default")]
    pub cluster_on: Option<String>,
    /// Of a foreign table, where its rows are.
    #[serde(skip_serializing_if = "is_default")]
    pub foreign: Option<ForeignPart>,
    /// The composite type of `CREATE TABLE … OF`, as SQL.
    #[serde(skip_serializing_if = "is_default")]
    pub of_type: Option<String>,
}

/// Where a foreign table's rows are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignPart {
    /// The foreign server's name.
    pub server: String,
    /// Options of the table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<ForeignOption>,
}

impl Table {
    /// True when the name of a column stands in the partition key.
    pub fn is_in_partition_key(&self, column: &str) -> bool {
        let Some(key) = &self.partition_key else { return false };
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$');
        let name = quote_ident(column);
        key.match_indices(&name).any(|(at, _)| {
            let (before, after) = (&key[..at], &key[at + name.len()..]);
            !before.ends_with(is_word) && !after.starts_with(is_word)
        })
    }
}

/// How rows are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Persistence {
    /// Safe from crashes.
    #[default]
    Permanent,
    /// Emptied by a crash.
    Unlogged,
}

/// What logical replication identifies rows by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplicaIdentity {
    /// The primary key.
    #[default]
    Default,
    /// Nothing.
    Nothing,
    /// All columns.
    Full,
    /// A unique index, by its name.
    Index(String),
}

/// A column of a table or view, or an attribute of a composite type.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// As `format_type` writes it.
    #[serde(rename = "type")]
    pub type_name: String,
    /// `NOT NULL`.
    #[serde(skip_serializing_if = "is_default")]
    pub not_null: bool,
    /// The default, or the expression of a generated column.
    #[serde(skip_serializing_if = "is_default")]
    pub default: Option<String>,
    /// The default is the expression of a generated column.
    #[serde(skip_serializing_if = "is_default")]
    pub generated: Option<Generated>,
    /// `GENERATED … AS IDENTITY`.
    #[serde(skip_serializing_if = "is_default")]
    pub identity: Option<Box<Identity>>,
    /// It comes from a parent table alone.
    #[serde(skip_serializing_if = "is_default")]
    pub inherited: bool,
    /// What few columns have.
    #[serde(flatten)]
    pub details: Details,
}

/// How a generated column is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Generated {
    /// Computed when the row is written.
    Stored,
    /// Computed when it is read; since PostgreSQL 18.
    Virtual,
}

/// An identity column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// `GENERATED ALWAYS`, not `BY DEFAULT`.
    pub always: bool,
    /// The sequence behind it, as SQL.
    pub sequence_name: String,
    /// What the sequence does.
    pub sequence: Sequence,
    /// What roles other than its owner may do with the sequence, sorted.
    #[serde(default, skip_serializing_if = "is_default")]
    pub grants: Vec<Grant>,
}

/// A sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sequence {
    /// As `format_type` writes it.
    #[serde(rename = "type")]
    pub type_name: String,
    /// First value.
    pub start: i64,
    /// Step.
    pub increment: i64,
    /// Smallest value.
    pub min: i64,
    /// Greatest value.
    pub max: i64,
    /// Values that a session takes at once.
    pub cache: i64,
    /// Begins anew at its end.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cycle: bool,
    /// Unlogged; since PostgreSQL 15.
    #[serde(default, skip_serializing_if = "is_default")]
    pub unlogged: bool,
    /// The column that it is dropped with.
    #[serde(default, skip_serializing_if = "is_default")]
    pub owned_by: Option<SequenceOwner>,
}

/// The column that a sequence is dropped with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SequenceOwner {
    /// Schema of the table.
    pub schema: String,
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
}

/// A constraint of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Constraint {
    /// What it demands.
    pub kind: ConstraintKind,
    /// `pg_get_constraintdef`: deferrability, `NOT VALID`, `NULLS NOT DISTINCT`, `NO INHERIT` and
    /// `INCLUDE` are in it.
    pub definition: String,
    /// It was checked on all rows.
    pub validated: bool,
    /// It comes from a parent table alone, and goes with the parent's.
    #[serde(default, skip_serializing_if = "is_default")]
    pub inherited: bool,
    /// Of a partition, the index of the partitioned table that its index is part of, as SQL.
    #[serde(default, skip_serializing_if = "is_default")]
    pub parent_index: Option<String>,
    /// Storage parameters of its index, sorted.
    #[serde(default, skip_serializing_if = "is_default")]
    pub index_options: Vec<String>,
    /// The referenced table of a foreign key, as SQL.
    #[serde(default, skip_serializing_if = "is_default")]
    pub references: Option<String>,
}

/// What a constraint demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names are PostgreSQL's")]
pub enum ConstraintKind {
    PrimaryKey,
    Unique,
    Exclusion,
    Check,
    ForeignKey,
}

/// An index that belongs to no constraint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Index {
    /// The table or materialized view, as SQL.
    pub table: String,
    /// `pg_get_indexdef`.
    pub definition: String,
    /// Unique.
    #[serde(default, skip_serializing_if = "is_default")]
    pub unique: bool,
    /// Usable; false after a `CREATE INDEX CONCURRENTLY` that failed.
    pub valid: bool,
    /// Of a partition, the index of the partitioned table that it is part of, as SQL.
    #[serde(default, skip_serializing_if = "is_default")]
    pub parent_index: Option<String>,
    /// On a partitioned table.
    #[serde(default, skip_serializing_if = "is_default")]
    pub partitioned: bool,
    /// Of a partitioned table's indexes that are like each other, the how manieth, as they were made; it does
    /// not count in comparisons.
    #[serde(default, skip_serializing_if = "is_default")]
    pub twin: u32,
    /// `ALTER COLUMN n SET STATISTICS` of expressions, as `n=target`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub statistics: Vec<String>,
}

/// An extended statistics object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statistics {
    /// `pg_get_statisticsobjdef`.
    pub definition: String,
    /// `SET STATISTICS`, when it is said.
    #[serde(default, skip_serializing_if = "is_default")]
    pub target: Option<i32>,
}

pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
