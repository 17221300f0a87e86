//! What a database has of the declaration already: objects are found by what they are, whatever
//! their names.

use std::collections::BTreeSet;

use pgfleet_sql::definition::{conflict_targets, foreign_key, key_columns};
use pgfleet_sql::{QualifiedName, parse_qualified};

use super::declaration::{Tenancy, TenantTable};
use crate::schema::{Body, Column, ConstraintKind, Kind, Object, ObjectId, Schema};

/// A tenant table as it is.
#[derive(Debug, Clone)]
pub(super) struct TableState<'a> {
    pub(super) declared: &'a TenantTable,
    pub(super) object: &'a Object,
    /// The tenant column, when it is there.
    pub(super) column: Option<&'a Column>,
    /// Unique keys without the tenant column that are to have it.
    pub(super) keys: Vec<Key<'a>>,
    /// An index begins with the column, or will.
    pub(super) has_index: bool,
    /// The column references what it should.
    pub(super) has_foreign_key: bool,
    /// A policy has the declared condition.
    pub(super) has_policy: bool,
    /// Other policies let rows through.
    pub(super) has_permissive_policy: bool,
    /// Leaves of a partitioned table.
    pub(super) leaves: Vec<&'a ObjectId>,
    /// What else depends on the tenant column that is there.
    pub(super) column_dependents: Vec<&'a ObjectId>,
}

/// A unique key.
#[derive(Debug, Clone)]
pub(super) struct Key<'a> {
    pub(super) object: &'a Object,
    /// The table that it stands on: the declared one, or a partition that has it alone.
    pub(super) on: &'a ObjectId,
    pub(super) is_constraint: bool,
    pub(super) definition: &'a str,
    /// None for an expression.
    pub(super) columns: Vec<Option<String>>,
    /// Functions whose `ON CONFLICT` relies on it.
    pub(super) functions: Vec<&'a Object>,
    /// What else needs it and cannot be changed along.
    pub(super) needed_by: Vec<&'a ObjectId>,
    /// Of a partitioned table, what it is in the partitions, from the top down.
    pub(super) parts: Vec<KeyPart<'a>>,
}

/// A partition's part of a key.
#[derive(Debug, Clone)]
pub(super) struct KeyPart<'a> {
    /// The constraint or index.
    pub(super) object: &'a Object,
    /// The partition.
    pub(super) table: ObjectId,
    /// The index that it is part of, as SQL.
    pub(super) parent: &'a str,
    /// The partition has rows, and no partitions of its own.
    pub(super) is_leaf: bool,
}

impl Key<'_> {
    /// It holds for a part of the rows only.
    pub(super) fn is_partial(&self) -> bool {
        let range = key_columns(self.definition).map(|key| key.range);
        let tail = range.and_then(|range| self.definition.get(range.end..)).unwrap_or_default();
        tail.contains(" WHERE ")
    }
}

/// The object of a table.
pub(super) fn find_table<'s>(schema: &'s Schema, name: &QualifiedName) -> Option<&'s Object> {
    let namespace = name.schema.as_deref().unwrap_or("public");
    schema.get(&ObjectId::new(Kind::Table, namespace, &name.name))
}

/// The table has a unique key of `NOT NULL` columns, by which its rows can be walked.
pub(super) fn can_be_cut(schema: &Schema, id: &ObjectId) -> bool {
    let Some(table) = schema.get(id) else { return false };
    let is_there = |column: Option<String>| {
        let named = |one: &Column| Some(&one.name) == column.as_ref() && one.not_null;
        table.columns().iter().any(named)
    };
    schema.objects.iter().filter(|object| table_of(object).as_ref() == Some(id)).any(|object| {
        let definition = match &object.body {
            Body::Constraint(one)
                if matches!(one.kind, ConstraintKind::PrimaryKey | ConstraintKind::Unique) =>
            {
                &one.definition
            }
            Body::Index(one) if one.unique && one.valid => &one.definition,
            _ => return false,
        };
        let Some(key) = key_columns(definition) else { return false };
        let tail = definition.get(key.range.end..).unwrap_or_default();
        let holds = !tail.contains(" DEFERRABLE") && !tail.contains(" WHERE ");
        holds && key.columns.into_iter().all(is_there)
    })
}

