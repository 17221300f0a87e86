//! When a command on many targets began, and how it is identified.

use std::time::Instant;

use jiff::Timestamp;

use crate::conduct::run_id;

/// The beginning of a command on many targets.
#[derive(Debug, Clone)]
pub struct Begun {
    /// Identifies the command on disk.
    pub run_id: String,
    /// When it began, RFC 3339 in UTC.
    pub started_at: String,
    at: Instant,
}

impl Begun {
    /// Now.
    pub fn now() -> Self {
        let started_at = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        Self { run_id: run_id::new(), started_at, at: Instant::now() }
    }

    /// How long ago it was.
    pub fn elapsed_ms(&self) -> f64 {
        self.at.elapsed().as_secs_f64() * 1000.0
    }
}
