//! A manifest against what a restore made.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Manifest, SequenceValue, TableSum};

/// What was found in a restored database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Of the schema.
    pub fingerprint: String,
    /// Of its tables; empty when rows are not compared.
    pub tables: Vec<TableSum>,
    /// Of its sequences.
    pub sequences: Vec<SequenceValue>,
}

/// Something that the restored database has otherwise than the manifest says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// `schema`, or the table or sequence, as SQL.
    pub of: String,
    /// What the manifest says.
    pub expected: String,
    /// What there is.
    pub found: String,
}

/// Everything that differs; empty when the backup is good.
pub fn compare(manifest: &Manifest, found: &Found) -> Vec<Difference> {
    let mut differences = Vec::new();
    if manifest.fingerprint != found.fingerprint {
        differences.push(Difference {
            of: "schema".to_owned(),
            expected: format!("fingerprint {}", short(&manifest.fingerprint)),
            found: format!("fingerprint {}", short(&found.fingerprint)),
        });
    }
    if manifest.kind.has_rows() {
        compare_tables(&manifest.tables, &found.tables, &mut differences);
        compare_sequences(&manifest.sequences, &found.sequences, &mut differences);
    }
    differences
}

fn short(fingerprint: &str) -> &str {
    fingerprint.get(..12).unwrap_or(fingerprint)
}

fn compare_tables(expected: &[TableSum], found: &[TableSum], differences: &mut Vec<Difference>) {
    let mut found: BTreeMap<&str, &TableSum> =
        found.iter().map(|table| (table.table.as_str(), table)).collect();
    for table in expected {
        let there = found.remove(table.table.as_str());
        if there == Some(table) {
            continue;
        }
        differences.push(Difference {
            of: table.table.clone(),
            expected: rows(table, there),
            found: there
                .map_or_else(|| "no such table".to_owned(), |there| rows(there, Some(table))),
        });
    }
    differences.extend(found.values().map(|table| Difference {
        of: table.table.clone(),
        expected: "no such table".to_owned(),
        found: rows(table, None),
    }));
}

/// Counts, and the sums where the counts do not tell the two apart.
fn rows(table: &TableSum, other: Option<&TableSum>) -> String {
    match other {
        Some(other) if other.rows == table.rows => {
            format!("{} rows, checksum {}", table.rows, table.sum)
        }
        _ => format!("{} rows", table.rows),
    }
}

/// A sequence may have moved on between the manifest and the dump, but never back.
fn compare_sequences(
    expected: &[SequenceValue],
    found: &[SequenceValue],
    differences: &mut Vec<Difference>,
) {
    let found: BTreeMap<&str, &SequenceValue> =
        found.iter().map(|sequence| (sequence.sequence.as_str(), sequence)).collect();
    for sequence in expected {
        let there = found.get(sequence.sequence.as_str());
        if there.is_some_and(|there| reaches(sequence, there)) {
            continue;
        }
        let shown =
            |value: Option<i64>| value.map_or_else(|| "unused".to_owned(), |v| v.to_string());
        differences.push(Difference {
            of: sequence.sequence.clone(),
            expected: format!("last value {}", shown(sequence.last_value)),
            found: there.map_or_else(
                || "no such sequence".to_owned(),
                |there| format!("last value {}", shown(there.last_value)),
            ),
        });
    }
}

fn reaches(expected: &SequenceValue, found: &SequenceValue) -> bool {
    match (expected.last_value, found.last_value) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(expected_value), Some(value)) if expected.increment < 0 => value <= expected_value,
        (Some(expected_value), Some(value)) => value >= expected_value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(table: &str, rows: u64, sum: &str) -> TableSum {
        TableSum { table: table.to_owned(), rows, sum: sum.to_owned() }
    }

    #[test]
    fn tables_that_differ_lack_or_are_too_many_are_named() {
        let (expected, found) = (
            [sum("a", 1, "5"), sum("b", 2, "5"), sum("c", 3, "5")],
            [sum("a", 1, "6"), sum("b", 1, "5"), sum("d", 1, "1")],
        );
        let mut differences = Vec::new();
        compare_tables(&expected, &found, &mut differences);
        let shown: Vec<_> =
            differences.iter().map(|d| format!("{}: {} / {}", d.of, d.expected, d.found)).collect();
        assert_eq!(
            shown,
            [
                "a: 1 rows, checksum 5 / 1 rows, checksum 6",
                "b: 2 rows / 1 rows",
                "c: 3 rows / no such table",
                "d: no such table / 1 rows",
            ]
        );
    }

    #[test]
    fn sequences_may_run_on_but_not_back() {
        let value = |last_value, increment| SequenceValue {
            sequence: "s".to_owned(),
            last_value,
            increment,
        };
        for (expected, found, good) in [
            (value(Some(5), 1), value(Some(5), 1), true),
            (value(Some(5), 1), value(Some(9), 1), true),
            (value(Some(5), 1), value(Some(4), 1), false),
            (value(Some(5), -1), value(Some(4), -1), true),
            (value(None, 1), value(Some(1), 1), true),
            (value(Some(1), 1), value(None, 1), false),
        ] {
            let mut differences = Vec::new();
            compare_sequences(&[expected], &[found], &mut differences);
            assert_eq!(differences.is_empty(), good, "{differences:?}");
        }
    }
}
