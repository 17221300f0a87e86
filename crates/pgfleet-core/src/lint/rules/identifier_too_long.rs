//! Names that PostgreSQL cuts.

use std::collections::BTreeSet;

use pgfleet_sql::shape::name_range;

use super::prelude::*;
use crate::lint::model::{NAME_MAX_BYTES, cut};

pub(in crate::lint) static RULE: Definition =
    Definition::statement("a name is longer than PostgreSQL keeps", RuleLevel::Warning, look);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let facts = scene.facts();
    let mut names: BTreeSet<&str> = facts.creates.iter().map(|object| object.name.name.as_str()).collect();
    names.extend(facts.columns.iter().map(|column| column.name.as_str()));
    names.extend(facts.rename.iter().map(|rename| rename.to.name.as_str()));
    let constraints = match scene.shape() {
        Shape::CreateTable(table) => table.constraints.iter().collect(),
        _ => scene.added_constraints().map(|added| added.constraint).collect::<Vec<_>>(),
    };
    names.extend(constraints.iter().filter_map(|one| one.name.as_deref()));
    let long = names.into_iter().filter(|name| name.len() > NAME_MAX_BYTES);
    long.map(|name| {
        let range = name_range(scene.sql(), name).unwrap_or(0..1);
        scene
            .finding(&range, format!("this name has {} bytes; PostgreSQL keeps {NAME_MAX_BYTES}", name.len()))
            .because("it is cut with no more than a notice: two long names may become one, and tools look for the whole")
            .detail(format!("it becomes {}", cut(name)))
            .fix("Choose a shorter name.")
    })
    .collect()
}
