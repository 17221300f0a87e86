//! A column that may be NULL from now on.

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "code that reads the column does not expect NULL",
    RuleLevel::Note,
    look,
);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let dropped = scene.actions().filter_map(|(table, action)| match &action.kind {
        ActionKind::DropNotNull(column) => Some((table, action, column)),
        _ => None,
    });
    let found = dropped.filter_map(|(table, action, column)| {
        scene.busy(table)?;
        let shown = scene.model.shown(table);
        Some(
            scene
                .finding(&action.range, format!("{column} of {shown} may be NULL from now on"))
                .because("code that runs during the deployment does not expect NULL in it")
                .fix("Deploy code that bears NULL first."),
        )
    });
    found.collect()
}
