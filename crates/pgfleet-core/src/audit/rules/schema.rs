//! The schema itself: keys, indexes, sequences, space.

use std::collections::BTreeMap;

use pgfleet_sql::quote_ident;

use super::finding;
use crate::audit::catalog::{Catalog, CatalogIndex, CatalogSequence, CatalogTable, ForeignKey};
use crate::audit::finding::{AuditCategory, Finding};
use crate::audit::judge::Question;
use crate::diagnose::Severity;

/// Share of a sequence's numbers that may be used, in hundredths.
const SEQUENCE_USED_MAX: i128 = 80;
/// Below these, room that is not used is not worth a word.
const BLOAT_BYTES_MIN: u64 = 16 << 20;
const UNUSED_BYTES_MIN: u64 = 1 << 20;
/// Bytes of a row's header and pointer, alignment included.
const ROW_OVERHEAD: f64 = 28.0;

pub(super) fn ask(catalog: &Catalog, questions: &mut Vec<Question>) {
    questions.extend(catalog.sequences.iter().map(behind));
}

fn behind(sequence: &CatalogSequence) -> Question {
    let (column, table) = (quote_ident(&sequence.column), &sequence.table);
    let beyond = if sequence.increment < 0 { "<=" } else { ">=" };
    let rows = format!(
        "SELECT t.{column}::text AS k FROM {table} t, {} s WHERE t.{column} {beyond} \
         s.last_value + CASE WHEN s.is_called THEN {} ELSE 0 END",
        sequence.sequence, sequence.increment
    );
    let found = Finding {
        sql: Some(format!(
            "SELECT pg_catalog.setval('{}', (SELECT pg_catalog.max({column}) FROM {table}))",
            sequence.sequence.replace('\'', "''")
        )),
        ..schema_finding(
            "sequence-behind",
            Severity::Error,
            sequence.sequence.clone(),
            format!(
                "rows of {table}.{column} that have numbers which the sequence will give again"
            ),
            "Set the sequence behind the greatest number; the next INSERT would fail.",
        )
    };
    Question::counting(found, &rows)
}

pub(super) fn lint(catalog: &Catalog) -> Vec<Finding> {
    let mut findings = Vec::new();
    for table in &catalog.tables {
        if table.primary_key.is_empty() {
            findings.push(no_key(table));
        }
        for key in &table.foreign_keys {
            findings.extend(unindexed(table, key));
            findings.extend((!key.validated).then(|| unvalidated(table, key)));
        }
        findings.extend(duplicates(table));
        findings.extend(table.indexes.iter().filter_map(|index| one_index(table, index)));
        findings.extend(bloat(table));
    }
    findings.extend(catalog.sequences.iter().filter_map(near_end));
    findings
}

fn schema_finding(
    rule: &str,
    severity: Severity,
    object: String,
    what: impl Into<String>,
    advice: &str,
) -> Finding {
    finding(rule, AuditCategory::Schema, severity, object, what, advice)
}

fn no_key(table: &CatalogTable) -> Finding {
    schema_finding(
        "primary-key-missing",
        Severity::Warning,
        table.name.to_string(),
        "the table has no primary key",
        "Add one: without it rows cannot be told apart, replicated or cleaned by key.",
    )
}

/// Deleting or changing a parent's row scans the whole table without one.
fn unindexed(table: &CatalogTable, key: &ForeignKey) -> Option<Finding> {
    let covers = |index: &CatalogIndex| {
        let leading: Vec<_> = index.columns.iter().take(key.columns.len()).flatten().collect();
        index.valid
            && !index.partial
            && leading.len() == key.columns.len()
            && key.columns.iter().all(|column| leading.contains(&column))
    };
    if table.indexes.iter().any(covers) {
        return None;
    }
    let columns: Vec<_> = key.columns.iter().map(|name| quote_ident(name)).collect();
    let columns = columns.join(", ");
    Some(Finding {
        sql: Some(format!("CREATE INDEX CONCURRENTLY ON {} ({columns})", table.name)),
        ..schema_finding(
            "foreign-key-index",
            Severity::Warning,
            format!("{} ({columns})", table.name),
            format!("no index to find the rows of {} by ({})", key.parent, key.name),
            "Create one: a DELETE or key change in the other table scans this one for each row.",
        )
    })
}

