//! Enum values that land at the end.

use pgfleet_sql::shape::TypeChange;

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "a new enum value goes to the end of the order",
    RuleLevel::Off,
    look,
);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let Shape::AlterType(_, TypeChange::AddValue { value, placed: false }) = scene.shape() else {
        return Vec::new();
    };
    let finding = scene
        .finding_at(&["ADD", "VALUE"], format!("'{value}' comes after all other values"))
        .because("the order of an enum cannot be changed later, and decides comparisons and ORDER BY")
        .fix("Say where it belongs with BEFORE or AFTER.");
    vec![finding]
}
