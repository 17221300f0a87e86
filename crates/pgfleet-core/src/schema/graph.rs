//! The order of steps.
//!
//! Invariant: every step of a difference comes out exactly once. What is needed comes before what
//! needs it, what needs goes before what is needed; where that cannot be (a cycle that is not a
//! foreign key), the step that would come first anyway is taken, and the proof says whether it holds.

mod mention;
mod sort;

use std::collections::{BTreeMap, BTreeSet};

use sort::Pair;

use super::diff::{Difference, TableRebuild, is_attached, owns, parent_positions, table_position};
use super::{Body, ConstraintKind, Edge, Kind, Object, ObjectId, Schema};

/// One step: something that happens to one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Takes off a table (position in `from`) what stands in the way: defaults that use what is
    /// replaced.
    Detach(usize),
    /// Drops an object (position in `from`).
    Drop(usize),
    /// Makes an object (position in `to`).
    Create(usize),
    /// Changes an object (position in `to`).
    Alter(usize),
    /// Makes a table a partition (position in `to`).
    Attach(usize),
    /// What must wait for other objects: owners of sequences, indexes to cluster by or to identify
    /// rows by (position in `to`).
    Finish(usize),
    /// Builds the index of a key beside what is there (position in `to`).
    Build(usize),
    /// Fills new columns of a table and makes columns NOT NULL, in steps (position in `to`).
    Tighten(usize),
    /// Checks a constraint that was made without looking at the rows (position in `to`).
    Validate(usize),
}

impl Step {
    fn attached(&self) -> Option<usize> {
        match self {
            Self::Attach(at) => Some(*at),
            _ => None,
        }
    }
}

/// All steps, in an order in which they succeed.
pub fn order(difference: &Difference<'_>) -> Vec<Step> {
    let mut graph = Graph::new(difference);
    graph.add_drops();
    graph.add_detaches();
    graph.add_makes();
    graph.add_names();
    graph.add_moves();
    graph.add_partitions();
    graph.add_references();
    graph.add_left_checks();
    graph.add_checks_from_above();
    graph.add_twin_indexes();
    graph.add_finishes();
    graph.add_online();
    graph.add_mentions();
    graph.sort()
}

struct Graph<'d, 's> {
    difference: &'d Difference<'s>,
    steps: Vec<Step>,
    /// Of what is dropped, what it goes with.
    goes_with: BTreeMap<usize, Option<usize>>,
    numbers: BTreeMap<Step, u32>,
    after: Vec<Pair>,
    /// As `after`, where it can be: see [`mention`].
    rather_after: Vec<Pair>,
}

impl<'d, 's> Graph<'d, 's> {
    fn new(difference: &'d Difference<'s>) -> Self {
        let goes_with = |at: &usize| (*at, difference.goes_with(*at));
        let mut graph = Self {
            difference,
            steps: Vec::new(),
            goes_with: difference.drops.iter().map(goes_with).collect(),
            numbers: BTreeMap::new(),
            after: Vec::new(),
            rather_after: Vec::new(),
        };
        let free: Vec<usize> = graph
            .goes_with
            .iter()
            .filter(|(_, owner)| owner.is_none())
            .map(|(at, _)| *at)
            .collect();
        free.into_iter().for_each(|at| graph.add(Step::Drop(at)));
        difference.creates.iter().for_each(|at| graph.add(Step::Create(*at)));
        difference.alters.keys().for_each(|at| graph.add(Step::Alter(*at)));
        for (at, rebuild) in &difference.rebuilds {
            if *rebuild != TableRebuild::default() {
                graph.add(Step::Detach(*at));
            }
        }
        for at in difference.creates.iter().chain(difference.alters.keys()) {
            if is_attached(difference, *at) {
                graph.add(Step::Attach(*at));
            }
            graph.add(Step::Finish(*at));
        }
        let online = &difference.online;
        online.keys.keys().for_each(|at| graph.add(Step::Build(*at)));
        online.validated.iter().for_each(|at| graph.add(Step::Validate(*at)));
        let tightened: BTreeSet<_> = online.not_null.keys().chain(online.filled.keys()).collect();
        tightened.into_iter().for_each(|at| graph.add(Step::Tighten(*at)));
        graph
    }

