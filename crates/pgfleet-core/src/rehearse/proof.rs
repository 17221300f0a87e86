//! What a rollback must leave, and what its try on a copy showed.
//!
//! Invariant: what the history does not explain (objects and columns made by hand) is expected to
//! stay as it is. Grants are left out: a copy has none.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::schema::{Body, Column, Kind, Object, ObjectId, Schema, Table};

/// What the try of a rollback on a copy showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "proof", rename_all = "snake_case")]
pub enum Proof {
    /// The schema is what it was before the migrations.
    Proven,
    /// What was before them is not known; but the migrations, applied again afterwards, led to the
    /// schema that there is.
    RoundTrip {
        /// Why it is not known.
        why: String,
    },
    /// It does not lead there, or could not be tried.
    Unproven {
        /// Why.
        why: String,
        /// What differs, or what the server said.
        differences: Vec<String>,
    },
}

impl Proof {
    /// True when the rollback may be run.
    pub fn holds(&self) -> bool {
        !matches!(self, Self::Unproven { .. })
    }
}

/// The schema that must be left when migrations are taken back that led from `before` to `after`,
/// in a database that is as `there` says. Where an earlier run did a part of that (`half_way`), an
/// object can have a third form, the earlier name on what is not yet the earlier table; it must come
/// to its earlier form.
///
/// # Errors
/// Objects of which the database has neither the one form nor the other, so that somebody changed
/// them by hand.
pub fn taken_back(
    there: &Schema,
    after: &Schema,
    before: &Schema,
    half_way: bool,
) -> Result<Schema, Vec<ObjectId>> {
    let [there, after, before] = [there, after, before].map(bare_objects);
    let mut expected = there.clone();
    let mut strangers = Vec::new();
    let ids: BTreeSet<_> = after.keys().chain(before.keys()).collect();
    for id in ids {
        let (old, new, now) = (before.get(id), after.get(id), there.get(id));
        if old == new || now == old {
            continue;
        }
        let left = if now == new { Some(old.cloned()) } else { merged(now, new, old).map(Some) };
        match left {
            Some(Some(object)) => _ = expected.insert(id.clone(), object),
            Some(None) => _ = expected.remove(id),
            None => match old.filter(|_| half_way) {
                Some(old) => _ = expected.insert(id.clone(), old.clone()),
                None => strangers.push(id.clone()),
            },
        }
    }
    if strangers.is_empty() { Ok(schema_of(expected)) } else { Err(strangers) }
}

/// A schema in the form in which [`taken_back`] gives it, to be compared with it.
pub fn bare(schema: &Schema) -> Schema {
    schema_of(bare_objects(schema))
}

fn schema_of(objects: BTreeMap<ObjectId, Object>) -> Schema {
    Schema { objects: objects.into_values().collect(), ..Schema::empty() }
}

fn bare_objects(schema: &Schema) -> BTreeMap<ObjectId, Object> {
    let kept = schema.objects.iter().filter(|object| object.id.kind != Kind::DefaultPrivileges);
    kept.map(|object| (object.id.clone(), bare_object(object))).collect()
}

fn bare_object(object: &Object) -> Object {
    let mut object = object.canonical();
    object.grants.clear();
    match &mut object.body {
        Body::Table(table) => table.columns.iter_mut().for_each(|column| column.grants.clear()),
        Body::View(view) | Body::MaterializedView(view) => {
            view.columns.iter_mut().for_each(|column| column.grants.clear());
        }
        _ => {}
    }
    object
}

/// A table with columns of somebody's own: those stay.
fn merged(now: Option<&Object>, new: Option<&Object>, old: Option<&Object>) -> Option<Object> {
    let (now, new, old) = (now?, new?, old?);
    let (there, after, before) = (now.table()?, new.table()?, old.table()?);
    let rest = |object: &Object, table: &Table| Object {
        body: Body::Table(Box::new(Table { columns: Vec::new(), ..table.clone() })),
        part_comments: BTreeMap::new(),
        ..object.clone()
    };
    let [now_rest, new_rest, old_rest] = [rest(now, there), rest(new, after), rest(old, before)];
    let mut left = match () {
        () if new_rest == old_rest => now.clone(),
        () if now_rest == new_rest || now_rest == old_rest => old.clone(),
        () => return None,
    };
    let columns = merged_columns(there, after, before)?;
    left.part_comments = merged_comments(now, new, old);
    left.part_comments.retain(|name, _| columns.iter().any(|column| column.name == *name));
    if let Body::Table(table) = &mut left.body {
        table.columns = columns;
    }
    Some(left)
}

