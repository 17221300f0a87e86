//! A constraint that is validated while the lock that added it is still held.

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "validating in the transaction that added the constraint gains nothing",
    RuleLevel::Warning,
    look,
);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let validated = scene.actions().filter_map(|(table, action)| match &action.kind {
        ActionKind::Validate(name) => Some((table, action, name)),
        _ => None,
    });
    let found = validated.filter_map(|(table, action, name)| {
        let busy = scene.busy(table)?;
        let adds = |shape: &Shape| match shape {
            Shape::AlterTable(alter) => {
                scene.model.full(&alter.table) == scene.model.full(table)
                    && alter.actions.iter().any(|one| {
                        matches!(&one.kind, ActionKind::AddConstraint(shape) if shape.name.as_ref() == Some(name))
                    })
            }
            _ => false,
        };
        let before = scene.before().any(|one| adds(&one.shape));
        if !before && !adds(scene.shape()) {
            return None;
        }
        let shown = scene.model.shown(table);
        Some(
            scene
                .finding(&action.range, format!("{shown} stays locked while {name} is validated"))
                .because("the transaction that added the constraint still holds its lock, so NOT VALID gained nothing")
                .fix("Validate it in a migration of its own.")
                .on(&busy),
        )
    });
    found.collect()
}
