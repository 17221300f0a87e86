//! Disks of this machine.

use std::path::Path;

/// Bytes that an ordinary user may still write where a folder is; none when it cannot be seen.
pub(crate) fn free_bytes(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}
