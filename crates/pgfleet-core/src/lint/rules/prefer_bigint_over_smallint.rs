//! Keys of 16 bits.

use super::prelude::*;

pub(in crate::lint) static RULE: Definition =
    Definition::statement("a key of 16 bits ends at 32,767", RuleLevel::Note, look);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let found = scene.declared_columns().filter_map(|(_, column)| {
        let written = column.type_text.to_ascii_lowercase();
        let serial = matches!(written.as_str(), "smallserial" | "serial2");
        let counts = column.identity || column.constraint(ConstraintKind::PrimaryKey).is_some();
        let small = crate::preflight::spelled(&written) == "int2";
        (serial || small && counts).then(|| {
            scene
                .finding(&column.type_range, format!("{} ends at 32,767", column.name))
                .because("when the numbers run out every insert fails, and changing the type rewrites the table")
                .fix("Write bigint.")
        })
    });
    found.collect()
}
