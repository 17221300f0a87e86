//! Defaults that use a routine which needs their table: neither could be made first.
//!
//! Invariant: only a routine that is made or altered makes a default late; of a column that is added to a table with rows
//! none is, as the rows get their value from it.

use std::collections::BTreeSet;

use super::{Difference, owns};
use crate::schema::{Kind, Object};

/// Finds them in the tables that are made or altered.
pub(super) fn find(difference: &mut Difference<'_>) {
    let mut found = Vec::new();
    let tables = difference.creates.iter().chain(difference.alters.keys());
    for at in tables.filter(|at| difference.to.objects[**at].table().is_some()) {
        for edge in difference.to.needs_of(*at) {
            let Some(name) = edge.from_column.as_deref() else { continue };
            let is_made = is_made_routine(difference, edge.to as usize);
            if is_made && can_wait(difference, *at, name) && leads_to(difference, edge.to, *at) {
                found.push((*at, name.to_owned()));
            }
        }
    }
    for (at, name) in found {
        difference.late_defaults.entry(at).or_default().insert(name);
    }
}

/// One that is altered may need now what it did not need before.
fn is_made_routine(difference: &Difference<'_>, at: usize) -> bool {
    let kind = difference.to.objects[at].id.kind;
    matches!(kind, Kind::Function | Kind::Procedure | Kind::Aggregate)
        && (difference.creates.contains(&at) || difference.alters.contains_key(&at))
}

fn can_wait(difference: &Difference<'_>, table: usize, name: &str) -> bool {
    let object = &difference.to.objects[table];
    let column = |object: &Object| object.columns().iter().find(|c| c.name == name).cloned();
    let old = difference.alters.get(&table).map(|old| &difference.from.objects[*old]);
    let is_ordinary =
        column(object).is_some_and(|column| column.default.is_some() && column.generated.is_none());
    is_ordinary && old.is_none_or(|old| column(old).is_some())
}

/// True when something that is made needs `goal`, itself or through others that are made.
fn leads_to(difference: &Difference<'_>, start: u32, goal: usize) -> bool {
    let mut seen = BTreeSet::from([start as usize]);
    let mut work = vec![start as usize];
    while let Some(at) = work.pop() {
        for edge in difference.to.needs_of(at).iter().filter(|edge| !owns(difference.to, edge)) {
            let to = edge.to as usize;
            if to == goal {
                return true;
            }
            if difference.creates.contains(&to) && seen.insert(to) {
                work.push(to);
            }
        }
    }
    false
}
