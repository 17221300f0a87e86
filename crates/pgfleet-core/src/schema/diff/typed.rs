//! Tables of a composite type (`CREATE TABLE … OF`).
//!
//! PostgreSQL changes their columns with the type alone. So such a table leaves its type before the type
//! or its columns change, is changed like any other, and is made the type's again in the end.

use super::Difference;
use crate::schema::{Body, Object, Table};

/// Marks the tables that leave their type.
pub(super) fn loosen(difference: &mut Difference<'_>) {
    let (from, to) = (difference.from, difference.to);
    let mut loosened = Vec::new();
    for (at, object) in from.objects.iter().enumerate() {
        let Some(table) = object.table().filter(|table| table.of_type.is_some()) else { continue };
        let Some(other) = to.position(&object.id).filter(|_| !difference.drops.contains(&at))
        else {
            continue;
        };
        let new = to.objects[other].table();
        if new.is_some_and(|new| leaves(table, new)) || has_changed(difference, at) {
            loosened.push((at, other));
        }
    }
    for (at, other) in loosened {
        difference.alters.entry(other).or_insert(at);
        difference.rebuilds.entry(at).or_default().leaves_type = true;
    }
}

fn leaves(old: &Table, new: &Table) -> bool {
    let columns = |table: &Table| -> Vec<_> {
        let column = |one: &crate::schema::Column| {
            (one.name.clone(), one.type_name.clone(), one.collation.clone())
        };
        table.columns.iter().map(column).collect()
    };
    old.of_type != new.of_type || columns(old) != columns(new)
}

/// The type itself is altered, made anew or dropped.
fn has_changed(difference: &Difference<'_>, table: usize) -> bool {
    difference.from.needs_of(table).iter().filter(|edge| edge.from_column.is_none()).any(|edge| {
        let at = edge.to as usize;
        let object: &Object = &difference.from.objects[at];
        let altered = difference.alters.values().any(|from| *from == at);
        matches!(object.body, Body::Composite(_)) && (altered || difference.drops.contains(&at))
    })
}
