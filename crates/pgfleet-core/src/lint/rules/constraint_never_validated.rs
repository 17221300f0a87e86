//! NOT VALID that stays so.

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::end(
    "a constraint is added NOT VALID and never validated",
    RuleLevel::Note,
    look,
);

fn look(end: &End<'_>) -> Vec<Finding> {
    let all = end.model.tables().flat_map(|(name, table)| {
        table.constraints.iter().map(move |constraint| (name, constraint))
    });
    let open = all.filter(|(_, constraint)| !constraint.valid);
    let found = open.filter_map(|(name, constraint)| {
        let shown = end.model.shown(name);
        let found = end.finding(constraint.origin.as_ref()?, format!("{} is never validated", constraint.name))?;
        Some(
            found
                .because("rows that broke it before stay, and the planner does not rely on it")
                .fix_with("Validate it in a later migration:", format!("ALTER TABLE {shown} VALIDATE CONSTRAINT {};", constraint.name)),
        )
    });
    found.collect()
}
