//! What the catalog says about tables, as rules need it.

use std::fmt::{self, Display, Formatter};

use pgfleet_sql::{QualifiedName, quote_ident};
use serde::{Deserialize, Serialize};

/// Tables, sequences and enums of the user's schemas.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct Catalog {
    /// Ordinary and partitioned tables; partitions are left out.
    pub tables: Vec<CatalogTable>,
    /// Sequences that belong to a column.
    pub sequences: Vec<CatalogSequence>,
    /// Enum types.
    pub enums: Vec<CatalogEnum>,
}

/// A table's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TableName {
    /// Its schema.
    pub schema: String,
    /// Its own name.
    pub name: String,
}

/// As SQL.
impl Display for TableName {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        QualifiedName::new(self.schema.clone(), self.name.clone()).fmt(formatter)
    }
}

/// One table.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct CatalogTable {
    /// Which one.
    #[serde(flatten)]
    pub name: TableName,
    /// `reltuples`; below 0 when it was never analyzed.
    pub rows_estimate: f64,
    /// Bytes of its heap.
    pub heap_bytes: u64,
    /// Mean bytes of a row by `pg_stats`; none when it was never analyzed.
    pub row_width: Option<f64>,
    /// Rows that a vacuum would remove, by the statistics.
    pub dead_rows: u64,
    /// In their order.
    pub columns: Vec<CatalogColumn>,
    /// Columns of the primary key, in its order.
    pub primary_key: Vec<String>,
    /// Its own foreign keys.
    pub foreign_keys: Vec<ForeignKey>,
    /// All of its indexes.
    pub indexes: Vec<CatalogIndex>,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CatalogColumn {
    /// Its name.
    pub name: String,
    /// As `format_type` writes it, without its modifier.
    #[serde(rename = "type")]
    pub type_name: String,
    /// `pg_type.typcategory`: `S` string, `N` number, `D` date or time, `B` boolean, `E` enum.
    pub category: char,
    /// `NOT NULL`.
    pub not_null: bool,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ForeignKey {
    /// The constraint's name.
    pub name: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// The table that it refers to.
    pub parent: TableName,
    /// The columns there, in the same order.
    pub parent_columns: Vec<String>,
    /// What happens when the parent's row goes.
    pub on_delete: OnDelete,
    /// False after `NOT VALID`.
    pub validated: bool,
}

/// `ON DELETE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names are PostgreSQL's")]
pub enum OnDelete {
    #[serde(alias = "a", alias = "r")]
    Restrict,
    #[serde(alias = "c")]
    Cascade,
    #[serde(alias = "n")]
    SetNull,
    #[serde(alias = "d")]
    SetDefault,
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CatalogIndex {
    /// Its name.
    pub name: String,
    /// Its key columns; none for an expression.
    pub columns: Vec<Option<String>>,
    /// Equal for indexes of a table that do the same.
    pub signature: String,
    /// Unique.
    pub unique: bool,
    /// Only for some rows.
    pub partial: bool,
    /// Usable.
    pub valid: bool,
    /// A constraint has it.
    pub constraint: bool,
    /// Times that it was used since statistics began.
    pub scans: u64,
    /// Bytes.
    pub bytes: u64,
}

/// A sequence that belongs to a column.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CatalogSequence {
    /// As SQL.
    pub sequence: String,
    /// The column's table.
    pub table: TableName,
    /// The column.
    pub column: String,
    /// The last value that it gave.
    pub last_value: Option<i64>,
    /// Its step.
    pub increment: i64,
    /// The greatest value that fits both the sequence and its column.
    pub max: i64,
}

/// An enum type.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CatalogEnum {
    /// Its own name.
    pub name: String,
    /// Its labels.
    pub labels: Vec<String>,
}

impl Catalog {
    /// A table by its name.
    pub fn table(&self, name: &TableName) -> Option<&CatalogTable> {
        self.tables.iter().find(|table| table.name == *name)
    }
}

impl CatalogTable {
    /// A column by its name.
    pub fn column(&self, name: &str) -> Option<&CatalogColumn> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// SQL for the text that names a row of alias `t`: its primary key, in parentheses when it has several
    /// columns, else its place.
    pub fn key_sql(&self) -> String {
        let part = |column: &String| format!("t.{}", quote_ident(column));
        match self.primary_key.as_slice() {
            [] => "t.ctid::text".to_owned(),
            [column] => format!("{}::text", part(column)),
            columns => {
                let parts: Vec<_> = columns.iter().map(part).collect();
                format!("'(' || pg_catalog.concat_ws(', ', {}) || ')'", parts.join(", "))
            }
        }
    }

    /// A unique index on exactly this column, for all rows.
    pub fn is_unique(&self, column: &str) -> bool {
        self.indexes.iter().any(|index| {
            index.unique
                && !index.partial
                && index.columns.len() == 1
                && index.columns[0].as_deref() == Some(column)
        })
    }
}
