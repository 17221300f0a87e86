//! Tables whose rows cannot be told apart.

use super::prelude::*;

pub(in crate::lint) static RULE: Definition =
    Definition::end("a table has no primary key", RuleLevel::Warning, look);

fn look(end: &End<'_>) -> Vec<Finding> {
    let lacking = end.model.tables().filter(|(_, table)| {
        let partition = table.partition_of.is_some();
        table.complete && !table.temporary && !partition && !table.has_primary_key()
    });
    let found = lacking.filter_map(|(name, table)| {
        let shown = end.model.shown(name);
        let found = end.finding(table.origin.as_ref()?, format!("{shown} has no primary key"))?;
        Some(
            found
                .because("logical replication cannot update or delete its rows, and duplicates cannot be told apart")
                .fix_with("Add one in the table's declaration:", "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),
        )
    });
    found.collect()
}