fn unvalidated(table: &CatalogTable, key: &ForeignKey) -> Finding {
    let name = quote_ident(&key.name);
    Finding {
        sql: Some(format!("ALTER TABLE {} VALIDATE CONSTRAINT {name}", table.name)),
        ..schema_finding(
            "foreign-key-unvalidated",
            Severity::Warning,
            format!("{}.{name}", table.name),
            "the foreign key was never checked on the rows that were there",
            "Correct the rows that the rule `orphan` lists, then validate it.",
        )
    }
}

fn duplicates(table: &CatalogTable) -> Vec<Finding> {
    let mut alike: BTreeMap<&str, Vec<&CatalogIndex>> = BTreeMap::new();
    for index in &table.indexes {
        alike.entry(index.signature.as_str()).or_default().push(index);
    }
    let mut findings = Vec::new();
    for mut indexes in alike.into_values().filter(|indexes| indexes.len() > 1) {
        // What a constraint has stays, then what is unique, then what is used most.
        indexes.sort_by_key(|i| std::cmp::Reverse((i.constraint, i.unique, i.scans)));
        for index in &indexes[1..] {
            if index.constraint || index.unique && !indexes[0].unique {
                continue;
            }
            findings.push(Finding {
                sql: Some(drop_index(table, index)),
                ..schema_finding(
                    "index-duplicate",
                    Severity::Warning,
                    index_name(table, index),
                    format!("the index does the same as {}", indexes[0].name),
                    "Drop it: every write pays for both.",
                )
            });
        }
    }
    findings
}

fn one_index(table: &CatalogTable, index: &CatalogIndex) -> Option<Finding> {
    if !index.valid {
        return Some(Finding {
            sql: Some(format!("REINDEX INDEX CONCURRENTLY {}", index_name(table, index))),
            ..schema_finding(
                "index-invalid",
                Severity::Error,
                index_name(table, index),
                "the index is not valid: it costs writes and no query uses it",
                "Build it again, or drop it.",
            )
        });
    }
    let unused = index.scans == 0 && !index.unique && index.bytes >= UNUSED_BYTES_MIN;
    unused.then(|| Finding {
        sql: Some(drop_index(table, index)),
        ..schema_finding(
            "index-unused",
            Severity::Note,
            index_name(table, index),
            format!("never used since statistics began; it takes {} MiB", index.bytes >> 20),
            "Drop it if that is long enough, and no standby uses it.",
        )
    })
}

fn index_name(table: &CatalogTable, index: &CatalogIndex) -> String {
    format!("{}.{}", quote_ident(&table.name.schema), quote_ident(&index.name))
}

fn drop_index(table: &CatalogTable, index: &CatalogIndex) -> String {
    format!("DROP INDEX CONCURRENTLY {}", index_name(table, index))
}

fn near_end(sequence: &CatalogSequence) -> Option<Finding> {
    let last = sequence.last_value.filter(|_| sequence.increment > 0)?;
    let used = i128::from(last) * 100 / i128::from(sequence.max.max(1));
    (used >= SEQUENCE_USED_MAX).then(|| {
        schema_finding(
            "sequence-near-end",
            Severity::Error,
            sequence.sequence.clone(),
            format!(
                "{used} % of the numbers that fit {}.{} are used: {last} of {}",
                sequence.table,
                quote_ident(&sequence.column),
                sequence.max
            ),
            "Make column and sequence bigint before inserts fail.",
        )
    })
}

fn bloat(table: &CatalogTable) -> Option<Finding> {
    let width = table.row_width.filter(|_| table.rows_estimate > 0.0)?;
    let needed = table.rows_estimate * (width + ROW_OVERHEAD);
    let wasted = table.heap_bytes as f64 - needed;
    if table.heap_bytes < BLOAT_BYTES_MIN || wasted < table.heap_bytes as f64 / 2.0 {
        return None;
    }
    let what = format!(
        "about {:.0} of {} MiB are not used by rows; {} rows wait for a vacuum (estimate)",
        wasted / f64::from(1 << 20),
        table.heap_bytes >> 20,
        table.dead_rows
    );
    Some(schema_finding(
        "bloat",
        Severity::Note,
        table.name.to_string(),
        what,
        "See whether autovacuum keeps up and what holds it back (long transactions: pgfleet monitor); \
         pg_repack or VACUUM FULL gives the room back.",
    ))
}
