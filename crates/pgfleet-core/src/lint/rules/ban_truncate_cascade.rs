//! TRUNCATE that empties tables that it does not name.

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "TRUNCATE … CASCADE empties tables that the migration does not name",
    RuleLevel::Error,
    look,
);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    if scene.facts().label != "TRUNCATE" || !scene.has_word("CASCADE") {
        return Vec::new();
    }
    let mut finding = scene
        .finding_at(&["CASCADE"], "every table that refers to it is emptied too, and those that refer to them")
        .because("TRUNCATE … CASCADE follows foreign keys, whatever their ON DELETE says")
        .fix("Name every table that is to be emptied, and leave CASCADE out.");
    for lock in &scene.facts().locks {
        let Some(table) = &lock.relation else { continue };
        for (holder, constraint) in scene.model.references_to(table) {
            let holder = scene.model.shown(holder);
            finding = finding.detail(format!("{holder} refers to it by {}", constraint.name));
        }
    }
    vec![finding]
}
