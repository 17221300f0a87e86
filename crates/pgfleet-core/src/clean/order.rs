//! In which order rules run.

use super::rule::ResolvedRule;
use crate::audit::{Catalog, TableName};

/// By priority; of the same priority, tables that refer to others first, so that no rule deletes
/// rows which another one's rows refer to.
pub fn in_order(rules: &[ResolvedRule], catalog: &Catalog) -> Vec<ResolvedRule> {
    let mut ordered = rules.to_vec();
    let depth = |rule: &ResolvedRule| depth(&rule.table, catalog, &mut Vec::new());
    ordered.sort_by_cached_key(|rule| (rule.priority, std::cmp::Reverse(depth(rule))));
    ordered
}

/// The longest way from a table along its foreign keys; a circle ends it.
fn depth(table: &TableName, catalog: &Catalog, way: &mut Vec<TableName>) -> usize {
    // Deeper than any schema that people write by hand, and an end to the search in a dense one.
    const DEEPEST: usize = 12;
    let Some(found) = catalog.table(table) else { return 0 };
    if way.contains(table) || way.len() >= DEEPEST {
        return 0;
    }
    way.push(table.clone());
    let parents = found.foreign_keys.iter().map(|key| &key.parent);
    let longest = parents.map(|parent| depth(parent, catalog, way) + 1).max().unwrap_or(0);
    way.pop();
    longest
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::audit::{CatalogTable, ForeignKey, OnDelete};

    pub(in crate::clean) fn name(table: &str) -> TableName {
        TableName { schema: "public".to_owned(), name: table.to_owned() }
    }

    /// Tables and what they refer to.
    pub(in crate::clean) fn catalog(tables: &[(&str, &[&str])]) -> Catalog {
        let key = |parent: &&str| ForeignKey {
            name: format!("to_{parent}"),
            columns: vec![format!("{parent}_id")],
            parent: name(parent),
            parent_columns: vec!["id".to_owned()],
            on_delete: OnDelete::Cascade,
            validated: true,
        };
        let table = |(own, parents): &(&str, &[&str])| CatalogTable {
            name: name(own),
            rows_estimate: 0.0,
            heap_bytes: 0,
            row_width: None,
            dead_rows: 0,
            columns: Vec::new(),
            primary_key: Vec::new(),
            foreign_keys: parents.iter().map(key).collect(),
            indexes: Vec::new(),
        };
        Catalog { tables: tables.iter().map(table).collect(), ..Catalog::default() }
    }

    #[test]
    fn children_run_before_parents_within_a_priority() {
        let tables: &[(&str, &[&str])] =
            &[("users", &["users"]), ("orders", &["users"]), ("lines", &["orders"]), ("logs", &[])];
        let catalog = catalog(tables);
        let rule = |(table, priority): (&str, i32)| ResolvedRule {
            name: table.to_owned(),
            table: name(table),
            condition: "true".to_owned(),
            reason: String::new(),
            priority,
        };
        let rules = [("users", 5), ("logs", 1), ("lines", 5), ("orders", 5)].map(rule);
        let names: Vec<_> = in_order(&rules, &catalog).into_iter().map(|r| r.name).collect();
        assert_eq!(names, ["logs", "lines", "orders", "users"]);
    }
}
