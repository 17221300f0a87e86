//! Locks that are waited for without end.

use pgfleet_sql::LockMode;

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "a lock is waited for without a lock_timeout",
    RuleLevel::Off,
    look,
);

/// Said once for a migration, at the first statement that takes such a lock.
fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let takes = |at: usize| {
        let facts = &scene.all[at].statement.facts;
        let strong = facts.locks.iter().filter(|lock| lock.mode >= LockMode::Share);
        strong.filter_map(|lock| lock.relation.as_ref()).any(|name| scene.busy(name).is_some())
    };
    let sets = scene.all[..scene.at.1].iter().any(|one| {
        one.statement.facts.label == "SET" && one.statement.sql.to_ascii_lowercase().contains("lock_timeout")
    });
    if sets || !takes(scene.at.1) || (0..scene.at.1).any(takes) {
        return Vec::new();
    }
    let finding = scene
        .finding_here(format!("{} waits for its lock without end", scene.facts().label))
        .because("while it waits, everybody who wants the table queues behind it")
        .fix_with("Set a timeout first; pgfleet itself sets one for every statement.", "SET LOCAL lock_timeout = '5s';");
    vec![finding]
}
