//! Renames in an order in which each new name is free.

use std::collections::BTreeSet;

use super::step::{NewName, RenameOrigin, RenameStep, Thing};
use crate::schema::diff::with_suffix;
use crate::schema::{Body, ConstraintKind, Kind, Object, ObjectId, Schema};

/// A thing and where it shall be.
#[derive(Debug, Clone)]
pub(super) struct Move {
    /// As it is called when its stage begins.
    pub thing: Thing,
    /// The schema of an object; for others the one that they are in.
    pub new_schema: String,
    pub new_name: String,
    /// A constraint that has an index of its name.
    pub has_index: bool,
    pub origin: RenameOrigin,
}

/// A name with everything that it must differ in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    space: &'static str,
    schema: String,
    within: String,
    name: String,
}

impl Place {
    /// Of an object, with the name that its index has among relations.
    pub fn of_object(object: &Object) -> Self {
        let place = Self::of(&Thing::Object(object.id.clone()));
        if has_index(object) { place.among_relations() } else { place }
    }

    fn among_relations(self) -> Self {
        Self { space: RELATION, within: String::new(), ..self }
    }

    pub fn of(thing: &Thing) -> Self {
        let id = thing.object();
        let (space, within) = match thing {
            Thing::Object(id) => (space(id.kind), within(id)),
            Thing::Column { .. } => ("column", id.name.clone()),
            Thing::Value { .. } => ("value", id.name.clone()),
            Thing::Check { .. } => ("check", id.name.clone()),
        };
        Self { space, schema: id.schema.clone(), within, name: thing.name().to_owned() }
    }
}

const RELATION: &str = "relation";

/// True for a constraint that has an index of its name.
pub(super) fn has_index(object: &Object) -> bool {
    use ConstraintKind::{Exclusion, PrimaryKey, Unique};
    matches!(&object.body, Body::Constraint(body)
        if matches!(body.kind, PrimaryKey | Unique | Exclusion))
}

/// Relations share their names, and so do types and routines.
fn space(kind: Kind) -> &'static str {
    use Kind::{ForeignTable, Function, Index, MaterializedView, Procedure, Sequence, Table, View};
    match kind {
        Table | ForeignTable | View | MaterializedView | Index | Sequence => RELATION,
        Kind::Enum | Kind::Domain | Kind::Composite | Kind::Range => "type",
        Function | Procedure | Kind::Aggregate => "routine",
        other => other.name(),
    }
}

fn within(id: &ObjectId) -> String {
    if id.table.is_empty() { id.signature.clone() } else { id.table.clone() }
}

impl Move {
    pub fn place(&self) -> Place {
        let place = Place::of(&self.thing);
        if self.has_index { place.among_relations() } else { place }
    }

    pub fn new_place(&self) -> Place {
        Place { schema: self.new_schema.clone(), name: self.new_name.clone(), ..self.place() }
    }

    fn step(&mut self, to: NewName) -> RenameStep {
        let step = RenameStep { thing: self.thing.clone(), to, origin: self.origin };
        self.thing = step.result();
        step
    }

    /// Name and schema change one after the other, by way of a name that is free.
    fn steps(mut self, taken: &BTreeSet<Place>) -> Vec<RenameStep> {
        let schema = NewName::Schema(self.new_schema.clone());
        let name = NewName::Name(self.new_name.clone());
        let moves = self.thing.object().schema != self.new_schema;
        match (moves, self.thing.name() != self.new_name) {
            (false, _) => vec![self.step(name)],
            (true, false) => vec![self.step(schema)],
            (true, true) => {
                let between = Place { name: self.new_name.clone(), ..self.place() };
                let order = if taken.contains(&between) { [schema, name] } else { [name, schema] };
                order.map(|to| self.step(to)).to_vec()
            }
        }
    }
}

/// All names of a schema's objects.
pub(super) fn places(schema: &Schema) -> BTreeSet<Place> {
    schema.objects.iter().map(Place::of_object).collect()
}

/// The steps of one stage: a name is given when nothing has it any more; where names go round in a
/// circle, the first steps aside.
pub(super) fn arrange(mut pending: Vec<Move>, taken: &BTreeSet<Place>) -> Vec<RenameStep> {
    let mut steps = Vec::new();
    while !pending.is_empty() {
        let olds: BTreeSet<_> = pending.iter().map(Move::place).collect();
        match pending.iter().position(|one| !olds.contains(&one.new_place())) {
            Some(at) => steps.extend(pending.remove(at).steps(taken)),
            None => {
                let aside = with_suffix(&pending[0].new_name, "__renaming");
                steps.push(pending[0].step(NewName::Name(aside)));
            }
        }
    }
    steps
}
