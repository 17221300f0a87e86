//! A table that changes its name under the code that uses it.

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "renaming a table breaks code that names the old one",
    RuleLevel::Warning,
    look,
);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let renamed = scene.actions().filter_map(|(table, action)| match &action.kind {
        ActionKind::RenameTable(to) => Some((table, action, to.clone())),
        ActionKind::SetSchema(schema) => Some((table, action, format!("{schema}.{}", table.name))),
        _ => None,
    });
    let found = renamed.filter_map(|(table, action, to)| {
        scene.busy(table)?;
        let shown = scene.model.shown(table);
        Some(
            scene
                .finding(&action.range, format!("renaming {shown} to {to} breaks code that names {shown}"))
                .because("old and new code run side by side during a deployment, and only one name exists")
                .fix_with(
                    "Leave a view of the old name in the same migration, and drop it later:",
                    format!("CREATE VIEW {shown} AS SELECT * FROM {to};"),
                ),
        )
    });
    found.collect()
}
