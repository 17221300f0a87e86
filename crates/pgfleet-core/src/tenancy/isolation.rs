//! Verdicts about the border between tenants.

use serde::{Deserialize, Serialize};

/// What was tried across the border.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Reading rows of another tenant.
    Select,
    /// Writing a row for another tenant.
    Insert,
    /// Changing rows of another tenant.
    Update,
    /// Giving a row of one's own to another tenant.
    Move,
    /// Deleting rows of another tenant.
    Delete,
    /// Reading rows of another tenant through a view.
    View,
    /// Reading rows of another tenant through a function that runs with its owner's rights.
    Function,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing was reached.
    Isolated {
        /// The server's refusal, where it refused.
        #[serde(skip_serializing_if = "Option::is_none")]
        refused: Option<String>,
    },
    /// Rows of another tenant were reached.
    Reached {
        /// How many; none when the server stopped it for a reason that is not the border.
        #[serde(skip_serializing_if = "Option::is_none")]
        rows: Option<u64>,
    },
    /// It could not be tried.
    NotTried {
        /// Why not.
        why: String,
    },
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// The tenant table.
    pub table: String,
    /// What was tried.
    pub operation: Operation,
    /// The view or function that it went through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub through: Option<String>,
    /// What came of it.
    #[serde(flatten)]
    pub verdict: Verdict,
}

impl Operation {
    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Select => "select",
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Move => "move",
            Self::Delete => "delete",
            Self::View => "view",
            Self::Function => "function",
        }
    }
}

impl Attempt {
    /// True when rows of another tenant were reached.
    pub fn is_reached(&self) -> bool {
        matches!(self.verdict, Verdict::Reached { .. })
    }

    /// `3 rows reached` and the like.
    pub fn says(&self) -> String {
        match &self.verdict {
            Verdict::Isolated { refused: None } => "isolated".to_owned(),
            Verdict::Isolated { refused: Some(_) } => "isolated, refused".to_owned(),
            Verdict::Reached { rows: Some(1) } => "reached 1 row".to_owned(),
            Verdict::Reached { rows: Some(rows) } => format!("reached {rows} rows"),
            Verdict::Reached { rows: None } => "reached".to_owned(),
            Verdict::NotTried { why } => format!("not tried: {why}"),
        }
    }
}
