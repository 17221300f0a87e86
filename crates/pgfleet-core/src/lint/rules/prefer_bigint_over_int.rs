//! Keys of 32 bits.

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "a key of 32 bits ends at 2,147,483,647",
    RuleLevel::Note,
    look,
);

/// Numbers that count up: those of a sequence and primary keys. Other integers are the team's matter.
fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let keys: Vec<_> = match scene.shape() {
        Shape::CreateTable(table) => {
            let primary = |kind| kind == ConstraintKind::PrimaryKey;
            let own = table.constraints.iter().filter(|one| primary(one.kind));
            own.filter(|one| one.columns.len() == 1).flat_map(|one| one.columns.clone()).collect()
        }
        _ => Vec::new(),
    };
    let found = scene.declared_columns().filter_map(|(_, column)| {
        let spelled = crate::preflight::spelled(&column.type_text);
        let serial = matches!(column.type_text.to_ascii_lowercase().as_str(), "serial" | "serial4");
        let counts = column.identity
            || keys.contains(&column.name)
            || column.constraint(ConstraintKind::PrimaryKey).is_some();
        (serial || spelled == "int4" && counts).then(|| {
            scene
                .finding(&column.type_range, format!("{} ends at 2,147,483,647", column.name))
                .because("when the numbers run out every insert fails, and changing the type rewrites the table")
                .fix("Write bigint.")
        })
    });
    found.collect()
}
