//! What is asked for, held against the two schemas.

use std::collections::BTreeSet;

use super::names::Names;
use super::order::{Move, Place, arrange, has_index, places};
use super::request::{RenameRequest, RenameSort, Word};
use super::step::{RenameOrigin, RenameStep, Thing};
use crate::diagnose::{Code, Problem, closest_name};
use crate::schema::{Body, Kind, Object, ObjectId, Schema};

/// The steps that give what is in `from` the names that it has in `to`, in an order that works. A
/// comment whose old name is not there any more, or whose new name is, has done its work and asks for
/// nothing.
///
/// # Errors
/// [`Code::RenameUnknown`], [`Code::RenameAmbiguous`] and [`Code::RenameConflict`].
pub fn resolve(
    from: &Schema,
    to: &Schema,
    requests: &[RenameRequest],
) -> Result<Vec<RenameStep>, Box<Problem>> {
    let mut found = Vec::new();
    for request in requests {
        let thing = Finder { from, to, request }.thing()?;
        found.extend(thing.map(|thing| (thing, request)));
    }
    let mut names = Names::default();
    let (mut steps, taken) = (Vec::new(), places(from));
    for stage in Stage::ALL {
        let mut moves = Vec::new();
        let mut noted = Vec::new();
        for (thing, request) in found.iter().filter(|(thing, _)| Stage::of(thing) == stage) {
            let mut one = target(to, &names, thing, request)?;
            one.has_index = from.get(thing.object()).is_some_and(has_index);
            let is_comment = request.origin == RenameOrigin::Annotated;
            if !is_comment || !is_taken(from, &names, &one, &one.new_place()) {
                moves.push((one, *request));
                noted.push(thing);
            }
        }
        refuse_conflicts(from, &names, &moves)?;
        for (thing, (one, _)) in noted.into_iter().zip(&moves) {
            names.note(thing, one);
        }
        steps.extend(arrange(moves.into_iter().map(|(one, _)| one).collect(), &taken));
    }
    Ok(steps)
}

/// What is renamed together. Routines come before types, whose names are in their signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Schemas,
    Routines,
    Objects,
    Parts,
}

impl Stage {
    const ALL: [Self; 4] = [Self::Schemas, Self::Routines, Self::Objects, Self::Parts];

    fn of(thing: &Thing) -> Self {
        match thing {
            Thing::Object(id) if id.kind == Kind::Schema => Self::Schemas,
            Thing::Object(id) if RenameSort::Function.kinds().contains(&id.kind) => Self::Routines,
            Thing::Object(id) if !id.kind.is_part() => Self::Objects,
            _ => Self::Parts,
        }
    }
}

/// Finds what a request means in `from`.
struct Finder<'a> {
    from: &'a Schema,
    to: &'a Schema,
    request: &'a RenameRequest,
}

