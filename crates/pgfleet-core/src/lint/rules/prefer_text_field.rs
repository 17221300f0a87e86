//! `varchar(n)`.

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "the limit of varchar(n) is hard to change",
    RuleLevel::Note,
    look,
);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let given = scene.given_types().into_iter();
    let limited = given.filter(|(_, _, spelled, _)| {
        spelled.strip_prefix("varchar").is_some_and(|rest| rest.starts_with('('))
    });
    limited
        .map(|(_, column, _, range)| {
            scene
                .finding(&range, format!("a shorter limit for {column} would rewrite the table one day"))
                .because("varchar(n) is no faster than text; only making it longer is cheap")
                .fix("Write text, with a CHECK on the length where it matters.")
        })
        .collect()
}
