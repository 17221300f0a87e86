//! Names runs: sortable by time, different on every machine.

use std::hash::{BuildHasher, RandomState};

use jiff::Timestamp;

/// `20261121T051722Z-1a2b3c4d`.
pub(crate) fn new() -> String {
    let now = Timestamp::now();
    // The standard library's hash keys are random for every process and instance.
    let random = RandomState::new().hash_one(now.as_nanosecond());
    format!("{}-{:08x}", now.strftime("%Y%m%dT%H%M%SZ"), random & 0xffff_ffff)
}
