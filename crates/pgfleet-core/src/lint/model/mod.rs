//! The tables as they are at a moment of the walk.
//!
//! Invariant: what the walk could not see (a DO block, another search path) makes the model less
//! complete, and a table that is not in it is unknown, never absent.

mod from_target;
mod table;
mod take;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use pgfleet_sql::QualifiedName;

use super::finding::StatementId;
use super::target::TableSize;

pub(super) use table::{Column, Constraint, Index, Table};

/// PostgreSQL cuts identifiers to this many bytes (`NAMEDATALEN` - 1).
pub(super) const NAME_MAX_BYTES: usize = 63;

/// Where something came to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    pub at: StatementId,
    pub range: Range<usize>,
}

/// Tables, indexes and enums at a moment.
#[derive(Debug, Clone, Default)]
pub struct Model {
    /// The schema that names without one mean.
    schema: String,
    tables: BTreeMap<QualifiedName, Table>,
    enums: BTreeMap<QualifiedName, Vec<String>>,
    /// Enums that were renamed away or dropped: by which migration, and the values that they had.
    retired_enums: BTreeMap<QualifiedName, (usize, Vec<String>)>,
    /// Sizes by name, of a target that has more than the walk began with.
    sizes: BTreeMap<QualifiedName, TableSize>,
    /// It began with all of a target: tables that are not the target's are empty.
    pub(super) whole_target: bool,
    /// Tables that were dropped, by the name that they had.
    dropped: BTreeSet<QualifiedName>,
}

impl Model {
    /// Nothing is known; names without a schema mean `schema`.
    pub fn empty(schema: &str) -> Self {
        Self { schema: schema.to_owned(), ..Self::default() }
    }

    /// A name with its schema, cut as PostgreSQL cuts it.
    pub(super) fn full(&self, name: &QualifiedName) -> QualifiedName {
        let schema = name.schema.clone().unwrap_or_else(|| self.schema.clone());
        QualifiedName::new(schema, cut(&name.name))
    }

    pub(super) fn table(&self, name: &QualifiedName) -> Option<&Table> {
        self.tables.get(&self.full(name))
    }

    pub(super) fn tables(&self) -> impl Iterator<Item = (&QualifiedName, &Table)> {
        self.tables.iter()
    }

    pub(super) fn values_of(&self, name: &QualifiedName) -> Option<&Vec<String>> {
        self.enums.get(&self.full(name))
    }

    /// The values of an enum that had this name before the migration renamed or dropped it. Tools
    /// use the same names for the steps between again and again.
    pub(super) fn retired_values_of(
        &self,
        name: &QualifiedName,
        migration: usize,
    ) -> Option<&Vec<String>> {
        let (retired_by, values) = self.retired_enums.get(&self.full(name))?;
        (*retired_by == migration).then_some(values)
    }

    /// Whether nobody uses the table yet: the migration itself creates it, or the target has none.
    pub(super) fn is_new(&self, table: &Table, migration: usize) -> bool {
        match (&table.target_name, &table.origin) {
            (Some(_), _) => false,
            (None, Some(_)) if self.whole_target => true,
            (None, Some(origin)) => origin.at.0 == migration,
            (None, None) => false,
        }
    }

    /// The table of an index, with the index.
    pub(super) fn index(&self, name: &QualifiedName) -> Option<(&QualifiedName, &Index)> {
        let full = self.full(name);
        let in_schema = self.tables.iter().filter(|(table, _)| table.schema == full.schema);
        in_schema
            .flat_map(|(name, table)| table.indexes.iter().map(move |index| (name, index)))
            .find(|(_, index)| index.name == full.name)
    }

    /// Foreign keys that refer to a table, with the tables that hold them.
    pub(super) fn references_to(
        &self,
        name: &QualifiedName,
    ) -> impl Iterator<Item = (&QualifiedName, &Constraint)> {
        let full = self.full(name);
        self.tables.iter().flat_map(move |(holder, table)| {
            let full = full.clone();
            let refers = move |constraint: &&Constraint| {
                constraint.references.as_ref().is_some_and(|to| to.table == full)
            };
            table.constraints.iter().filter(refers).map(move |constraint| (holder, constraint))
        })
    }

    /// A name for people: without the schema that names without one mean.
    pub(super) fn shown(&self, name: &QualifiedName) -> String {
        match name.schema.as_deref() {
            Some(schema) if schema == self.schema => {
                QualifiedName::bare(name.name.clone()).to_string()
            }
            _ => name.to_string(),
        }
    }
}

/// The part of a name that PostgreSQL keeps.
pub(super) fn cut(name: &str) -> &str {
    let mut end = name.len().min(NAME_MAX_BYTES);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}
