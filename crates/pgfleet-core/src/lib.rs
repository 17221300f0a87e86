//! Decisions: everything pgfleet decides, as data. No IO, no async, no clock, no randomness.
//!
//! What a decision needs is passed in (a [`folder::FileTree`], history rows, catalog facts) and
//! what was decided comes back as data (a [`folder::MigrationSet`], verdicts, a [`plan::Plan`],
//! a [`diagnose::Problem`]). The engine acts on it; the binary shows it.

pub mod audit;
pub mod backup;
pub mod batches;
pub mod checksum;
pub mod clean;
pub mod config;
pub mod diagnose;
pub mod filled;
pub mod fleet;
pub mod folder;
pub mod history;
pub mod lint;
pub mod missing;
pub mod monitor;
pub mod place;
pub mod plan;
pub mod preflight;
pub mod prisma;
pub mod program;
pub mod rehearse;
pub mod report;
pub mod rows;
pub mod schema;
pub mod split;
pub mod tenancy;
pub mod verify;
