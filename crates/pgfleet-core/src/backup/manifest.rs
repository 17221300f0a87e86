//! What is written beside a dump.

use serde::{Deserialize, Serialize};

use super::Algorithm;
use crate::schema::Grant;

/// Layout version of a manifest.
pub const MANIFEST_VERSION: u32 = 1;

/// What a backup holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BackupKind {
    /// Structure and rows.
    Full,
    /// Structure alone.
    SchemaOnly,
    /// Rows, with the structure beside them so that they can be restored.
    DataOnly,
}

impl BackupKind {
    /// As flags and names of folders write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::SchemaOnly => "schema-only",
            Self::DataOnly => "data-only",
        }
    }

    /// True when rows are in it.
    pub fn has_rows(self) -> bool {
        self != Self::SchemaOnly
    }
}

/// `manifest.json`: everything that must be found again after a restore.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`MANIFEST_VERSION`].
    pub version: u32,
    /// The backup's name, also its folder's.
    pub id: String,
    /// What it holds.
    pub kind: BackupKind,
    /// What messages call the database.
    pub target: String,
    /// Where it was, without secrets.
    pub server: String,
    /// The database's name.
    pub database: String,
    /// The server's version, 150004 for 15.4.
    pub server_version_num: u32,
    /// What `pg_dump --version` printed.
    pub pg_dump: String,
    /// The version of pgfleet.
    pub pgfleet: String,
    /// When the snapshot was taken, RFC 3339.
    pub started_at: String,
    /// When the last file was written.
    pub ended_at: String,
    /// `pg_database_size` then.
    pub database_bytes: u64,
    /// How the database orders and encodes text.
    pub locale: Locale,
    /// The role that owns the database.
    pub owner: String,
    /// `COMMENT ON DATABASE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// `ALTER DATABASE … SET` and `ALTER ROLE … IN DATABASE … SET`.
    pub settings: Vec<DatabaseSetting>,
    /// Rights on the database; none when they are those of a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grants: Option<Vec<Grant>>,
    /// Roles that own something or were granted something.
    pub roles: Vec<String>,
    /// Schemas of the user's; a new database has `public`.
    pub schemas: Vec<String>,
    /// Of the schema, without history tables left out.
    pub fingerprint: String,
    /// How rows were summed.
    pub checksum: Algorithm,
    /// In the order of their names; empty without rows.
    pub tables: Vec<TableSum>,
    /// Sequences' values; a sequence may have moved on before it was dumped.
    pub sequences: Vec<SequenceValue>,
    /// Every file of the backup but this one.
    pub files: Vec<BackupFile>,
}

/// How a database orders and encodes text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Locale {
    /// `UTF8`.
    pub encoding: String,
    /// `LC_COLLATE`.
    pub collate: String,
    /// `LC_CTYPE`.
    pub ctype: String,
    /// `c` for libc, `i` for ICU, `b` for builtin.
    pub provider: String,
    /// The locale of ICU or builtin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
}

/// One setting of a database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseSetting {
    /// For this role alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The parameter.
    pub name: String,
    /// Its value, as `pg_db_role_setting` keeps it.
    pub value: String,
}

/// A table's rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSum {
    /// As SQL, with its schema.
    pub table: String,
    /// How many.
    pub rows: u64,
    /// Their sum, a whole number of any length.
    pub sum: String,
}

/// Where a sequence stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SequenceValue {
    /// As SQL, with its schema.
    pub sequence: String,
    /// The last value that it gave; none when it gave none.
    pub last_value: Option<i64>,
    /// Its step.
    pub increment: i64,
}

/// One file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupFile {
    /// Below the backup's folder, with `/`.
    pub path: String,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
}

/// `verified.json`: the last time that the backup was restored and compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verification {
    /// [`MANIFEST_VERSION`].
    pub version: u32,
    /// Of the manifest that was compared, so that a changed one is not taken for good.
    pub manifest_sha256: String,
    /// When, RFC 3339.
    pub verified_at: String,
    /// Version of the server that it was restored on.
    pub server_version_num: u32,
    /// What was not found again; empty for a good backup.
    pub differences: Vec<super::Difference>,
}

/// How far a backup can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackupState {
    /// Restored and found equal.
    Good,
    /// Complete, never restored.
    Unverified,
    /// Restored, and not equal.
    Bad,
    /// Its manifest cannot be read, or it changed after it was verified.
    Damaged,
    /// Being written, or left by a run that was killed.
    Partial,
}

impl BackupState {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Unverified => "not verified",
            Self::Bad => "bad",
            Self::Damaged => "damaged",
            Self::Partial => "partial",
        }
    }
}

/// The name of a backup that begins at a time (RFC 3339, UTC): `20261125T204512Z-full`. Names sort
/// as their times do.
pub fn backup_id(started_at: &str, kind: BackupKind) -> String {
    let seconds = started_at.split('.').next().unwrap_or_default().trim_end_matches('Z');
    let digits: String = seconds.chars().filter(|c| c.is_ascii_digit() || *c == 'T').collect();
    format!("{digits}Z-{}", kind.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hold_the_time_and_the_kind() {
        for time in ["2026-11-25T20:45:12.123456Z", "2026-11-25T20:45:12Z"] {
            assert_eq!(backup_id(time, BackupKind::DataOnly), "20261125T204512Z-data-only");
        }
    }
}
