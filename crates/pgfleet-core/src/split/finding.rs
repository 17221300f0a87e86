//! What the plan found, in the words of the checklist that people read.

use serde::{Deserialize, Serialize};

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// As it should be.
    Success,
    /// To be looked at; stops nothing.
    Warning,
    /// Would fail or lose something; nothing is moved before it is settled.
    Error,
}

/// One thing that the plan found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How much it weighs.
    pub level: Level,
    /// What it is about: a variable, a database, `family.table.column` …
    pub subject: String,
    /// What was found.
    pub what: String,
    /// How many rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Some of them: key and value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<String>,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

impl Finding {
    /// A finding without rows.
    pub fn new(level: Level, subject: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            level,
            subject: subject.into(),
            what: what.into(),
            rows: None,
            samples: Vec::new(),
            fix: None,
        }
    }

    /// Something as it should be.
    pub fn success(subject: impl Into<String>, what: impl Into<String>) -> Self {
        Self::new(Level::Success, subject, what)
    }

    /// Something to be looked at.
    pub fn warning(subject: impl Into<String>, what: impl Into<String>) -> Self {
        Self::new(Level::Warning, subject, what)
    }

    /// Something that must be settled first.
    pub fn error(subject: impl Into<String>, what: impl Into<String>) -> Self {
        Self::new(Level::Error, subject, what)
    }

    /// Says what to do.
    #[must_use]
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// Says how many rows, and some of them.
    #[must_use]
    pub fn rows(mut self, rows: u64, samples: Vec<String>) -> Self {
        self.rows = Some(rows);
        self.samples = samples;
        self
    }
}
