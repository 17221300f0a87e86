//! Samples in Prometheus' text form (its documentation, "Exposition formats", version 0.0.4).

use super::figures::Sample;

/// One metric's name, kind, what it is, and its values with their labels.
struct Metric<'a> {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    value: &'a dyn Fn(&Sample) -> Vec<(Vec<(&'static str, String)>, f64)>,
}

/// The page: every metric of every target.
pub fn prometheus(samples: &[(String, Sample)]) -> String {
    let single = |value: f64| vec![(Vec::new(), value)];
    let metrics = [
        Metric {
            name: "pgfleet_up",
            kind: "gauge",
            help: "The database answered.",
            value: &|_| single(1.0),
        },
        Metric {
            name: "pgfleet_answer_seconds",
            kind: "gauge",
            help: "Time that all figures took.",
            value: &|s| single(s.answered_ms / 1000.0),
        },
        Metric {
            name: "pgfleet_server_connections",
            kind: "gauge",
            help: "Client sessions on the server.",
            value: &|s| single(s.connections as f64),
        },
        Metric {
            name: "pgfleet_server_connections_max",
            kind: "gauge",
            help: "max_connections.",
            value: &|s| single(s.connections_max as f64),
        },
        Metric {
            name: "pgfleet_connections",
            kind: "gauge",
            help: "Client sessions in the database, by state.",
            value: &|s| {
                s.states
                    .iter()
                    .map(|(state, count)| (vec![("state", state.clone())], *count as f64))
                    .collect()
            },
        },
        Metric {
            name: "pgfleet_cache_hit_ratio",
            kind: "gauge",
            help: "Share of pages found in shared memory.",
            value: &|s| s.cache_hit.map(single).unwrap_or_default(),
        },
        Metric {
            name: "pgfleet_commits_total",
            kind: "counter",
            help: "Transactions committed.",
            value: &|s| single(s.commits as f64),
        },
        Metric {
            name: "pgfleet_rollbacks_total",
            kind: "counter",
            help: "Transactions rolled back.",
            value: &|s| single(s.rollbacks as f64),
        },
        Metric {
            name: "pgfleet_deadlocks_total",
            kind: "counter",
            help: "Deadlocks.",
            value: &|s| single(s.deadlocks as f64),
        },
        Metric {
            name: "pgfleet_temporary_bytes_total",
            kind: "counter",
            help: "Bytes of temporary files.",
            value: &|s| single(s.temporary_bytes as f64),
        },
        Metric {
            name: "pgfleet_database_bytes",
            kind: "gauge",
            help: "Size of the database.",
            value: &|s| single(s.database_bytes as f64),
        },
        Metric {
            name: "pgfleet_table_bytes",
            kind: "gauge",
            help: "Size of the largest tables, with indexes.",
            value: &|s| {
                s.tables
                    .iter()
                    .map(|t| (vec![("table", t.table.clone())], t.bytes as f64))
                    .collect()
            },
        },
        Metric {
            name: "pgfleet_table_dead_rows",
            kind: "gauge",
            help: "Rows that a vacuum would remove.",
            value: &|s| {
                s.tables
                    .iter()
                    .map(|t| (vec![("table", t.table.clone())], t.dead_rows as f64))
                    .collect()
            },
        },
        Metric {
            name: "pgfleet_oldest_transaction_seconds",
            kind: "gauge",
            help: "Age of the oldest open transaction.",
            value: &|s| single(s.transactions.iter().map(|t| t.age_s).fold(0.0, f64::max)),
        },
        Metric {
            name: "pgfleet_blocked_sessions",
            kind: "gauge",
            help: "Sessions that wait for another's lock.",
            value: &|s| {
                single(s.transactions.iter().filter(|t| !t.blocked_by.is_empty()).count() as f64)
            },
        },
        Metric {
            name: "pgfleet_replica_lag_bytes",
            kind: "gauge",
            help: "Log that a receiver has not replayed.",
            value: &|s| {
                s.replicas
                    .iter()
                    .map(|r| (vec![("replica", r.name.clone())], r.lag_bytes as f64))
                    .collect()
            },
        },
        Metric {
            name: "pgfleet_slot_held_bytes",
            kind: "gauge",
            help: "Log that a replication slot holds back.",
            value: &|s| {
                s.slots
                    .iter()
                    .map(|(slot, bytes)| (vec![("slot", slot.clone())], *bytes as f64))
                    .collect()
            },
        },
        Metric {
            name: "pgfleet_oldest_xid_age",
            kind: "gauge",
            help: "Age of the oldest row version in transactions.",
            value: &|s| single(s.oldest_xid_age as f64),
        },
    ];
    metrics.iter().map(|metric| page_part(metric, samples)).collect()
}

fn page_part(metric: &Metric<'_>, samples: &[(String, Sample)]) -> String {
    let mut text =
        format!("# HELP {0} {1}\n# TYPE {0} {2}\n", metric.name, metric.help, metric.kind);
    for (target, sample) in samples {
        for (labels, value) in (metric.value)(sample) {
            let mut all = vec![format!("target=\"{}\"", escaped(target))];
            all.extend(labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))));
            text.push_str(&format!("{}{{{}}} {value}\n", metric.name, all.join(",")));
        }
    }
    text
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
        let page = prometheus(&[("a\"b\\\n".to_owned(), sample)]);
        assert!(
            page.contains("pgfleet_connections{target=\"a\\\"b\\\\\\n\",state=\"idle\"} 3\n"),
            "{page}"
        );
        for line in page.lines().filter(|line| !line.starts_with('#')) {
            let value = line.rsplit(' ').next().unwrap();
            assert!(value.parse::<f64>().is_ok(), "{line}");
        }
    }
}