    fn add(&mut self, step: Step) {
        self.numbers.insert(step, u32::try_from(self.steps.len()).unwrap_or(u32::MAX));
        self.steps.push(step);
    }

    fn put(&mut self, first: Option<Step>, second: Option<Step>) {
        let number = |step: Option<Step>| step.and_then(|step| self.numbers.get(&step).copied());
        if let (Some(first), Some(second)) = (number(first), number(second))
            && first != second
        {
            self.after.push((first, second));
        }
    }

    /// The step that drops an object of `from`: its own, or that of its table.
    fn drop_of(&self, at: usize) -> Option<Step> {
        match self.goes_with.get(&at)? {
            Some(owner) => self.drop_of(*owner).or_else(|| self.alter_of(*owner)),
            None => Some(Step::Drop(at)),
        }
    }

    /// The step after which nothing of an altered object is as it was.
    fn finish_of(&self, from: usize) -> Option<Step> {
        match self.alter_of(from)? {
            Step::Alter(at) => Some(Step::Finish(at)),
            _ => None,
        }
    }

    fn alter_of(&self, from: usize) -> Option<Step> {
        let to = self.difference.to.position(&self.difference.from.objects[from].id)?;
        self.difference.alters.contains_key(&to).then_some(Step::Alter(to))
    }

    /// The step after which an object of `to` is as it shall be.
    fn make_of(&self, to: usize) -> Option<Step> {
        let step =
            if self.difference.creates.contains(&to) { Step::Create(to) } else { Step::Alter(to) };
        self.numbers.contains_key(&step).then_some(step)
    }

    fn add_drops(&mut self) {
        let from = self.difference.from;
        for edge in from.edges.iter().filter(|edge| !owns(from, edge)) {
            let (needing, needed) = (edge.from as usize, edge.to as usize);
            let (drop_needing, drop_needed) = (self.drop_of(needing), self.drop_of(needed));
            self.put(drop_needing, drop_needed);
            if self.difference.online.dropped_indexes.contains(&needing) {
                continue;
            }
            // An enum that gets values is in nobody's way, and a column may leave a domain of it afterwards.
            let in_no_way = match &from.objects[needed].body {
                Body::Sequence(_) => true,
                Body::Enum(_) => !self.difference.retyped.contains(&needed),
                _ => false,
            };
            // A column may have such a type until the one below it is made anew.
            let over_renamed = from.objects[needing].id.kind.is_type()
                && self.difference.retyped.contains(&needed);
            if self.leaves_with_table(needing, needed) {
                self.put(self.alter_of(needed), drop_needing);
            } else if !in_no_way && !over_renamed {
                self.put(drop_needing, self.alter_of(needed));
                self.put_before_parents(drop_needing, edge);
            }
            if self.readds(needed, edge) {
                self.put(drop_needing, Some(Step::Detach(needed)));
            }
            self.put(Some(Step::Detach(needing)), drop_needed);
            self.put(Some(Step::Detach(needing)), self.alter_of(needed));
            let stays = drop_needing.is_none() && !self.is_remade(needed);
            if stays && !self.is_detached(needing, edge) {
                self.put(self.alter_of(needing), drop_needed);
            }
            if self.difference.retyped.contains(&needed) {
                let renamed = self.finish_of(needed);
                self.put(drop_needing, renamed);
                self.put(self.alter_of(needing), renamed);
            }
            if self.difference.retyped.contains(&needing) {
                let renamed = self.finish_of(needing);
                self.put(renamed, self.finish_of(needed));
                self.put(renamed, drop_needed);
            }
        }
    }

