//! Tables that a crash empties.

use pgfleet_sql::shape::Persistence;

use super::prelude::*;

pub(in crate::lint) static RULE: Definition =
    Definition::statement("a crash empties the table", RuleLevel::Warning, look);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let made = match scene.shape() {
        Shape::CreateTable(table) if table.persistence == Persistence::Unlogged => {
            Some((table.name.clone(), table.name_range.clone()))
        }
        _ => None,
    };
    let set = scene.actions().filter(|(_, action)| action.kind == ActionKind::SetUnlogged);
    let set = set.map(|(table, action)| (table.clone(), action.range.clone()));
    made.into_iter()
        .chain(set)
        .map(|(table, range)| {
            let shown = scene.model.shown(&table);
            scene
                .finding(&range, format!("{shown} is empty after a crash, and always on a replica"))
                .because("its rows are not written to the write-ahead log")
                .fix("Leave UNLOGGED out, unless the rows can be made again at any time.")
        })
        .collect()
}
