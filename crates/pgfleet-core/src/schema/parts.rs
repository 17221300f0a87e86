//! What of an object differs, in words: a changed table without its column tells nobody what to look for.

use super::diff::{Action, Change};
use super::{Body, Column, Schema, Table};

/// What a change does within its object, one thing a line; nothing where the object as a whole comes
/// or goes, or has no columns.
#[must_use]
pub fn parts(from: &Schema, to: &Schema, change: &Change) -> Vec<String> {
    if !matches!(change.action, Action::Alter | Action::Replace) {
        return Vec::new();
    }
    let (Some(old), Some(new)) = (from.get(&change.object), to.get(&change.object)) else {
        return Vec::new();
    };
    let mut parts = columns(old.columns(), new.columns());
    if let (Body::Table(old), Body::Table(new)) = (&old.body, &new.body) {
        parts.extend(switches(old, new));
    }
    parts
}

fn columns(old: &[Column], new: &[Column]) -> Vec<String> {
    let find = |list: &[Column], name: &str| list.iter().position(|column| column.name == name);
    let gone = old.iter().filter(|column| find(new, &column.name).is_none());
    let mut parts: Vec<_> = gone.map(|column| format!("- column {}", described(column))).collect();
    for column in new {
        match find(old, &column.name).map(|at| &old[at]) {
            None => parts.push(format!("+ column {}", described(column))),
            Some(before) if before != column => parts.push(changed(before, column)),
            Some(_) => {}
        }
    }
    parts
}

/// `phone text NOT NULL DEFAULT ''`
fn described(column: &Column) -> String {
    let mut text = format!("{} {}", column.name, column.type_name);
    if column.not_null {
        text.push_str(" NOT NULL");
    }
    if let (Some(default), None) = (&column.default, &column.generated) {
        text.push_str(&format!(" DEFAULT {default}"));
    }
    text
}

/// `~ column age: bigint, not integer`; what is seldom is not spelled out.
fn changed(old: &Column, new: &Column) -> String {
    let (before, after) = (described(old), described(new));
    match before == after {
        true => format!("~ column {}: its details", new.name),
        false => format!("~ column {after}, not {before}"),
    }
}

fn switches(old: &Table, new: &Table) -> Vec<String> {
    let of = |table: &Table| {
        let (enabled, forced) = (table.row_security, table.forces_row_security);
        [("row-level security", enabled), ("row-level security for the owner", forced)]
    };
    let changed = of(old).into_iter().zip(of(new)).filter(|(old, new)| old != new);
    changed
        .map(|(_, (what, on))| format!("~ {what} is {}", if on { "on" } else { "off" }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, type_name: &str, not_null: bool) -> Column {
        Column {
            name: name.to_owned(),
            type_name: type_name.to_owned(),
            not_null,
            ..Column::default()
        }
    }

    #[test]
    fn columns_that_come_go_and_change_are_named() {
        let old = [column("id", "integer", true), column("age", "integer", false)];
        let new = [column("id", "bigint", true), column("phone", "text", false)];
        assert_eq!(
            columns(&old, &new),
            [
                "- column age integer",
                "~ column id bigint NOT NULL, not id integer NOT NULL",
                "+ column phone text"
            ]
        );
    }
}