    /// A column that a table has from its parents goes with theirs, and takes along what needs it.
    fn put_before_parents(&mut self, drop: Option<Step>, edge: &Edge) {
        let from = self.difference.from;
        let (mut heirs, mut seen) = (vec![edge.to as usize], BTreeSet::new());
        while let Some(at) = heirs.pop().filter(|_| drop.is_some()) {
            let Some(table) = from.objects[at].table() else { continue };
            for parent in parent_positions(from, table) {
                let goes_first = self.readds(parent, edge);
                self.put(drop, goes_first.then_some(Step::Detach(parent)));
                let inherits = table.partition_bound.is_none();
                self.put(drop, self.alter_of(parent).filter(|_| inherits));
                heirs.extend(seen.insert(parent).then_some(parent));
            }
        }
    }

    /// The column that is needed is dropped before its table is altered, and perhaps added again.
    fn readds(&self, table: usize, edge: &Edge) -> bool {
        let rebuild = self.difference.rebuilds.get(&table);
        let columns = rebuild.map(|rebuild| &rebuild.columns).filter(|all| !all.is_empty());
        let name = edge.to_column.as_deref();
        columns.is_some_and(|columns| name.is_none_or(|name| columns.contains(name)))
    }

    /// The default that needs something is taken off before. The column itself may need its type and its
    /// collation.
    fn is_detached(&self, table: usize, edge: &Edge) -> bool {
        let needed = self.difference.from.objects[edge.to as usize].id.kind;
        if needed.is_type() || needed == Kind::Collation {
            return false;
        }
        let rebuild = self.difference.rebuilds.get(&table);
        let name = edge.from_column.as_deref();
        name.zip(rebuild).is_some_and(|(name, rebuild)| rebuild.defaults.contains(name))
    }

    fn add_detaches(&mut self) {
        for (at, rebuild) in &self.difference.rebuilds {
            self.put(Some(Step::Detach(*at)), self.alter_of(*at));
            self.put(Some(Step::Detach(*at)), self.drop_of(*at));
            for edge in self.difference.from.needs_of(*at) {
                self.put(Some(Step::Detach(*at)), self.alter_of(edge.to as usize));
                // What leaves keeps its columns, and drops them itself.
                if !rebuild.parents.is_empty() {
                    self.put(Some(Step::Detach(*at)), Some(Step::Detach(edge.to as usize)));
                }
            }
        }
    }

    /// What leaves its schema, and sequences of identity columns whose name is still taken.
    fn add_moves(&mut self) {
        let (from, to) = (self.difference.from, self.difference.to);
        for (old, rebuild) in &self.difference.rebuilds {
            for column in from.objects[*old].columns() {
                let identity = column.identity.as_ref();
                let freed = identity.filter(|_| rebuild.identities.contains(&column.name));
                let name = freed.and_then(|i| pgfleet_sql::parse_qualified(&i.sequence_name));
                let sequence = name.and_then(|name| {
                    to.position(&ObjectId::new(Kind::Sequence, &name.schema?, &name.name))
                });
                self.put(Some(Step::Detach(*old)), sequence.and_then(|at| self.make_of(at)));
            }
        }
        for old in &self.difference.drops {
            for column in from.objects[*old].columns() {
                let identity = column.identity.as_ref();
                let name = identity.and_then(|i| pgfleet_sql::parse_qualified(&i.sequence_name));
                let sequence = name.and_then(|name| {
                    to.position(&ObjectId::new(Kind::Sequence, &name.schema?, &name.name))
                });
                self.put(self.drop_of(*old), sequence.and_then(|at| self.make_of(at)));
            }
        }
        for (new, old) in &self.difference.alters {
            let namespace = namespace_of(&from.objects[*old]);
            if namespace != namespace_of(&to.objects[*new]) {
                let schema = from.position(&ObjectId::new(Kind::Schema, "", namespace));
                self.put(self.alter_of(*old), schema.and_then(|at| self.drop_of(at)));
            }
        }
        for at in self.difference.creates.iter().chain(self.difference.alters.keys()) {
            for column in to.objects[*at].columns() {
                let Some(identity) = &column.identity else { continue };
                let name = pgfleet_sql::parse_qualified(&identity.sequence_name);
                let sequence = name.and_then(|name| {
                    from.position(&ObjectId::new(Kind::Sequence, &name.schema?, &name.name))
                });
                self.put(sequence.and_then(|at| self.drop_of(at)), self.make_of(*at));
            }
        }
    }

