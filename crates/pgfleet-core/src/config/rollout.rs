//! `[rollout]`: how the migrations of a group are brought to its targets in waves.

use serde::Deserialize;

use crate::fleet::{OnFailure, WaveSize};
use crate::verify::Check;

/// `[rollout]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RolloutSection {
    /// The database that holds the manifest, as a URL or `env:NAME`; by default the group's
    /// registry, else its first target.
    pub control: Option<String>,
    /// Targets that come first, by name or pattern.
    #[serde(default)]
    pub canaries: Vec<String>,
    /// Sizes of the waves after them; the rest is one more.
    #[serde(default)]
    pub waves: Vec<WaveSize>,
    /// Targets that may fail.
    #[serde(default)]
    pub max_failures: usize,
    /// What is done when more fail.
    #[serde(default)]
    pub on_failure: OnFailure,
    /// What must hold after each wave: on every target of it, and once for HTTP and variables.
    #[serde(default)]
    pub check: Vec<Check>,
}
