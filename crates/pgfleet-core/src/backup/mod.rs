//! Backups as data: what a manifest holds, which backups are good, what differs after a restore.
//!
//! Invariant: a backup is good only when it was restored and everything in its manifest was found
//! again; nothing else makes it so.

mod checksum;
mod compare;
mod damage;
mod manifest;
mod retention;
mod settings;

pub use crate::checksum::Algorithm;
pub use checksum::{
    CANONICAL_SETTINGS, ChecksumColumn, PageRange, TableShape, checksum_sql, split_pages,
};
pub use compare::{Difference, Found, compare};
pub use damage::{Damage, DumpForm, damage_of, recognise};
pub use manifest::{
    BackupFile, BackupKind, BackupState, DatabaseSetting, Locale, MANIFEST_VERSION, Manifest,
    SequenceValue, TableSum, Verification, backup_id,
};
pub use retention::{Kept, expired};
pub use settings::database_statements;