    /// Checks that stay with a table which leaves its parent go by themselves: of one that inherits before
    /// the parent's, of a partition with the parent's or after it was detached.
    fn add_left_checks(&mut self) {
        let from = self.difference.from;
        for at in &self.difference.drops {
            let object = &from.objects[*at];
            let Body::Constraint(check) = &object.body else { continue };
            let owner = super::diff::owner_position(from, object).filter(|_| check.inherited);
            let Some(owner) = owner.filter(|owner| !self.difference.drops.contains(owner)) else {
                continue;
            };
            let Some(table) = from.objects[owner].table() else { continue };
            let partition = table.partition_bound.is_some();
            for parent in super::diff::above(from, &object.id, &table.parents) {
                match partition {
                    false => self.put(Some(Step::Detach(owner)), self.drop_of(parent)),
                    true if self.drop_of(parent) == Some(Step::Drop(parent)) => {
                        self.put(self.drop_of(parent), self.alter_of(owner));
                    }
                    true => {}
                }
            }
            self.put(Some(Step::Detach(owner)), self.drop_of(*at));
            let needs = from.needs_of(*at).iter().filter(|_| partition);
            let needs: Vec<usize> = needs.map(|edge| edge.to as usize).collect();
            for needed in needs.into_iter().filter(|needed| *needed != owner) {
                self.put(self.alter_of(owner), self.drop_of(needed));
            }
        }
    }

    /// Checks that come from above: a valid one after it was made not valid above, and that after the tables
    /// which would get it as a valid one.
    fn add_checks_from_above(&mut self) {
        let to = self.difference.to;
        for at in &self.difference.creates {
            let object = &to.objects[*at];
            let Body::Constraint(check) = &object.body else { continue };
            let owner = super::diff::owner_position(to, object).filter(|_| check.inherited);
            let Some((owner, table)) = owner.and_then(|at| Some((at, to.objects[at].table()?)))
            else {
                continue;
            };
            if table.partition_bound.is_some() {
                self.put_after_leaving(owner, &object.id);
                continue;
            }
            for parent in super::diff::above(to, &object.id, &table.parents) {
                self.put(Some(Step::Create(parent)), Some(Step::Create(*at)));
                if !check.validated {
                    self.put(Some(Step::Create(owner)), Some(Step::Create(parent)));
                }
            }
        }
    }

    /// A check that is made above reaches the partitions that are there; one that leaves and joins again gets
    /// it when it joins.
    fn put_after_leaving(&mut self, partition: usize, check: &ObjectId) {
        let to = self.difference.to;
        for above in partitioned_above(to, &to.objects[partition]) {
            let table = &to.objects[above].id;
            let (schema, table) = (table.schema.clone(), table.name.clone());
            let above = to.position(&ObjectId { schema, table, ..check.clone() });
            self.put(Some(Step::Alter(partition)), above.map(Step::Create));
        }
    }

    /// What leaves a partitioned table makes room for what joins it.
    fn add_partitions(&mut self) {
        let from = self.difference.from;
        let mut leaving: BTreeMap<&str, Vec<Step>> = BTreeMap::new();
        for (at, object) in from.objects.iter().enumerate() {
            let Some(table) = object.table().filter(|table| table.partition_bound.is_some()) else {
                continue;
            };
            let step = self.drop_of(at).or_else(|| self.alter_of(at));
            if let (Some(step), Some(parent)) = (step, table.parents.first()) {
                leaving.entry(parent).or_default().push(step);
            }
            if self.difference.leaves_for_good(at) {
                for above in partitioned_above(from, object) {
                    self.put(self.alter_of(at), self.alter_of(above));
                    let rebuild = self.difference.rebuilds.get(&above);
                    let columns = rebuild.is_some_and(|rebuild| !rebuild.columns.is_empty());
                    self.put(self.alter_of(at), columns.then_some(Step::Detach(above)));
                }
            }
        }
        let attached: Vec<usize> = self.steps.iter().filter_map(Step::attached).collect();
        for at in attached {
            let table = self.difference.to.objects[at].table();
            let parent = table.and_then(|table| table.parents.first());
            let steps = parent.and_then(|parent| leaving.get(parent.as_str()));
            for step in steps.into_iter().flatten() {
                self.put(Some(*step), Some(Step::Attach(at)));
            }
        }
    }

