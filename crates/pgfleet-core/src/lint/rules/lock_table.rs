//! An explicit lock.

use pgfleet_sql::LockMode;

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "LOCK TABLE keeps others out until the transaction ends",
    RuleLevel::Warning,
    look,
);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let facts = scene.facts();
    if facts.label != "LOCK TABLE" {
        return Vec::new();
    }
    let strong = facts.locks.iter().filter(|lock| lock.mode >= LockMode::Share);
    let found = strong.filter_map(|lock| {
        let table = lock.relation.as_ref()?;
        let busy = scene.busy(table)?;
        let shown = scene.model.shown(table);
        Some(
            scene
                .finding_here(format!("LOCK TABLE keeps others out of {shown} until the transaction ends"))
                .because("the lock is held to the commit, however long the statements behind it take")
                .fix("Leave the locking to the statements themselves, which take what they need and no more.")
                .weighing(busy.severity().min(Severity::Warning)),
        )
    });
    found.collect()
}
