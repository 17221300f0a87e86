//! Timestamps without a time zone.

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "a timestamp without time zone is no moment",
    RuleLevel::Note,
    look,
);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let naive = |spelled: &str| {
        let base = spelled.split(['(', '[']).next().unwrap_or_default();
        base == "timestamp" || base == "timetz"
    };
    let given = scene.given_types().into_iter().filter(|(_, _, spelled, _)| naive(spelled));
    given
        .map(|(_, column, spelled, range)| {
            let (what, cause) = match spelled.starts_with("timetz") {
                true => (
                    format!("{column} is a time of day with a zone and without a date"),
                    "without a date nobody knows whether summer time applies",
                ),
                false => (
                    format!("{column} is a date and a time that each reader may place elsewhere"),
                    "what it means depends on the writer's and the reader's time zone",
                ),
            };
            scene.finding(&range, what).because(cause).fix("Write timestamptz, which is a moment and takes no more room.")
        })
        .collect()
}
