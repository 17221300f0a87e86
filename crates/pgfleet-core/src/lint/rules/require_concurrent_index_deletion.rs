//! An index that is dropped while readers and writers wait.

use pgfleet_sql::{ObjectKind, Transaction};

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "dropping an index waits with readers and writers behind it",
    RuleLevel::Warning,
    look,
);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let facts = scene.facts();
    let concurrently = facts.transaction == Transaction::Never;
    let dropped = facts.drops.iter().filter(|object| object.kind == ObjectKind::Index);
    let found = dropped.filter(|_| !concurrently).filter_map(|object| {
        let table = scene.model.index(&object.name).map(|(table, _)| table);
        let busy = match table {
            Some(table) => scene.busy(table)?,
            None => crate::lint::scene::Busy::Unknown,
        };
        let of = table.map(|table| format!(" of {}", scene.model.shown(table))).unwrap_or_default();
        let finding = scene
            .finding_here(format!("dropping {} blocks reads and writes{of} while it waits for its lock", object.name))
            .because("DROP INDEX takes ACCESS EXCLUSIVE on the table; whoever comes later queues behind it")
            .fix_with(
                "Drop it in a migration of its own, outside a transaction:",
                format!("DROP INDEX CONCURRENTLY {};", object.name),
            );
        // The lock itself is short: a large table is no worse than an unknown one.
        let severity = busy.severity().min(Severity::Warning);
        Some(finding.weighing(severity))
    });
    found.collect()
}
