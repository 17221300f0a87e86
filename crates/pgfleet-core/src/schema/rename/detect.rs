//! What looks as if it had been renamed.
//!
//! Invariant: only pairs of which neither half fits anything else are told, and none is acted on here:
//! two columns of one type may have nothing to do with each other.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::request::{RenameRequest, RenameSort, quoted};
use super::step::{RenameOrigin, RenameStep, Thing};
use crate::schema::fingerprint::canonical;
use crate::schema::{Body, Column, Kind, Object, ObjectId, Schema};

/// Share of columns that two tables have in common, of all that either has, in percent.
const ALIKE_PERCENT: usize = 60;

/// A rename that somebody may consent to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// What, as it is called when it would be renamed.
    #[serde(skip)]
    pub thing: Thing,
    /// In words.
    pub what: String,
    /// Its new name.
    pub to: String,
    /// Why it looks like one.
    pub why: String,
    /// What asks for it: `column:public.customers.mail=email`, by the names of the first schema.
    pub rename: String,
}

impl Proposal {
    fn new(thing: Thing, new: &ObjectId, name: &str, why: String, done: &[RenameStep]) -> Self {
        let first = done.iter().rev().fold(thing.clone(), before);
        let moved = matches!(&thing, Thing::Object(id) if id.schema != new.schema);
        let to = match moved {
            true => format!("{}.{}", quoted(&new.schema), quoted(name)),
            false => quoted(name),
        };
        let rename = format!("{}={to}", spelt(&first));
        Self { what: thing.to_string(), thing, to, why, rename }
    }

    /// As if it had been asked for by the names that are there now.
    pub fn request(&self) -> Option<RenameRequest> {
        let text = format!("{}={}", spelt(&self.thing), self.to);
        let request: RenameRequest = text.parse().ok()?;
        Some(RenameRequest { origin: RenameOrigin::Detected, ..request })
    }
}

/// `column:public.customers.mail`
fn spelt(thing: &Thing) -> String {
    let id = thing.object();
    let sort = match thing {
        Thing::Column { .. } => RenameSort::Column,
        Thing::Value { .. } => RenameSort::Value,
        _ => RenameSort::all()
            .find(|sort| sort.kinds().contains(&id.kind))
            .unwrap_or(RenameSort::Table),
    };
    let own = (!matches!(thing, Thing::Object(_))).then(|| thing.name());
    let path = [id.schema.as_str(), id.name.as_str()].into_iter().chain(own);
    let path: Vec<_> = path.filter(|part| !part.is_empty()).map(quoted).collect();
    format!("{}:{}", sort.word(), path.join("."))
}

/// What a thing was called before a step.
fn before(mut thing: Thing, step: &RenameStep) -> Thing {
    let result = step.result();
    if thing == result {
        return step.thing.clone();
    }
    let (Thing::Object(old), Thing::Object(new)) = (&step.thing, &result) else { return thing };
    let (Thing::Object(id)
    | Thing::Column { relation: id, .. }
    | Thing::Value { enum_type: id, .. }
    | Thing::Check { domain: id, .. }) = &mut thing;
    if new.kind == Kind::Schema && id.schema == new.name {
        id.schema.clone_from(&old.name);
    } else if id == new {
        *id = old.clone();
    }
    thing
}

/// What of `now` may be what `to` has under another name; `done` was renamed before.
pub fn detect(now: &Schema, to: &Schema, done: &[RenameStep]) -> Vec<Proposal> {
    let detector = Detector { now, to, done };
    let schemas = detector.schemas();
    if !schemas.is_empty() {
        return schemas;
    }
    let mut found = detector.types();
    found.extend(detector.tables());
    let common = now.objects.iter().filter_map(|old| Some((old, to.get(&old.id)?)));
    found.extend(common.flat_map(|(old, new)| detector.within(old, new)));
    found
}

struct Detector<'s> {
    now: &'s Schema,
    to: &'s Schema,
    done: &'s [RenameStep],
}

