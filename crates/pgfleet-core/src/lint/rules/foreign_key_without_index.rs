//! Foreign keys that make deleting slow.

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::end(
    "a foreign key's columns have no index",
    RuleLevel::Note,
    look,
);

fn look(end: &End<'_>) -> Vec<Finding> {
    let all = end.model.tables().flat_map(|(name, table)| {
        table.constraints.iter().map(move |constraint| (name, table, constraint))
    });
    let found = all.filter_map(|(name, table, constraint)| {
        let to = constraint.references.as_ref()?;
        let origin = constraint.origin.as_ref().filter(|_| !table.has_index_on(&constraint.columns))?;
        let (own, other) = (end.model.shown(name), end.model.shown(&to.table));
        let columns = quoted_list(&constraint.columns);
        let found = end.finding(origin, format!("deleting from {other} reads all of {own}: {columns} has no index"))?;
        let found = found
            .because("for every row that is deleted or whose key changes, PostgreSQL looks for rows that refer to it")
            .fix_with("Add one:", format!("CREATE INDEX CONCURRENTLY ON {own} ({columns});"));
        Some(match to.cascades {
            true => found.detail("ON DELETE changes or deletes the rows that refer to it, so it is looked for each time"),
            false => found,
        })
    });
    found.collect()
}
