//! A check that is tested against all rows under the table's strongest lock.

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "a new CHECK reads the whole table under its strongest lock",
    RuleLevel::Warning,
    look,
);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let checks = scene.added_constraints().filter(|added| {
        let shape = added.constraint;
        shape.kind == ConstraintKind::Check && !shape.not_valid && !shape.not_enforced
    });
    let found = checks.filter_map(|added| {
        let busy = scene.busy(added.table)?;
        let shown = scene.model.shown(added.table);
        let name = added.constraint.name.as_deref().unwrap_or("name");
        Some(
            scene
                .finding(&added.constraint.range, format!("adding this CHECK blocks reads and writes of {shown} while all rows are tested"))
                .because("ADD CONSTRAINT holds ACCESS EXCLUSIVE until it has read the whole table")
                .fix_with(
                    "Add it NOT VALID and validate it in a migration of its own, which blocks nobody:",
                    format!(
                        "ALTER TABLE {shown} ADD CONSTRAINT {name} CHECK ({}) NOT VALID;\nALTER TABLE {shown} VALIDATE CONSTRAINT {name};",
                        added.constraint.expression
                    ),
                )
                .on(&busy),
        )
    });
    found.collect()
}
