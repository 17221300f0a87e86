//! A new NOT NULL column without a default, which no row that is there can fill.

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "a new NOT NULL column without a default fails on a table with rows",
    RuleLevel::Warning,
    look,
)
.with_target();

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let added = scene.actions().filter_map(|(table, action)| match &action.kind {
        ActionKind::AddColumn { column, .. } => Some((table, column)),
        _ => None,
    });
    let found = added.filter_map(|(table, column)| {
        let not_null = column.not_null.as_ref().or_else(|| {
            column.constraint(ConstraintKind::PrimaryKey).map(|primary| &primary.range)
        })?;
        let filled = column.default.is_some()
            || column.identity
            || column.is_serial()
            || column.stored.is_some()
            || column.computed;
        scene.busy(table).filter(|_| !filled)?;
        let size = scene.table(table).and_then(|table| table.size);
        let (name, shown) = (&column.name, scene.model.shown(table));
        let found = scene
            .finding(not_null, format!("adding {name} as NOT NULL without a default fails when {shown} has rows"))
            .because("the rows that are there would have NULL in it (SQLSTATE 23502)")
            .fix("Give it a constant default, or add it nullable, fill it, and set NOT NULL later.");
        match size {
            Some(size) if size.rows > 0 => Some(
                found
                    .detail(format!("the table has about {} rows", size.rows))
                    .weighing(Severity::Error),
            ),
            Some(_) => Some(found.detail("the table seems to be empty").weighing(Severity::Note)),
            None => Some(found),
        }
    });
    found.collect()
}