impl<'s> Detector<'s> {
    /// Objects of a kind that only one side has.
    fn lone(&self, kind: Kind) -> (Vec<&'s Object>, Vec<&'s Object>) {
        let of = |schema: &'s Schema, other: &Schema| {
            let all = schema.objects.iter().filter(|object| object.id.kind == kind);
            all.filter(|object| other.get(&object.id).is_none()).collect()
        };
        (of(self.now, self.to), of(self.to, self.now))
    }

    fn propose(&self, old: &Object, new: &Object, why: &str) -> Proposal {
        let thing = Thing::Object(old.id.clone());
        Proposal::new(thing, &new.id, &new.id.name, why.to_owned(), self.done)
    }

    fn schemas(&self) -> Vec<Proposal> {
        let (gone, new) = self.lone(Kind::Schema);
        let inside = |schema: &Schema, name: &str| -> BTreeSet<(Kind, String)> {
            let objects = schema.objects.iter().filter(|object| object.id.schema == name);
            let own = objects.filter(|object| !object.id.kind.is_part());
            own.map(|object| (object.id.kind, object.id.name.clone())).collect()
        };
        let alike = |a: &Object, b: &Object| {
            let (a, b) = (inside(self.now, &a.id.name), inside(self.to, &b.id.name));
            (!a.is_empty() && a == b).then(|| "both hold objects of the same names".to_owned())
        };
        self.pairs(&gone, &new, alike)
    }

    fn types(&self) -> Vec<Proposal> {
        let (gone, new) = self.lone(Kind::Enum);
        let alike = |a: &Object, b: &Object| {
            (a.body == b.body).then(|| "both have the same values".to_owned())
        };
        self.pairs(&gone, &new, alike)
    }

    fn tables(&self) -> Vec<Proposal> {
        let (gone, new) = self.lone(Kind::Table);
        self.pairs(&gone, &new, alike_tables)
    }

    /// Pairs of which neither half is alike anything else.
    fn pairs(
        &self,
        gone: &[&Object],
        new: &[&Object],
        alike: impl Fn(&Object, &Object) -> Option<String>,
    ) -> Vec<Proposal> {
        let mut found = Vec::new();
        for (at, old) in gone.iter().enumerate() {
            let fitting = new.iter().enumerate();
            found.extend(fitting.filter_map(|(to, new)| Some((at, to, alike(old, new)?))));
        }
        let once = |count: usize| count == 1;
        let lone = found.iter().filter(|(at, to, _)| {
            once(found.iter().filter(|other| other.0 == *at).count())
                && once(found.iter().filter(|other| other.1 == *to).count())
        });
        lone.map(|(at, to, why)| self.propose(gone[*at], new[*to], why)).collect()
    }

    /// Columns of a table and values of an enum that both sides have.
    fn within(&self, old: &Object, new: &Object) -> Vec<Proposal> {
        match (&old.body, &new.body) {
            (Body::Table(_), Body::Table(_)) => self.columns(old, new),
            (Body::Enum(a), Body::Enum(b)) if a.labels.len() == b.labels.len() => {
                let pairs = a.labels.iter().zip(&b.labels).filter(|(a, b)| a != b);
                let pairs: Vec<_> = pairs.collect();
                let [(label, name)] = pairs[..] else { return Vec::new() };
                let thing = Thing::Value { enum_type: old.id.clone(), label: label.clone() };
                let why = "it stands in the same place".to_owned();
                vec![Proposal::new(thing, &new.id, name, why, self.done)]
            }
            _ => Vec::new(),
        }
    }

    fn columns(&self, old: &Object, new: &Object) -> Vec<Proposal> {
        let (had, wants) = (lone_columns(old, new), lone_columns(new, old));
        let mut found = Vec::new();
        for (look, names) in &had {
            let ([name], Some([other])) = (&names[..], wants.get(look).map(Vec::as_slice)) else {
                continue;
            };
            let thing = Thing::Column { relation: old.id.clone(), name: name.clone() };
            let why = "one column of that type goes, and one comes".to_owned();
            found.push(Proposal::new(thing, &new.id, other, why, self.done));
        }
        found
    }
}

/// The names of columns that the other table does not have, by what they are.
fn lone_columns(object: &Object, other: &Object) -> BTreeMap<String, Vec<String>> {
    let canonical = canonical(object);
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for column in canonical.columns() {
        let is_own = object.columns().iter().any(|c| c.name == column.name && !c.inherited);
        let has = other.columns().iter().any(|c| c.name == column.name);
        if is_own && !has {
            found.entry(look(column)).or_default().push(column.name.clone());
        }
    }
    found
}

/// All of a column that its own name is not in.
fn look(column: &Column) -> String {
    let identity = column.identity.as_ref().map(|identity| identity.always);
    let default = column.default.as_ref().map(|text| match text.starts_with("nextval(") {
        true => "nextval",
        false => text.as_str(),
    });
    let Column { type_name, not_null, generated, .. } = column;
    let collation = &column.collation;
    format!("{type_name} {not_null} {default:?} {generated:?} {identity:?} {collation:?}")
}