    /// A foreign key goes before every index that it may lean on: which one it is depends on what was there
    /// when it was made. One that is made would hold partitions that leave.
    fn add_references(&mut self) {
        let (from, to) = (self.difference.from, self.difference.to);
        let mut going: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for at in &self.difference.drops {
            let Body::Constraint(key) = &from.objects[*at].body else { continue };
            let table = key.references.as_deref();
            table.into_iter().for_each(|table| going.entry(table).or_default().push(*at));
        }
        for at in self.difference.drops.iter().filter(|at| is_unique(&from.objects[**at])) {
            let table = super::diff::owner_position(from, &from.objects[*at]);
            let table = table.map(|table| from.objects[table].id.sql_name()).unwrap_or_default();
            for key in going.get(table.as_str()).into_iter().flatten() {
                self.put(self.drop_of(*key), self.drop_of(*at));
            }
        }
        let mut made: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for at in &self.difference.creates {
            let Body::Constraint(key) = &to.objects[*at].body else { continue };
            let table = key.references.as_deref();
            table.into_iter().for_each(|table| made.entry(table).or_default().push(*at));
        }
        for (at, object) in from.objects.iter().enumerate().filter(|_| !made.is_empty()) {
            let step = self.drop_of(at).or_else(|| self.alter_of(at));
            for table in partitioned_above(from, object).iter().filter(|_| step.is_some()) {
                let table = from.objects[*table].id.sql_name();
                for key in made.get(table.as_str()).into_iter().flatten() {
                    self.put(step, Some(Step::Create(*key)));
                }
            }
        }
    }

    /// An index that is part of the partitioned table's cannot be dropped before its table leaves that.
    fn leaves_with_table(&self, index: usize, table: usize) -> bool {
        let is_part = self.difference.from.objects[index].parent_index().is_some();
        is_part && self.difference.leaves_for_good(table)
    }

    /// The server joins each index of a table that is attached to the first of the partitioned table's that
    /// is like it: so they are made in the order of those, which are there before or made by their names.
    fn add_twin_indexes(&mut self) {
        let to = self.difference.to;
        let mut of_table: BTreeMap<usize, Vec<_>> = BTreeMap::new();
        for at in &self.difference.creates {
            let table = super::diff::owner_position(to, &to.objects[*at]);
            let mut place = self.place_among_twins(*at);
            if twin(&to.objects[*at]) > 0 {
                place.push((true, twin(&to.objects[*at]), *at));
            }
            if let (false, Some(table)) = (place.is_empty(), table) {
                of_table.entry(table).or_default().push((place, *at));
            }
        }
        for mut indexes in of_table.into_values() {
            indexes.sort_unstable();
            for pair in indexes.windows(2) {
                self.put(Some(Step::Create(pair[0].1)), Some(Step::Create(pair[1].1)));
            }
        }
    }

    /// The indexes above an index, from the topmost that is made down: their order is its own.
    fn place_among_twins(&self, at: usize) -> Vec<(bool, u32, usize)> {
        let to = self.difference.to;
        let Body::Index(index) = &to.objects[at].body else { return Vec::new() };
        let name = index.parent_index.as_deref().and_then(pgfleet_sql::parse_qualified);
        let parent = name
            .and_then(|name| to.position(&ObjectId::new(Kind::Index, &name.schema?, &name.name)));
        let Some(parent) = parent else { return Vec::new() };
        let is_new = self.difference.creates.contains(&parent);
        let mut place = if is_new { self.place_among_twins(parent) } else { Vec::new() };
        let stands = self.difference.from.get(&to.objects[parent].id).filter(|_| !is_new);
        place.push((is_new, twin(stands.unwrap_or(&to.objects[parent])), parent));
        place
    }

