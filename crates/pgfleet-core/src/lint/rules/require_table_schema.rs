//! Tables whose schema depends on the search path.

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "a table is made wherever the search path points",
    RuleLevel::Off,
    look,
);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let Shape::CreateTable(table) = scene.shape() else { return Vec::new() };
    let temporary = table.persistence == pgfleet_sql::shape::Persistence::Temporary;
    if table.name.schema.is_some() || temporary {
        return Vec::new();
    }
    let finding = scene
        .finding(&table.name_range, format!("the schema of {} depends on the search path", table.name))
        .because("another role or session may put it elsewhere")
        .fix("Write the schema before the name.");
    vec![finding]
}
