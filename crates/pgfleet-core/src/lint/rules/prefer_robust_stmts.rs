//! Statements outside a transaction that cannot be run again after a failure.

use pgfleet_sql::{Kind, Rerun, Transaction};

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "a statement outside a transaction cannot be run again after a failure",
    RuleLevel::Note,
    look,
);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let facts = scene.facts();
    // A file that is one transaction is all there or not at all.
    if scene.looked().transaction.is_some() || scene.all.len() < 2 {
        return Vec::new();
    }
    let Rerun::Unsafe(why) = &facts.rerun else { return Vec::new() };
    let changes = matches!(facts.kind, Kind::Create | Kind::Alter | Kind::Drop);
    if !changes || facts.transaction == Transaction::Begin {
        return Vec::new();
    }
    let finding = scene
        .finding_here(format!("a second run of the file fails here: {why}"))
        .because("the file is not one transaction, so a failure leaves what stands before it done; pgfleet goes on where it stopped, other tools begin again")
        .fix("Write IF NOT EXISTS, IF EXISTS or OR REPLACE where there is such a form.");
    vec![finding]
}