    /// Bodies that are text name things that the catalog knows no dependency on.
    fn add_mentions(&mut self) {
        let difference = self.difference;
        let made = || difference.creates.iter().chain(difference.alters.keys()).copied();
        for (needing, needed) in mention::pairs(difference.to, made) {
            let steps = (self.make_of(needed), self.make_of(needing));
            if let (Some(first), Some(second)) = steps {
                let numbers = (self.numbers[&first], self.numbers[&second]);
                self.rather_after.push(numbers);
            }
        }
    }

    fn is_remade(&self, from: usize) -> bool {
        self.difference.to.position(&self.difference.from.objects[from].id).is_some()
    }

    fn add_makes(&mut self) {
        let to = self.difference.to;
        for edge in to.edges.iter().filter(|edge| !owns(to, edge)) {
            let (needing, needed) = (edge.from as usize, edge.to as usize);
            let (needing_step, needed_step) = (self.make_of(needing), self.make_of(needed));
            if self.difference.is_late(edge) {
                self.put(needed_step, Some(Step::Finish(needing)));
                continue;
            }
            self.put(needed_step, needing_step);
            if to.objects[needing].table().is_some_and(|table| table.partition_bound.is_some()) {
                self.put(needed_step, Some(Step::Attach(needing)));
            }
            self.order_partition_index(needing, needed);
            self.put_before_checks_of_tables(needed_step, needing);
        }
        for at in self.difference.creates.iter().chain(self.difference.alters.keys()) {
            self.put(self.make_of(*at), Some(Step::Attach(*at)));
            let namespace = namespace_of(&to.objects[*at]);
            let schema = to.position(&ObjectId::new(Kind::Schema, "", namespace));
            self.put(schema.and_then(|at| self.make_of(at)), self.make_of(*at));
        }
        self.add_schema_drops();
    }

    /// A check from above is written with its table, when that is made as a partition or becomes one.
    fn put_before_checks_of_tables(&mut self, needed: Option<Step>, check: usize) {
        let to = self.difference.to;
        let Body::Constraint(body) = &to.objects[check].body else { return };
        let table = super::diff::owner_position(to, &to.objects[check]);
        let table = table.filter(|at| body.inherited && is_attached(self.difference, *at));
        let first = table.map(|table| match self.difference.creates.contains(&table) {
            true => Step::Create(table),
            false => Step::Attach(table),
        });
        self.put(needed, first);
    }

    fn add_schema_drops(&mut self) {
        let from = self.difference.from;
        for at in &self.difference.drops {
            let namespace = namespace_of(&from.objects[*at]);
            let schema = from.position(&ObjectId::new(Kind::Schema, "", namespace));
            self.put(self.drop_of(*at), schema.and_then(|at| self.drop_of(at)));
        }
        for to in self
            .difference
            .creates
            .iter()
            .filter(|to| from.position(&self.difference.to.objects[**to].id).is_some())
        {
            let old = from.position(&self.difference.to.objects[*to].id);
            self.put(old.and_then(|at| self.drop_of(at)), Some(Step::Create(*to)));
        }
    }

    /// Indexes of a partition, and those that they are part of, are there before the partition is
    /// attached, and join by themselves; else the server would make others.
    fn order_partition_index(&mut self, needing: usize, needed: usize) {
        let to = self.difference.to;
        let part = &to.objects[needing];
        let has_parent = part.parent_index().is_some();
        let parent = &to.objects[needed].body;
        if !has_parent || !matches!(parent, Body::Index(_) | Body::Constraint(_)) {
            return;
        }
        let Some(table) = super::diff::owner_position(to, part) else { return };
        let (attach, make) = (Some(Step::Attach(table)), self.make_of(needing));
        self.put(make, attach);
        self.put(self.make_of(needed), attach);
        // Without its parts the index above is not valid, and the server would not join it.
        let above = self.attached_above(table);
        self.put(make, above.map(Step::Attach));
    }

    /// The next table above a partition (positions in `to`) that is attached, when it is not attached itself.
    fn attached_above(&self, table: usize) -> Option<usize> {
        let to = self.difference.to;
        let mut at = table;
        while !is_attached(self.difference, at) {
            let body = to.objects[at].table().filter(|table| table.partition_bound.is_some())?;
            at = *parent_positions(to, body).first()?;
        }
        (at != table).then_some(at)
    }

