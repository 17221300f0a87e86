//! The verdict of one check.

use serde::Serialize;

use super::{Check, Kind};

/// What one check expected, what was found, and whether the two agree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckResult {
    /// What a person calls it.
    pub name: String,
    /// What kind of check it is.
    pub kind: Kind,
    /// What was declared, in a few words.
    pub expected: String,
    /// What there is, in a few words; the error when it could not be looked at.
    pub found: String,
    /// True when what was found is what was expected; false for a skipped check too.
    pub ok: bool,
    /// Every single deviation, and facts worth knowing, one a line.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// Why the check was not made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
}

impl CheckResult {
    /// A verdict on `check` without details.
    pub fn new(check: &Check, found: impl Into<String>, ok: bool) -> Self {
        Self {
            name: check.name(),
            kind: check.kind(),
            expected: check.expected(),
            found: found.into(),
            ok,
            details: Vec::new(),
            skipped: None,
        }
    }

    /// A check that was not made, and why.
    pub fn skipped(check: &Check, why: impl Into<String>) -> Self {
        Self { skipped: Some(why.into()), ..Self::new(check, "not looked at", false) }
    }

    /// Adds what a person may want to know.
    #[must_use]
    pub fn with_details(mut self, details: Vec<String>) -> Self {
        self.details = details;
        self
    }

    /// True when the check was made and did not find what was expected.
    pub fn failed(&self) -> bool {
        !self.ok && self.skipped.is_none()
    }
}
