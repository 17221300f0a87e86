//! Samples in Prometheus' text form (its documentation, "Exposition formats", version 0.0.4).

use super::figures::Sample;

/// A metric with one value for each target.
type Single = (&'static str, &'static str, &'static str, fn(&Sample) -> Option<f64>);
/// A metric with a value for each value of a label.
type Labelled =
    (&'static str, &'static str, &'static str, &'static str, fn(&Sample) -> Vec<(String, f64)>);

/// Name, kind, what it is, value.
const SINGLE: &[Single] = &[
    ("pgfleet_up", "gauge", "The database answered.", |_| Some(1.0)),
    ("pgfleet_answer_seconds", "gauge", "Time that all figures took.", |s| {
        Some(s.answered_ms / 1000.0)
    }),
    ("pgfleet_server_connections", "gauge", "Client sessions on the server.", |s| {
        Some(s.connections as f64)
    }),
    ("pgfleet_server_connections_max", "gauge", "max_connections.", |s| {
        Some(s.connections_max as f64)
    }),
    ("pgfleet_cache_hit_ratio", "gauge", "Share of pages found in shared memory.", |s| s.cache_hit),
    ("pgfleet_commits_total", "counter", "Transactions committed.", |s| Some(s.commits as f64)),
    ("pgfleet_rollbacks_total", "counter", "Transactions rolled back.", |s| {
        Some(s.rollbacks as f64)
    }),
    ("pgfleet_deadlocks_total", "counter", "Deadlocks.", |s| Some(s.deadlocks as f64)),
    ("pgfleet_temporary_bytes_total", "counter", "Bytes of temporary files.", |s| {
        Some(s.temporary_bytes as f64)
    }),
    ("pgfleet_database_bytes", "gauge", "Size of the database.", |s| Some(s.database_bytes as f64)),
    ("pgfleet_oldest_transaction_seconds", "gauge", "Age of the oldest open transaction.", |s| {
        Some(s.transactions.iter().map(|one| one.age_s).fold(0.0, f64::max))
    }),
    ("pgfleet_blocked_sessions", "gauge", "Sessions that wait for another's lock.", |s| {
        Some(s.transactions.iter().filter(|one| !one.blocked_by.is_empty()).count() as f64)
    }),
    ("pgfleet_oldest_xid_age", "gauge", "Age of the oldest row version in transactions.", |s| {
        Some(s.oldest_xid_age as f64)
    }),
];

/// Name, kind, what it is, the label's name, values by label.
const LABELLED: &[Labelled] = &[
    ("pgfleet_connections", "gauge", "Client sessions in the database.", "state", |s| {
        s.states.iter().map(|(state, count)| (state.clone(), *count as f64)).collect()
    }),
    ("pgfleet_table_bytes", "gauge", "Size of the largest tables, with indexes.", "table", |s| {
        s.tables.iter().map(|one| (one.table.clone(), one.bytes as f64)).collect()
    }),
    ("pgfleet_table_dead_rows", "gauge", "Rows that a vacuum would remove.", "table", |s| {
        s.tables.iter().map(|one| (one.table.clone(), one.dead_rows as f64)).collect()
    }),
    ("pgfleet_replica_lag_bytes", "gauge", "Log that is not replayed.", "replica", |s| {
        s.replicas.iter().map(|one| (one.name.clone(), one.lag_bytes as f64)).collect()
    }),
    ("pgfleet_slot_held_bytes", "gauge", "Log that a slot holds back.", "slot", |s| {
        s.slots.iter().map(|(slot, bytes)| (slot.clone(), *bytes as f64)).collect()
    }),
];

/// The page: every metric of every target that answered, and `pgfleet_up 0` of the others.
pub fn prometheus(samples: &[(String, Sample)], down: &[String]) -> String {
    let mut page = String::new();
    for (name, kind, help, value) in SINGLE {
        page.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        let values = samples.iter().filter_map(|(of, sample)| Some((of, value(sample)?)));
        let lines = values.map(|(of, value)| line(name, of, None, value));
        page.extend(lines);
        if *name == "pgfleet_up" {
            page.extend(down.iter().map(|of| line(name, of, None, 0.0)));
        }
    }
    for (name, kind, help, label, values) in LABELLED {
        page.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        for (of, sample) in samples {
            let values = values(sample);
            page.extend(values.iter().map(|(by, value)| line(name, of, Some((label, by)), *value)));
        }
    }
    page
}

fn line(name: &str, target: &str, label: Option<(&str, &str)>, value: f64) -> String {
    let label = label.map(|(name, by)| format!(",{name}=\"{}\"", escaped(by)));
    format!("{name}{{target=\"{}\"{}}} {value}\n", escaped(target), label.unwrap_or_default())
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped_and_every_line_has_a_value() {
        let sample = Sample {
            states: [("idle".to_owned(), 3)].into(),
            cache_hit: Some(0.5),
            ..Sample::default()
        };
        let page = prometheus(&[("a\"b\\\n".to_owned(), sample)], &["gone".to_owned()]);
        assert!(
            page.contains("pgfleet_connections{target=\"a\\\"b\\\\\\n\",state=\"idle\"} 3\n"),
            "{page}"
        );
        assert!(page.contains("pgfleet_up{target=\"gone\"} 0\n"), "{page}");
        for line in page.lines().filter(|line| !line.starts_with('#')) {
            let value = line.rsplit(' ').next().unwrap();
            assert!(value.parse::<f64>().is_ok(), "{line}");
        }
    }
}
