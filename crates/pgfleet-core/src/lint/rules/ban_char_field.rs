//! `char(n)`.

use super::prelude::*;

pub(in crate::lint) static RULE: Definition =
    Definition::statement("char(n) pads with blanks", RuleLevel::Note, look);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let is_char = |spelled: &str| {
        let base = spelled.split(['(', '[']).next().unwrap_or_default();
        matches!(base, "char" | "bpchar" | "nchar" | "national character")
    };
    // In quotes it is a type of one byte that the catalogs use.
    let quoted = |range: &std::ops::Range<usize>| scene.sql()[range.clone()].contains("\"char\"");
    let given = scene.given_types().into_iter();
    let given = given.filter(|(_, _, spelled, range)| is_char(spelled) && !quoted(range));
    given
        .map(|(_, column, _, range)| {
            scene
                .finding(&range, format!("{column} is padded with blanks to its length"))
                .because("char(n) takes as much room as its longest value, is no faster, and compares without the blanks")
                .fix("Write text, with a CHECK on the length where it matters.")
        })
        .collect()
}