/// Comments of columns: those that the migrations changed are as before.
fn merged_comments(now: &Object, new: &Object, old: &Object) -> BTreeMap<String, String> {
    let mut comments = now.part_comments.clone();
    let names: BTreeSet<_> = new.part_comments.keys().chain(old.part_comments.keys()).collect();
    for name in names {
        match (old.part_comments.get(name), new.part_comments.get(name)) {
            (was, is) if was == is => {}
            (Some(was), _) => _ = comments.insert(name.clone(), was.clone()),
            (None, _) => _ = comments.remove(name),
        }
    }
    comments
}

fn merged_columns(there: &Table, after: &Table, before: &Table) -> Option<Vec<Column>> {
    let by_name = |table: &Table| -> BTreeMap<String, Column> {
        table.columns.iter().map(|column| (column.name.clone(), column.clone())).collect()
    };
    let (mut left, new, old) = (by_name(there), by_name(after), by_name(before));
    let names: BTreeSet<_> = new.keys().chain(old.keys()).collect();
    for name in names {
        let (was, is, now) = (old.get(name), new.get(name), left.get(name));
        if was == is || now == was {
            continue;
        }
        if now != is {
            return None;
        }
        match was.cloned() {
            Some(column) => left.insert(name.clone(), column),
            None => left.remove(name),
        };
    }
    Some(left.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, columns: &[(&str, &str)]) -> Object {
        let column = |&(name, type_name): &(&str, &str)| Column {
            name: name.to_owned(),
            type_name: type_name.to_owned(),
            ..Column::default()
        };
        let table = Table { columns: columns.iter().map(column).collect(), ..Table::default() };
        Object {
            id: ObjectId::new(Kind::Table, "public", name),
            body: Body::Table(Box::new(table)),
            comment: None,
            part_comments: BTreeMap::new(),
            grants: Vec::new(),
        }
    }

    fn schema(tables: Vec<Object>) -> Schema {
        Schema { objects: tables, ..Schema::empty() }
    }

    fn left(there: Object, after: Object, before: Object) -> Result<Schema, usize> {
        let [there, after, before] = [there, after, before].map(|table| schema(vec![table]));
        taken_back(&there, &after, &before, false).map_err(|strangers| strangers.len())
    }

    const ID: (&str, &str) = ("id", "integer");

    #[test]
    fn what_the_migrations_made_goes_and_the_rest_stays() {
        let (a, b, hand) = (table("a", &[ID]), table("b", &[ID]), table("hand", &[ID]));
        let there = schema(vec![a.clone(), b.clone(), hand.clone()]);
        let (after, before) = (schema(vec![a.clone(), b]), schema(vec![a.clone()]));
        let expected = taken_back(&there, &after, &before, false).unwrap();
        assert_eq!(expected, bare(&schema(vec![a.clone(), hand.clone()])));
        // Half of the way was gone already.
        let halfway = schema(vec![a, hand]);
        assert_eq!(taken_back(&halfway, &after, &before, true), Ok(bare(&halfway)));
    }

    #[test]
    fn a_column_made_by_hand_stays() {
        let before = table("a", &[ID]);
        let after = table("a", &[ID, ("v", "text")]);
        let there = table("a", &[("hand", "date"), ID, ("v", "text")]);
        let expected = left(there, after, before);
        assert_eq!(expected, Ok(bare(&schema(vec![table("a", &[("hand", "date"), ID])]))));
    }

    #[test]
    fn half_way_back_an_object_may_have_neither_form() {
        // The migration gave the column a new name and then another type; the name is back already.
        let before = || table("a", &[ID, ("v", "text")]);
        let after = || table("a", &[ID, ("w", "date")]);
        let there = || table("a", &[ID, ("v", "date")]);
        assert!(left(there(), after(), before()).is_err());
        let [there, after, before] = [there(), after(), before()].map(|table| schema(vec![table]));
        assert_eq!(taken_back(&there, &after, &before, true), Ok(bare(&before)));
    }

    #[test]
    fn what_somebody_changed_is_named() {
        let before = table("a", &[ID]);
        let after = table("a", &[ID, ("v", "text")]);
        let there = table("a", &[ID, ("v", "date")]);
        assert_eq!(left(there, after, before), Err(1));
    }
}
