//! Checks that tables have from their parents.

use super::{Difference, owner_position};
use crate::schema::{Body, Constraint, ConstraintKind, Kind, Object, ObjectId, Schema, Table};

/// Checks that a table has from its parents alone.
pub(crate) fn from_above<'s>(
    schema: &'s Schema,
    table: &Object,
) -> Vec<(usize, &'s Object, &'s Constraint)> {
    let wanted = (Kind::Constraint, table.id.schema.as_str(), table.id.name.as_str());
    let first = schema.objects.partition_point(|object| key(&object.id) < wanted);
    let own = schema.objects.iter().enumerate().skip(first);
    let own = own.take_while(|(_, object)| key(&object.id) == wanted);
    let inherited = own.filter_map(|(at, object)| match &object.body {
        Body::Constraint(check) if check.inherited && check.kind == ConstraintKind::Check => {
            Some((at, object, check))
        }
        _ => None,
    });
    inherited.collect()
}

fn key(id: &ObjectId) -> (Kind, &str, &str) {
    (id.kind, &id.schema, &id.table)
}

/// Positions of the checks of a table's parents that have the name of one of its own.
pub(crate) fn above(schema: &Schema, check: &ObjectId, parents: &[String]) -> Vec<usize> {
    let of_parent = |parent: &String| {
        let parent = pgfleet_sql::parse_qualified(parent)?;
        let id = ObjectId { schema: parent.schema?, table: parent.name, ..check.clone() };
        schema.position(&id)
    };
    parents.iter().filter_map(of_parent).collect()
}

/// Positions of a table's parents.
pub(crate) fn parent_positions(schema: &Schema, table: &Table) -> Vec<usize> {
    let of_parent = |parent: &String| {
        let parent = pgfleet_sql::parse_qualified(parent)?;
        schema.position(&ObjectId::new(Kind::Table, &parent.schema?, &parent.name))
    };
    table.parents.iter().filter_map(of_parent).collect()
}

/// Checks of a table (position in `from`) that leaves parents: from which they came, and that would stay
/// with it although they shall go.
pub(crate) fn left_behind(
    difference: &Difference<'_>,
    table: usize,
    left: &[String],
) -> Vec<usize> {
    let from = difference.from;
    let object = &from.objects[table];
    let Some(body) = object.table().filter(|_| !left.is_empty()) else { return Vec::new() };
    let kept = body.parents.iter().filter(|parent| !left.contains(parent));
    let kept: Vec<String> = kept.cloned().collect();
    let stays = |id: &ObjectId| {
        let mut above = above(from, id, left).into_iter();
        // A partition is left after the checks of its partitioned table are dropped, and loses them too.
        let gone = |at: usize| {
            let owner = owner_position(from, &from.objects[at]);
            let stands = owner.is_some_and(|owner| !difference.drops.contains(&owner));
            body.partition_bound.is_some() && stands && difference.drops.contains(&at)
        };
        !above.any(gone)
    };
    let checks = from_above(from, object).into_iter().filter(|(at, object, _)| {
        difference.drops.contains(at)
            && self::above(from, &object.id, &kept).is_empty()
            && stays(&object.id)
    });
    checks.map(|(at, ..)| at).collect()
}

/// A table that is made below a check which was not checked would get it as a valid one. So the check is made
/// anew after the table, and with it those of the other tables below.
pub(super) fn renew_unchecked(difference: &mut Difference<'_>) {
    let to = difference.to;
    let is_unchecked = |at: &usize| check(to, *at).is_some_and(|one| !one.validated);
    let made = difference.creates.iter().copied();
    let mut below: Vec<usize> = made.filter(|at| is_unchecked(at) && is_heirs(to, *at)).collect();
    let mut renewed = Vec::new();
    while let Some(at) = below.pop() {
        let parents = parents_of(to, at);
        let above = above(to, &to.objects[at].id, parents).into_iter().filter(is_unchecked);
        for parent in above.filter(|parent| renew(difference, *parent)) {
            below.push(parent);
            renewed.push(parent);
        }
    }
    while let Some(at) = renewed.pop() {
        let heirs = (0..to.objects.len()).filter(|heir| {
            is_heirs(to, *heir)
                && to.objects[*heir].id.name == to.objects[at].id.name
                && above(to, &to.objects[*heir].id, parents_of(to, *heir)).contains(&at)
        });
        for heir in heirs.collect::<Vec<_>>() {
            if renew(difference, heir) {
                renewed.push(heir);
            }
        }
    }
}

/// Marks a check (position in `to`) that is there before, and was not marked.
fn renew(difference: &mut Difference<'_>, at: usize) -> bool {
    let old = difference.from.position(&difference.to.objects[at].id);
    let Some(old) = old.filter(|_| difference.creates.insert(at)) else { return false };
    difference.drops.insert(old);
    difference.alters.remove(&at);
    true
}

/// True for a check (position in `to`) that shall be valid, and comes from one that is made and shall not.
pub(crate) fn is_checked_after(difference: &Difference<'_>, at: usize) -> bool {
    let to = difference.to;
    let is_unchecked = |above: usize| {
        difference.creates.contains(&above) && check(to, above).is_some_and(|one| !one.validated)
    };
    let valid = check(to, at).is_some_and(|one| one.validated) && is_heirs(to, at);
    let mut above = above(to, &to.objects[at].id, parents_of(to, at)).into_iter();
    valid && above.any(is_unchecked)
}

fn check(schema: &Schema, at: usize) -> Option<&Constraint> {
    match &schema.objects[at].body {
        Body::Constraint(check) if check.kind == ConstraintKind::Check => Some(check),
        _ => None,
    }
}

/// True for a check that a table which inherits, and is no partition, has from its parents alone.
fn is_heirs(schema: &Schema, at: usize) -> bool {
    let inherited = check(schema, at).is_some_and(|check| check.inherited);
    let table = inherited.then(|| owner_position(schema, &schema.objects[at])).flatten();
    let table = table.and_then(|table| schema.objects[table].table());
    table.is_some_and(|table| table.partition_bound.is_none())
}

fn parents_of(schema: &Schema, at: usize) -> &[String] {
    let table = owner_position(schema, &schema.objects[at]);
    let table = table.and_then(|table| schema.objects[table].table());
    table.map(|table| table.parents.as_slice()).unwrap_or_default()
}
