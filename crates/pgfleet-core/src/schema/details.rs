//! What few columns have.
//!
//! Invariant: a column without any of it holds nothing for it. A database has ten columns for each table,
//! and they are most of what its schema weighs.

use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::foreign::ForeignOption;
use super::grant::Grant;
use super::table::{Column, is_default};

/// What few columns have.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ColumnDetails {
    /// As SQL, when it is not the type's own.
    #[serde(skip_serializing_if = "is_default")]
    pub collation: Option<String>,
    /// `PLAIN`, `EXTERNAL`, `EXTENDED` or `MAIN`, when it is not the type's own.
    #[serde(skip_serializing_if = "is_default")]
    pub storage: Option<String>,
    /// `pglz` or `lz4`, when it is said.
    #[serde(skip_serializing_if = "is_default")]
    pub compression: Option<String>,
    /// `SET STATISTICS`, when it is said.
    #[serde(skip_serializing_if = "is_default")]
    pub statistics: Option<i32>,
    /// `n_distinct=…` and the like, sorted.
    #[serde(skip_serializing_if = "is_default")]
    pub options: Vec<String>,
    /// Options of a foreign table's column.
    #[serde(skip_serializing_if = "is_default")]
    pub foreign_options: Vec<ForeignOption>,
    /// What roles other than the owner may do with it.
    #[serde(skip_serializing_if = "is_default")]
    pub grants: Vec<Grant>,
}

const NONE: &ColumnDetails = &ColumnDetails {
    collation: None,
    storage: None,
    compression: None,
    statistics: None,
    options: Vec::new(),
    foreign_options: Vec::new(),
    grants: Vec::new(),
};

/// [`ColumnDetails`], held apart when there are any.
#[derive(Debug, Clone, Default)]
pub struct Details(Option<Box<ColumnDetails>>);

impl From<ColumnDetails> for Details {
    fn from(details: ColumnDetails) -> Self {
        Self((details != *NONE).then(|| Box::new(details)))
    }
}

impl Deref for Details {
    type Target = ColumnDetails;

    fn deref(&self) -> &ColumnDetails {
        self.0.as_deref().unwrap_or(NONE)
    }
}

impl DerefMut for Details {
    fn deref_mut(&mut self) -> &mut ColumnDetails {
        self.0.get_or_insert_default()
    }
}

impl PartialEq for Details {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Serialize for Details {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Details {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ColumnDetails::deserialize(deserializer).map(Self::from)
    }
}

/// So that a column's details are named like what every column has.
impl Deref for Column {
    type Target = ColumnDetails;

    fn deref(&self) -> &ColumnDetails {
        &self.details
    }
}

impl DerefMut for Column {
    fn deref_mut(&mut self) -> &mut ColumnDetails {
        &mut self.details
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_small_and_details_stand_beside_the_rest_in_a_snapshot() {
        assert!(size_of::<Column>() <= 96, "{}", size_of::<Column>());
        let mut column = Column { name: "a".to_owned(), ..Column::default() };
        assert_eq!(serde_json::to_string(&column).unwrap(), r#"{"name":"a","type":""}"#);
        column.storage = Some("MAIN".to_owned());
        let text = serde_json::to_string(&column).unwrap();
        assert_eq!(text, r#"{"name":"a","type":"","storage":"MAIN"}"#);
        assert_eq!(serde_json::from_str::<Column>(&text).unwrap(), column);
        column.storage = None;
        assert_eq!(column, Column { name: "a".to_owned(), ..Column::default() });
    }
}
