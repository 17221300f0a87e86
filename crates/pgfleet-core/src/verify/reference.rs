//! Names of tables and columns as a declaration writes them.
//!
//! A name is spelled exactly as the catalog has it (`User` is `"User"` in SQL); `schema.table`
//! names a schema. A name that holds a dot is written in double quotes, as in SQL.

use std::fmt;

use pgfleet_sql::QualifiedName;
use serde::{Deserialize, Serialize};

/// A table, with its schema or without.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct TableName {
    /// The schema, when the declaration names one.
    pub schema: Option<String>,
    /// The table's own name.
    pub name: String,
}

impl TableName {
    /// The schema, `public` when none is named.
    pub fn schema(&self) -> &str {
        self.schema.as_deref().unwrap_or("public")
    }

    /// The table as SQL names it, quoted where needed, always with its schema.
    pub fn sql(&self) -> String {
        QualifiedName::new(self.schema(), &self.name).to_string()
    }
}

impl TryFrom<String> for TableName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let text = text.trim();
        let mut parts = dotted_parts(text).unwrap_or_default();
        let name = parts.pop().filter(|_| parts.len() < 2);
        let name =
            name.filter(|name| !name.is_empty() && parts.iter().all(|part| !part.is_empty()));
        name.map(|name| Self { schema: parts.pop(), name })
            .ok_or_else(|| format!("`{text}` is not a table name: write `table` or `schema.table`"))
    }
}

/// The parts between dots; inside double quotes a dot is part of a name. `None` when a quote is
/// never closed.
fn dotted_parts(text: &str) -> Option<Vec<String>> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                parts.last_mut()?.extend(characters.next());
            }
            '"' => quoted = !quoted,
            '.' if !quoted => parts.push(String::new()),
            other => parts.last_mut()?.push(other),
        }
    }
    (!quoted).then_some(parts)
}

impl From<TableName> for String {
    fn from(table: TableName) -> Self {
        table.to_string()
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{}.", spelled(schema))?;
        }
        f.write_str(&spelled(&self.name))
    }
}

/// The name as a declaration spells it.
pub(super) fn spelled(name: &str) -> String {
    if name.contains(['.', '"']) {
        format!("\"{}\"", name.replace('"', "\"\""))
    } else {
        name.into()
    }
}

/// A foreign key as `child.column -> parent.column`, or with column lists in parentheses:
/// `child(a, b) -> parent(x, y)`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct ColumnReference {
    /// The table that refers.
    pub child: TableName,
    /// Its columns, in the key's order.
    pub child_columns: Vec<String>,
    /// The table referred to.
    pub parent: TableName,
    /// Its columns, in the key's order.
    pub parent_columns: Vec<String>,
}

impl TryFrom<String> for ColumnReference {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let Some((child, parent)) = text.split_once("->") else {
            return Err(format!(
                "`{text}` is not a foreign key: write `child.column -> parent.id`"
            ));
        };
        let (child, child_columns) = table_and_columns(child)?;
        let (parent, parent_columns) = table_and_columns(parent)?;
        if child_columns.len() != parent_columns.len() {
            return Err(format!("`{text}` names different numbers of columns on its two sides"));
        }
        Ok(Self { child, child_columns, parent, parent_columns })
    }
}

fn table_and_columns(side: &str) -> Result<(TableName, Vec<String>), String> {
    let side = side.trim();
    let (table, columns) = match side.strip_suffix(')').and_then(|rest| rest.split_once('(')) {
        Some((table, list)) => (table.trim(), list.split(',').map(str::trim).collect()),
        None => match side.rsplit_once('.') {
            Some((table, column)) => (table, vec![column]),
            None => return Err(format!("`{side}` names no column: write `table.column`")),
        },
    };
    if columns.iter().any(|column| column.is_empty()) {
        return Err(format!("`{side}` has an empty column name"));
    }
    let columns = columns.into_iter().map(|column| column.trim_matches('"').to_owned()).collect();
    Ok((TableName::try_from(table.to_owned())?, columns))
}

impl From<ColumnReference> for String {
    fn from(reference: ColumnReference) -> Self {
        reference.to_string()
    }
}

impl fmt::Display for ColumnReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_side(f, &self.child, &self.child_columns)?;
        f.write_str(" -> ")?;
        write_side(f, &self.parent, &self.parent_columns)
    }
}

fn write_side(f: &mut fmt::Formatter<'_>, table: &TableName, columns: &[String]) -> fmt::Result {
    match columns {
        [column] if !column.contains('.') => write!(f, "{table}.{column}"),
        columns => write!(f, "{table}({})", columns.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Result<TableName, String> {
        TableName::try_from(text.to_owned())
    }

    #[test]
    fn table_names_are_exact_and_may_name_a_schema() {
        assert_eq!(table("User").unwrap().sql(), "public.\"User\"");
        assert_eq!(table("auth.users").unwrap().sql(), "auth.users");
        assert_eq!(table("\"a.b\"").unwrap().sql(), "public.\"a.b\"");
        assert_eq!(table("\"a.b\"").unwrap().to_string(), "\"a.b\"");
        for wrong in ["", "a.", ".a", "a.b.c", "\"a"] {
            assert!(table(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn foreign_keys_are_read_and_written_alike() {
        for text in [
            "bilans.owner_id -> users.id",
            "app.bilans.owner_id -> auth.users.id",
            "lines(order_id, line) -> orders(id, line)",
        ] {
            assert_eq!(ColumnReference::try_from(text.to_owned()).unwrap().to_string(), text);
        }
        for wrong in ["a.b", "a -> b.c", "a(x, y) -> b(z)", "a(x,) -> b(x,y)"] {
            assert!(ColumnReference::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
