//! A column that changes its name under the code that uses it.

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "renaming a column breaks code that names the old one",
    RuleLevel::Warning,
    look,
);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let renamed = scene.actions().filter_map(|(table, action)| match &action.kind {
        ActionKind::RenameColumn { from, to } => Some((table, action, from, to)),
        _ => None,
    });
    let found = renamed.filter_map(|(table, action, from, to)| {
        scene.busy(table)?;
        let shown = scene.model.shown(table);
        Some(
            scene
                .finding(&action.range, format!("renaming {from} of {shown} to {to} breaks code that names {from}"))
                .because("old and new code run side by side during a deployment, and only one name exists")
                .fix("Add a column of the new name, keep both in step, switch the code, and drop the old one later.")
                .fix("Or leave the column's name and map the new one to it in the code."),
        )
    });
    found.collect()
}
