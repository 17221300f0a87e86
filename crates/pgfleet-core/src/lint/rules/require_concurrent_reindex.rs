//! An index that is rebuilt while writers wait.

use pgfleet_sql::Transaction;

use super::prelude::*;

pub(in crate::lint) static RULE: Definition =
    Definition::statement("rebuilding an index blocks writes", RuleLevel::Warning, look);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let facts = scene.facts();
    let concurrently = facts.transaction == Transaction::Never && scene.has_word("CONCURRENTLY");
    if facts.label != "REINDEX" || concurrently {
        return Vec::new();
    }
    let finding = scene
        .finding_here("REINDEX blocks writes of the table, and reads that would use the index")
        .because("it holds SHARE on the table and ACCESS EXCLUSIVE on the index until the index is complete")
        .fix("Write REINDEX … CONCURRENTLY, in a migration of its own: it cannot run in a transaction.");
    vec![finding]
}
