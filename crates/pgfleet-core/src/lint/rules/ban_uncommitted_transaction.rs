//! A transaction that the file begins and never ends.

use pgfleet_sql::Transaction;

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "a transaction is begun and never ended",
    RuleLevel::Error,
    look,
);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    if scene.facts().transaction != Transaction::Begin {
        return Vec::new();
    }
    let ends = |one: &crate::lint::scene::Looked<'_>| {
        matches!(one.statement.facts.transaction, Transaction::Commit | Transaction::Rollback)
    };
    if scene.all[scene.at.1..].iter().any(ends) {
        return Vec::new();
    }
    let finding = scene
        .finding_here("this transaction is never ended")
        .because("at the end of the file everything since BEGIN is rolled back")
        .fix("Add COMMIT at the end, or remove BEGIN: the migration is run in a transaction anyway.");
    vec![finding]
}
