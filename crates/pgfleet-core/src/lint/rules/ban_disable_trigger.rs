//! Triggers that are switched off and not on again.

use super::prelude::*;

pub(in crate::lint) static RULE: Definition =
    Definition::statement("triggers stay switched off", RuleLevel::Warning, look);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let disabled = scene.actions().filter_map(|(table, action)| match &action.kind {
        ActionKind::DisableTrigger(name) => Some((table, action, name)),
        _ => None,
    });
    let found = disabled.filter_map(|(table, action, name)| {
        let enables = |shape: &Shape| match shape {
            Shape::AlterTable(alter) => {
                scene.model.full(&alter.table) == scene.model.full(table)
                    && alter.actions.iter().any(|one| one.kind == ActionKind::EnableTrigger(name.clone()))
            }
            _ => false,
        };
        let again = scene.all[scene.at.1..].iter().any(|one| enables(&one.shape));
        let outside = scene.looked().transaction.is_none();
        if again && !outside {
            return None;
        }
        let shown = scene.model.shown(table);
        let what = match again {
            true => format!("others write {shown} without its triggers until they are switched on again"),
            false => format!("the triggers of {shown} stay switched off"),
        };
        let cause = match name.as_str() {
            "all" => "foreign keys are triggers too: rows that refer to nothing get in and are never found",
            _ => "what the trigger keeps true is no longer kept",
        };
        Some(scene.finding(&action.range, what).because(cause).fix("Switch them on again in the same transaction."))
    });
    found.collect()
}
