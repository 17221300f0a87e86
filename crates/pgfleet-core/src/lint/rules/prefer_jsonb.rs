//! `json`.

use super::prelude::*;

pub(in crate::lint) static RULE: Definition =
    Definition::statement("json is kept as text and parsed each time", RuleLevel::Note, look);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let given = scene.given_types().into_iter();
    let text = given.filter(|(_, _, spelled, _)| spelled == "json" || spelled == "json[]");
    text.map(|(_, column, _, range)| {
        scene
            .finding(&range, format!("{column} is parsed whenever it is read, and has no equality"))
            .because("json keeps the text as it came; DISTINCT, GROUP BY and indexes on it fail")
            .fix("Write jsonb, unless blanks and the order of keys must be kept.")
    })
    .collect()
}
