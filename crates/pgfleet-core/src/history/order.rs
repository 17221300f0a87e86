//! In which order a history applied a folder's migrations.
//!
//! Invariant: versioned migrations keep the folder's order. Repeatable ones, which a folder has at
//! its end, stand where they last ran: what was migrated afterwards came after them.

use super::HistoryRow;
use crate::folder::{Migration, MigrationKind};

/// The migrations as they were applied; those without a row stay at the end.
pub fn order_as_applied(migrations: Vec<Migration>, rows: &[HistoryRow]) -> Vec<Migration> {
    let ran = |migration: &Migration| rows.iter().rposition(|row| row.version == migration.version);
    let is_repeatable = |migration: &Migration| migration.kind == MigrationKind::Repeatable;
    let (mut repeatable, mut ordered): (Vec<_>, Vec<_>) =
        migrations.into_iter().partition(is_repeatable);
    repeatable.sort_by_key(|migration| ran(migration).unwrap_or(usize::MAX));
    for migration in repeatable {
        let at = ran(&migration).map_or(ordered.len(), |moment| {
            let earlier = ordered.iter().rposition(|other| ran(other).is_none_or(|at| at < moment));
            earlier.map_or(0, |at| at + 1)
        });
        ordered.insert(at, migration);
    }
    ordered
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folder::{FileTree, Format, read};
    use crate::history::RowState;

    fn row(version: &str) -> HistoryRow {
        HistoryRow {
            version: version.to_owned(),
            name: None,
            checksum: None,
            state: RowState::Applied,
            applied_at: None,
            rank: 0,
            note: None,
        }
    }

    fn ordered(rows: &[&str]) -> Vec<String> {
        let mut tree = FileTree::default();
        for name in ["V1__a", "V2__b", "V3__c", "R__x", "R__y"] {
            tree.insert(&format!("{name}.sql"), b"SELECT 1;".to_vec());
        }
        let set = read(&tree, Format::Flyway);
        let rows: Vec<_> = rows.iter().map(|version| row(version)).collect();
        let ordered = order_as_applied(set.migrations, &rows);
        ordered.into_iter().map(|migration| migration.version).collect()
    }

    #[test]
    fn a_repeatable_stands_where_it_last_ran() {
        let all = ["1", "2", "3", "R__x", "R__y"];
        assert_eq!(ordered(&all), all);
        assert_eq!(ordered(&["1", "R__x", "R__y", "2", "3"]), ["1", "R__x", "R__y", "2", "3"]);
        assert_eq!(
            ordered(&["1", "R__x", "2", "R__x", "3", "R__y"]),
            ["1", "2", "R__x", "3", "R__y"]
        );
        assert_eq!(ordered(&["1", "R__y", "2", "R__x", "3"]), ["1", "R__y", "2", "R__x", "3"]);
    }

    #[test]
    fn what_came_late_or_was_never_recorded_does_not_move_a_repeatable_before_its_past() {
        assert_eq!(ordered(&["1", "3", "R__x", "2"]), ["1", "2", "3", "R__x", "R__y"]);
        assert_eq!(ordered(&["3", "R__x"]), ["1", "2", "3", "R__x", "R__y"]);
    }
}
