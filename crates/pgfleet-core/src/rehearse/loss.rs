//! What data a migration and its way back lose between them.
//!
//! Invariant: tables and columns are followed by the numbers that the catalog has for them, so a
//! renamed one is the same one.

use std::collections::BTreeMap;

use pgfleet_sql::{Kind, classify};

use super::WayBack;
use crate::plan::SqlStep;

/// Columns that hold rows, by the numbers of their table and of themselves.
pub type Contents = BTreeMap<(u32, i16), HeldColumn>;

/// A column that holds rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldColumn {
    /// Its table, qualified and quoted.
    pub table: String,
    /// Its name, quoted.
    pub column: String,
    /// As `format_type` writes it.
    pub type_name: String,
}

/// What is lost, one thing a line: `before` and `after` surround the migration, `later` and `back`
/// its way back.
pub fn losses(
    before: &Contents,
    after: &Contents,
    later: &Contents,
    back: &Contents,
) -> Vec<String> {
    let mut lost = Vec::new();
    let dropped = gone(before, after);
    lost.extend(dropped.iter().map(|thing| format!("{thing}, which the migration drops")));
    lost.extend(gone(later, back).iter().map(|thing| format!("what was written to {thing}")));
    lost.extend(retyped(before, after));
    lost
}

/// Tables and columns of the one that are not in the other.
fn gone(from: &Contents, to: &Contents) -> Vec<String> {
    let is_table_there = |table: u32| to.range((table, i16::MIN)..=(table, i16::MAX)).next();
    let mut things: Vec<String> = Vec::new();
    for ((table, number), held) in from {
        let thing = if is_table_there(*table).is_none() {
            format!("table {}", held.table)
        } else if !to.contains_key(&(*table, *number)) {
            format!("column {}.{}", held.table, held.column)
        } else {
            continue;
        };
        if things.last() != Some(&thing) {
            things.push(thing);
        }
    }
    things
}

/// Columns whose type the migration changes: going there and back, values may be cut or refused.
fn retyped(before: &Contents, after: &Contents) -> Vec<String> {
    let changed = before.iter().filter_map(|(key, old)| {
        let new = after.get(key)?;
        (old.type_name != new.type_name).then(|| {
            let HeldColumn { table, column, type_name } = new;
            let old = &old.type_name;
            format!("values of {table}.{column} that {old} and {type_name} do not both hold")
        })
    });
    changed.collect()
}

/// Statements of a migration that change rows of tables that it does not make or extend: no way back
/// that speaks of structure alone undoes that.
pub fn data_statements(step: &SqlStep, way: WayBack) -> Vec<String> {
    let statements: Vec<_> = step.units.iter().flat_map(|unit| unit.statements()).collect();
    let facts: Vec<_> = statements.iter().map(|statement| classify(&statement.sql)).collect();
    let extended = facts.iter().filter(|facts| !facts.columns.is_empty());
    let own: Vec<_> = extended
        .flat_map(|facts| facts.creates.iter().chain(&facts.alters))
        .map(|object| object.on.as_ref().unwrap_or(&object.name).name.clone())
        .collect();
    let described = statements.iter().zip(&facts).filter_map(|(statement, facts)| {
        let what = match facts.label.as_str() {
            "DELETE" | "TRUNCATE" => "rows that it removes",
            "UPDATE" | "MERGE" => "values that it writes over",
            "INSERT" | "COPY" if way == WayBack::Derived => "rows that it adds, which stay",
            _ => return None,
        };
        let locks = facts.locks.iter().filter_map(|lock| lock.relation.as_ref());
        let fills_own = locks.clone().any(|table| own.contains(&table.name));
        let writes = facts.kind == Kind::Write && !fills_own;
        writes.then(|| format!("{what} ({} at {})", facts.label, statement.place))
    });
    described.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(columns: &[(u32, i16, &str, &str, &str)]) -> Contents {
        let held = |&(table, number, name, column, type_name): &(u32, i16, &str, &str, &str)| {
            let held = HeldColumn {
                table: name.to_owned(),
                column: column.to_owned(),
                type_name: type_name.to_owned(),
            };
            ((table, number), held)
        };
        columns.iter().map(held).collect()
    }

    #[test]
    fn nothing_is_lost_by_a_new_name() {
        let old = contents(&[(1, 1, "public.a", "id", "integer")]);
        let new = contents(&[(1, 1, "public.b", "ident", "integer")]);
        assert!(losses(&old, &new, &new, &old).is_empty());
    }

    #[test]
    fn what_is_made_anew_is_empty() {
        let old = contents(&[(1, 1, "public.a", "id", "integer"), (1, 2, "public.a", "v", "text")]);
        let up = contents(&[(1, 1, "public.a", "id", "integer")]);
        let back =
            contents(&[(1, 1, "public.a", "id", "integer"), (1, 3, "public.a", "v", "text")]);
        assert_eq!(losses(&old, &up, &up, &back), ["column public.a.v, which the migration drops"]);
        assert_eq!(losses(&up, &old, &old, &up), ["what was written to column public.a.v"]);
        let none = Contents::new();
        assert_eq!(losses(&none, &old, &old, &none), ["what was written to table public.a"]);
    }

    #[test]
    fn a_type_that_changes_may_not_hold_every_value() {
        let old = contents(&[(1, 1, "public.a", "n", "bigint")]);
        let new = contents(&[(1, 1, "public.a", "n", "integer")]);
        assert_eq!(
            losses(&old, &new, &new, &old),
            ["values of public.a.n that bigint and integer do not both hold"]
        );
    }
}
