//! A materialized view that is refreshed while its readers wait.

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "refreshing a materialized view blocks its readers",
    RuleLevel::Warning,
    look,
);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let quiet = || scene.has_word("CONCURRENTLY") || scene.has_word("NO");
    if scene.facts().label != "REFRESH MATERIALIZED VIEW" || quiet() || made_here(scene) {
        return Vec::new();
    }
    let finding = scene
        .finding_here("refreshing this materialized view blocks its readers until it is filled")
        .because("REFRESH MATERIALIZED VIEW holds ACCESS EXCLUSIVE while the query runs")
        .fix("Write REFRESH MATERIALIZED VIEW CONCURRENTLY; the view needs a unique index over all its rows.");
    vec![finding]
}

/// The migration itself creates the view.
fn made_here(scene: &Scene<'_>) -> bool {
    let used = scene.facts().uses.first().map(|object| scene.model.full(&object.name));
    let earlier = scene.all[..scene.at.1].iter().flat_map(|one| &one.statement.facts.creates);
    earlier.into_iter().any(|object| Some(scene.model.full(&object.name)) == used)
}
