//! Rollouts: a group's migrations in waves, by any number of processes that share the work.
//!
//! Invariant: a target is worked on by whoever holds its lease, an advisory lock of a session on the
//! control database. A process that dies loses its leases with its session, and its targets are
//! another's; the target's own lock and history keep anything from being run twice. The manifest
//! says what is intended before it is done, so that what was done can be taken back.

mod atomic;
mod control;
mod manifest;
mod record;
mod rehearsed;
mod settle;
mod target;
mod work;

pub use atomic::{AtomicEnd, AtomicHow, AtomicTarget, AtomicWork, recover};
pub use control::Control;
pub use manifest::{Beginning, Manifest, ManifestTarget, Rollout};
pub use target::refuse_no_way_back;
pub use work::{RolloutWork, Worked};
