//! A table, as far as rules need it.

use std::collections::BTreeMap;

use pgfleet_sql::QualifiedName;
use pgfleet_sql::shape::{ColumnShape, ConstraintKind, ConstraintShape, IndexShape};

use super::{Origin, cut};
use crate::lint::target::TableSize;
use crate::preflight::spelled;

/// A table.
#[derive(Debug, Clone, Default)]
pub(in crate::lint) struct Table {
    /// Where the walk saw it created; none for one that was there before.
    pub origin: Option<Origin>,
    /// Its name in the target that the walk began with.
    pub target_name: Option<QualifiedName>,
    /// How large it is, as far as it is known.
    pub size: Option<TableSize>,
    pub columns: BTreeMap<String, Column>,
    /// All columns are known.
    pub complete: bool,
    pub constraints: Vec<Constraint>,
    /// Those of constraints too.
    pub indexes: Vec<Index>,
    pub temporary: bool,
    pub partitioned: bool,
    pub partition_of: Option<QualifiedName>,
    /// Where row security was switched on; none when it is off or was on before the walk.
    pub row_security: Option<Option<Origin>>,
    pub policies: usize,
    pub replica_index: Option<String>,
    /// The walk saw a statement that writes its rows.
    pub written: bool,
}

/// A column.
#[derive(Debug, Clone, Default)]
pub(in crate::lint) struct Column {
    /// Its type, spelled one way; empty when it is not known.
    pub data_type: String,
    pub not_null: bool,
    pub has_default: bool,
    /// Its name in the target that the walk began with.
    pub target_name: Option<String>,
}

/// A constraint.
#[derive(Debug, Clone)]
pub(in crate::lint) struct Constraint {
    pub kind: ConstraintKind,
    pub name: String,
    pub columns: Vec<String>,
    pub expression: String,
    pub references: Option<ReferredTo>,
    /// Existing rows were looked at.
    pub valid: bool,
    pub origin: Option<Origin>,
}

/// What a foreign key refers to.
#[derive(Debug, Clone)]
pub(in crate::lint) struct ReferredTo {
    pub table: QualifiedName,
    pub columns: Vec<String>,
    pub cascades: bool,
}

/// An index.
#[derive(Debug, Clone)]
pub(in crate::lint) struct Index {
    pub name: String,
    pub unique: bool,
    pub method: String,
    /// What it is on, as written; a column is its name.
    pub keys: Vec<String>,
    /// The leading keys that are columns.
    pub columns: Vec<String>,
    pub condition: String,
    pub include: Vec<String>,
    /// It is that of a constraint.
    pub of_constraint: bool,
}

impl Table {
    pub(in crate::lint) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.get(cut(name))
    }

    pub(in crate::lint) fn constraint(&self, name: &str) -> Option<&Constraint> {
        self.constraints.iter().find(|constraint| constraint.name == cut(name))
    }

    pub(in crate::lint) fn has_primary_key(&self) -> bool {
        self.constraints.iter().any(|constraint| constraint.kind == ConstraintKind::PrimaryKey)
    }

    /// Whether an index leads with these columns, in any order, and holds every row.
    pub(in crate::lint) fn has_index_on(&self, columns: &[String]) -> bool {
        let leads = |index: &&Index| {
            let head: Vec<_> = index.columns.iter().take(columns.len()).collect();
            let whole = index.condition.is_empty() || is_not_null_of(&index.condition, columns);
            whole
                && index.method == "btree"
                && head.len() == columns.len()
                && columns.iter().all(|column| head.contains(&column))
        };
        let hash = |index: &&Index| {
            index.method == "hash" && columns.len() == 1 && index.columns == columns
        };
        self.indexes.iter().any(|index| leads(&index) || hash(&index))
    }
}

/// A partial index `WHERE a IS NOT NULL` serves a foreign key: rows with NULL refer to nothing.
fn is_not_null_of(condition: &str, columns: &[String]) -> bool {
    let condition = condition.to_ascii_lowercase();
    let condition = condition.trim_matches(['(', ')', ' ']).replace('"', "");
    columns.iter().any(|column| condition == format!("{column} is not null"))
}

impl Column {
    pub(super) fn of(shape: &ColumnShape) -> Self {
        let primary = shape.constraint(ConstraintKind::PrimaryKey).is_some();
        Self {
            data_type: spelled(&shape.type_text),
            not_null: shape.not_null.is_some() || primary || shape.identity || shape.is_serial(),
            has_default: shape.default.is_some() || shape.identity || shape.is_serial(),
            target_name: None,
        }
    }
}

impl Index {
    pub(in crate::lint) fn of(shape: &IndexShape) -> Self {
        let key = |key: &pgfleet_sql::shape::IndexKey| match &key.column {
            Some(column) if key.text.split(' ').count() == 1 => column.clone(),
            _ => key.text.to_ascii_lowercase(),
        };
        let columns = shape.keys.iter().map_while(|key| key.column.clone());
        Self {
            name: shape.name.clone().unwrap_or_default(),
            unique: shape.unique,
            method: shape.method.clone(),
            keys: shape.keys.iter().map(key).collect(),
            columns: columns.collect(),
            condition: shape.condition.clone(),
            include: shape.include.clone(),
            of_constraint: false,
        }
    }

    /// That of a primary key or unique constraint.
    pub(super) fn of_constraint(constraint: &Constraint) -> Self {
        Self {
            name: constraint.name.clone(),
            unique: true,
            method: "btree".to_owned(),
            keys: constraint.columns.clone(),
            columns: constraint.columns.clone(),
            condition: String::new(),
            include: Vec::new(),
            of_constraint: true,
        }
    }
}

/// The name that PostgreSQL gives to a constraint without one, as far as no other has it.
pub(super) fn usual_name(table: &str, shape: &ConstraintShape) -> String {
    let columns = shape.columns.join("_");
    let name = match shape.kind {
        ConstraintKind::PrimaryKey => format!("{table}_pkey"),
        ConstraintKind::Unique => format!("{table}_{columns}_key"),
        ConstraintKind::ForeignKey => format!("{table}_{columns}_fkey"),
        ConstraintKind::Exclusion => format!("{table}_excl"),
        ConstraintKind::NotNull => format!("{table}_{columns}_not_null"),
        ConstraintKind::Check if columns.is_empty() => format!("{table}_check"),
        ConstraintKind::Check => format!("{table}_{columns}_check"),
    };
    cut(&name).to_owned()
}
