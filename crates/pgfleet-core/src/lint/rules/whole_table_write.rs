//! UPDATE and DELETE without WHERE, and TRUNCATE.

use pgfleet_sql::{LockMode, Severity as Loss};

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "every row of a table is overwritten or deleted",
    RuleLevel::Warning,
    look,
);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let facts = scene.facts();
    let whole = facts.data_loss.as_ref().is_some_and(|loss| loss.severity == Loss::Certain);
    if !whole || !matches!(facts.label.as_str(), "UPDATE" | "DELETE" | "TRUNCATE") {
        return Vec::new();
    }
    let written = facts.locks.iter().filter(|lock| lock.mode >= LockMode::RowExclusive);
    let tables: Vec<_> = written.filter_map(|lock| lock.relation.as_ref()).collect();
    let Some(busy) = tables.iter().find_map(|table| scene.busy(table)) else { return Vec::new() };
    let what = facts.data_loss.as_ref().map_or("", |loss| loss.what.as_str());
    let finding = scene.finding_here(format!("this {what}"));
    let finding = match facts.label.as_str() {
        "UPDATE" => finding
            .because("all rows are locked and written twice in one transaction; vacuum has to clear the old ones")
            .fix("Update in batches, by ranges of the primary key, each in a transaction of its own."),
        _ => finding
            .because("the rows are gone with the commit; only a backup brings them back")
            .fix("Say which rows with WHERE, and delete in batches; take a backup first."),
    };
    vec![finding.on(&busy)]
}
