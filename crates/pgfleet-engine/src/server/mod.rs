//! PostgreSQL server programs on this machine: finding them and running throwaway clusters.
//!
//! `initdb` and `postgres` are run directly. The crate postgresql_embedded starts a local
//! installation just as well, but it neither drops root (PostgreSQL refuses to run as root) nor
//! stops the server when its owner is killed, and it brings 200 packages for a download that
//! Debian, RPM and Homebrew packages make unnecessary.
//!
//! Invariant: a throwaway cluster never outlives its owner for long. Dropping it stops the server
//! and removes its files; a killed owner takes the server along where the system can signal that,
//! and whatever is left is swept when the next cluster starts.
//!
//! Everything here blocks; async callers wrap it in `spawn_blocking`.

mod account;
mod cluster;
mod error;
mod installation;
mod options;
mod postmaster;
mod root;

pub use account::Account;
pub use cluster::ThrowawayCluster;
pub use error::ServerError;
pub use installation::{Installation, Search, ServerVersion};
pub use options::{Auth, ClusterOptions, Lifetime};
pub use root::{remove_detached, sweep_abandoned};
