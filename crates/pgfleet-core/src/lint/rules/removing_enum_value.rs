//! An enum that is made anew without a value that it had.

use pgfleet_sql::shape::TypeChange;
use pgfleet_sql::quote_literal;

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "an enum loses a value",
    RuleLevel::Warning,
    look,
)
.with_target();

/// PostgreSQL cannot drop a value; the type is made anew under another name and then renamed, or
/// the catalog is written by hand.
fn look(scene: &Scene<'_>) -> Vec<Finding> {
    by_hand(scene).into_iter().chain(renamed(scene)).chain(made_anew(scene)).collect()
}

fn by_hand(scene: &Scene<'_>) -> Option<Finding> {
    let facts = scene.facts();
    let catalog = facts.locks.iter().any(|lock| {
        lock.relation.as_ref().is_some_and(|name| name.name == "pg_enum")
    });
    (catalog && matches!(facts.label.as_str(), "DELETE" | "UPDATE")).then(|| {
        scene
            .finding_here("pg_enum is written by hand")
            .because("rows that hold the value can no longer be read, and indexes on them are broken")
            .fix("Make the type anew without the value, and convert the columns.")
            .weighing(Severity::Error)
    })
}

/// `ALTER TYPE "new" RENAME TO "name"` where `name` was an enum with more values.
fn renamed(scene: &Scene<'_>) -> Option<Finding> {
    let Shape::AlterType(from, TypeChange::Rename(to)) = scene.shape() else { return None };
    let name = QualifiedName { schema: from.schema.clone(), name: to.clone() };
    let (old, new) = (scene.model.retired_values_of(&name, scene.at.0)?, scene.model.values_of(from)?);
    lost(scene, &name, old, new)
}

/// `DROP TYPE name; CREATE TYPE name AS ENUM (…)`
fn made_anew(scene: &Scene<'_>) -> Option<Finding> {
    let Shape::CreateEnum(shape) = scene.shape() else { return None };
    let old = scene.model.retired_values_of(&shape.name, scene.at.0)?;
    lost(scene, &shape.name, old, &shape.values)
}

fn lost(
    scene: &Scene<'_>,
    name: &QualifiedName,
    old: &[String],
    new: &[String],
) -> Option<Finding> {
    let gone: Vec<_> = old.iter().filter(|value| !new.contains(value)).collect();
    if gone.is_empty() {
        return None;
    }
    let quoted: Vec<_> = gone.iter().filter_map(|value| quote_literal(value).ok()).collect();
    let list = quoted.join(", ");
    let what = format!("the enum {} loses {list}", scene.model.shown(name));
    Some(
        scene
            .finding_here(what)
            .because("converting a column fails when a row still holds the value, and code that still writes it fails later")
            .fix("Stop writing the value, change the rows that hold it, and remove it in a later migration."),
    )
}
