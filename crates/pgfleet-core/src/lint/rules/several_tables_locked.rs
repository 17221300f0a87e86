//! Strong locks on several tables in one transaction.

use std::collections::BTreeSet;

use pgfleet_sql::{Facts, Kind, LockMode};

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "one transaction keeps readers out of several tables",
    RuleLevel::Warning,
    look,
);

/// Another table that is locked strongly while earlier ones still are.
fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let locked = |facts: &Facts| -> BTreeSet<QualifiedName> {
        let strong = facts.locks.iter().filter(|lock| lock.mode == LockMode::AccessExclusive);
        let names = strong.filter_map(|lock| lock.relation.as_ref());
        let used = names.filter(|name| is_used(scene, facts, name));
        used.map(|name| scene.model.full(name)).collect()
    };
    let now = locked(scene.facts());
    if now.is_empty() {
        return Vec::new();
    }
    let before: Vec<_> = scene.before().map(|one| locked(&one.statement.facts)).collect();
    let before: BTreeSet<_> = before.into_iter().flatten().collect();
    // Said once for a transaction, where the second table comes in.
    let second = before.len() == 1 && now.iter().any(|name| !before.contains(name));
    let (Some(first), Some(other)) =
        (before.first(), now.iter().find(|name| !before.contains(name)))
    else {
        return Vec::new();
    };
    if !second {
        return Vec::new();
    }
    let (first, other) = (scene.model.shown(first), scene.model.shown(other));
    let finding = scene
        .finding_here(format!("{first} stays locked while this waits for {other}"))
        .because("readers of the first table wait for the second lock too, and code that uses both in the other order deadlocks")
        .fix("Give each table a migration of its own.");
    vec![finding]
}

fn is_used(scene: &Scene<'_>, facts: &Facts, name: &QualifiedName) -> bool {
    let changes = matches!(facts.kind, Kind::Alter | Kind::Drop | Kind::Create | Kind::Write);
    let known = scene.table(name).is_some();
    // A name that is no table of the model may be an index, a view or a sequence.
    changes && known && scene.busy(name).is_some()
}