    /// Two objects of one name cannot be there at the same time.
    fn add_names(&mut self) {
        let (from, to) = (self.difference.from, self.difference.to);
        let mut leaving: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
        for at in self.difference.drops.iter().filter(|at| is_relation(&from.objects[**at].id)) {
            let id = &from.objects[*at].id;
            leaving.entry((&id.schema, &id.name)).or_default().push(*at);
        }
        for at in self.difference.creates.iter().filter(|at| is_relation(&to.objects[**at].id)) {
            let id = &to.objects[*at].id;
            for old in leaving.get(&(id.schema.as_str(), id.name.as_str())).into_iter().flatten() {
                self.put(self.drop_of(*old), Some(Step::Create(*at)));
            }
        }
    }

    fn add_finishes(&mut self) {
        let to = self.difference.to;
        for at in self.difference.creates.iter().chain(self.difference.alters.keys()) {
            self.put(self.make_of(*at), Some(Step::Finish(*at)));
            let object = &to.objects[*at];
            if let Some(owner) = super::diff::owner_position(to, object) {
                self.put(self.make_of(*at), Some(Step::Finish(owner)));
            }
            if let Body::Sequence(sequence) = &object.body {
                let owner = sequence.owned_by.as_ref();
                let table = owner.and_then(|o| table_position(to, &o.schema, &o.table));
                self.put(table.and_then(|table| self.make_of(table)), Some(Step::Finish(*at)));
                self.free_sequence(*at);
            }
        }
    }

    /// Keys wait for their index and for the NOT NULL of their columns; what identifies rows or makes
    /// a partition waits for the NOT NULL too.
    fn add_online(&mut self) {
        let online = &self.difference.online;
        let to = self.difference.to;
        for at in online.keys.keys() {
            let table = super::diff::owner_position(to, &to.objects[*at]);
            let made = table.and_then(|table| self.make_of(table));
            self.put(made, Some(Step::Build(*at)));
            self.put(table.map(Step::Tighten), Some(Step::Create(*at)));
            self.put(Some(Step::Build(*at)), Some(Step::Create(*at)));
            let old = self.difference.from.position(&to.objects[*at].id);
            self.put(Some(Step::Build(*at)), old.and_then(|old| self.drop_of(old)));
        }
        self.free_referenced_keys();
        for at in &online.validated {
            self.put(Some(Step::Create(*at)), Some(Step::Validate(*at)));
        }
        for at in online.not_null.keys().chain(online.filled.keys()) {
            self.put(self.make_of(*at), Some(Step::Tighten(*at)));
            self.put(Some(Step::Tighten(*at)), Some(Step::Attach(*at)));
            self.put(Some(Step::Tighten(*at)), Some(Step::Finish(*at)));
        }
        self.tighten_moving_partitions();
    }

    /// A partition that leaves and joins again leaves after the tables above it were tightened, and is with
    /// them.
    fn tighten_moving_partitions(&mut self) {
        let from = self.difference.from;
        for (at, old) in &self.difference.alters {
            let returns =
                is_attached(self.difference, *at) && !self.difference.leaves_for_good(*old);
            for above in partitioned_above(from, &from.objects[*old]) {
                if let Some(Step::Alter(above)) = self.alter_of(above).filter(|_| returns) {
                    self.put(Some(Step::Tighten(above)), Some(Step::Alter(*at)));
                }
            }
        }
    }

