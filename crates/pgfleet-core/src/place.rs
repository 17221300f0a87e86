//! Where a piece of text stands in the files a person edits. Every message that concerns text
//! carries a [`Place`].

use std::fmt;

use serde::{Deserialize, Serialize};

/// A position in a file of the migration folder or of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// Path as the user would type it, relative to the folder's parent where possible.
    pub file: String,
    /// 1-based line; 0 when the message concerns the file as a whole.
    pub line: u32,
    /// 1-based column, in characters; 0 when the message concerns the line as a whole.
    pub column: u32,
}

impl Place {
    /// The file as a whole.
    pub fn file(file: impl Into<String>) -> Self {
        Self { file: file.into(), line: 0, column: 0 }
    }

    /// A line and column of a file, both 1-based.
    pub fn at(file: impl Into<String>, line: u32, column: u32) -> Self {
        Self { file: file.into(), line, column }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column) {
            (0, _) => f.write_str(&self.file),
            (line, 0) => write!(f, "{}:{line}", self.file),
            (line, column) => write!(f, "{}:{line}:{column}", self.file),
        }
    }
}
