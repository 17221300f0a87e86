//! What in a sample needs somebody's attention.

use serde::Serialize;

use super::figures::Sample;

/// From where on something needs attention.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Share of connections in use.
    pub connections: f64,
    /// Seconds that a transaction may be open.
    pub transaction_s: f64,
    /// Share of pages found in shared memory, at least.
    pub cache_hit: f64,
    /// Seconds that a standby may be behind.
    pub replication_s: f64,
    /// Bytes of log that a slot may hold back.
    pub slot_bytes: u64,
    /// Age of the oldest row version in transactions.
    pub xid_age: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 0.8,
            transaction_s: 300.0,
            cache_hit: 0.9,
            replication_s: 60.0,
            slot_bytes: 1 << 30,
            xid_age: 1_000_000_000,
        }
    }
}

/// Something that needs attention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attention {
    /// A short name, the same whatever the figures.
    pub of: &'static str,
    /// What is so, with its figures.
    pub what: String,
    /// What to do.
    pub advice: &'static str,
}

/// Everything in a sample that is beyond its limit.
pub fn attention(sample: &Sample, limits: &Limits) -> Vec<Attention> {
    let mut found = Vec::new();
    let mut add = |of, what, advice| found.push(Attention { of, what, advice });
    connections(sample, limits, &mut add);
    for one in sample.transactions.iter().filter(|one| one.age_s > limits.transaction_s) {
        let what = format!(
            "a transaction of {} (pid {}, {}) is open for {:.0} s",
            one.user, one.pid, one.state, one.age_s
        );
        add(
            "transaction",
            what,
            "It holds back vacuum, and locks. End it: SELECT pg_terminate_backend(pid).",
        );
    }
    for one in sample.transactions.iter().filter(|one| !one.blocked_by.is_empty()) {
        let by: Vec<_> = one.blocked_by.iter().map(ToString::to_string).collect();
        let what = format!("pid {} waits for pid {}", one.pid, by.join(", "));
        add("blocked", what, "Look at what the blocking session does.");
    }
    if let Some(hit) = sample.cache_hit.filter(|hit| *hit < limits.cache_hit) {
        let what = format!("only {:.1} % of pages were found in shared memory", hit * 100.0);
        add("cache", what, "shared_buffers may be too small, or queries read whole tables.");
    }
    replication(sample, limits, &mut add);
    if sample.oldest_xid_age > limits.xid_age {
        let what = format!("the oldest row version is {} transactions old", sample.oldest_xid_age);
        add(
            "wraparound",
            what,
            "See what keeps autovacuum from freezing: at 2 billion the server stops.",
        );
    }
    found
}

fn connections(
    sample: &Sample,
    limits: &Limits,
    add: &mut impl FnMut(&'static str, String, &'static str),
) {
    let usable = sample.connections_max.saturating_sub(sample.connections_reserved);
    if sample.connections as f64 > limits.connections * usable as f64 {
        let what = format!("{} of {usable} connections are in use", sample.connections);
        add("connections", what, "Put a pooler in front, or find who keeps sessions idle.");
    }
    let limit = sample.connections_limit_here;
    if let Some(limit) =
        limit.filter(|l| sample.connections_here as f64 > limits.connections * *l as f64)
    {
        let what =
            format!("{} of the database's {limit} connections are in use", sample.connections_here);
        add("connections", what, "Raise it: ALTER DATABASE … CONNECTION LIMIT.");
    }
}

fn replication(
    sample: &Sample,
    limits: &Limits,
    add: &mut impl FnMut(&'static str, String, &'static str),
) {
    for replica in &sample.replicas {
        let behind = replica.lag_s.filter(|lag| *lag > limits.replication_s);
        if let Some(lag) = behind {
            let what =
                format!("{} is {lag:.0} s behind ({} bytes)", replica.name, replica.lag_bytes);
            add("replication", what, "Look at its disk, its network and its long queries.");
        }
    }
    if let Some(delay) = sample.standby_delay_s.filter(|delay| *delay > limits.replication_s) {
        add(
            "replication",
            format!("this standby is {delay:.0} s behind"),
            "Look at its log and its long queries.",
        );
    }
    for (slot, bytes) in sample.slots.iter().filter(|(_, bytes)| **bytes > limits.slot_bytes) {
        let what = format!("the slot {slot} holds back {} MiB of log", bytes >> 20);
        add("slot", what, "Start its receiver, or drop it: the disk fills up otherwise.");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::{LongTransaction, Replica};

    #[test]
    fn each_limit_is_looked_at() {
        let quiet = Sample {
            connections: 8,
            connections_max: 13,
            connections_reserved: 3,
            ..Sample::default()
        };
        assert_eq!(attention(&quiet, &Limits::default()), []);
        let transaction = LongTransaction {
            pid: 7,
            user: "web".into(),
            application: String::new(),
            age_s: 301.0,
            state: "idle in transaction".into(),
            waits_for: None,
            blocked_by: vec![8],
            query: String::new(),
        };
        let replica = Replica {
            name: "r".into(),
            state: "streaming".into(),
            lag_bytes: 1,
            lag_s: Some(61.0),
        };
        let busy = Sample {
            connections: 9,
            connections_here: 9,
            connections_limit_here: Some(10),
            transactions: vec![transaction],
            cache_hit: Some(0.5),
            replicas: vec![replica],
            standby_delay_s: Some(90.0),
            slots: [("s".to_owned(), 2 << 30)].into(),
            oldest_xid_age: 1_500_000_000,
            ..quiet
        };
        let names: Vec<_> = attention(&busy, &Limits::default()).iter().map(|one| one.of).collect();
        assert_eq!(
            names,
            [
                "connections",
                "connections",
                "transaction",
                "blocked",
                "cache",
                "replication",
                "replication",
                "slot",
                "wraparound",
            ]
        );
    }
}
