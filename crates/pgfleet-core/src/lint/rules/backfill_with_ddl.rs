//! Rows in bulk that are written in the transaction that changed the table.

use pgfleet_sql::{Kind, LockMode, LockUse};

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "rows are written in bulk while a schema change keeps the table locked",
    RuleLevel::Warning,
    look,
);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let facts = scene.facts();
    if facts.kind != Kind::Write || !matches!(facts.label.as_str(), "UPDATE" | "DELETE" | "MERGE") {
        return Vec::new();
    }
    let written = |lock: &&LockUse| lock.mode == LockMode::RowExclusive;
    let table = facts.locks.iter().find(written).and_then(|lock| lock.relation.as_ref());
    let Some((table, busy)) = table.and_then(|table| Some((table, scene.busy(table)?))) else {
        return Vec::new();
    };
    let full = scene.model.full(table);
    let locks = |lock: &LockUse| {
        lock.mode == LockMode::AccessExclusive
            && lock.relation.as_ref().is_some_and(|name| scene.model.full(name) == full)
    };
    let locked = scene.before().find(|one| one.statement.facts.locks.iter().any(locks));
    let Some(locked) = locked else { return Vec::new() };
    let shown = scene.model.shown(table);
    let finding = scene
        .finding_here(format!("{shown} stays locked against readers while this {} runs", facts.label))
        .because(format!(
            "{} at {} holds ACCESS EXCLUSIVE until the transaction ends",
            locked.statement.facts.label, locked.statement.place
        ))
        .fix("Write the rows in a migration of its own, in batches.")
        .on(&busy);
    vec![finding]
}
