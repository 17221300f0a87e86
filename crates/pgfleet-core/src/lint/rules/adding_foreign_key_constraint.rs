//! A foreign key that is checked against all rows while both tables are locked.

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "a new foreign key blocks writes of both tables while all rows are checked",
    RuleLevel::Warning,
    look,
);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let foreign = scene.added_constraints().filter(|added| {
        let shape = added.constraint;
        // A new column without a default is NULL everywhere: there is nothing to check.
        let empty = added.column.is_some_and(|column| column.default.is_none());
        shape.kind == ConstraintKind::ForeignKey && !shape.not_valid && !shape.not_enforced && !empty
    });
    let found = foreign.filter_map(|added| {
        let busy = scene.busy(added.table)?;
        let to = added.constraint.references.as_ref()?;
        let (own, other) = (scene.model.shown(added.table), scene.model.shown(&to.table));
        let name = added.constraint.name.as_deref().unwrap_or("name");
        let columns = quoted_list(&added.constraint.columns);
        let what = format!("adding this foreign key blocks writes of {own} and {other} while all rows of {own} are checked");
        let referred = if to.columns.is_empty() { String::new() } else { format!(" ({})", quoted_list(&to.columns)) };
        Some(
            scene
                .finding(&added.constraint.range, what)
                .because("ADD FOREIGN KEY holds SHARE ROW EXCLUSIVE on both tables until it has read the whole table")
                .fix_with(
                    "Add it NOT VALID and validate it in a migration of its own:",
                    format!(
                        "ALTER TABLE {own} ADD CONSTRAINT {name} FOREIGN KEY ({columns}) REFERENCES {other}{referred} NOT VALID;\nALTER TABLE {own} VALIDATE CONSTRAINT {name};"
                    ),
                )
                .on(&busy),
        )
    });
    found.collect()
}
