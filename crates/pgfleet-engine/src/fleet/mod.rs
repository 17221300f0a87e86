//! Fleets: groups of targets that share a migration set, found and worked on together.
//!
//! Invariant: a target stands for one database (or one schema of one), once; work on the targets
//! of a server never takes more of its connections than its limit allows.

mod begun;
mod candidate;
mod group;
mod queue;
pub mod rollout;
mod server;
mod source;

pub use begun::Begun;
pub(crate) use candidate::server_key;
pub use group::{Group, Member, Selected, groups_offline, open_groups};
pub use queue::{Job, run_bounded};
pub use server::Server;
pub(crate) use source::matches_any;
