//! Statements that write a whole table anew for its own sake.

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "the whole table is written anew under its strongest lock",
    RuleLevel::Warning,
    look,
);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let maintenance = of_maintenance(scene);
    let altered = scene.actions().filter_map(|(table, action)| {
        let rewrites = matches!(
            action.kind,
            ActionKind::Rewrite | ActionKind::SetUnlogged | ActionKind::SetExpression(_)
        );
        let busy = scene.busy(table).filter(|_| rewrites)?;
        let shown = scene.model.shown(table);
        let what = format!("this writes all of {shown} anew with reads and writes blocked");
        Some(scene.finding(&action.range, what).on(&busy))
    });
    let cause = "the table and its indexes are copied under ACCESS EXCLUSIVE, and need their size again on disk";
    let found = maintenance.into_iter().chain(altered);
    found
        .map(|finding| {
            finding
                .because(cause)
                .fix("Do it in a quiet hour, or with pg_repack, which holds its lock for moments only.")
        })
        .collect()
}

fn of_maintenance(scene: &Scene<'_>) -> Option<Finding> {
    let facts = scene.facts();
    let rewrites = facts.label == "CLUSTER" || facts.label == "VACUUM" && facts.rewrites.is_some();
    let table = facts.locks.first().and_then(|lock| lock.relation.as_ref());
    let busy = match table {
        Some(table) => scene.busy(table)?,
        None => crate::lint::scene::Busy::Unknown,
    };
    let shown = table.map_or_else(|| "every table".to_owned(), |table| scene.model.shown(table));
    let what = format!("{} writes all of {shown} anew with reads and writes blocked", facts.label);
    rewrites.then(|| scene.finding_here(what).on(&busy))
}
