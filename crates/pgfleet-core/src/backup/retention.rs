//! Which backups may go.

use super::{BackupKind, BackupState, backup_id};

/// A backup as retention sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its name.
    pub id: String,
    /// When it was begun, RFC 3339 in UTC.
    pub started_at: String,
    /// What it holds.
    pub kind: BackupKind,
    /// How far it can be trusted.
    pub state: BackupState,
}

/// The backups that `--keep` lets go: those that have at least `keep` newer good ones of their
/// kind. What is not good is never counted, so the last good backup stays, however many bad ones
/// came after it. Backups that somebody gave a name stay too.
pub fn expired(backups: &[Kept], keep: usize) -> Vec<String> {
    let newer_good = |of: &Kept| {
        let good = backups.iter().filter(|b| b.kind == of.kind && b.state == BackupState::Good);
        good.filter(|b| b.started_at > of.started_at).count()
    };
    let unnamed = |b: &&Kept| b.id == backup_id(&b.started_at, b.kind);
    let gone = backups.iter().filter(unnamed).filter(|b| newer_good(b) >= keep.max(1));
    gone.map(|backup| backup.id.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use BackupKind::{DataOnly, Full};
    use BackupState::{Bad, Good, Unverified};

    /// The days on which backups that go were made; a day of 0 is of a named one.
    fn gone(backups: &[(u8, BackupKind, BackupState)], keep: usize) -> Vec<u8> {
        let kept = |(day, kind, state): &(u8, BackupKind, BackupState)| {
            let started_at = format!("2026-01-{day:02}T00:00:00.5Z");
            let id = match day {
                0 => "before-cutover".to_owned(),
                _ => backup_id(&started_at, *kind),
            };
            Kept { id, started_at, kind: *kind, state: *state }
        };
        let backups: Vec<_> = backups.iter().map(kept).collect();
        let gone = expired(&backups, keep);
        gone.iter().map(|id| id[6..8].parse().unwrap()).collect()
    }

    #[test]
    fn only_good_ones_count_and_the_last_one_stays() {
        let all = [(1, Full, Good), (3, Full, Unverified), (4, Full, Good), (5, Full, Bad)];
        assert_eq!(gone(&all, 1), [1, 3]);
        assert_eq!(gone(&all, 0), [1, 3]);
        assert_eq!(gone(&all, 2), Vec::<u8>::new());
        assert_eq!(gone(&[(1, Full, Good), (2, Full, Bad), (3, Full, Bad)], 1), Vec::<u8>::new());
    }

    #[test]
    fn kinds_do_not_replace_each_other_and_named_ones_stay() {
        let all = [(0, Full, Good), (1, Full, Good), (2, DataOnly, Good), (3, DataOnly, Good)];
        assert_eq!(gone(&all, 1), [2]);
    }
}
