//! Verdicts: each migration of the folder and each row of the history, held against each other.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Dialect, HistoryRow, RowState};
use crate::folder::{
    Migration, MigrationKind, MigrationSet, refinery_checksums, sha256_hex, sha384_hex,
};

/// What is true of one migration in one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// In the folder and in the history, and the same.
    Applied,
    /// In the folder and not in the history.
    Pending,
    /// The history says that it began and did not end, or failed.
    Failed,
    /// Applied, and the file was edited afterwards.
    Changed,
    /// In the history and not in the folder.
    MissingFile,
    /// Pending, although a later one is applied.
    OutOfOrder,
}

/// One line of `status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MigrationStatus {
    /// The identity in the history.
    pub version: String,
    /// What a person calls it.
    pub name: String,
    /// What is true of it.
    pub verdict: Verdict,
    /// Its file, relative to the folder; none when it is missing.
    pub file: Option<String>,
    /// When it was applied.
    pub applied_at: Option<String>,
    /// What the tool wrote about a failure, or what changed.
    pub note: Option<String>,
}

/// Holds a folder against a history. The result has the folder's order, with rows that have no
/// file placed by version among them.
pub fn judge(
    set: &MigrationSet,
    rows: &[HistoryRow],
    dialect: &dyn Dialect,
) -> Vec<MigrationStatus> {
    let current = Current::of(set, rows, dialect);
    let mut statuses: Vec<_> = set.migrations.iter().map(|m| current.status_of(m)).collect();
    mark_out_of_order(set, &mut statuses);
    insert_missing(set, &current, &mut statuses);
    statuses
}

/// The newest word of the history on each version.
struct Current<'a> {
    dialect: &'a dyn Dialect,
    by_version: BTreeMap<&'a str, &'a HistoryRow>,
    /// Versions that a single-row history or a baseline row implies.
    implied: BTreeSet<&'a str>,
}

impl<'a> Current<'a> {
    fn of(set: &'a MigrationSet, rows: &'a [HistoryRow], dialect: &'a dyn Dialect) -> Self {
        let mut by_version = BTreeMap::new();
        for row in rows {
            by_version.insert(row.version.as_str(), row);
        }
        by_version.retain(|_, row| row.state != RowState::RolledBack);
        let implied = implied_versions(set, rows, dialect);
        Self { dialect, by_version, implied }
    }

    /// Flyway runs a baseline script on an empty database only.
    fn needs_no_baseline(&self, migration: &Migration) -> bool {
        migration.kind == MigrationKind::Baseline && !self.by_version.is_empty()
    }

    fn status_of(&self, migration: &Migration) -> MigrationStatus {
        let row = self.by_version.get(migration.version.as_str()).copied();
        let row = row.filter(|row| is_row_of(migration, row));
        let (verdict, note) = match row {
            None if self.needs_no_baseline(migration) => {
                (Verdict::Applied, Some("not needed: the history is not empty".to_owned()))
            }
            None if self.implied.contains(migration.version.as_str()) => (Verdict::Applied, None),
            None => (Verdict::Pending, None),
            Some(row) => verdict_of_row(self.dialect, migration, row),
        };
        MigrationStatus {
            version: migration.version.clone(),
            name: migration.name.clone(),
            verdict,
            file: Some(migration.file.clone()),
            applied_at: row.and_then(|row| row.applied_at.clone()),
            note,
        }
    }
}

/// A baseline script and an ordinary migration may have the same version.
fn is_row_of(migration: &Migration, row: &HistoryRow) -> bool {
    migration.kind != MigrationKind::Baseline || row.state == RowState::Baseline
}

fn verdict_of_row(
    dialect: &dyn Dialect,
    migration: &Migration,
    row: &HistoryRow,
) -> (Verdict, Option<String>) {
    match row.state {
        RowState::Failed => (Verdict::Failed, row.note.clone()),
        RowState::RolledBack => (Verdict::Pending, None),
        RowState::Baseline => (Verdict::Applied, None),
        RowState::Applied => match (&migration.checksum, &row.checksum) {
            (Some(file), Some(recorded)) if !dialect.checksum_matches(migration, recorded) => {
                changed(migration, recorded, file)
            }
            _ => (Verdict::Applied, None),
        },
    }
}

fn changed(migration: &Migration, recorded: &str, file: &str) -> (Verdict, Option<String>) {
    match migration.kind {
        MigrationKind::Repeatable => (Verdict::Pending, Some("changed since last run".to_owned())),
        _ if only_line_ends_differ(migration, recorded) => {
            (Verdict::Changed, Some(ONLY_LINE_ENDS.to_owned()))
        }
        _ => {
            let (recorded, file) = (abbreviated(recorded), abbreviated(file));
            (Verdict::Changed, Some(format!("recorded {recorded}, file {file}")))
        }
    }
}

