//! What a split needs of disk and time, as far as it can be known beforehand.

use super::finding::Finding;

/// What one server needs and has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Space {
    /// The server, as `host:port`.
    pub server: String,
    /// What the tables take in the source, with indexes: an upper bound where rows stay behind.
    pub needed_bytes: u64,
    /// What is free there, and where; none where it cannot be seen.
    pub free: Option<FreeSpace>,
}

/// Free space of a disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreeSpace {
    /// The server's data directory.
    pub folder: String,
    /// Bytes.
    pub bytes: u64,
}

/// Bytes that a second moves, indexes, sums and analyses on two cores of 2020, both databases on the
/// same server (`cargo xtask bench --only moving`).
const BYTES_PER_SECOND: u64 = 35_000_000;

/// Whether the disk has room; too little of it is an error where it is `checked`.
pub fn space_finding(space: &Space, checked: bool) -> Finding {
    let subject = format!("disk of {}", space.server);
    let needed = size(space.needed_bytes);
    let Some(free) = &space.free else {
        let what = format!("needs about {needed}; what is free there cannot be seen from here");
        return Finding::success(subject, what);
    };
    let (has, folder) = (size(free.bytes), &free.folder);
    let what = format!("needs about {needed}, {has} are free at {folder}");
    // The write-ahead log, and sorting for indexes, take room too.
    let is_ample = free.bytes >= space.needed_bytes.saturating_add(space.needed_bytes / 2);
    match (free.bytes >= space.needed_bytes, is_ample) {
        (true, true) => Finding::success(subject, what),
        (true, false) => Finding::warning(subject, format!("{what}: it may get tight"))
            .fix("Make room; the write-ahead log and building indexes take space too."),
        (false, _) if checked => Finding::error(subject, what)
            .fix("Make room, or say --skip-space-check when most rows stay behind."),
        (false, _) => Finding::warning(subject, what),
    }
}

/// About how long a run takes.
pub fn time_finding(bytes: u64) -> Finding {
    let seconds = bytes / BYTES_PER_SECOND;
    let time = match seconds {
        0..90 => format!("{} s", seconds.max(1)),
        90..5400 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h", seconds.div_ceil(3600)),
    };
    let (bytes, speed) = (size(bytes), size(BYTES_PER_SECOND));
    let what = format!(
        "about {time} for {bytes}, at the {speed}/s of two cores; a network between may take longer"
    );
    Finding::success("time", what)
}

/// `12.3 MB`.
pub fn size(bytes: u64) -> String {
    #[allow(clippy::cast_precision_loss)] // for display
    let megabytes = bytes as f64 / 1_048_576.0;
    if megabytes < 2048.0 {
        return format!("{megabytes:.1} MB");
    }
    format!("{:.1} GB", megabytes / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::*;

    fn found(needed_mb: u64, free_mb: Option<u64>, checked: bool) -> Finding {
        let folder = "/data".to_owned();
        let free = free_mb.map(|mb| FreeSpace { folder, bytes: mb << 20 });
        let space = Space { server: "db:5432".to_owned(), needed_bytes: needed_mb << 20, free };
        space_finding(&space, checked)
    }

    #[test]
    fn too_little_room_is_an_error_unless_it_is_not_asked_for() {
        let low = found(100, Some(50), true);
        assert_eq!(low.level, Level::Error);
        assert_eq!(low.what, "needs about 100.0 MB, 50.0 MB are free at /data");
        assert_eq!(found(100, Some(50), false).level, Level::Warning);
        assert_eq!(found(100, Some(120), true).level, Level::Warning);
        assert_eq!(found(100, Some(150), true).level, Level::Success);
    }

    #[test]
    fn what_cannot_be_seen_is_said() {
        let unseen = found(5000, None, true);
        assert_eq!(unseen.level, Level::Success);
        assert!(unseen.what.contains("4.9 GB; what is free there cannot be seen"), "{unseen:?}");
    }

    #[test]
    fn time_is_said_in_a_unit_that_people_plan_with() {
        assert!(time_finding(1).what.starts_with("about 1 s for"));
        assert!(time_finding(35_000_000 * 600).what.starts_with("about 10 min for 19.6 GB"));
        assert!(time_finding(35_000_000 * 7200).what.starts_with("about 2 h"));
    }
}