impl Finder<'_> {
    fn thing(&self) -> Result<Option<Thing>, Box<Problem>> {
        let mut things = self.things(Word::is);
        if things.is_empty() {
            things = self.things(Word::may_be);
        }
        let fitting: Vec<_> = things.iter().filter(|thing| self.has_new(thing)).cloned().collect();
        if things.len() > 1 && !fitting.is_empty() {
            things = fitting;
        }
        match (things.len(), self.request.origin) {
            (1, _) => Ok(things.pop()),
            (0, RenameOrigin::Annotated) => Ok(None),
            (0, _) => Err(Box::new(self.unknown())),
            _ => Err(Box::new(self.ambiguous(&things))),
        }
    }

    fn things(&self, is: fn(&Word, &str) -> bool) -> Vec<Thing> {
        let sorts: Vec<_> = match self.request.sort {
            Some(sort) => vec![sort],
            None => RenameSort::all().collect(),
        };
        let pairs = self.from.objects.iter().flat_map(|object| {
            let sorts = sorts.iter().filter(|sort| sort.kinds().contains(&object.id.kind));
            sorts.map(move |sort| (object, *sort))
        });
        pairs.flat_map(|(object, sort)| self.things_of(object, sort, is)).collect()
    }

    fn things_of(
        &self,
        object: &Object,
        sort: RenameSort,
        is: fn(&Word, &str) -> bool,
    ) -> Vec<Thing> {
        let id = &object.id;
        let old = &self.request.old;
        let fits = |path: &[&str], least: usize| {
            (least..=path.len()).contains(&old.len())
                && old.iter().rev().zip(path.iter().rev()).all(|(word, name)| is(word, name))
        };
        let (schema, name) = (id.schema.as_str(), id.name.as_str());
        match (sort, &object.body) {
            (RenameSort::Column, _) => {
                let columns = object.columns().iter().filter(|column| !column.inherited);
                let named = columns.filter(|column| fits(&[schema, name, &column.name], 2));
                named.map(|column| column_of(id, &column.name)).collect()
            }
            (RenameSort::Value, Body::Enum(body)) => {
                let named = body.labels.iter().filter(|label| fits(&[schema, name, label], 2));
                named.map(|label| value_of(id, label)).collect()
            }
            _ => {
                let least = if self.request.sort.is_some() { 1 } else { 2 };
                let fits = match (id.kind.is_part(), schema.is_empty()) {
                    (true, _) => fits(&[schema, &id.table, name], least),
                    (false, true) => fits(&[name], 1),
                    (false, false) => fits(&[schema, name], 1) && self.has_signature(id),
                };
                fits.then(|| Thing::Object(id.clone())).into_iter().collect()
            }
        }
    }

    /// Types are compared without blanks, so that `int,text` need not be `int, text`.
    fn has_signature(&self, id: &ObjectId) -> bool {
        let plain = |text: &str| text.replace(char::is_whitespace, "");
        let asked = self.request.signature.as_deref();
        asked.is_none_or(|asked| plain(asked) == plain(&id.signature))
    }

    /// True when the other schema has something of that kind with the new name, wherever it is.
    fn has_new(&self, thing: &Thing) -> bool {
        let Some(new) = self.request.new.last() else { return false };
        let old = thing.object();
        self.to.objects.iter().filter(|object| object.id.kind == old.kind).any(|object| match thing
        {
            Thing::Object(_) => new.may_be(&object.id.name),
            Thing::Column { .. } => object.columns().iter().any(|c| new.may_be(&c.name)),
            Thing::Value { .. } => {
                matches!(&object.body, Body::Enum(e) if e.labels.iter().any(|l| new.may_be(l)))
            }
            Thing::Check { .. } => false,
        })
    }

    fn unknown(&self) -> Problem {
        let problem = unknown(self.request, "nothing of the first schema has the old name");
        let reversed = self.request.reversed();
        let done = Finder { request: &reversed, ..*self };
        if !done.things(Word::may_be).is_empty() {
            return problem
                .detail("the new name is there: it was renamed before".to_owned())
                .fix("Leave this --rename out.");
        }
        let names = self.from.objects.iter().flat_map(|object| {
            let columns = object.columns().iter().map(|column| column.name.as_str());
            columns.chain([object.id.name.as_str()])
        });
        let asked = self.request.old.last().map_or("", |word| word.text.as_str());
        match closest_name(asked, names) {
            Some(name) => problem.fix(format!("Perhaps {name} is meant.")),
            None => problem.fix("OLD is a name of the first schema, NEW one of the second."),
        }
    }

    fn ambiguous(&self, things: &[Thing]) -> Problem {
        let what = format!("--rename {} may mean several things", self.request);
        let problem = Problem::error(Code::RenameAmbiguous, what);
        let problem = things.iter().fold(problem, |p, thing| p.detail(thing.to_string()));
        problem.fix("Say the kind (table:, column:, type: …), and the schema.")
    }
}

fn column_of(relation: &ObjectId, name: &str) -> Thing {
    Thing::Column { relation: relation.clone(), name: name.to_owned() }
}

fn value_of(enum_type: &ObjectId, label: &str) -> Thing {
    Thing::Value { enum_type: enum_type.clone(), label: label.to_owned() }
}

/// Where a thing of the first schema is in the second.
fn target(
    to: &Schema,
    names: &Names,
    thing: &Thing,
    request: &RenameRequest,
) -> Result<Move, Box<Problem>> {
    let thing_now = names.map_thing(thing);
    let Some((new, place)) = request.new.split_last() else {
        return Err(Box::new(unknown(request, "there is no new name")));
    };
    let (new_schema, new_name) = match &thing_now {
        Thing::Object(id) if !id.kind.is_part() => object_target(to, id, place, new)
            .ok_or_else(|| Box::new(not_in_second(to, request, id.kind)))?,
        now => {
            if !stays(thing, now, place) {
                let why = format!("{thing} cannot go to another table or type");
                return Err(Box::new(conflict(request, &why)));
            }
            let name = part_target(to, now, new)
                .ok_or_else(|| Box::new(not_in_second(to, request, now.object().kind)))?;
            (now.object().schema.clone(), name)
        }
    };
    let origin = request.origin;
    Ok(Move { thing: thing_now, new_schema, new_name, has_index: false, origin })
}

/// Schema and name of an object of the same kind.
fn object_target(
    to: &Schema,
    id: &ObjectId,
    place: &[Word],
    new: &Word,
) -> Option<(String, String)> {
    let in_place = |object: &ObjectId, is: fn(&Word, &str) -> bool| match place {
        [] => object.schema == id.schema,
        [schema] => is(schema, &object.schema),
        _ => false,
    };
    let find = |is: fn(&Word, &str) -> bool| {
        let same = to.objects.iter().map(|object| &object.id).filter(|o| o.kind == id.kind);
        let named: Vec<_> = same.filter(|o| is(new, &o.name) && in_place(o, is)).collect();
        let exact = named.iter().find(|o| o.signature == id.signature);
        exact.or(named.first()).map(|o| (o.schema.clone(), o.name.clone()))
    };
    find(Word::is).or_else(|| find(Word::may_be))
}

