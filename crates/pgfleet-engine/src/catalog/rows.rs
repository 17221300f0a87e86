//! Cells of a row as text, and what they mean.

use serde::de::DeserializeOwned;
use tokio_postgres::SimpleQueryRow;

/// A row whose cells are looked at by their positions.
pub(super) struct Row<'r> {
    row: &'r SimpleQueryRow,
}

impl<'r> Row<'r> {
    pub(super) fn new(row: &'r SimpleQueryRow) -> Self {
        Self { row }
    }

    /// A cell; nothing for NULL and where there is none.
    pub(super) fn get(&self, at: usize) -> Option<&'r str> {
        (at < self.row.len()).then(|| self.row.get(at)).flatten()
    }

    /// A cell's text; empty for NULL.
    pub(super) fn text(&self, at: usize) -> &'r str {
        self.get(at).unwrap_or_default()
    }

    pub(super) fn owned(&self, at: usize) -> String {
        self.text(at).to_owned()
    }

    pub(super) fn optional(&self, at: usize) -> Option<String> {
        self.get(at).map(str::to_owned)
    }

    pub(super) fn flag(&self, at: usize) -> bool {
        self.text(at) == "t"
    }

    /// The letter of a `"char"`; a blank for none.
    pub(super) fn letter(&self, at: usize) -> char {
        self.text(at).chars().next().unwrap_or(' ')
    }

    pub(super) fn number<T: std::str::FromStr>(&self, at: usize) -> Result<T, String> {
        let text = self.text(at);
        text.parse().map_err(|_| format!("{text:?} is not a number"))
    }

    /// A cell that holds JSON; the default for NULL.
    pub(super) fn json<T: DeserializeOwned + Default>(&self, at: usize) -> Result<T, String> {
        match self.get(at) {
            None => Ok(T::default()),
            Some(text) => serde_json::from_str(text).map_err(|error| error.to_string()),
        }
    }

    /// A list of texts, sorted.
    pub(super) fn sorted(&self, at: usize) -> Result<Vec<String>, String> {
        let mut list: Vec<String> = self.json(at)?;
        list.sort();
        Ok(list)
    }
}
