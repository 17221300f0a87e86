//! An enum value that is used before it is committed.

use pgfleet_sql::{quote_literal, shape::name_range};

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "a new enum value is used in the transaction that adds it",
    RuleLevel::Warning,
    look,
);

/// `check_safe_enum_use` in src/backend/utils/adt/enum.c: refused unless the type itself is new.
fn look(scene: &Scene<'_>) -> Vec<Finding> {
    if !scene.adds_enum_value || scene.facts().opaque || scene.facts().added_enum_value.is_some() {
        return Vec::new();
    }
    // What stands between dollar quotes is not run now.
    let sql = scene.sql().split("$$").next().unwrap_or_default();
    let added = scene.before().filter_map(|one| {
        let (name, value) = one.statement.facts.added_enum_value.as_ref()?;
        Some((one, name, value))
    });
    let found = added.filter_map(|(one, name, value)| {
        let made_here = scene.before().any(|earlier| match &earlier.shape {
            Shape::CreateEnum(shape) => scene.model.full(&shape.name) == scene.model.full(name),
            _ => false,
        });
        let literal = quote_literal(value).ok().filter(|_| !made_here)?;
        let at = sql.find(&literal)?;
        let sure = name_range(sql, &name.name).is_some();
        Some(
            scene
                .finding(&(at..at + literal.len()), format!("the new value {literal} of {name} is used before it is committed"))
                .because(format!("PostgreSQL refuses that (SQLSTATE 55P04); the value is added at {}", one.statement.place))
                .fix("Add the value in a migration of its own that runs before this one.")
                .weighing(if sure { Severity::Error } else { Severity::Warning }),
        )
    });
    found.collect()
}