/// What the new name may be qualified by: what the table or type was called, or is called then.
fn stays(before: &Thing, now: &Thing, place: &[Word]) -> bool {
    let fits = |id: &ObjectId| {
        let owner = if id.table.is_empty() { &id.name } else { &id.table };
        let path = [id.schema.as_str(), owner.as_str()];
        place.len() <= 2
            && place.iter().rev().zip(path.iter().rev()).all(|(w, name)| w.may_be(name))
    };
    fits(before.object()) || fits(now.object())
}

/// The new name of a column, value or part.
fn part_target(to: &Schema, now: &Thing, new: &Word) -> Option<String> {
    let names: Vec<&str> = match now {
        Thing::Object(id) => {
            let parts = to.objects.iter().map(|object| &object.id).filter(|o| o.kind == id.kind);
            let same = parts.filter(|o| (&o.schema, &o.table) == (&id.schema, &id.table));
            same.map(|o| o.name.as_str()).collect()
        }
        Thing::Column { relation, .. } => {
            to.get(relation)?.columns().iter().map(|column| column.name.as_str()).collect()
        }
        Thing::Value { enum_type, .. } => match &to.get(enum_type)?.body {
            Body::Enum(body) => body.labels.iter().map(String::as_str).collect(),
            _ => Vec::new(),
        },
        Thing::Check { .. } => Vec::new(),
    };
    let exact = names.iter().find(|name| new.is(name));
    exact.or_else(|| names.iter().find(|name| new.may_be(name))).map(|name| (*name).to_owned())
}

fn refuse_conflicts(
    from: &Schema,
    names: &Names,
    moves: &[(Move, &RenameRequest)],
) -> Result<(), Box<Problem>> {
    let leaving: BTreeSet<_> = moves.iter().map(|(one, _)| one.place()).collect();
    let mut left = BTreeSet::new();
    let mut wanted = BTreeSet::new();
    for (one, request) in moves {
        if !left.insert(one.place()) {
            return Err(Box::new(conflict(request, &format!("{} has two new names", one.thing))));
        }
        let place = one.new_place();
        if !wanted.insert(place.clone()) {
            let why = format!("{} is the new name of two things", one.new_name);
            return Err(Box::new(conflict(request, &why)));
        }
        if !leaving.contains(&place) && is_taken(from, names, one, &place) {
            let why = format!("{} is in the first schema, too", one.thing.called(&one.new_name));
            return Err(Box::new(
                conflict(request, &why)
                    .fix("Say by another --rename what becomes of that, or drop it before."),
            ));
        }
    }
    Ok(())
}

/// True when something of `from` that keeps its name has this one.
fn is_taken(from: &Schema, names: &Names, one: &Move, place: &Place) -> bool {
    let owner = one.thing.object();
    let mut objects = from.objects.iter();
    match &one.thing {
        Thing::Object(_) => objects.any(|object| {
            let id = names.map(&object.id);
            Place::of_object(&Object { id, ..object.clone() }) == *place
        }),
        Thing::Column { .. } => {
            let mut relation = objects.filter(|object| names.map(&object.id) == *owner);
            relation.any(|object| object.columns().iter().any(|c| c.name == one.new_name))
        }
        Thing::Value { .. } => {
            let mut types = objects.filter(|object| names.map(&object.id) == *owner);
            types.any(
                |object| matches!(&object.body, Body::Enum(e) if e.labels.contains(&one.new_name)),
            )
        }
        Thing::Check { .. } => false,
    }
}

fn unknown(request: &RenameRequest, why: &str) -> Problem {
    let what = format!("--rename {request} names what is not there");
    Problem::error(Code::RenameUnknown, what).because(why.to_owned())
}

fn not_in_second(to: &Schema, request: &RenameRequest, kind: Kind) -> Problem {
    let problem = unknown(request, "the second schema has nothing of that kind with the new name");
    let Some(new) = request.new.last() else { return problem };
    let others = to.objects.iter().filter(|object| new.may_be(&object.id.name));
    let problem = others.take(3).fold(problem, |p, o| p.detail(format!("it has {}", o.id)));
    let names = to.objects.iter().flat_map(|object| {
        let columns = object.columns().iter().map(|column| column.name.as_str());
        let own = (object.id.kind == kind).then_some(object.id.name.as_str());
        columns.chain(own)
    });
    match closest_name(&new.text, names) {
        Some(name) => problem.fix(format!("Perhaps {name} is meant.")),
        None => problem.fix("OLD is a name of the first schema, NEW one of the second."),
    }
}

fn conflict(request: &RenameRequest, why: &str) -> Problem {
    let what = format!("--rename {request} is not possible");
    Problem::error(Code::RenameConflict, what).because(why.to_owned())
}
