//! Names of tables and columns that say which database they are in.

use std::fmt::{self, Display, Formatter};

use pgfleet_sql::{QualifiedName, parse_qualified, quote_ident};
use serde::{Deserialize, Serialize};

/// A table of a family's database: `family.table` or `family.schema.table`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FamilyTable {
    /// The family.
    pub family: String,
    /// The schema, `public` when none is named.
    pub schema: String,
    /// The table's own name.
    pub table: String,
}

impl FamilyTable {
    /// Reads one; `None` when the text is anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (family, table) = text.split_once('.')?;
        let name = parse_qualified(table)?;
        let family = family.trim();
        (!family.is_empty()).then(|| Self {
            family: family.to_owned(),
            schema: name.schema.unwrap_or_else(|| "public".to_owned()),
            table: name.name,
        })
    }

    /// The name within its database.
    pub fn name(&self) -> QualifiedName {
        QualifiedName::new(&self.schema, &self.table)
    }
}

/// Without the schema where that is `public`.
impl Display for FamilyTable {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.", self.family)?;
        if self.schema != "public" {
            write!(formatter, "{}.", quote_ident(&self.schema))?;
        }
        formatter.write_str(&quote_ident(&self.table))
    }
}

/// Columns of a table: `family.table(column, …)`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ColumnsOf {
    /// The table.
    pub table: FamilyTable,
    /// The columns, in order.
    pub columns: Vec<String>,
}

impl ColumnsOf {
    /// Reads them; `None` when the text is anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (table, columns) = text.trim().strip_suffix(')')?.split_once('(')?;
        let column = |text: &str| parse_qualified(text).filter(|name| name.schema.is_none());
        let columns: Option<Vec<_>> =
            columns.split(',').map(|text| column(text).map(|name| name.name)).collect();
        Some(Self { table: FamilyTable::parse(table)?, columns: columns? })
    }
}

impl Display for ColumnsOf {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let columns: Vec<_> = self.columns.iter().map(|column| quote_ident(column)).collect();
        write!(formatter, "{}({})", self.table, columns.join(", "))
    }
}
