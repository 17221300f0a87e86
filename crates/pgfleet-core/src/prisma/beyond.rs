//! What a database holds that schema.prisma has no word for: functions, triggers, checks, partial
//! indexes, policies, comments and the like. Where schema.prisma is the desired schema, they stay.
//!
//! Invariant: what Prisma's own engine would leave alone is left as it is; what it would change is
//! changed. The engine sees tables with the types, nullability and defaults of their columns, enums
//! as sets of values, and keys and indexes of plain columns (`sql-schema-describer`,
//! `sql-schema-differ` of prisma/prisma-engines).

mod columns;
mod meaning;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use pgfleet_sql::quote_ident;

use crate::schema::rename::RenameRequest;
use crate::schema::{Body, Column, ConstraintKind, Edge, EnumType, Kind, Object, ObjectId, Schema};

use meaning::{Meaning, has_words, renamed};

/// What schema.prisma asks for, together with what it has no word for.
#[derive(Debug)]
pub struct Completed {
    /// The desired schema.
    pub schema: Schema,
    /// Keys and indexes that are the same but for the name.
    pub renames: Vec<RenameRequest>,
}

/// What of a schema tables of Prisma may use: everything but the tables and enums that it manages,
/// and what needs them.
#[must_use]
pub fn foundation(schema: &Schema) -> Schema {
    let managed = Managed::of(schema);
    let kept = Kept::of(schema, |object| !managed.has(object), |_, _| false);
    let ids: BTreeSet<_> = kept.ids(schema).collect();
    schema.clone().filter(|object| ids.contains(&object.id))
}

/// Completes what schema.prisma asks for by what `start` has beyond it.
#[must_use]
pub fn complete(start: &Schema, wanted: &Schema) -> Completed {
    let (managed, desired) = (Managed::of(start), Managed::of(wanted));
    let pairs = Pairs::of((start, &managed), (wanted, &desired));
    let stays = |object: &Object| {
        !managed.has(object) || pairs.found.contains_key(&object.id) || is_used(start, object)
    };
    let has_column = |table: &ObjectId, column: &str| {
        let table = wanted.get(pairs.found.get(table).unwrap_or(table));
        table.is_none_or(|table| table.columns().iter().any(|one| one.name == column))
    };
    let kept = Kept::of(start, stays, has_column);
    let mut whole = Whole::default();
    for id in kept.ids(start) {
        whole.keep(start, wanted, &pairs, id);
    }
    for object in wanted.objects.iter().filter(|object| desired.has(object)) {
        whole.add(wanted, &pairs, object);
    }
    Completed { schema: whole.schema(start, wanted), renames: pairs.renames }
}

/// What Prisma makes, changes and drops.
struct Managed(BTreeSet<String>);

impl Managed {
    fn of(schema: &Schema) -> Self {
        let tables = schema.objects.iter().filter(|object| is_plain_table(object));
        Self(tables.map(|table| table.id.sql_name()).collect())
    }

    fn has(&self, object: &Object) -> bool {
        match &object.body {
            Body::Table(_) => is_plain_table(object),
            Body::Enum(_) => true,
            Body::Constraint(constraint) => {
                let is_key =
                    !matches!(constraint.kind, ConstraintKind::Check | ConstraintKind::Exclusion);
                is_key && !constraint.inherited && self.0.contains(&object.id.sql_table())
            }
            Body::Index(index) => has_words(&index.definition) && self.0.contains(&index.table),
            _ => false,
        }
    }
}

fn is_plain_table(object: &Object) -> bool {
    object.id.kind == Kind::Table
        && object.table().is_some_and(|table| table.partition_bound.is_none())
}

/// An enum that functions or other types use; schema.prisma cannot know.
fn is_used(schema: &Schema, object: &Object) -> bool {
    let Some(at) = schema.position(&object.id).filter(|_| object.id.kind == Kind::Enum) else {
        return false;
    };
    let users = schema.edges.iter().filter(|edge| edge.to as usize == at);
    users.map(|edge| &schema.objects[edge.from as usize]).any(|user| {
        let kind = user.id.kind;
        matches!(kind, Kind::Function | Kind::Procedure | Kind::Aggregate)
            || matches!(kind, Kind::Domain | Kind::Composite | Kind::ForeignTable)
    })
}

/// Objects that stay, by position.
struct Kept(Vec<bool>);

