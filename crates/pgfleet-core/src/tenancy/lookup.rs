//! A schema's objects by what they belong to.
//!
//! Invariant: made in one walk over the schema, so that each of thousands of partitions costs what it has
//! itself, and not another walk.

use std::collections::{BTreeMap, BTreeSet};

use pgfleet_sql::definition::{ConflictTarget, conflict_targets};
use pgfleet_sql::{QualifiedName, parse_qualified};

use crate::schema::{Body, Edge, Kind, Object, ObjectId, Schema};

type Objects<'a> = BTreeMap<ObjectId, Vec<&'a Object>>;

/// See above.
pub(super) struct Lookup<'a> {
    pub(super) schema: &'a Schema,
    parts: Objects<'a>,
    partitions: Objects<'a>,
    index_parts: BTreeMap<(String, String), Vec<&'a Object>>,
    conflicts: Vec<(&'a Object, Vec<ConflictTarget>)>,
    edges_to: BTreeMap<u32, Vec<&'a Edge>>,
    names: BTreeSet<(&'a str, &'a str)>,
}

impl<'a> Lookup<'a> {
    pub(super) fn new(schema: &'a Schema) -> Self {
        let mut lookup = Self {
            schema,
            parts: BTreeMap::new(),
            partitions: BTreeMap::new(),
            index_parts: BTreeMap::new(),
            conflicts: Vec::new(),
            edges_to: BTreeMap::new(),
            names: BTreeSet::new(),
        };
        schema.objects.iter().for_each(|object| lookup.add(object));
        for edge in &schema.edges {
            lookup.edges_to.entry(edge.to).or_default().push(edge);
        }
        lookup
    }

    fn add(&mut self, object: &'a Object) {
        self.names.insert((&object.id.schema, &object.id.name));
        if let Some(table) = table_of(object) {
            self.parts.entry(table).or_default().push(object);
        }
        if let Some(parent) = part_of(object).and_then(|sql| named(sql, object)) {
            self.index_parts.entry((parent.schema, parent.name)).or_default().push(object);
        }
        if let Some(table) = object.table().filter(|table| table.partition_bound.is_some()) {
            for parent in table.parents.iter().filter_map(|sql| named(sql, object)) {
                self.partitions.entry(parent).or_default().push(object);
            }
        }
        let text = match &object.body {
            Body::Routine(routine) => &routine.definition,
            Body::Rule(rule) => &rule.definition,
            _ => return,
        };
        let targets = conflict_targets(text);
        if !targets.is_empty() {
            self.conflicts.push((object, targets));
        }
    }

    /// The object of a table.
    pub(super) fn table(&self, name: &QualifiedName) -> Option<&'a Object> {
        let namespace = name.schema.as_deref().unwrap_or("public");
        self.schema.get(&ObjectId::new(Kind::Table, namespace, &name.name))
    }

    /// Constraints, indexes, triggers, rules and policies of a table.
    pub(super) fn parts(&self, table: &ObjectId) -> &[&'a Object] {
        self.parts.get(table).map_or(&[], Vec::as_slice)
    }

    /// Direct partitions of a table.
    pub(super) fn partitions(&self, table: &ObjectId) -> &[&'a Object] {
        self.partitions.get(table).map_or(&[], Vec::as_slice)
    }

    /// What a key of a partitioned table is in its direct partitions.
    pub(super) fn index_parts(&self, key: &ObjectId) -> &[&'a Object] {
        let name = (key.schema.clone(), key.name.clone());
        self.index_parts.get(&name).map_or(&[], Vec::as_slice)
    }

    /// Functions and rules with `ON CONFLICT`, and what they name there.
    pub(super) fn conflicts(&self) -> &[(&'a Object, Vec<ConflictTarget>)] {
        &self.conflicts
    }

    /// What depends on an object, with the column on which it does.
    pub(super) fn dependents(&self, id: &ObjectId) -> impl Iterator<Item = (&'a Object, &'a Edge)> {
        let at = self.schema.position(id).and_then(|at| u32::try_from(at).ok());
        let edges = at.and_then(|at| self.edges_to.get(&at)).into_iter().flatten();
        let from = |edge: &&'a Edge| Some((self.schema.objects.get(edge.from as usize)?, *edge));
        edges.filter_map(from)
    }

    /// An object of the schema has this name.
    pub(super) fn is_taken(&self, namespace: &str, name: &str) -> bool {
        self.names.contains(&(namespace, name))
    }
}

/// The index of the partitioned table that an index of a partition is part of.
fn part_of(object: &Object) -> Option<&str> {
    match &object.body {
        Body::Constraint(one) => one.parent_index.as_deref(),
        Body::Index(one) => one.parent_index.as_deref(),
        _ => None,
    }
}

/// The table that an object stands on.
pub(super) fn table_of(object: &Object) -> Option<ObjectId> {
    match &object.body {
        Body::Index(index) => named(&index.table, object),
        _ if object.id.table.is_empty() => None,
        _ => Some(ObjectId::new(Kind::Table, &object.id.schema, &object.id.table)),
    }
}

/// A qualified name as PostgreSQL writes it, said of a table.
fn named(sql: &str, by: &Object) -> Option<ObjectId> {
    let name = parse_qualified(sql)?;
    Some(ObjectId::new(Kind::Table, name.schema.as_deref().unwrap_or(&by.id.schema), &name.name))
}
