//! A new column whose value is computed for every row.

use pgfleet_sql::shape::{ColumnShape, Volatility};

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "a new column's values are computed for every row",
    RuleLevel::Warning,
    look,
);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let added = scene.actions().filter_map(|(table, action)| match &action.kind {
        ActionKind::AddColumn { column, .. } => Some((table, column)),
        _ => None,
    });
    added.filter_map(|(table, column)| finding(scene, table, column)).collect()
}

fn finding(scene: &Scene<'_>, table: &QualifiedName, column: &ColumnShape) -> Option<Finding> {
    let busy = scene.busy(table)?;
    let (name, shown) = (&column.name, scene.model.shown(table));
    let found = if let Some(range) = &column.stored {
        let what = format!("adding the stored generated column {name} rewrites {shown}");
        scene.finding(range, what).fix(
            "Add an ordinary column, fill it in batches, and keep it with a trigger or in the application.",
        )
    } else if column.identity {
        let what = format!("adding the identity column {name} rewrites {shown}");
        scene.finding(&column.range, what).fix("Add it nullable, fill it in batches, add the identity then.")
    } else {
        let default = column.default.as_ref()?;
        let what = match default.volatility {
            Volatility::Once => return None,
            Volatility::PerRow => format!("the volatile default of {name} rewrites {shown}"),
            Volatility::Unknown => {
                format!("the default of {name} may rewrite {shown}: its function may be volatile")
            }
        };
        scene
            .finding(&default.range, what)
            .fix_with(
                "Add the column without it, set the default for new rows, fill the old ones in batches:",
                format!(
                    "ALTER TABLE {shown} ADD COLUMN {name} {};\nALTER TABLE {shown} ALTER COLUMN {name} SET DEFAULT {};",
                    column.type_text, default.text
                ),
            )
    };
    let cause = "every row is written anew under a lock that blocks reads and writes";
    Some(found.because(cause).on(&busy))
}