/// Looks at one table; none when it is not there.
pub(super) fn survey<'a>(
    tenancy: &Tenancy,
    declared: &'a TenantTable,
    schema: &'a Schema,
) -> Option<TableState<'a>> {
    let object = find_table(schema, &declared.name)?;
    let column = object.columns().iter().find(|column| column.name == tenancy.column);
    let looks = Looks { tenancy, declared, schema, object };
    let leaves = looks.leaves();
    let mut keys = looks.keys();
    for leaf in leaves.iter().filter_map(|id| schema.get(id)) {
        keys.extend(Looks { object: leaf, ..looks }.keys());
    }
    let policies = looks.parts(Kind::Policy);
    let using = |object: &Object| match &object.body {
        Body::Policy(policy) => policy.using.clone(),
        _ => None,
    };
    let permissive = |object: &&&Object| matches!(&object.body, Body::Policy(p) if p.permissive);
    Some(TableState {
        declared,
        object,
        column,
        has_index: looks.has_index()
            || keys.iter().any(|key| *key.on == object.id && !key.is_partial()),
        has_foreign_key: looks.has_foreign_key(),
        has_policy: policies
            .iter()
            .any(|policy| policy.id.name == super::steps::POLICY && using(policy).is_some()),
        has_permissive_policy: policies
            .iter()
            .filter(permissive)
            .any(|policy| policy.id.name != super::steps::POLICY),
        leaves,
        column_dependents: looks.column_dependents(),
        keys,
    })
}

#[derive(Clone, Copy)]
struct Looks<'t, 'a> {
    tenancy: &'t Tenancy,
    declared: &'a TenantTable,
    schema: &'a Schema,
    object: &'a Object,
}

