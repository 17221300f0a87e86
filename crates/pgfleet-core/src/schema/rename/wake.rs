//! What PostgreSQL named after something that is renamed: keys, indexes, sequences and multiranges.
//!
//! `customers_pkey` keeps its name when the table becomes `clients`, and a schema written for the new
//! name has `clients_pkey`. Where both are the same but for the name, the name is changed: nothing is
//! built or checked again.

use std::collections::BTreeSet;

use pgfleet_sql::{parse_qualified, quote_ident};

use super::order::{Move, arrange, has_index, places};
use super::range;
use super::step::{RenameOrigin, RenameStep, Thing};
use crate::schema::fingerprint::canonical;
use crate::schema::{Body, Kind, Object, ObjectId, Schema};

/// The renames that follow from those that were run; `now` is the schema after them. Once these were
/// run, others may follow: an index of a partition from that of its partitioned table.
pub fn wake(now: &Schema, to: &Schema, done: &[RenameStep]) -> Vec<RenameStep> {
    let of_ranges = range::follow(now, to, done);
    if !of_ranges.is_empty() {
        return of_ranges;
    }
    let taken = places(now);
    let wake = Wake { now, to };
    let moves = touched(now, done).into_iter().flat_map(|id| wake.of_object(&id));
    let mut wanted = BTreeSet::new();
    let mut moves: Vec<_> = moves.filter(|one| wanted.insert(one.new_place())).collect();
    loop {
        let leaving: BTreeSet<_> = moves.iter().map(Move::place).collect();
        let is_free = |one: &Move| {
            let place = one.new_place();
            leaving.contains(&place) || !taken.contains(&place)
        };
        let count = moves.len();
        moves.retain(is_free);
        if moves.len() == count {
            return arrange(moves, &taken);
        }
    }
}

/// Tables and domains that were renamed or have a renamed part, and what inherits from them.
fn touched(now: &Schema, done: &[RenameStep]) -> BTreeSet<ObjectId> {
    let mut touched: BTreeSet<_> = done.iter().map(|step| step.result().object().clone()).collect();
    loop {
        let names: BTreeSet<_> = touched.iter().map(ObjectId::sql_name).collect();
        let tables = now.objects.iter().filter(|object| !touched.contains(&object.id));
        let heirs = tables.filter(|object| {
            object.table().is_some_and(|table| table.parents.iter().any(|p| names.contains(p)))
        });
        let heirs: Vec<_> = heirs.map(|object| object.id.clone()).collect();
        if heirs.is_empty() {
            return touched;
        }
        touched.extend(heirs);
    }
}

struct Wake<'s> {
    now: &'s Schema,
    to: &'s Schema,
}

impl Wake<'_> {
    fn of_object(&self, id: &ObjectId) -> Vec<Move> {
        let (Some(old), Some(new)) = (self.now.get(id), self.to.get(id)) else {
            return Vec::new();
        };
        match (&old.body, &new.body) {
            (Body::Domain(has), Body::Domain(wanted)) => {
                let olds = has.constraints.iter().filter(|c| !wanted.constraints.contains(c));
                let same = |old: &str| {
                    let mut news = wanted.constraints.iter().filter(|new| new.definition == old);
                    news.find(|new| has.constraints.iter().all(|old| old.name != new.name))
                };
                let thing = |name: &str| Thing::Check { domain: id.clone(), name: name.to_owned() };
                let pairs = olds.filter_map(|old| Some((thing(&old.name), same(&old.definition)?)));
                pairs.map(|(thing, new)| follow(thing, &new.name)).collect()
            }
            (Body::Table(_), Body::Table(_)) => {
                let identities = self.identities(old, new);
                identities.into_iter().chain(self.parts(id)).collect()
            }
            (Body::MaterializedView(_), Body::MaterializedView(_)) => self.parts(id),
            _ => Vec::new(),
        }
    }

    /// Sequences behind identity columns, which are no objects of their own.
    fn identities(&self, old: &Object, new: &Object) -> Vec<Move> {
        let names = |object: &Object, name: &str| {
            let column = object.columns().iter().find(|column| column.name == name)?;
            let sequence = parse_qualified(&column.identity.as_ref()?.sequence_name)?;
            Some((sequence.schema?, sequence.name))
        };
        let columns = old.columns().iter();
        let pairs = columns.filter_map(|column| {
            let ((schema, had), (wants_in, wants)) =
                (names(old, &column.name)?, names(new, &column.name)?);
            let id = ObjectId::new(Kind::Sequence, &schema, &had);
            let differs = schema == wants_in && had != wants;
            differs.then(|| follow(Thing::Object(id), &wants))
        });
        pairs.collect()
    }

    /// Constraints, indexes, sequences and statistics of a table.
    fn parts(&self, table: &ObjectId) -> Vec<Move> {
        let of_table = |schema: &Schema, other: &Schema| -> Vec<Object> {
            let parts = schema.objects.iter().enumerate();
            let parts = parts.filter(|(at, object)| is_of(schema, *at, object, table));
            let lone = parts.filter(|(_, object)| other.get(&object.id).is_none());
            lone.map(|(_, object)| object.clone()).collect()
        };
        let gone = of_table(self.now, self.to);
        let mut new = of_table(self.to, self.now);
        let mut moves = Vec::new();
        for old in gone {
            let wanted = nameless(&old);
            let Some(at) = new.iter().position(|new| nameless(new) == wanted) else { continue };
            let one = follow(Thing::Object(old.id.clone()), &new.remove(at).id.name);
            moves.push(Move { has_index: has_index(&old), ..one });
        }
        moves
    }
}

fn follow(thing: Thing, new: &str) -> Move {
    let new_schema = thing.object().schema.clone();
    let (new_name, origin) = (new.to_owned(), RenameOrigin::Followed);
    Move { thing, new_schema, new_name, has_index: false, origin }
}

fn is_of(schema: &Schema, at: usize, object: &Object, table: &ObjectId) -> bool {
    match &object.body {
        Body::Constraint(body) => {
            let id = &object.id;
            !body.inherited && (&id.schema, &id.table) == (&table.schema, &table.name)
        }
        Body::Index(index) => index.table == table.sql_name(),
        Body::Sequence(sequence) => sequence
            .owned_by
            .as_ref()
            .is_some_and(|owner| (&owner.schema, &owner.table) == (&table.schema, &table.name)),
        Body::Statistics(_) => {
            let mut needs = schema.needs_of(at).iter();
            needs.any(|edge| schema.objects[edge.to as usize].id == *table)
        }
        _ => false,
    }
}

/// Kind, place and definition of an object, without its name, comment and grants.
fn nameless(object: &Object) -> (Kind, String, Body) {
    let mut object = object.clone();
    let name = quote_ident(&object.id.name);
    let address = object.id.sql_name();
    match &mut object.body {
        // The first of them is its own: it follows the words `CREATE [UNIQUE] INDEX`.
        Body::Index(index) => {
            index.definition = index.definition.replacen(&format!(" {name} ON "), " ON ", 1);
        }
        Body::Statistics(statistics) => {
            statistics.definition = statistics.definition.replacen(&address, "", 1);
        }
        _ => {}
    }
    let Object { id, body, .. } = canonical(&object);
    (id.kind, id.schema, body)
}
