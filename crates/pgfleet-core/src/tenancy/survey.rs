//! What a database has of the declaration already: objects are found by what they are, whatever
//! their names.

use std::collections::BTreeSet;

use pgfleet_sql::QualifiedName;
use pgfleet_sql::definition::{foreign_key, key_columns};

use super::declaration::{Tenancy, TenantTable};
use super::lookup::{Lookup, table_of};
use crate::schema::{Body, Column, Constraint, ConstraintKind, Index, Kind, Object, ObjectId};

/// A tenant table as it is.
#[derive(Debug, Clone)]
pub(super) struct TableState<'a> {
    pub(super) declared: &'a TenantTable,
    pub(super) object: &'a Object,
    /// The tenant column, when it is there.
    pub(super) column: Option<&'a Column>,
    /// Unique keys without the tenant column that are to have it.
    pub(super) keys: Vec<Key<'a>>,
    /// Columns of the primary key.
    pub(super) primary_key: Option<Vec<String>>,
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
    /// What stands on the tenant column that is there.
    pub(super) column_dependents: Vec<&'a Object>,
}

/// A unique key.
#[derive(Debug, Clone)]
pub(super) struct Key<'a> {
    pub(super) object: &'a Object,
    /// The table that it stands on: the declared one, or a partition that has it alone.
    pub(super) on: &'a ObjectId,
    pub(super) is_constraint: bool,
    pub(super) is_primary: bool,
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
    /// The key of the table above that it is part of.
    pub(super) parent: ObjectId,
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

/// The table has a unique key of `NOT NULL` columns, by which its rows can be walked.
pub(super) fn can_be_cut(lookup: &Lookup<'_>, id: &ObjectId) -> bool {
    let Some(table) = lookup.schema.get(id) else { return false };
    let is_there =
        |column: &String| table.columns().iter().any(|one| one.name == *column && one.not_null);
    lookup.parts(id).iter().any(|object| {
        let is_deferred =
            matches!(&object.body, Body::Constraint(one) if one.definition.contains(" DEFERRABLE"));
        let key = plain_unique_key(object).filter(|_| !is_deferred);
        key.is_some_and(|key| key.iter().all(is_there))
    })
}

/// The columns of a unique key of all rows, without expressions.
pub(super) fn plain_unique_key(object: &Object) -> Option<Vec<String>> {
    let definition = match &object.body {
        Body::Constraint(one)
            if matches!(one.kind, ConstraintKind::Unique | ConstraintKind::PrimaryKey) =>
        {
            &one.definition
        }
        Body::Index(one) if one.unique && one.valid => &one.definition,
        _ => return None,
    };
    let key = key_columns(definition)?;
    let tail = definition.get(key.range.end..).unwrap_or_default();
    if tail.contains(" WHERE ") { None } else { key.columns.into_iter().collect() }
}

/// Looks at one table; none when it is not there.
pub(super) fn survey<'a>(
    tenancy: &Tenancy,
    declared: &'a TenantTable,
    lookup: &Lookup<'a>,
) -> Option<TableState<'a>> {
    let object = lookup.table(&declared.name)?;
    let column = object.columns().iter().find(|column| column.name == tenancy.column);
    let looks = Looks { tenancy, declared, lookup, object };
    let leaves = looks.leaves();
    let mut keys = looks.keys();
    for leaf in leaves.iter().filter_map(|id| lookup.schema.get(id)) {
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
        primary_key: looks.primary_key(),
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
        column_dependents: looks.column_dependents(&leaves),
        leaves,
        keys,
    })
}

#[derive(Clone, Copy)]
struct Looks<'t, 'a> {
    tenancy: &'t Tenancy,
    declared: &'a TenantTable,
    lookup: &'t Lookup<'a>,
    object: &'a Object,
}

