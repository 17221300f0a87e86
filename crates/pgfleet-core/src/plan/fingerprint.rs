//! Fingerprints: equal for equal things, on any machine.

use std::io::{self, Write};

use sha2::{Digest, Sha256};

use super::Plan;
use crate::history::HistoryRow;

/// The SHA-256 of a text, in hexadecimal.
pub fn hash_text(text: &str) -> String {
    hexadecimal(&Sha256::digest(text.as_bytes()))
}

/// The fingerprint of a plan: everything in its file but the fingerprint, so that what was reviewed is
/// what is run.
pub(super) fn fingerprint_plan(plan: &Plan) -> String {
    let Plan { version, source, fingerprint: _, setup, steps, hazards, location: _ } = plan;
    let mut digest = DigestWriter(Sha256::new());
    let parts = (version, source, setup, steps, hazards);
    // Neither the digest nor plain data can refuse to be written.
    let _ = serde_json::to_writer(&mut digest, &parts);
    hexadecimal(&digest.0.finalize())
}

/// Digests what is written, so that a plan with many rows is not held a second time.
struct DigestWriter(Sha256);

impl Write for DigestWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The fingerprint of a history: which versions, with which checksums and states. Times and names
/// do not count.
pub fn fingerprint_rows(rows: &[HistoryRow]) -> String {
    let line = |row: &HistoryRow| {
        format!("{:?}\t{:?}\t{:?}", row.version, row.checksum.as_deref().unwrap_or(""), row.state)
    };
    hash_text(&rows.iter().map(line).collect::<Vec<_>>().join("\n"))
}