impl<'a> Looks<'_, 'a> {
    /// Constraints, triggers, rules or policies of the table.
    fn parts(&self, kind: Kind) -> Vec<&'a Object> {
        let id = &self.object.id;
        let objects = self.schema.objects.iter();
        objects
            .filter(|o| o.id.kind == kind && o.id.schema == id.schema && o.id.table == id.name)
            .collect()
    }

    fn indexes(&self) -> impl Iterator<Item = (&'a Object, &'a crate::schema::Index)> {
        let own = self.object.id.clone();
        self.schema.objects.iter().filter_map(move |object| match &object.body {
            Body::Index(index) if is_table(&index.table, &own) => Some((object, index)),
            _ => None,
        })
    }

    fn keys(&self) -> Vec<Key<'a>> {
        let constraints =
            self.parts(Kind::Constraint).into_iter().filter_map(|object| match &object.body {
                Body::Constraint(one)
                    if one.kind == ConstraintKind::Unique && one.parent_index.is_none() =>
                {
                    self.key(object, true, &one.definition)
                }
                _ => None,
            });
        let indexes = self.indexes();
        let indexes = indexes
            .filter(|(_, index)| index.unique && index.valid && index.parent_index.is_none());
        let indexes =
            indexes.filter_map(|(object, index)| self.key(object, false, &index.definition));
        constraints.chain(indexes).collect()
    }

    fn key(&self, object: &'a Object, is_constraint: bool, definition: &'a str) -> Option<Key<'a>> {
        let columns = key_columns(definition)?.columns;
        let has = |name: &str| columns.iter().any(|column| column.as_deref() == Some(name));
        let kept = self.declared.keep_unique.iter();
        let is_kept = kept
            .clone()
            .any(|kept| kept.len() == columns.len() && kept.iter().all(|name| has(name)));
        if has(&self.tenancy.column) || is_kept {
            return None;
        }
        let (functions, rules) = self.conflicts(&columns);
        let mut needed_by = self.dependents(object);
        needed_by.extend(rules);
        let parts = self.key_parts(&object.id);
        // A partition's part of it is no reason to keep it.
        needed_by.retain(|id| !parts.iter().any(|part| part.object.id == **id));
        let on = &self.object.id;
        Some(Key { object, on, is_constraint, definition, columns, functions, needed_by, parts })
    }

    /// What a key of a partitioned table is in its partitions.
    fn key_parts(&self, key: &ObjectId) -> Vec<KeyPart<'a>> {
        let mut found: Vec<KeyPart<'a>> = Vec::new();
        let mut open = vec![key.clone()];
        while let Some(parent) = open.pop() {
            for object in &self.schema.objects {
                let Some(index) = part_of(object).filter(|index| is_table(index, &parent)) else {
                    continue;
                };
                let Some(table) = table_of(object) else { continue };
                let is_leaf = self
                    .schema
                    .get(&table)
                    .and_then(Object::table)
                    .is_some_and(|table| table.partition_key.is_none());
                open.push(object.id.clone());
                found.push(KeyPart { object, table, parent: index, is_leaf });
            }
        }
        found
    }

    /// Functions and rules with an `ON CONFLICT` on exactly these columns of the table.
    fn conflicts(&self, columns: &[Option<String>]) -> (Vec<&'a Object>, Vec<&'a ObjectId>) {
        let wanted: Option<BTreeSet<_>> = columns.iter().cloned().collect();
        let (mut functions, mut rules) = (Vec::new(), Vec::new());
        let Some(wanted) = wanted else { return (functions, rules) };
        for object in &self.schema.objects {
            let text = match &object.body {
                Body::Routine(routine) => &routine.definition,
                Body::Rule(rule) => &rule.definition,
                _ => continue,
            };
            let relies = conflict_targets(text).into_iter().any(|target| {
                same_table(&target.table, &self.object.id)
                    && target.columns.into_iter().collect::<BTreeSet<_>>() == wanted
            });
            match &object.body {
                Body::Routine(_) if relies => functions.push(object),
                Body::Rule(_) if relies => rules.push(&object.id),
                _ => {}
            }
        }
        (functions, rules)
    }

    fn dependents(&self, key: &Object) -> Vec<&'a ObjectId> {
        let Some(at) = self.schema.position(&key.id) else { return Vec::new() };
        let edges = self.schema.edges.iter().filter(|edge| edge.to as usize == at);
        let from = edges.filter_map(|edge| self.schema.objects.get(edge.from as usize));
        from.map(|object| &object.id).filter(|id| **id != self.object.id).collect()
    }

    fn has_index(&self) -> bool {
        let begins = |definition: &str| {
            let columns = key_columns(definition).map(|key| key.columns).unwrap_or_default();
            columns.first().cloned().flatten().as_deref() == Some(&self.tenancy.column)
        };
        let constraints = self.parts(Kind::Constraint);
        let mut keys = constraints.iter().filter_map(|object| match &object.body {
            Body::Constraint(one)
                if matches!(one.kind, ConstraintKind::Unique | ConstraintKind::PrimaryKey) =>
            {
                Some(one.definition.as_str())
            }
            _ => None,
        });
        keys.any(begins)
            || self.indexes().any(|(_, index)| index.valid && begins(&index.definition))
    }

    fn has_foreign_key(&self) -> bool {
        let Some((table, column)) = &self.tenancy.references else { return true };
        self.parts(Kind::Constraint).iter().any(|object| match &object.body {
            Body::Constraint(one) if one.kind == ConstraintKind::ForeignKey => {
                foreign_key(&one.definition).is_some_and(|key| {
                    key.columns == [self.tenancy.column.clone()]
                        && key.references == [column.clone()]
                        && key.table == *table
                })
            }
            _ => false,
        })
    }

    fn leaves(&self) -> Vec<&'a ObjectId> {
        let mut found = Vec::new();
        let mut open = vec![&self.object.id];
        while let Some(parent) = open.pop() {
            for object in &self.schema.objects {
                let Some(table) = object.table() else { continue };
                let is_part = table.partition_bound.is_some()
                    && table.parents.iter().any(|name| is_table(name, parent));
                match (is_part, &table.partition_key) {
                    (true, None) => found.push(&object.id),
                    (true, Some(_)) => open.push(&object.id),
                    _ => {}
                }
            }
        }
        found.sort();
        found
    }

    fn column_dependents(&self) -> Vec<&'a ObjectId> {
        let Some(at) = self.schema.position(&self.object.id) else { return Vec::new() };
        let on_column = |edge: &&crate::schema::Edge| {
            edge.to as usize == at && edge.to_column.as_deref() == Some(&self.tenancy.column)
        };
        let edges = self.schema.edges.iter().filter(on_column);
        edges.filter_map(|edge| Some(&self.schema.objects.get(edge.from as usize)?.id)).collect()
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

/// The table that a constraint or index stands on.
fn table_of(object: &Object) -> Option<ObjectId> {
    let id = &object.id;
    match &object.body {
        Body::Index(index) => {
            let name = parse_qualified(&index.table)?;
            Some(ObjectId::new(
                Kind::Table,
                name.schema.as_deref().unwrap_or(&id.schema),
                &name.name,
            ))
        }
        _ => Some(ObjectId::new(Kind::Table, &id.schema, &id.table)),
    }
}

/// `sql` is a qualified name as PostgreSQL writes it.
fn is_table(sql: &str, id: &ObjectId) -> bool {
    parse_qualified(sql).is_some_and(|name| same_table(&name, id))
}

fn same_table(name: &QualifiedName, id: &ObjectId) -> bool {
    name.name == id.name && name.schema.as_ref().is_none_or(|schema| *schema == id.schema)
}
