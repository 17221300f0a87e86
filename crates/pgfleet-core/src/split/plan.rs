//! The plan of a split: databases, moves, findings.

use serde::{Deserialize, Serialize};

use super::finding::{Finding, Level};
use super::moves::Move;
use crate::plan::hash_text;

/// What a split will do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SplitPlan {
    /// Layout version.
    pub version: u32,
    /// The source, without secrets.
    pub source: String,
    /// The databases to create, migrate and fill.
    pub databases: Vec<DatabasePlan>,
    /// What fills what.
    pub moves: Vec<Move>,
    /// What was found, in the order of the checklist.
    pub findings: Vec<Finding>,
}

/// A database to fill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabasePlan {
    /// Its family.
    pub family: String,
    /// Its name.
    pub database: String,
    /// It is there already.
    pub exists: bool,
    /// Migrations in its folder.
    pub migrations: usize,
    /// The source's rows that it gets.
    pub rows: u64,
}

impl SplitPlan {
    /// True when a finding forbids to go on.
    pub fn is_refused(&self) -> bool {
        self.count(Level::Error) > 0
    }

    /// Findings of a level.
    pub fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }

    /// Equal for plans that move the same rows into the same databases.
    pub fn fingerprint(&self) -> String {
        let databases: Vec<_> = self.databases.iter().map(|d| (&d.family, &d.database)).collect();
        let parts = serde_json::to_string(&(&self.source, databases, &self.moves));
        hash_text(&parts.unwrap_or_default())
    }
}
