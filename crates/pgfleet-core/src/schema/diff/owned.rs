//! Sequences that stay while the column which owns them goes.
//!
//! A sequence is dropped with its owner. Its new owner may be there only when the old one is gone (they share
//! a name, or are the same table made anew); so nobody owns it meanwhile.

use super::{Difference, rebuild::table_position};
use crate::schema::{Body, ObjectId, SequenceOwner};

/// Marks the sequences that are taken from their columns first.
pub(super) fn free(difference: &mut Difference<'_>) {
    let from = difference.from;
    let owned = difference.alters.values().filter_map(|at| match &from.objects[*at].body {
        Body::Sequence(sequence) => Some((*at, sequence.owned_by.as_ref()?)),
        _ => None,
    });
    let freed = owned.filter(|(_, owner)| goes(difference, owner)).map(|(at, _)| at);
    for at in freed.collect::<Vec<_>>() {
        difference.rebuilds.entry(at).or_default().owner = true;
    }
}

/// True when the column, or its table, goes; it may come again.
fn goes(difference: &Difference<'_>, owner: &SequenceOwner) -> bool {
    let Some(at) = table_position(difference.from, &owner.schema, &owner.table) else {
        return false;
    };
    let readded = difference.rebuilds.get(&at).map(|rebuild| &rebuild.columns);
    let id: &ObjectId = &difference.from.objects[at].id;
    let has = difference.to.get(id).map(|object| object.columns()).unwrap_or_default();
    difference.drops.contains(&at)
        || readded.is_some_and(|columns| columns.contains(&owner.column))
        || !has.iter().any(|column| column.name == owner.column)
}
