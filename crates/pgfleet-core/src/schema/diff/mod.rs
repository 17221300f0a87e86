//! What must change to turn one schema into another.
//!
//! Invariant: an object is replaced (dropped and made anew) only when PostgreSQL cannot alter it,
//! or when it needs something that is replaced or whose type changes.

mod held;
mod inherited;
mod late;
mod online;
mod owned;
mod published;
mod rebuild;
mod rows;
mod statement;
mod typed;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::fingerprint::canonical;
use super::{Body, Edge, Kind, Object, ObjectId, Schema, ddl, graph};

pub(super) use inherited::{above, from_above, is_checked_after, left_behind, parent_positions};
pub use online::Online;
pub(super) use online::with_suffix;
pub use rebuild::TableRebuild;
pub(super) use rebuild::{owner_position, owns, table_position};
pub use statement::{Framing, Statement, Unit, units};

/// The difference between two schemas.
#[derive(Debug)]
pub struct Difference<'s> {
    /// What there is.
    pub from: &'s Schema,
    /// What there shall be.
    pub to: &'s Schema,
    /// Positions in `from`.
    pub drops: BTreeSet<usize>,
    /// Positions in `to`.
    pub creates: BTreeSet<usize>,
    /// Positions in `to`, with those in `from`.
    pub alters: BTreeMap<usize, usize>,
    /// By position in `from`: what must be taken off tables and put back.
    pub rebuilds: BTreeMap<usize, TableRebuild>,
    /// Positions in `from` of types that are made anew under their columns.
    pub retyped: BTreeSet<usize>,
    /// By position in `to` of the table: columns whose default uses what needs the table itself, and is set
    /// when both are there.
    pub late_defaults: BTreeMap<usize, BTreeSet<String>>,
    /// What is done in steps that let readers and writers go on.
    pub online: Online,
}

/// What happens to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// It is made.
    Create,
    /// It goes.
    Drop,
    /// It is changed in place.
    Alter,
    /// It is dropped and made anew.
    Replace,
}

/// One change, for people and scripts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What happens.
    pub action: Action,
    /// To which object.
    pub object: ObjectId,
}

/// Compares two schemas.
pub fn compare<'s>(from: &'s Schema, to: &'s Schema) -> Difference<'s> {
    let mut difference = Difference {
        from,
        to,
        drops: BTreeSet::new(),
        creates: BTreeSet::new(),
        alters: BTreeMap::new(),
        rebuilds: BTreeMap::new(),
        retyped: BTreeSet::new(),
        late_defaults: BTreeMap::new(),
        online: Online::default(),
    };
    for (at, object) in from.objects.iter().enumerate() {
        match to.position(&object.id) {
            None => _ = difference.drops.insert(at),
            Some(other) => difference.compare_pair(at, other),
        }
    }
    let new = |(_, object): &(usize, &Object)| from.position(&object.id).is_none();
    difference.creates.extend(to.objects.iter().enumerate().filter(new).map(|(at, _)| at));
    rebuild::spread(&mut difference);
    late::find(&mut difference);
    difference
}

/// True for a new partition and for a table (position in `to`) that becomes one.
pub(super) fn is_attached(difference: &Difference<'_>, at: usize) -> bool {
    let bound = |schema: &Schema, at: usize| {
        let table = schema.objects[at].table()?;
        table.partition_bound.clone().map(|bound| (bound, table.parents.clone()))
    };
    let wanted = bound(difference.to, at);
    let has = difference.alters.get(&at).and_then(|at| bound(difference.from, *at));
    let stays = !difference.creates.contains(&at) && !difference.alters.contains_key(&at);
    wanted.is_some() && wanted != has && !stays
}

impl<'s> Difference<'s> {
    fn compare_pair(&mut self, at: usize, other: usize) {
        let (old, new) = (&self.from.objects[at], &self.to.objects[other]);
        if old == new || canonical(old) == canonical(new) {
            return;
        }
        if ddl::can_alter(old, new) && !self.changes_partitioned_key(old, new) {
            self.alters.insert(other, at);
        } else {
            self.drops.insert(at);
            self.creates.insert(other);
        }
    }

    /// The storage parameters of a partitioned table's index cannot be altered.
    fn changes_partitioned_key(&self, old: &Object, new: &Object) -> bool {
        let (Body::Constraint(before), Body::Constraint(after)) = (&old.body, &new.body) else {
            return false;
        };
        let table = rebuild::owner_position(self.from, old).map(|at| &self.from.objects[at]);
        let partitioned = table.and_then(Object::table).is_some_and(|t| t.partition_key.is_some());
        partitioned && before.index_options != after.index_options
    }

    /// True when nothing differs.
    pub fn is_empty(&self) -> bool {
        self.drops.is_empty() && self.creates.is_empty() && self.alters.is_empty()
    }

    /// What happens to each object, in the order of identities.
    pub fn changes(&self) -> Vec<Change> {
        let mut actions = BTreeMap::new();
        for at in &self.drops {
            actions.insert(self.from.objects[*at].id.clone(), Action::Drop);
        }
        for at in &self.creates {
            let action = actions.entry(self.to.objects[*at].id.clone()).or_insert(Action::Create);
            if *action == Action::Drop {
                *action = Action::Replace;
            }
        }
        for at in self.alters.keys() {
            actions.insert(self.to.objects[*at].id.clone(), Action::Alter);
        }
        actions.into_iter().map(|(object, action)| Change { action, object }).collect()
    }

