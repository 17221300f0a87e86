//! SET NOT NULL without a validated check that makes the scan needless.

use pgfleet_sql::quote_ident;

use super::prelude::*;
use crate::lint::model::Table;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "SET NOT NULL reads the whole table under its strongest lock",
    RuleLevel::Warning,
    look,
);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let set = scene.actions().filter_map(|(table, action)| match &action.kind {
        ActionKind::SetNotNull(column) => Some((table, action, column)),
        _ => None,
    });
    let found = set.filter_map(|(table, action, column)| {
        let busy = scene.busy(table)?;
        let known = scene.table(table);
        if known.is_some_and(|known| is_known_not_null(known, column)) {
            return None;
        }
        let shown = scene.model.shown(table);
        let quoted = quote_ident(column);
        Some(
            scene
                .finding(&action.range, format!("SET NOT NULL blocks reads and writes of {shown} while it looks for NULLs in {column}"))
                .because("without a validated CHECK (… IS NOT NULL) every row is read under ACCESS EXCLUSIVE")
                .fix_with(
                    "Check first, validate in a migration of its own, then set it, which needs no scan:",
                    format!(
                        "ALTER TABLE {shown} ADD CONSTRAINT {column}_not_null CHECK ({quoted} IS NOT NULL) NOT VALID;\nALTER TABLE {shown} VALIDATE CONSTRAINT {column}_not_null;\nALTER TABLE {shown} ALTER COLUMN {quoted} SET NOT NULL;"
                    ),
                )
                .on(&busy),
        )
    });
    found.collect()
}

/// NOT NULL already, or a validated check says so: PostgreSQL 12 and newer trust it
/// (`NotNullImpliedByRelConstraints` in src/backend/commands/tablecmds.c).
fn is_known_not_null(table: &Table, column: &str) -> bool {
    let declared = table.column(column).is_some_and(|column| column.not_null);
    let says = |expression: &str| {
        let text = expression.to_ascii_lowercase().replace(['(', ')', '"'], "");
        let wanted = format!("{} is not null", column.to_ascii_lowercase());
        text.split(" and ").any(|part| part.trim() == wanted)
    };
    let checks = table.constraints.iter().filter(|one| one.kind == ConstraintKind::Check && one.valid);
    declared || checks.into_iter().any(|check| says(&check.expression))
}
