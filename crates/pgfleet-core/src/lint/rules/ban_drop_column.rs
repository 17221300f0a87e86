//! A column that is dropped with what is in it.

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "dropping a column loses its data and breaks code that still names it",
    RuleLevel::Warning,
    look,
);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let dropped = scene.actions().filter_map(|(table, action)| match &action.kind {
        ActionKind::DropColumn { column, .. } => Some((table, action, column)),
        _ => None,
    });
    let found = dropped.filter_map(|(table, action, column)| {
        scene.busy(table)?;
        let shown = scene.model.shown(table);
        Some(
            scene
                .finding(&action.range, format!("dropping {column} of {shown} loses its data"))
                .because("code that runs during the deployment may still read or write the column")
                .fix("Remove it from the code first and deploy that; drop it in a later migration, after a backup."),
        )
    });
    found.collect()
}