/// What Git makes of a file on another machine, where `core.autocrlf` says so.
const ONLY_LINE_ENDS: &str = "only line ends differ (LF and CRLF), as Git's core.autocrlf makes \
     them: `*.sql text eol=lf` in .gitattributes keeps them";

/// Whether the file with Unix's or with Windows' line ends throughout is what was recorded.
fn only_line_ends_differ(migration: &Migration, recorded: &str) -> bool {
    let unix = migration.up.text().replace("\r\n", "\n");
    let windows = unix.replace('\n', "\r\n");
    [unix, windows].iter().any(|script| {
        let bytes = script.as_bytes();
        let refinery = refinery_checksums(&migration.name, &migration.version, script);
        [sha256_hex(bytes), sha384_hex(bytes)].iter().chain(&refinery).any(|one| one == recorded)
    })
}

/// As much of a checksum as tells two apart.
fn abbreviated(checksum: &str) -> String {
    const SHOWN: usize = 12;
    match checksum.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &checksum[..end]),
        None => checksum.to_owned(),
    }
}

/// What golang-migrate's single row, or a baseline row, says about versions that have no row.
fn implied_versions<'a>(
    set: &'a MigrationSet,
    rows: &[HistoryRow],
    dialect: &dyn Dialect,
) -> BTreeSet<&'a str> {
    let reaches = |row: &&HistoryRow| {
        row.state == RowState::Baseline
            || (dialect.keeps_only_current() && row.state != RowState::RolledBack)
    };
    let Some(newest) =
        rows.iter().filter(reaches).filter_map(|row| index_reached(set, &row.version)).max()
    else {
        return BTreeSet::new();
    };
    let versioned = set.migrations.iter().filter(|m| m.kind != MigrationKind::Repeatable);
    versioned.take(newest).map(|m| m.version.as_str()).collect()
}

/// How many migrations of the folder stand at or before a version.
fn index_reached(set: &MigrationSet, version: &str) -> Option<usize> {
    let versioned: Vec<_> =
        set.migrations.iter().filter(|m| m.kind != MigrationKind::Repeatable).collect();
    let exact = versioned.iter().position(|m| m.version == version).map(|at| at + 1);
    exact.or_else(|| {
        let before = versioned.iter().filter(|m| compare_versions(&m.version, version).is_le());
        Some(before.count())
    })
}

fn mark_out_of_order(set: &MigrationSet, statuses: &mut [MigrationStatus]) {
    let done = |status: &MigrationStatus| {
        matches!(status.verdict, Verdict::Applied | Verdict::Changed | Verdict::Failed)
    };
    let pairs = set.migrations.iter().zip(statuses.iter_mut());
    let versioned = pairs.filter(|(migration, _)| migration.kind == MigrationKind::Versioned);
    let mut later_is_done = false;
    for (_, status) in versioned.collect::<Vec<_>>().into_iter().rev() {
        if later_is_done && status.verdict == Verdict::Pending {
            status.verdict = Verdict::OutOfOrder;
        }
        later_is_done |= done(status);
    }
}

fn insert_missing(set: &MigrationSet, current: &Current<'_>, statuses: &mut Vec<MigrationStatus>) {
    let known: BTreeSet<_> = set.migrations.iter().map(|m| m.version.as_str()).collect();
    let gone = current.by_version.values().filter(|row| !known.contains(row.version.as_str()));
    for row in gone.filter(|row| row.state != RowState::Baseline) {
        let at = statuses
            .iter()
            .position(|status| compare_versions(&status.version, &row.version).is_gt())
            .unwrap_or(statuses.len());
        statuses.insert(at, missing_file(row));
    }
}

fn missing_file(row: &HistoryRow) -> MigrationStatus {
    MigrationStatus {
        version: row.version.clone(),
        name: row.name.clone().unwrap_or_default(),
        verdict: Verdict::MissingFile,
        file: None,
        applied_at: row.applied_at.clone(),
        note: row.note.clone(),
    }
}

/// Orders versions as people number them: runs of digits by value, the rest by bytes.
pub(crate) fn compare_versions(a: &str, b: &str) -> std::cmp::Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        match (leading_number(a), leading_number(b)) {
            (Some((x, rest_a)), Some((y, rest_b))) => {
                let order = compare_digits(x, y);
                if order.is_ne() {
                    return order;
                }
                (a, b) = (rest_a, rest_b);
            }
            _ => match (a.chars().next(), b.chars().next()) {
                (Some(x), Some(y)) if x == y => {
                    (a, b) = (&a[x.len_utf8()..], &b[y.len_utf8()..]);
                }
                (x, y) => return x.cmp(&y),
            },
        }
    }
}

fn leading_number(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

fn compare_digits(a: &str, b: &str) -> std::cmp::Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}
