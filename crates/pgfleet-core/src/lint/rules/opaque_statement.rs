//! Code whose effects cannot be read from its text.

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "code that was not looked into",
    RuleLevel::Note,
    look,
);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    if !scene.facts().opaque {
        return Vec::new();
    }
    let finding = scene
        .finding_here(format!("what this {} does is not looked into", scene.facts().label))
        .because("its locks, and what it changes, show only when it runs")
        .fix_with("Try it on a scratch copy first.", "pgfleet apply --dry-run");
    vec![finding]
}