impl Kept {
    /// What stays, and all that it needs stays.
    fn of(
        schema: &Schema,
        stays: impl Fn(&Object) -> bool,
        has_column: impl Fn(&ObjectId, &str) -> bool,
    ) -> Self {
        let mut kept: Vec<_> = schema.objects.iter().map(stays).collect();
        loop {
            let lacks = |edge: &&Edge| {
                let needed = &schema.objects[edge.to as usize].id;
                let lacks_column = edge.to_column.as_deref().is_some_and(|column| {
                    needed.kind == Kind::Table && !has_column(needed, column)
                });
                let is_own = edge.from_column.as_deref().is_some_and(|column| {
                    let from = &schema.objects[edge.from as usize].id;
                    from.kind == Kind::Table && !has_column(from, column)
                });
                kept[edge.from as usize] && !is_own && (!kept[edge.to as usize] || lacks_column)
            };
            let is_table = |edge: &&Edge| {
                // A column's type or default may go; the table stays for its other columns.
                edge.from_column.is_some()
                    && schema.objects[edge.from as usize].id.kind == Kind::Table
            };
            let gone: Vec<_> = schema.edges.iter().filter(lacks).filter(|e| !is_table(e)).collect();
            if gone.is_empty() {
                return Self(kept);
            }
            gone.iter().for_each(|edge| kept[edge.from as usize] = false);
        }
    }

    fn ids<'s>(&'s self, schema: &'s Schema) -> impl Iterator<Item = &'s ObjectId> {
        let both = schema.objects.iter().zip(&self.0);
        both.filter(|(_, kept)| **kept).map(|(object, _)| &object.id)
    }
}

/// Which managed object is which in the desired schema.
#[derive(Default)]
struct Pairs {
    /// From the present identity to the desired one, of what means the same.
    found: BTreeMap<ObjectId, ObjectId>,
    /// What of the desired schema is there already, perhaps under another name or in another form.
    there: BTreeSet<ObjectId>,
    renames: Vec<RenameRequest>,
}

impl Pairs {
    fn of((start, managed): (&Schema, &Managed), (wanted, desired): (&Schema, &Managed)) -> Self {
        let mut pairs = Self::default();
        let all: Vec<_> = wanted
            .objects
            .iter()
            .filter_map(|object| Some((Meaning::of(object)?, object)))
            .collect();
        // What has the same name is itself before anything else is.
        for same_name in [true, false] {
            for object in start.objects.iter().filter(|object| managed.has(object)) {
                let is_there = wanted.get(&object.id).is_some_and(|other| desired.has(other));
                match Meaning::of(object) {
                    _ if pairs.found.contains_key(&object.id) => {}
                    None if same_name && is_there => pairs.pair(&object.id, &object.id),
                    None => {}
                    Some(meaning) => pairs.find((object, &meaning), &all, same_name, start),
                }
            }
        }
        pairs.take_by_hand(start, wanted);
        pairs
    }

    /// What means the same in the desired schema, under the same name or under another one.
    fn find(
        &mut self,
        (object, meaning): (&Object, &Meaning),
        all: &[(Meaning, &Object)],
        same_name: bool,
        start: &Schema,
    ) {
        let is_it = |(other, candidate): &&(Meaning, &Object)| {
            other == meaning
                && (candidate.id.name == object.id.name) == same_name
                && !self.there.contains(&candidate.id)
        };
        let Some((_, candidate)) = all.iter().find(is_it) else { return };
        if same_name {
            return self.pair(&object.id, &candidate.id);
        }
        let new_id = ObjectId { name: candidate.id.name.clone(), ..object.id.clone() };
        if start.get(&new_id).is_none()
            && let Ok(request) = request(&object.id, &new_id.name)
        {
            self.found.insert(object.id.clone(), new_id);
            self.there.insert(candidate.id.clone());
            self.renames.push(request);
        }
    }

    fn pair(&mut self, present: &ObjectId, desired: &ObjectId) {
        self.found.insert(present.clone(), present.clone());
        self.there.insert(desired.clone());
    }

    /// An index that somebody made partial, or of an expression, under the name that Prisma gives it.
    fn take_by_hand(&mut self, start: &Schema, wanted: &Schema) {
        for object in &start.objects {
            let Body::Index(index) = &object.body else { continue };
            let is_same = |other: &Object| matches!(&other.body, Body::Index(other) if other.table == index.table);
            if !has_words(&index.definition) && wanted.get(&object.id).is_some_and(is_same) {
                self.there.insert(object.id.clone());
            }
        }
    }
}

fn request(
    old: &ObjectId,
    new: &str,
) -> Result<RenameRequest, crate::schema::rename::RenameInvalid> {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let place = match old.kind {
        Kind::Constraint => {
            format!("constraint:{}.{}.", quoted(&old.schema), quoted(&old.table))
        }
        _ => format!("index:{}.", quoted(&old.schema)),
    };
    format!("{place}{}={}", quoted(&old.name), quoted(new)).parse()
}

/// The desired schema as it grows.
#[derive(Default)]
struct Whole {
    objects: BTreeMap<ObjectId, Object>,
    /// Tables' columns that are as the desired schema has them, and objects that come from it.
    wanted_columns: BTreeSet<(ObjectId, String)>,
    added: BTreeSet<ObjectId>,
    /// New identities of what is renamed.
    moved: BTreeMap<ObjectId, ObjectId>,
}

