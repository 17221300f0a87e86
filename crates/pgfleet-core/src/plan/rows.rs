//! The rows of a `COPY … FROM STDIN` in a plan.

use pgfleet_sql::{Encoding, RowsElsewhere};
use serde::{Deserialize, Serialize};

use super::hash_text;

/// Rows to send: few are in the plan itself, many stay in their file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum CopyRows {
    /// The rows, as they are sent.
    Here(String),
    /// Where the rows are.
    InFile(Box<RowsInFile>),
}

/// A stretch of a file in the migration folder. It is sent only when its bytes are still those that
/// the plan was made on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowsInFile {
    /// The file, relative to the migration folder.
    pub file: String,
    /// Byte offset of the first row.
    pub start: u64,
    /// Byte offset behind the last row.
    pub end: u64,
    /// Of the bytes, in hexadecimal.
    pub sha256: String,
    /// `utf-8`, `utf-16le` or `utf-16be`; rows are sent as UTF-8.
    pub encoding: String,
}

impl CopyRows {
    /// What a script holds in the place of rows: they themselves, or the line that stands for them.
    pub fn of(data: &str) -> Self {
        let Some(rows) = RowsElsewhere::parse(data) else { return Self::Here(data.to_owned()) };
        Self::InFile(Box::new(RowsInFile {
            file: rows.file,
            start: rows.start,
            end: rows.end,
            sha256: rows.sha256,
            encoding: rows.encoding.name().to_owned(),
        }))
    }

    /// Recognises the rows.
    pub(super) fn hash(&self) -> String {
        match self {
            Self::Here(rows) => hash_text(rows),
            Self::InFile(rows) => rows.sha256.clone(),
        }
    }
}

impl RowsInFile {
    /// How the file spells characters; `None` for a name that is not known.
    pub fn charset(&self) -> Option<Encoding> {
        Encoding::by_name(&self.encoding)
    }

    /// True when the path stays in the folder.
    pub fn is_inside(&self) -> bool {
        let mut parts = self.file.split(['/', '\\']);
        !self.file.contains(':') && parts.all(|part| !matches!(part, "" | "." | ".."))
    }
}
