//! Who may do what.

use pgfleet_sql::{Kind, bare_words};

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "rights are changed",
    RuleLevel::Note,
    look,
);

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let facts = scene.facts();
    let opened = scene.actions().filter(|(_, action)| action.kind == ActionKind::DisableRowSecurity);
    let mut found: Vec<_> = opened
        .map(|(table, action)| {
            let shown = scene.model.shown(table);
            scene
                .finding(&action.range, format!("the policies of {shown} no longer protect it"))
                .because("every role with rights on the table sees and changes all rows")
                .fix("Drop or change the policies instead, and leave row level security on.")
                .weighing(Severity::Warning)
        })
        .collect();
    if facts.kind == Kind::Privilege {
        let everybody = facts.label == "GRANT" && goes_to_public(scene);
        let finding = match everybody {
            true => scene
                .finding_at(&["TO", "PUBLIC"], "every role of the server gets this right, present and future")
                .fix("Grant it to the roles that need it.")
                .weighing(Severity::Warning),
            false => scene.finding_here(format!("{} changes who may do what", facts.label)),
        };
        found.push(finding.because("rights are not tested by the application's tests"));
    }
    found
}

/// A schema may be called `public` too; only what stands after TO is a role.
fn goes_to_public(scene: &Scene<'_>) -> bool {
    let words = bare_words(scene.sql());
    let to = words.iter().rposition(|word| word == "TO");
    to.is_some_and(|to| words[to..].iter().any(|word| word == "PUBLIC"))
}
