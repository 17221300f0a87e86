//! The rows of a registry: which column says what.

use std::collections::BTreeMap;

/// A row in text form.
pub type Row = Vec<Option<String>>;

/// One target that a registry names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// What it is called: the name, else the database, schema or URL's place in the rows.
    pub name: String,
    /// The database, on the group's server or on the URL's.
    pub database: Option<String>,
    /// The schema, where it is the target.
    pub schema: Option<String>,
    /// Where it is, when the registry says so itself.
    pub url: Option<String>,
    /// What the registry says instead of "active".
    pub inactive: Option<String>,
    /// Words to choose it by.
    pub labels: Vec<String>,
    /// Its own values: all further columns.
    pub variables: BTreeMap<String, String>,
}

/// Why rows are no registry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// Nothing says where targets are.
    #[error(
        "its columns ({columns}) say nowhere where a target is: it needs database, schema or url"
    )]
    NoPlace {
        /// The columns that are there.
        columns: String,
    },
    /// A column twice.
    #[error("it gives the column {column:?} twice")]
    TwiceNamed {
        /// The column.
        column: String,
    },
}

impl Entry {
    /// True when the row names no place at all.
    pub fn is_nowhere(&self) -> bool {
        self.database.is_none() && self.schema.is_none() && self.url.is_none()
    }
}

/// Understands the rows of a registry's query.
///
/// # Errors
/// When no column says where a target is, or a column is there twice.
pub fn read_registry(columns: &[String], rows: &[Row]) -> Result<Vec<Entry>, RegistryError> {
    let twice = columns.iter().enumerate().find(|(at, name)| columns[..*at].contains(name));
    if let Some((_, column)) = twice {
        return Err(RegistryError::TwiceNamed { column: column.clone() });
    }
    let says_where = |name: &String| matches!(name.as_str(), "database" | "schema" | "url");
    if !columns.iter().any(says_where) {
        return Err(RegistryError::NoPlace { columns: columns.join(", ") });
    }
    Ok((1..).zip(rows).map(|(number, row)| entry(columns, row, number)).collect())
}

fn entry(columns: &[String], row: &Row, number: usize) -> Entry {
    let mut entry = Entry::default();
    let mut name = None;
    for (column, value) in columns.iter().zip(row) {
        let text = value.clone().filter(|text| !text.is_empty());
        match column.as_str() {
            "name" => name = text,
            "database" => entry.database = text,
            "schema" => entry.schema = text,
            "url" => entry.url = text,
            "active" => entry.inactive = inactive(value.as_deref()),
            "labels" => entry.labels = text.as_deref().map(labels).unwrap_or_default(),
            _ => {
                // A value that is not there is not set, so that its use is an error.
                let value = value.clone().map(|value| (column.clone(), value));
                entry.variables.extend(value);
            }
        }
    }
    let place = name.or_else(|| entry.schema.clone()).or_else(|| entry.database.clone());
    entry.name = place.unwrap_or_else(|| format!("row {number}"));
    entry
}

/// What stands in `active` when it is not a yes.
fn inactive(value: Option<&str>) -> Option<String> {
    let Some(value) = value else { return Some("active is NULL".to_owned()) };
    let yes = ["t", "true", "yes", "y", "1", "on", "active", "enabled"];
    let is_yes = yes.iter().any(|yes| value.trim().eq_ignore_ascii_case(yes));
    (!is_yes).then(|| format!("active is {value}"))
}

/// An array's text form (`{eu,"large ones"}`) or words between commas.
fn labels(text: &str) -> Vec<String> {
    let inner = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(text);
    let words = inner.split(',').map(|word| word.trim().trim_matches('"').to_owned());
    words.filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn row(values: &[Option<&str>]) -> Row {
        values.iter().map(|value| value.map(str::to_owned)).collect()
    }

    #[test]
    fn rows_become_entries() {
        let columns = columns(&["name", "database", "active", "labels", "tenant_id"]);
        let rows = [
            row(&[Some("acme"), Some("org_acme"), Some("t"), Some("{eu,\"big one\"}"), Some("7")]),
            row(&[None, Some("org_b"), Some("suspended"), None, None]),
            row(&[Some("c"), None, None, Some("eu, us"), Some("")]),
        ];
        let entries = read_registry(&columns, &rows).unwrap();
        assert_eq!(entries[0].labels, ["eu", "big one"]);
        assert_eq!(entries[0].variables.get("tenant_id").map(String::as_str), Some("7"));
        assert_eq!(entries[0].inactive, None);
        assert_eq!(entries[1].name, "org_b");
        assert_eq!(entries[1].inactive.as_deref(), Some("active is suspended"));
        assert!(entries[1].variables.is_empty(), "NULL is no value");
        assert!(entries[2].is_nowhere());
        assert_eq!(entries[2].inactive.as_deref(), Some("active is NULL"));
        assert_eq!(entries[2].variables.get("tenant_id").map(String::as_str), Some(""));
    }

    #[test]
    fn rows_that_say_nowhere_are_refused() {
        let error = read_registry(&columns(&["name", "id"]), &[]).unwrap_err();
        assert!(error.to_string().contains("(name, id)"), "{error}");
        let error = read_registry(&columns(&["url", "url"]), &[]).unwrap_err();
        assert!(error.to_string().contains("twice"), "{error}");
    }
}
