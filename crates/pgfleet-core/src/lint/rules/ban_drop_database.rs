//! A database or schema that is dropped.

use pgfleet_sql::ObjectKind;

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "dropping a database or a schema loses everything in it",
    RuleLevel::Error,
    look,
);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let facts = scene.facts();
    let found = facts.drops.iter().filter_map(|object| {
        let cascade = || scene.has_word("CASCADE");
        let what = match object.kind {
            ObjectKind::Database => format!("dropping the database {} loses everything in it", object.name),
            ObjectKind::Schema if cascade() => {
                format!("dropping the schema {} with CASCADE loses every table in it", object.name)
            }
            _ => return None,
        };
        let made_here = scene.all[..scene.at.1].iter().flat_map(|one| &one.statement.facts.creates);
        let own = made_here.into_iter().any(|made| made.kind == object.kind && made.name == object.name);
        (!own).then(|| {
            scene
                .finding_here(what)
                .because("nothing in a migration says that a backup was made and can be restored")
                .fix("Drop the objects one by one, each named, or do it by hand after a backup.")
        })
    });
    found.collect()
}
