//! A primary key that is added to a table with rows.

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "adding a primary key builds its index under the strongest lock",
    RuleLevel::Warning,
    look,
);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let primary = scene.added_constraints().filter(|added| {
        added.constraint.kind == ConstraintKind::PrimaryKey && added.constraint.using_index.is_none()
    });
    let found = primary.filter_map(|added| {
        let busy = scene.busy(added.table)?;
        let shown = scene.model.shown(added.table);
        let serial = added.column.is_some_and(|column| column.is_serial() || column.identity);
        let what = match serial {
            true => format!("adding a primary key that counts rewrites {shown} and builds an index, with reads and writes blocked"),
            false => format!("adding a primary key builds its index with reads and writes of {shown} blocked"),
        };
        let columns = quoted_list(&added.constraint.columns);
        let name = format!("{}_pkey", added.table.name);
        Some(
            scene
                .finding(&added.constraint.range, what)
                .because("ADD PRIMARY KEY holds ACCESS EXCLUSIVE while the index is built and NULLs are looked for")
                .fix_with(
                    "Build the index first, outside a transaction, and give it to the constraint:",
                    format!(
                        "CREATE UNIQUE INDEX CONCURRENTLY {name} ON {shown} ({columns});\nALTER TABLE {shown} ADD CONSTRAINT {name} PRIMARY KEY USING INDEX {name};"
                    ),
                )
                .on(&busy),
        )
    });
    found.collect()
}