impl<'a> Looks<'_, 'a> {
    /// Constraints, triggers, rules or policies of the table.
    fn parts(&self, kind: Kind) -> Vec<&'a Object> {
        let parts = self.lookup.parts(&self.object.id).iter().copied();
        parts.filter(|object| object.id.kind == kind).collect()
    }

    fn primary_key(&self) -> Option<Vec<String>> {
        let constraints = self.parts(Kind::Constraint);
        let is_primary = |object: &&&Object| matches!(&object.body, Body::Constraint(one) if one.kind == ConstraintKind::PrimaryKey);
        constraints.iter().find(is_primary).and_then(|object| plain_unique_key(object))
    }

    fn indexes(&self) -> impl Iterator<Item = (&'a Object, &'a Index)> {
        let parts = self.lookup.parts(&self.object.id).iter().copied();
        parts.filter_map(|object| match &object.body {
            Body::Index(index) => Some((object, index)),
            _ => None,
        })
    }

    fn keys(&self) -> Vec<Key<'a>> {
        let constraints =
            self.parts(Kind::Constraint).into_iter().filter_map(|object| match &object.body {
                Body::Constraint(one) if one.parent_index.is_none() && self.is_asked(one) => {
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

    /// Unique keys become per-tenant, and a primary key that is declared to.
    fn is_asked(&self, key: &Constraint) -> bool {
        match key.kind {
            ConstraintKind::Unique => true,
            ConstraintKind::PrimaryKey => {
                let columns = key_columns(&key.definition).map(|key| key.columns);
                let columns: Option<BTreeSet<_>> = columns.into_iter().flatten().collect();
                let asked = self.declared.per_tenant.as_ref();
                asked.is_some_and(|asked| columns == Some(asked.iter().cloned().collect()))
            }
            _ => false,
        }
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
        let own: BTreeSet<_> = parts.iter().map(|part| &part.object.id).collect();
        needed_by.retain(|id| !own.contains(id));
        let on = &self.object.id;
        let is_primary =
            matches!(&object.body, Body::Constraint(one) if one.kind == ConstraintKind::PrimaryKey);
        Some(Key {
            object,
            on,
            is_constraint,
            is_primary,
            definition,
            columns,
            functions,
            needed_by,
            parts,
        })
    }

    /// What a key of a partitioned table is in its partitions.
    fn key_parts(&self, key: &ObjectId) -> Vec<KeyPart<'a>> {
        let mut found: Vec<KeyPart<'a>> = Vec::new();
        let mut open = vec![key.clone()];
        while let Some(parent) = open.pop() {
            for object in self.lookup.index_parts(&parent).iter().copied() {
                let Some(table) = table_of(object) else { continue };
                let body = self.lookup.schema.get(&table).and_then(Object::table);
                let is_leaf = body.is_some_and(|table| table.partition_key.is_none());
                open.push(object.id.clone());
                found.push(KeyPart { object, table, parent: parent.clone(), is_leaf });
            }
        }
        found
    }

    /// Functions and rules with an `ON CONFLICT` on exactly these columns of the table.
    fn conflicts(&self, columns: &[Option<String>]) -> (Vec<&'a Object>, Vec<&'a ObjectId>) {
        let wanted: Option<BTreeSet<_>> = columns.iter().cloned().collect();
        let (mut functions, mut rules) = (Vec::new(), Vec::new());
        let Some(wanted) = wanted else { return (functions, rules) };
        let wanted: BTreeSet<&str> = wanted.iter().map(String::as_str).collect();
        for (object, targets) in self.lookup.conflicts() {
            let relies = targets.iter().any(|target| {
                let columns: BTreeSet<_> = target.columns.iter().map(String::as_str).collect();
                same_table(&target.table, &self.object.id) && columns == wanted
            });
            match &object.body {
                Body::Routine(_) if relies => functions.push(*object),
                Body::Rule(_) if relies => rules.push(&object.id),
                _ => {}
            }
        }
        (functions, rules)
    }

    fn dependents(&self, key: &Object) -> Vec<&'a ObjectId> {
        let from = self.lookup.dependents(&key.id);
        from.map(|(object, _)| &object.id).filter(|id| **id != self.object.id).collect()
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
            for object in self.lookup.partitions(parent) {
                match object.table().is_some_and(|table| table.partition_key.is_some()) {
                    true => open.push(&object.id),
                    false => found.push(&object.id),
                }
            }
        }
        found.sort();
        found
    }

    /// Of the table and of its partitions, each once.
    fn column_dependents(&self, leaves: &[&'a ObjectId]) -> Vec<&'a Object> {
        let mut found: Vec<&Object> = Vec::new();
        for table in leaves.iter().copied().chain([&self.object.id]) {
            let from = self.lookup.dependents(table);
            let on_column =
                from.filter(|(_, edge)| edge.to_column.as_deref() == Some(&self.tenancy.column));
            found.extend(on_column.map(|(object, _)| object));
        }
        found.sort_by_key(|object| &object.id);
        found.dedup_by_key(|object| &object.id);
        found
    }
}

fn same_table(name: &QualifiedName, id: &ObjectId) -> bool {
    name.name == id.name && name.schema.as_ref().is_none_or(|schema| *schema == id.schema)
}
