//! A partition whose rows are all tested when it is attached.

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "attaching a partition without a matching CHECK reads all of it",
    RuleLevel::Warning,
    look,
);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let attached = scene.actions().filter_map(|(_, action)| match &action.kind {
        ActionKind::Attach(partition) => Some((partition, action)),
        _ => None,
    });
    let found = attached.filter_map(|(partition, action)| {
        let busy = scene.busy(partition)?;
        let known = scene.table(partition);
        let checked = known.is_some_and(|table| {
            table.constraints.iter().any(|one| one.kind == ConstraintKind::Check && one.valid)
        });
        if checked {
            return None;
        }
        let shown = scene.model.shown(partition);
        Some(
            scene
                .finding(&action.range, format!("attaching {shown} reads all of it with reads and writes of it blocked"))
                .because("without a validated CHECK that implies the partition's bounds every row is tested under ACCESS EXCLUSIVE")
                .fix("Add such a CHECK to the partition as NOT VALID, validate it, attach, and drop it.")
                .on(&busy),
        )
    });
    found.collect()
}
