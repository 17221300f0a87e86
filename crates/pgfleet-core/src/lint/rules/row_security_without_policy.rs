//! Row level security that lets nobody in.

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::end(
    "row level security is on and no policy lets anybody in",
    RuleLevel::Warning,
    look,
);

fn look(end: &End<'_>) -> Vec<Finding> {
    let closed = end.model.tables().filter(|(_, table)| table.policies == 0);
    let found = closed.filter_map(|(name, table)| {
        let origin = table.row_security.as_ref()?.as_ref()?;
        let shown = end.model.shown(name);
        let found = end.finding(origin, format!("no policy lets anybody read or write {shown}"))?;
        Some(
            found
                .because("for everyone but the owner and roles with BYPASSRLS the table looks empty and refuses inserts")
                .fix("Create the policies in the same migration; where only the owner may come in, say so in an ignore comment."),
        )
    });
    found.collect()
}
