//! A table that is dropped with what is in it.

use pgfleet_sql::ObjectKind;

use super::prelude::*;

pub(in crate::lint) static RULE: Definition =
    Definition::statement("dropping a table loses its data", RuleLevel::Warning, look);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let holds = [ObjectKind::Table, ObjectKind::MaterializedView, ObjectKind::ForeignTable];
    let dropped = scene.facts().drops.iter().filter(|object| holds.contains(&object.kind));
    let found = dropped.filter_map(|object| {
        scene.busy(&object.name)?;
        let shown = scene.model.shown(&object.name);
        let kind = scene.facts().label.trim_start_matches("DROP ").to_ascii_lowercase();
        let finding = scene
            .finding_here(format!("dropping {kind} {shown} loses its data"))
            .because("nothing brings the rows back but a backup; code that still uses it fails at once")
            .fix("Rename it first and wait, or drop it in a migration after the code stopped using it.");
        let size = scene.table(&object.name).and_then(|table| table.size);
        Some(match size {
            Some(size) => finding.detail(format!("the table has about {} rows", size.rows)),
            None => finding,
        })
    });
    found.collect()
}
