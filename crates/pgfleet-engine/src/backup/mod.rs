//! Backups: made by pg_dump in one snapshot with a manifest, proven by a restore, put back by a
//! swap of names.
//!
//! Invariant: a backup that was not written to its end never looks like one, and a restore never
//! touches the database in service before the restored one has been compared.

mod create;
mod facts;
mod refill;
mod restore;
mod store;
mod sums;
mod verify;

pub use create::{ArchiveFormat, BackupRequest, back_up};
pub use facts::{DatabaseFacts, Snapshot, read_database, read_tables};
pub use restore::{RestoreRequest, RestoreSource, Restored, restore};
pub use store::{
    Draft, Store, StoredBackup, age_s, hash_file, hash_files, manifest_sha256, target_folder_name,
};
pub use sums::sum_tables;
pub use verify::verify;

/// Takes lines that say what a long piece of work is doing.
pub type Notes<'a> = &'a (dyn Fn(&str) + Sync);
