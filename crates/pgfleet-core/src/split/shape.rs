//! What of a database matters for moving rows: tables with their columns, keys and sizes.

use std::collections::BTreeMap;

use pgfleet_sql::QualifiedName;

/// The tables of a database.
#[derive(Debug, Clone, Default)]
pub struct Shape {
    /// By schema and name.
    pub tables: BTreeMap<QualifiedName, TableShape>,
}

/// One table.
#[derive(Debug, Clone, Default)]
pub struct TableShape {
    /// In order.
    pub columns: Vec<ColumnShape>,
    /// Primary key and unique constraints and indexes without expressions or conditions; the
    /// primary key first.
    pub keys: Vec<KeyShape>,
    /// Foreign keys that it declares.
    pub foreign_keys: Vec<ForeignKeyShape>,
    /// Rows, as the statistics estimate them; negative when they know nothing.
    pub rows_estimated: f64,
    /// Size of rows and TOAST.
    pub size_bytes: u64,
    /// Pages of the table's own file; 0 where it has none.
    pub pages: u64,
    /// The file; another one after a rewrite, when page numbers mean nothing any more.
    pub file: u64,
    /// Its rows are in partitions.
    pub is_partitioned: bool,
}

/// One column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnShape {
    /// Its name.
    pub name: String,
    /// The type with length or precision: `character varying(50)`.
    pub full_type: String,
    /// The type without them, of a domain the type beneath it.
    pub base_type: String,
    /// No NULL is allowed, by the column or its domain.
    pub is_not_null: bool,
    /// A default or identity fills it when it is left out.
    pub has_default: bool,
    /// Its value is computed; it cannot be written.
    pub is_generated: bool,
    /// The labels of an enum.
    pub labels: Option<Vec<String>>,
    /// The type is one of PostgreSQL's own, the same on every server.
    pub is_builtin: bool,
    /// The sequence that feeds it.
    pub sequence: Option<String>,
}

/// A unique key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyShape {
    /// The index's name.
    pub name: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// It is the primary key.
    pub is_primary: bool,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKeyShape {
    /// The constraint's name.
    pub name: String,
    /// The referring columns.
    pub columns: Vec<String>,
    /// The table referred to.
    pub to: QualifiedName,
    /// The columns referred to.
    pub to_columns: Vec<String>,
    /// All rows were held against it.
    pub is_validated: bool,
}

impl TableShape {
    /// A column by its name.
    pub fn column(&self, name: &str) -> Option<&ColumnShape> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The primary key, else the first unique key; empty when there is none.
    pub fn key(&self) -> &[String] {
        self.keys.first().map(|key| key.columns.as_slice()).unwrap_or_default()
    }
}
