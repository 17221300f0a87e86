//! Fingerprints: equal for equal things, on any machine.

use sha2::{Digest, Sha256};

use crate::history::HistoryRow;

/// The SHA-256 of a text, in hexadecimal.
pub fn hash_text(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The fingerprint of a history: which versions, with which checksums and states. Times and names
/// do not count.
pub fn fingerprint_rows(rows: &[HistoryRow]) -> String {
    let line = |row: &HistoryRow| {
        format!("{:?}\t{:?}\t{:?}", row.version, row.checksum.as_deref().unwrap_or(""), row.state)
    };
    hash_text(&rows.iter().map(line).collect::<Vec<_>>().join("\n"))
}
