//! An error as PostgreSQL reported it, free of any driver.

use std::fmt;

use serde::Serialize;

/// The fields of an ErrorResponse ("Error and Notice Message Fields" in PostgreSQL's protocol
/// documentation). Absent fields are `None`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ServerError {
    /// Five characters that say what kind of error it is.
    pub sqlstate: String,
    /// `ERROR`, `FATAL` or `PANIC`, in the server's language.
    pub severity: String,
    /// The primary message, in the server's language.
    pub message: String,
    /// A second message with more about the problem.
    pub detail: Option<String>,
    /// What the server suggests.
    pub hint: Option<String>,
    /// 1-based position in the text that was sent, in characters.
    pub position: Option<u32>,
    /// A query that the server made itself (in a function body), and the 1-based position in it.
    pub internal_query: Option<(String, u32)>,
    /// The call stack: functions and the lines in them.
    pub where_: Option<String>,
    /// The schema of the object concerned.
    pub schema: Option<String>,
    /// The table concerned.
    pub table: Option<String>,
    /// The column concerned.
    pub column: Option<String>,
    /// The constraint concerned.
    pub constraint: Option<String>,
    /// The data type concerned.
    pub datatype: Option<String>,
}

impl ServerError {
    /// True when the SQLSTATE is this one.
    pub fn is(&self, sqlstate: &str) -> bool {
        self.sqlstate == sqlstate
    }

    /// The first two characters of the SQLSTATE; empty when there are fewer.
    pub fn class(&self) -> &str {
        self.sqlstate.get(..2).unwrap_or_default()
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (SQLSTATE {})", self.message, self.sqlstate)
    }
}

impl std::error::Error for ServerError {}
