//! `serial`.

use super::prelude::*;

pub(in crate::lint) static RULE: Definition =
    Definition::statement("serial leaves its sequence half attached", RuleLevel::Note, look);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let serial = scene.declared_columns().filter(|(_, column)| column.is_serial());
    serial
        .map(|(_, column)| {
            scene
                .finding(&column.type_range, format!("{} counts by a sequence with rights of its own", column.name))
                .because("who may insert needs USAGE of the sequence too, and LIKE copies the default and not the sequence")
                .fix_with("Write an identity column (PostgreSQL 10):", format!("{} bigint GENERATED ALWAYS AS IDENTITY", column.name))
        })
        .collect()
}
