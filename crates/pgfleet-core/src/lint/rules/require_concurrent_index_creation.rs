//! An index that is built while writers wait.

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "building an index blocks writes",
    RuleLevel::Warning,
    look,
);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let Shape::CreateIndex(index) = scene.shape() else { return Vec::new() };
    let partitioned = scene.table(&index.table).is_some_and(|table| table.partitioned);
    if index.concurrently || partitioned {
        return Vec::new();
    }
    let Some(busy) = scene.busy(&index.table) else { return Vec::new() };
    let shown = scene.model.shown(&index.table);
    let finding = scene
        .finding(&index.head, format!("building this index blocks writes of {shown}"))
        .because("CREATE INDEX holds SHARE on the table until the index is complete")
        .fix("Write CREATE INDEX CONCURRENTLY, in a migration of its own: it cannot run in a transaction.")
        .on(&busy);
    vec![finding]
}
