//! CONCURRENTLY where PostgreSQL refuses it, or where it takes a file apart.

use pgfleet_sql::{Kind, Transaction};

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "CONCURRENTLY cannot run in a transaction",
    RuleLevel::Warning,
    look,
);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let facts = scene.facts();
    if facts.transaction != Transaction::Never || !scene.has_word("CONCURRENTLY") {
        return Vec::new();
    }
    if scene.looked().explicit {
        let finding = scene
            .finding_at(&["CONCURRENTLY"], format!("{} CONCURRENTLY fails in the file's own transaction", facts.label))
            .because("PostgreSQL refuses it in a transaction block (SQLSTATE 25001)")
            .fix("Give it a migration of its own, without BEGIN.")
            .weighing(Severity::Error);
        return vec![finding];
    }
    let first = scene.all.iter().position(|one| one.statement.facts.transaction == Transaction::Never);
    let mixed = scene.all.iter().any(|one| {
        let facts = &one.statement.facts;
        facts.transaction != Transaction::Never && !matches!(facts.kind, Kind::Session | Kind::Comment)
    });
    if scene.opts_out() || !mixed || first != Some(scene.at.1) {
        return Vec::new();
    }
    let finding = scene
        .finding_at(&["CONCURRENTLY"], "with this statement the file is no longer one transaction")
        .because("what stands before it stays when it fails; tools that run a file in a transaction refuse the file")
        .fix("Give it a migration of its own.");
    vec![finding]
}
