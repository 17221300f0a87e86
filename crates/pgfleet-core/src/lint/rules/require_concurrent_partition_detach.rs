//! A partition that is detached while queries on the whole table wait.

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "detaching a partition blocks reads and writes of the whole table",
    RuleLevel::Warning,
    look,
);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let detached = scene.actions().filter_map(|(table, action)| match &action.kind {
        ActionKind::Detach { concurrently: false, .. } => Some((table, action)),
        _ => None,
    });
    let found = detached.filter_map(|(table, action)| {
        let busy = scene.busy(table)?;
        let shown = scene.model.shown(table);
        Some(
            scene
                .finding(&action.range, format!("detaching a partition blocks reads and writes of {shown}"))
                .because("DETACH PARTITION takes ACCESS EXCLUSIVE on the partitioned table; whoever comes later queues behind it")
                .fix("Write DETACH PARTITION … CONCURRENTLY (PostgreSQL 14), in a migration of its own.")
                .weighing(busy.severity().min(Severity::Warning)),
        )
    });
    found.collect()
}
