//! A column whose type is changed, unless the change needs no rewrite.

use super::prelude::*;
use crate::schema::keeps_rows;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "changing a column's type rewrites the table",
    RuleLevel::Warning,
    look,
)
.with_target();

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let changed = scene.actions().filter_map(|(table, action)| match &action.kind {
        ActionKind::SetType { column, type_text, using, .. } => {
            Some((table, action, column, type_text, *using))
        }
        _ => None,
    });
    let found = changed.filter_map(|(table, action, column, type_text, using)| {
        let busy = scene.busy(table)?;
        let known = scene.table(table).and_then(|table| table.column(column));
        let old = known.map(|column| column.data_type.as_str()).filter(|old| !old.is_empty());
        let new = crate::preflight::spelled(type_text);
        let shown = scene.model.shown(table);
        if old.is_some_and(|old| !using && (old == new || keeps_rows(old, &new))) {
            return None;
        }
        let from = old.map(|old| format!(" from {old}")).unwrap_or_default();
        let what = format!("changing {column}{from} to {type_text} rewrites {shown} and its indexes with reads and writes blocked");
        Some(
            scene
                .finding(&action.range, what)
                .because(match old {
                    Some(_) => "the two types are not stored alike, so every row is converted under ACCESS EXCLUSIVE",
                    None => "only widening varchar or numeric, or varchar to text, keeps the rows; the present type is not known here",
                })
                .fix("Add a column of the new type, keep both in step with a trigger, fill it in batches, and switch over.")
                .on(&busy),
        )
    });
    found.collect()
}
