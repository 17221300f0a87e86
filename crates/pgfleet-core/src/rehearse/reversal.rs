//! Whether a migration can be taken back, as found out and not as promised.

use serde::{Deserialize, Serialize};

/// What going up, down and comparing showed for one migration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reversal {
    /// The migration's label.
    pub migration: String,
    /// What was tried.
    pub by: WayBack,
    /// What it showed.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// What takes a migration back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WayBack {
    /// The down part that the team wrote.
    DownPart,
    /// The difference between the schemas after and before the migration.
    Derived,
}

/// What a way back is worth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// The schema is as before, and nothing is lost.
    Proven,
    /// The schema is as before; data is not.
    ProvenWithLoss {
        /// What is lost, one thing a line.
        loses: Vec<String>,
    },
    /// The schema is not as before, or the way back fails.
    NotReversible {
        /// Why.
        why: String,
        /// What differs, or what the server said.
        differences: Vec<String>,
    },
    /// It could not be tried.
    NotTried {
        /// Why.
        why: String,
    },
}

impl Verdict {
    /// The verdict on a way back that gave the schema back.
    pub fn of_losses(loses: Vec<String>) -> Self {
        if loses.is_empty() { Self::Proven } else { Self::ProvenWithLoss { loses } }
    }

    /// True when the schema came back.
    pub fn is_proven(&self) -> bool {
        matches!(self, Self::Proven | Self::ProvenWithLoss { .. })
    }
}

impl WayBack {
    /// `its down part`, `a derived way back`.
    pub fn words(self) -> &'static str {
        match self {
            Self::DownPart => "its down part",
            Self::Derived => "a derived way back",
        }
    }
}
