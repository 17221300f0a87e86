//! One thing that is wrong, complete enough to act on.

use serde::Serialize;

use super::Code;
use crate::place::Place;

/// How much a problem weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Should be looked at; nothing stops.
    Warning,
    /// Stops what was asked for.
    Error,
}

/// One thing that is wrong: what, where, why, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Stable code; `pgfleet explain CODE` prints its page.
    pub code: Code,
    /// The lint rule that found it; `pgfleet explain RULE` prints its page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<&'static str>,
    /// How much it weighs.
    pub severity: Severity,
    /// One sentence: what happened.
    pub what: String,
    /// The target it happened in, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The place in the team's files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The offending text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snippet: Option<Snippet>,
    /// PostgreSQL's own code, when the server spoke.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sqlstate: Option<String>,
    /// Why it happened, as far as it could be found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// Further facts, one a line.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// What to do, the best first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fixes: Vec<Fix>,
}

/// Text to show under a message, with the part that matters marked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Snippet {
    /// One line of the file.
    pub line_text: String,
    /// 1-based column of the marked part, in characters; 0 marks nothing.
    pub column: u32,
    /// Characters marked, at least 1 when `column` is not 0.
    pub length: u32,
}

/// Something that a person can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// What to do, in words.
    pub text: String,
    /// The command or SQL that does it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

impl Problem {
    /// An error that says what happened; the rest is added by the `with_` methods.
    pub fn error(code: Code, what: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, what)
    }

    /// A warning that says what was seen.
    pub fn warning(code: Code, what: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, what)
    }

    /// A note that says what was seen.
    pub fn note(code: Code, what: impl Into<String>) -> Self {
        Self::new(code, Severity::Note, what)
    }

    fn new(code: Code, severity: Severity, what: impl Into<String>) -> Self {
        Self {
            code,
            rule: None,
            severity,
            what: what.into(),
            target: None,
            place: None,
            snippet: None,
            sqlstate: None,
            cause: None,
            details: Vec::new(),
            fixes: Vec::new(),
        }
    }

    /// Names the place in the team's files.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Names the target.
    #[must_use]
    pub fn in_target(mut self, target: impl Into<String>) -> Self {
        self.target = Some(target.into());
        self
    }

    /// Says why it happened.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Adds a further fact.
    #[must_use]
    pub fn detail(mut self, fact: impl Into<String>) -> Self {
        self.details.push(fact.into());
        self
    }

    /// Adds something to do.
    #[must_use]
    pub fn fix(mut self, text: impl Into<String>) -> Self {
        self.fixes.push(Fix { text: text.into(), command: None });
        self
    }

    /// Adds something to do, with the command that does it.
    #[must_use]
    pub fn fix_with(mut self, text: impl Into<String>, command: impl Into<String>) -> Self {
        self.fixes.push(Fix { text: text.into(), command: Some(command.into()) });
        self
    }

    /// What names the problem in lists and reports: the lint rule, else the code.
    pub fn id(&self) -> &'static str {
        self.rule.unwrap_or_else(|| self.code.id())
    }

    /// True when it stops what was asked for.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}
