//! Checks that tables have from their parents.

use super::{Difference, owner_position};
use crate::schema::{Body, Constraint, ConstraintKind, Kind, Object, ObjectId, Schema};

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
