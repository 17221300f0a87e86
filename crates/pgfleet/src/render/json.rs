//! Machine output: one versioned object per command.
//!
//! `{"version":1,"command":…,"targets":[{"target":…,…}],"errors":[…]}`. Scripts rely on it: keys
//! are added, never renamed or removed, within a version.

use pgfleet_core::diagnose::Problem;
use serde::Serialize;
use serde_json::{Map, Value};

/// Layout version of the object.
pub const ENVELOPE_VERSION: u32 = 1;

/// The object that a command with `--output json` ends with.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Envelope {
    version: u32,
    command: String,
    targets: Vec<TargetEntry>,
    errors: Vec<Problem>,
}

/// What a command says about one target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TargetEntry {
    target: String,
    #[serde(flatten)]
    fields: Map<String, Value>,
}

impl Envelope {
    /// For a command: no targets, no errors.
    pub fn new(command: impl Into<String>) -> Self {
        Self {
            version: ENVELOPE_VERSION,
            command: command.into(),
            targets: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// Adds what is said about a target.
    #[must_use]
    pub fn target(mut self, entry: TargetEntry) -> Self {
        self.targets.push(entry);
        self
    }

    /// Adds problems, those that stop nothing too; each carries its severity.
    #[must_use]
    pub fn errors(mut self, problems: impl IntoIterator<Item = Problem>) -> Self {
        self.errors.extend(problems);
        self
    }

    /// The object as text, indented, with a line feed at its end.
    ///
    /// # Errors
    /// When a value has no form in JSON (a map whose keys are not text).
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

impl TargetEntry {
    /// For a target, by its name.
    pub fn new(target: impl Into<String>) -> Self {
        Self { target: target.into(), fields: Map::new() }
    }

    /// Adds a field, such as `migrations` or `checks`.
    ///
    /// # Errors
    /// When the value has no form in JSON (a map whose keys are not text).
    pub fn field(mut self, name: &str, value: &impl Serialize) -> Result<Self, serde_json::Error> {
        self.fields.insert(name.to_owned(), serde_json::to_value(value)?);
        Ok(self)
    }
}