fn alike_tables(old: &Object, new: &Object) -> Option<String> {
    let (a, b) = (old.table()?, new.table()?);
    if (&a.partition_key, &a.partition_bound) != (&b.partition_key, &b.partition_bound) {
        return None;
    }
    let columns = |object: &Object| -> BTreeSet<(String, String)> {
        object.columns().iter().map(|c| (c.name.clone(), c.type_name.clone())).collect()
    };
    let (a, b) = (columns(old), columns(new));
    let (common, all) = (a.intersection(&b).count(), a.union(&b).count());
    let why = format!("{common} of {all} columns are the same");
    (common >= 2 && common * 100 >= all * ALIKE_PERCENT).then_some(why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::rename::NewName;
    use crate::schema::{EnumType, Table};

    /// `app.customers: id integer, mail text`, `enum app.mood: good, bad`, or `schema app`.
    fn object(line: &str) -> Object {
        let (head, parts) = line.split_once(": ").unwrap_or((line, ""));
        let parts = parts.split(", ").filter(|part| !part.is_empty());
        let (kind, name, body) = if let Some(name) = head.strip_prefix("schema ") {
            return bare(ObjectId::new(Kind::Schema, "", name), Body::Schema);
        } else if let Some(name) = head.strip_prefix("enum ") {
            let labels = parts.map(str::to_owned).collect();
            (Kind::Enum, name, Body::Enum(EnumType { labels }))
        } else {
            let columns = parts.map(column).collect();
            (Kind::Table, head, Body::Table(Box::new(Table { columns, ..Table::default() })))
        };
        let (schema, name) = name.split_once('.').unwrap();
        bare(ObjectId::new(kind, schema, name), body)
    }

    fn column(text: &str) -> Column {
        let (name, type_name) = text.split_once(' ').unwrap();
        Column { name: name.to_owned(), type_name: type_name.to_owned(), ..Column::default() }
    }

    fn bare(id: ObjectId, body: Body) -> Object {
        let (comment, part_comments, grants) = (None, BTreeMap::new(), Vec::new());
        Object { id, body, comment, part_comments, grants }
    }

    fn schema(lines: &[&str]) -> Schema {
        let mut objects: Vec<_> = lines.iter().map(|line| object(line)).collect();
        objects.sort_by(|a, b| a.id.cmp(&b.id));
        Schema { objects, ..Schema::empty() }
    }

    fn found(now: &[&str], to: &[&str]) -> Vec<String> {
        let found = detect(&schema(now), &schema(to), &[]);
        found.into_iter().map(|proposal| proposal.rename).collect()
    }

    #[test]
    fn tables_are_alike_when_most_of_their_columns_are() {
        let now = ["app.customers: id integer, mail text, age integer"];
        let same = ["app.clients: id integer, mail text, age integer"];
        assert_eq!(found(&now, &same), ["table:app.customers=clients"]);
        let more = ["app.clients: id integer, mail text, age integer, x date, y date"];
        assert_eq!(found(&now, &more), ["table:app.customers=clients"], "3 of 5");
        let other = ["app.clients: id integer, mail text, age date, x date"];
        assert_eq!(found(&now, &other), [] as [&str; 0], "2 of 5");
        let one = (["app.a: id integer"], ["app.b: id integer"]);
        assert_eq!(found(&one.0, &one.1), [] as [&str; 0], "one column says nothing");
        let moved = ["Other.customers: id integer, mail text, age integer"];
        assert_eq!(found(&now, &moved), ["table:app.customers=Other.customers"]);
    }

    #[test]
    fn what_fits_two_others_is_told_of_neither() {
        let columns = "id integer, mail text";
        let now = [format!("app.a: {columns}"), format!("app.b: {columns}")];
        let to = [format!("app.c: {columns}")];
        let refs = |lines: &[String]| lines.iter().map(String::clone).collect::<Vec<_>>();
        let (now, to) = (refs(&now), refs(&to));
        let now: Vec<_> = now.iter().map(String::as_str).collect();
        let to: Vec<_> = to.iter().map(String::as_str).collect();
        assert_eq!(found(&now, &to), [] as [&str; 0]);
        assert_eq!(found(&to, &now), [] as [&str; 0]);
        let columns = (["app.t: a text, b text, k date"], ["app.t: c text, k date"]);
        assert_eq!(found(&columns.0, &columns.1), [] as [&str; 0]);
    }

    #[test]
    fn a_column_is_one_of_its_type_that_goes_where_one_comes() {
        let now = ["app.t: id integer, mail text, born date"];
        let to = ["app.t: id integer, email text, birth date"];
        let wanted = ["column:app.t.born=birth", "column:app.t.mail=email"];
        assert_eq!(found(&now, &to), wanted);
        let to = ["app.t: id integer, email character varying(80), born date"];
        assert_eq!(found(&now, &to), [] as [&str; 0], "another type");
    }

    #[test]
    fn schemas_come_first_and_enums_by_their_values() {
        let now = ["schema app", "app.t: a text, b text", "enum app.e: x, y"];
        let to = ["schema shop", "shop.t: a text, b text", "enum shop.e: x, y"];
        assert_eq!(found(&now, &to), ["schema:app=shop"]);
        let enums = (["enum app.mood: good, bad"], ["enum app.temper: good, bad"]);
        assert_eq!(found(&enums.0, &enums.1), ["type:app.mood=temper"]);
        let value = ["enum app.mood: fine, bad"];
        assert_eq!(found(&enums.0, &value), ["value:app.mood.good=fine"]);
        let two = ["enum app.mood: fine, worse"];
        assert_eq!(found(&enums.0, &two), [] as [&str; 0], "two values are others");
    }

    #[test]
    fn what_is_proposed_later_has_the_names_of_the_first_schema() {
        let now = schema(&["app.clients: id integer, mail text"]);
        let to = schema(&["app.clients: id integer, email text"]);
        let done = RenameStep {
            thing: Thing::Object(ObjectId::new(Kind::Table, "app", "customers")),
            to: NewName::Name("clients".to_owned()),
            origin: RenameOrigin::Detected,
        };
        let [proposal] = &detect(&now, &to, &[done])[..] else { panic!("one proposal") };
        assert_eq!(proposal.rename, "column:app.customers.mail=email");
        let request = proposal.request().unwrap();
        assert_eq!(request.origin, RenameOrigin::Detected);
    }
}