impl Whole {
    /// What there is stays, as far as the desired schema agrees.
    fn keep(&mut self, start: &Schema, wanted: &Schema, pairs: &Pairs, id: &ObjectId) {
        let Some(object) = start.get(id) else { return };
        let mut object = object.clone();
        match (&mut object.body, wanted.get(id).map(|other| &other.body)) {
            (Body::Table(table), Some(Body::Table(other))) if pairs.found.contains_key(id) => {
                let columns = std::mem::take(&mut table.columns);
                table.columns = self.columns(start, id, &columns, &other.columns);
                let goes = |name: &String| !table.columns.iter().any(|one| one.name == *name);
                object.part_comments.retain(|name, _| !goes(name));
            }
            (Body::Enum(labels), Some(Body::Enum(other))) => *labels = merged(labels, other),
            (Body::Sequence(sequence), _) => {
                let owner = sequence.owned_by.clone();
                if owner.is_some_and(|owner| !self.still_uses(start, wanted, &owner)) {
                    return;
                }
            }
            _ => {}
        }
        if let Some(new) = pairs.found.get(id).filter(|new| *new != id) {
            object = renamed(object, new);
            self.moved.insert(id.clone(), new.clone());
        }
        self.objects.insert(object.id.clone(), object);
    }

    fn columns(
        &mut self,
        start: &Schema,
        table: &ObjectId,
        present: &[Column],
        desired: &[Column],
    ) -> Vec<Column> {
        let column = |wanted: &Column| {
            let found = present.iter().find(|column| column.name == wanted.name);
            let merged = columns::merged(start, found, wanted);
            if found.is_none_or(|found| *found != merged) {
                self.wanted_columns.insert((table.clone(), wanted.name.clone()));
            }
            merged
        };
        desired.iter().map(column).collect()
    }

    /// True when a column keeps the default that takes values from its sequence.
    fn still_uses(
        &self,
        start: &Schema,
        wanted: &Schema,
        owner: &crate::schema::SequenceOwner,
    ) -> bool {
        let table = ObjectId::new(Kind::Table, &owner.schema, &owner.table);
        let find = |schema: &Schema| {
            let table = schema.get(&table)?;
            table.columns().iter().find(|one| one.name == owner.column).cloned()
        };
        match (find(start), find(wanted)) {
            (Some(now), Some(then)) => {
                columns::merged(start, Some(&now), &then).default == now.default
            }
            (now, _) => now.is_none() && wanted.get(&table).is_none(),
        }
    }

    /// What is not there yet, with what it needs.
    fn add(&mut self, wanted: &Schema, pairs: &Pairs, object: &Object) {
        let is_new = !pairs.there.contains(&object.id) && !self.objects.contains_key(&object.id);
        let Some(at) = wanted.position(&object.id) else { return };
        if is_new {
            self.objects.insert(object.id.clone(), object.clone());
            self.added.insert(object.id.clone());
        }
        for edge in wanted.needs_of(at) {
            let needed = &wanted.objects[edge.to as usize];
            let of_new_column = edge.from_column.as_deref().is_some_and(|column| {
                self.wanted_columns.contains(&(object.id.clone(), column.to_owned()))
            });
            if (is_new || of_new_column) && !self.objects.contains_key(&needed.id) {
                self.add(wanted, pairs, needed);
            }
        }
    }

    fn schema(self, start: &Schema, wanted: &Schema) -> Schema {
        let places: BTreeMap<&ObjectId, u32> = self.objects.keys().zip(0..).collect();
        let mut edges = BTreeSet::new();
        let place = |id: &ObjectId| places.get(self.moved.get(id).unwrap_or(id)).copied();
        let has = |id: &ObjectId, column: &Option<Box<str>>| match (column, self.objects.get(id)) {
            (Some(column), Some(object)) if id.kind == Kind::Table => {
                object.columns().iter().any(|one| *one.name == **column)
            }
            _ => true,
        };
        for (schema, is_wanted) in [(start, false), (wanted, true)] {
            for edge in &schema.edges {
                let [from, to] = [edge.from, edge.to].map(|at| &schema.objects[at as usize].id);
                let changed = edge.from_column.as_deref().is_some_and(|column| {
                    self.wanted_columns.contains(&(from.clone(), column.to_owned()))
                });
                let counts = self.added.contains(from) || changed;
                let (Some(at), Some(target)) = (place(from), place(to)) else { continue };
                if counts == is_wanted && has(from, &edge.from_column) && has(to, &edge.to_column) {
                    let edge = Edge { from: at, to: target, ..edge.clone() };
                    edges.insert(edge);
                }
            }
        }
        Schema {
            objects: self.objects.into_values().collect(),
            edges: edges.into_iter().collect(),
            ..start.clone()
        }
    }
}

/// Values that stay in their order, and new ones after them, as Prisma adds them.
fn merged(present: &EnumType, desired: &EnumType) -> EnumType {
    let stay = present.labels.iter().filter(|label| desired.labels.contains(label));
    let new = desired.labels.iter().filter(|label| !present.labels.contains(label));
    EnumType { labels: stay.chain(new).cloned().collect() }
}

/// A table as definitions name it.
fn sql_table(schema: &str, table: &str) -> String {
    format!("{}.{}", quote_ident(schema), quote_ident(table))
}
