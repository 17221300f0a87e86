//! Indexes that something depends on without a dependency.

use pgfleet_sql::ObjectKind;

use super::prelude::*;
use crate::lint::model::{Index, Table};

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "an index is dropped that a foreign key or replication relies on",
    RuleLevel::Warning,
    look,
)
.with_target();

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let dropped = scene.facts().drops.iter().filter(|object| object.kind == ObjectKind::Index);
    let found = dropped.filter_map(|object| {
        let (name, index) = scene.model.index(&object.name)?;
        let table = scene.table(name)?;
        scene.busy(name)?;
        let why = relied_on(scene, name, table, index)?;
        Some(
            scene
                .finding_here(why)
                .because("PostgreSQL records no dependency for that, so the index is dropped without a word")
                .fix("Build another index that serves first."),
        )
    });
    found.collect()
}

fn relied_on(scene: &Scene<'_>, name: &QualifiedName, table: &Table, index: &Index) -> Option<String> {
    let shown = scene.model.shown(name);
    if table.replica_index.as_ref() == Some(&index.name) {
        return Some(format!("{} is the replica identity of {shown}: updates and deletes would fail", index.name));
    }
    let mut without = table.clone();
    without.indexes.retain(|other| other.name != index.name);
    let served = table.constraints.iter().find(|constraint| {
        constraint.references.is_some()
            && table.has_index_on(&constraint.columns)
            && !without.has_index_on(&constraint.columns)
            && !settles(scene, name, &constraint.name)
    })?;
    let to = served.references.as_ref().map(|to| scene.model.shown(&to.table)).unwrap_or_default();
    Some(format!("{} serves the foreign key {}: deleting from {to} would read all of {shown}", index.name, served.name))
}

/// The migration itself builds another index that serves the key, or drops the key.
fn settles(scene: &Scene<'_>, name: &QualifiedName, key: &str) -> bool {
    let mut afterwards = scene.model.clone();
    for (number, statement) in scene.all.iter().enumerate().skip(scene.at.1) {
        afterwards.take((scene.at.0, number), statement);
    }
    afterwards.table(name).is_none_or(|table| {
        table.constraint(key).is_none_or(|constraint| table.has_index_on(&constraint.columns))
    })
}