    /// A new foreign key would lean on an old key of the same columns that is still there.
    fn free_referenced_keys(&mut self) {
        let (from, online) = (self.difference.from, &self.difference.online);
        let replaced = online.keys.keys();
        let replaced = replaced.filter_map(|at| from.position(&self.difference.to.objects[*at].id));
        let mut leaving: BTreeMap<String, Vec<Step>> = BTreeMap::new();
        let is_unique = |at: &&usize| match &from.objects[**at].body {
            Body::Index(index) => index.unique,
            _ => false,
        };
        let dropped = online.dropped_indexes.iter().filter(is_unique).copied();
        for old in replaced.chain(dropped) {
            let table = super::diff::owner_position(from, &from.objects[old]);
            if let (Some(table), Some(drop)) = (table, self.drop_of(old)) {
                leaving.entry(from.objects[table].id.sql_name()).or_default().push(drop);
            }
        }
        for at in &self.difference.creates {
            let Body::Constraint(key) = &self.difference.to.objects[*at].body else { continue };
            let drops = key.references.as_ref().and_then(|table| leaving.get(table));
            for drop in drops.into_iter().flatten() {
                self.put(Some(*drop), Some(Step::Create(*at)));
            }
        }
    }

    /// A sequence that stays is taken from its column before that goes.
    fn free_sequence(&mut self, to: usize) {
        let from = self.difference.from;
        let Some(old) = self.difference.alters.get(&to) else { return };
        let Body::Sequence(sequence) = &from.objects[*old].body else { return };
        let owner = sequence.owned_by.as_ref();
        let table = owner.and_then(|owner| table_position(from, &owner.schema, &owner.table));
        let Some(table) = table else { return };
        let freed = Some(Step::Detach(*old));
        self.put(freed, Some(Step::Detach(table)));
        self.put(freed, self.alter_of(table));
        self.put(freed, self.drop_of(table));
        self.put(freed, Some(Step::Finish(to)));
    }

    fn priority(&self, step: Step) -> (u8, Kind, usize) {
        let online = &self.difference.online;
        let (weight, at, schema) = match step {
            Step::Drop(at) if online.dropped_indexes.contains(&at) => (7, at, self.difference.from),
            Step::Create(at) if online.indexes.contains(&at) => (5, at, self.difference.to),
            Step::Build(at) => (5, at, self.difference.to),
            Step::Tighten(at) => (4, at, self.difference.to),
            Step::Validate(at) => (6, at, self.difference.to),
            Step::Detach(at) => (0, at, self.difference.from),
            Step::Drop(at) => (1, at, self.difference.from),
            Step::Create(at) | Step::Alter(at) => (2, at, self.difference.to),
            Step::Attach(at) => (2, at, self.difference.to),
            Step::Finish(at) => (3, at, self.difference.to),
        };
        (weight, schema.objects[at].id.kind, at)
    }

    fn sort(mut self) -> Vec<Step> {
        let keys: Vec<_> = self.steps.iter().map(|step| self.priority(*step)).collect();
        self.numbers.clear();
        let order = sort::sort(&keys, self.after, self.rather_after);
        order.into_iter().map(|number| self.steps[number]).collect()
    }
}

fn twin(object: &Object) -> u32 {
    match &object.body {
        Body::Index(index) => index.twin,
        _ => 0,
    }
}

fn is_unique(object: &Object) -> bool {
    match &object.body {
        Body::Index(index) => index.unique,
        Body::Constraint(key) => {
            matches!(key.kind, ConstraintKind::PrimaryKey | ConstraintKind::Unique)
        }
        _ => false,
    }
}

/// Positions of the partitioned tables above a table, the nearest first.
fn partitioned_above(schema: &Schema, object: &Object) -> Vec<usize> {
    let mut above = Vec::new();
    let mut next = Some(object);
    while let Some(table) = next.and_then(Object::table).filter(|t| t.partition_bound.is_some()) {
        let Some(parent) = parent_positions(schema, table).first().copied() else { break };
        above.push(parent);
        next = schema.objects.get(parent);
    }
    above
}

/// The schema that an object, or what belongs to an extension, is in.
fn namespace_of(object: &Object) -> &str {
    match &object.body {
        Body::Extension(extension) => &extension.schema,
        _ => &object.id.schema,
    }
}

/// What shares the names of tables, types and constraints' indexes.
fn is_relation(id: &ObjectId) -> bool {
    id.kind.is_type()
        || matches!(
            id.kind,
            Kind::Table
                | Kind::ForeignTable
                | Kind::View
                | Kind::MaterializedView
                | Kind::Sequence
                | Kind::Index
                | Kind::Constraint
        )
}
