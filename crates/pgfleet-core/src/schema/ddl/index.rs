//! Indexes that belong to no constraint.

use crate::schema::diff::{Difference, is_attached, owner_position};
use crate::schema::{Index, Object, same_text};

pub(super) fn can_alter(old: &Index, new: &Index) -> bool {
    let joins = old.parent_index.is_none() || old.parent_index == new.parent_index;
    same_text(&old.definition, &new.definition) && old.valid == new.valid && joins
}

pub(super) fn create(
    difference: &Difference<'_>,
    at: usize,
    object: &Object,
    index: &Index,
) -> Vec<String> {
    let name = object.id.sql_name();
    let mut statements = vec![index.definition.clone()];
    statements.extend(statistics(&name, &[], &index.statistics));
    statements.extend(join_parent(difference, at, &name, index.parent_index.as_deref()));
    statements
}

pub(super) fn alter(
    difference: &Difference<'_>,
    at: usize,
    object: &Object,
    old: &Index,
    new: &Index,
) -> Vec<String> {
    let name = object.id.sql_name();
    let mut statements = statistics(&name, &old.statistics, &new.statistics);
    if old.parent_index != new.parent_index {
        statements.extend(join_parent(difference, at, &name, new.parent_index.as_deref()));
    }
    statements
}

pub(super) fn statistics(name: &str, old: &[String], new: &[String]) -> Vec<String> {
    let set = |column: &str, target: &str| {
        format!("ALTER INDEX {name} ALTER COLUMN {column} SET STATISTICS {target}")
    };
    let column = |entry: &str| entry.split_once('=').map(|(c, t)| (c.to_owned(), t.to_owned()));
    let gone = old
        .iter()
        .filter_map(|entry| column(entry))
        .filter(|(column, _)| new.iter().all(|entry| !entry.starts_with(&format!("{column}="))));
    let mut statements: Vec<_> = gone.map(|(column, _)| set(&column, "-1")).collect();
    let added = new.iter().filter(|entry| !old.contains(entry)).filter_map(|entry| column(entry));
    statements.extend(added.map(|(column, target)| set(&column, &target)));
    statements
}

/// Makes an index of a partition part of a new index of the partitioned table. Those of a partition
/// that is attached after them join by themselves.
pub(super) fn join_parent(
    difference: &Difference<'_>,
    at: usize,
    name: &str,
    parent: Option<&str>,
) -> Option<String> {
    let parent = parent?;
    let table = owner_position(difference.to, &difference.to.objects[at]);
    if table.is_some_and(|table| is_attached(difference, table)) {
        return None;
    }
    let made_now = difference.to.needs_of(at).iter().any(|edge| {
        let needed = &difference.to.objects[edge.to as usize];
        let is_parent = format!(
            "{}.{}",
            pgfleet_sql::quote_ident(&needed.id.schema),
            pgfleet_sql::quote_ident(&needed.id.name)
        ) == parent;
        is_parent && difference.creates.contains(&(edge.to as usize))
    });
    made_now.then(|| format!("ALTER INDEX {parent} ATTACH PARTITION {name}"))
}
