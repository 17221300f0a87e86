//! Transaction control that does nothing.

use pgfleet_sql::Transaction;

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "BEGIN inside a transaction, or COMMIT outside one, does nothing",
    RuleLevel::Warning,
    look,
);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let open = scene.at.1.checked_sub(1).is_some_and(|before| scene.all[before].explicit);
    let label = &scene.facts().label;
    let finding = match scene.facts().transaction {
        Transaction::Begin if open => scene
            .finding_here("BEGIN inside a transaction only warns")
            .because("PostgreSQL has no nested transactions; the first COMMIT ends the only one there is")
            .fix("Use SAVEPOINT for a part that may be taken back alone."),
        Transaction::Commit | Transaction::Rollback if !open => scene
            .finding_here(format!("{label} without BEGIN only warns"))
            .because("the migration is already run in a transaction of its own, which it would end too early elsewhere")
            .fix("Remove it."),
        _ => return Vec::new(),
    };
    vec![finding]
}
