//! A unique or exclusion constraint whose index is built under the table's strongest lock.

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "a new UNIQUE constraint builds its index under the strongest lock",
    RuleLevel::Warning,
    look,
);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let unique = scene.added_constraints().filter(|added| {
        let shape = added.constraint;
        matches!(shape.kind, ConstraintKind::Unique | ConstraintKind::Exclusion)
            && shape.using_index.is_none()
    });
    let found = unique.filter_map(|added| {
        let busy = scene.busy(added.table)?;
        let shown = scene.model.shown(added.table);
        let shape = added.constraint;
        let finding = scene
            .finding(&shape.range, format!("adding this constraint builds its index with reads and writes of {shown} blocked"))
            .because("ADD CONSTRAINT … UNIQUE holds ACCESS EXCLUSIVE while the index is built");
        if shape.kind == ConstraintKind::Exclusion {
            return Some(finding.fix("There is no way to build it without the lock; choose a quiet hour.").on(&busy));
        }
        let columns = quoted_list(&shape.columns);
        let usual = format!("{}_{}_key", added.table.name, shape.columns.join("_"));
        let name = shape.name.as_deref().unwrap_or(&usual);
        Some(
            finding
                .fix_with(
                    "Build the index first, outside a transaction, and give it to the constraint:",
                    format!(
                        "CREATE UNIQUE INDEX CONCURRENTLY {name} ON {shown} ({columns});\nALTER TABLE {shown} ADD CONSTRAINT {name} UNIQUE USING INDEX {name};"
                    ),
                )
                .on(&busy),
        )
    });
    found.collect()
}
