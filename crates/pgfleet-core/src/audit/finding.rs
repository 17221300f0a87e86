//! What an audit finds.

use serde::{Deserialize, Serialize};

use crate::diagnose::Severity;

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditCategory {
    /// Rows that refer to nothing, or to what is gone.
    References,
    /// Rows that are there more than once.
    Duplicates,
    /// What is lacking where it should be.
    Required,
    /// Values that cannot be right.
    Values,
    /// Rows that nobody needs any more.
    Stale,
    /// The schema itself: keys, indexes, sequences, space.
    Schema,
    /// A rule of the team's own.
    Declared,
    /// A rule that could not be asked.
    NotAsked,
}

impl AuditCategory {
    /// As headings write it.
    pub fn title(self) -> &'static str {
        match self {
            Self::References => "References",
            Self::Duplicates => "Duplicates",
            Self::Required => "Missing values",
            Self::Values => "Wrong values",
            Self::Stale => "Stale rows",
            Self::Schema => "Schema",
            Self::Declared => "Declared rules",
            Self::NotAsked => "Rules that could not be asked",
        }
    }
}

/// One thing that is wrong, or looks so.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// The rule's name.
    pub rule: String,
    /// What it is about.
    pub category: AuditCategory,
    /// How much it weighs.
    pub severity: Severity,
    /// The table, column, index or sequence, as SQL.
    pub object: String,
    /// What is so, in a sentence without its count.
    pub what: String,
    /// How many rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Keys of some of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<String>,
    /// What to do about it.
    pub recommendation: String,
    /// SQL that lists the rows, or that mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sql: Option<String>,
}

/// Everything that an audit of one database found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AuditReport {
    /// What messages call the database.
    pub target: String,
    /// Where it is, without secrets.
    pub server: String,
    /// When it was looked at, RFC 3339.
    pub looked_at: String,
    /// Tables that were looked at.
    pub tables: usize,
    /// Questions that were asked.
    pub questions: usize,
    /// The heaviest first.
    pub findings: Vec<Finding>,
}

impl AuditReport {
    /// Puts the heaviest first, then by category and rows.
    pub fn sort(&mut self) {
        self.findings.sort_by(|a, b| {
            let rank = |one: &Finding| (std::cmp::Reverse(one.severity), one.category);
            let order = rank(a).cmp(&rank(b)).then_with(|| b.count.cmp(&a.count));
            order.then_with(|| (&a.rule, &a.object).cmp(&(&b.rule, &b.object)))
        });
    }

    /// How many weigh as much.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }
}