    /// The same difference, written in forms that let readers and writers of existing tables go
    /// on: indexes concurrently, constraints checked in a transaction of their own.
    #[must_use]
    pub fn with_online_forms(mut self) -> Self {
        self.online = Online::of(&self);
        self
    }

    /// Statements that turn the one schema into the other, in an order in which they succeed.
    pub fn statements(&self) -> Vec<Statement> {
        graph::order(self).into_iter().flat_map(|step| ddl::statements(self, step)).collect()
    }

    /// True when a table's index, or the key or exclusion that has it, is made (anew).
    pub(super) fn makes_index(&self, table: &Object, name: &str) -> bool {
        let constraint = ObjectId {
            table: table.id.name.clone(),
            ..ObjectId::new(Kind::Constraint, &table.id.schema, name)
        };
        let index = ObjectId::new(Kind::Index, &table.id.schema, name);
        let positions = [index, constraint].map(|id| self.to.position(&id));
        positions.into_iter().flatten().any(|at| self.creates.contains(&at))
    }

    /// True when an edge of `to` is that of a default which is set late.
    pub(super) fn is_late(&self, edge: &Edge) -> bool {
        let columns = self.late_defaults.get(&(edge.from as usize));
        let is_routine = matches!(
            self.to.objects[edge.to as usize].id.kind,
            Kind::Function | Kind::Procedure | Kind::Aggregate
        );
        let name = edge.from_column.as_deref().filter(|_| is_routine);
        columns.zip(name).is_some_and(|(columns, name)| columns.contains(name))
    }

    /// The table whose drop takes this object with it, when it is dropped too: then it needs no
    /// statement of its own.
    pub(super) fn goes_with(&self, at: usize) -> Option<usize> {
        let object = &self.from.objects[at];
        let owner = match &object.body {
            Body::Sequence(sequence) => {
                let owner = sequence.owned_by.as_ref()?;
                return self.sequence_goes_with(owner);
            }
            _ => self.owner_of(at)?,
        };
        if !self.drops.contains(&owner) && self.leaves_for_good(owner) {
            return self.loses_column(at, owner).then_some(owner);
        }
        if !self.drops.contains(&owner) {
            return self.goes_with_parent(at);
        }
        (!self.breaks_cycle(at, owner)).then_some(owner)
    }

    /// A part that is dropped by itself, because it needs something that must go before its table.
    fn breaks_cycle(&self, at: usize, owner: usize) -> bool {
        let needs = self.from.needs_of(at).iter().map(|edge| edge.to as usize);
        let mut others = needs.filter(|to| *to != owner && self.drops.contains(to));
        let is_table = |to: usize| self.from.objects[to].table().is_some();
        let leads_back = |to: usize| rebuild::leads_to(self, to, owner);
        match &self.from.objects[at].body {
            Body::Constraint(key) if key.references.is_some() => others.any(is_table),
            // One of the other table may need this table.
            Body::Policy(_) | Body::Rule(_) => others.any(|to| is_table(to) || leads_back(to)),
            _ => others.any(leads_back),
        }
    }

    /// True for an index, or the key or exclusion that has it, when a column that it needs goes.
    fn loses_column(&self, at: usize, owner: usize) -> bool {
        let is_part = self.from.objects[at].parent_index().is_some();
        let new = self.to.get(&self.from.objects[owner].id).map(Object::columns);
        let stays = |name: &str| new.is_some_and(|all| all.iter().any(|one| one.name == name));
        let needs = self.from.needs_of(at).iter().filter(|edge| edge.to as usize == owner);
        let mut columns = needs.filter_map(|edge| edge.to_column.as_deref());
        is_part && columns.any(|column| !stays(column))
    }

    /// An index of a partition goes with that of its partitioned table, and cannot go without.
    fn goes_with_parent(&self, at: usize) -> Option<usize> {
        let name = pgfleet_sql::parse_qualified(self.from.objects[at].parent_index()?)?;
        let is_parent = |at: &usize| {
            let id = &self.from.objects[*at].id;
            matches!(id.kind, Kind::Index | Kind::Constraint)
                && Some(&id.schema) == name.schema.as_ref()
                && id.name == name.name
        };
        let needs = self.from.needs_of(at).iter().map(|edge| edge.to as usize);
        needs.filter(|to| self.drops.contains(to)).find(is_parent)
    }

    /// A partition (position in `from`) that stays as a table of its own: it does not get what its parent
    /// gets, and keeps what went with the parent's.
    pub(super) fn leaves_for_good(&self, table: usize) -> bool {
        let object = &self.from.objects[table];
        let Some(old) = object.table().filter(|old| old.partition_bound.is_some()) else {
            return false;
        };
        let new = self.to.get(&object.id).and_then(Object::table);
        new.is_some_and(|new| old.parents.iter().all(|parent| !new.parents.contains(parent)))
    }

    fn sequence_goes_with(&self, owner: &super::SequenceOwner) -> Option<usize> {
        let at = rebuild::table_position(self.from, &owner.schema, &owner.table)?;
        if self.drops.contains(&at) {
            return Some(at);
        }
        let to = self.to.get(&self.from.objects[at].id)?.table()?;
        let stays = to.columns.iter().any(|column| column.name == owner.column);
        (!stays).then_some(at)
    }

    /// The table or view that a constraint, index, trigger, rule or policy belongs to.
    pub(super) fn owner_of(&self, at: usize) -> Option<usize> {
        rebuild::owner_position(self.from, &self.from.objects[at])
    }
}
