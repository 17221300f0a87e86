//! A DROP that takes along what it does not name.

use pgfleet_sql::{Kind, ObjectKind};

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "CASCADE drops objects that the migration does not name",
    RuleLevel::Warning,
    look,
);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let facts = scene.facts();
    let own_rule = |kind| matches!(kind, ObjectKind::Schema | ObjectKind::Database);
    let drops = facts.drops.iter().any(|object| !own_rule(object.kind));
    let drop = facts.kind == Kind::Drop || matches!(scene.shape(), Shape::AlterTable(_));
    let touches_used = facts.drops.iter().any(|object| {
        let table = object.on.as_ref().unwrap_or(&object.name);
        scene.busy(table).is_some()
    });
    // ON DELETE CASCADE of a constraint that is added beside it is none.
    let cascades = || scene.has_word("CASCADE") && !scene.has_word("REFERENCES");
    if !drop || !drops || !touches_used || !cascades() {
        return Vec::new();
    }
    let finding = scene
        .finding_at(&["CASCADE"], "CASCADE drops whatever depends on it, named or not")
        .because("views, foreign keys, policies and functions' defaults go without a word; what goes differs between databases")
        .fix("Drop the dependent objects by name first, and leave CASCADE out: PostgreSQL then says what still depends on it.");
    vec![finding]
}
