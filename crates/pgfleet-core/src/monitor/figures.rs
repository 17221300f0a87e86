//! One look at a database.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Everything that one look gave.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// When, seconds since 1970.
    pub at_s: f64,
    /// The server's version, 150004 for 15.4.
    pub server_version_num: u32,
    /// How long the look took, a round trip included.
    #[serde(default)]
    pub answered_ms: f64,
    /// Sessions of clients on the server.
    pub connections: u64,
    /// Of those, in this database.
    pub connections_here: u64,
    /// Of those in this database, by state.
    pub states: BTreeMap<String, u64>,
    /// `max_connections`.
    pub connections_max: u64,
    /// Of those, kept for superusers.
    pub connections_reserved: u64,
    /// `CONNECTION LIMIT` of the database; none without.
    pub connections_limit_here: Option<u64>,
    /// Share of pages found in shared memory since statistics began; none before the first read.
    pub cache_hit: Option<f64>,
    /// Transactions committed and rolled back since statistics began.
    pub commits: u64,
    /// Rolled back.
    pub rollbacks: u64,
    /// Deadlocks since statistics began.
    pub deadlocks: u64,
    /// Bytes of temporary files since statistics began.
    pub temporary_bytes: u64,
    /// Age of the oldest row version in transactions; at 2 billion the server stops.
    pub oldest_xid_age: u64,
    /// Settings that decide about memory.
    pub memory: Vec<MemorySetting>,
    /// Bytes of the database.
    pub database_bytes: u64,
    /// The largest tables, the largest first.
    pub tables: Vec<TableFigures>,
    /// Transactions that are open for long, the oldest first.
    pub transactions: Vec<LongTransaction>,
    /// Standbys and other receivers of the log.
    pub replicas: Vec<Replica>,
    /// Bytes of log that slots hold back, by slot.
    pub slots: BTreeMap<String, u64>,
    /// How far a standby is behind, when this server is one.
    pub standby_delay_s: Option<f64>,
    /// Statements that took most time; none without pg_stat_statements.
    pub statements: Option<Vec<SlowStatement>>,
}

/// A setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemorySetting {
    /// Its name.
    pub name: String,
    /// Its value with its unit, as `SHOW` gives it.
    pub value: String,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableFigures {
    /// As SQL, with its schema.
    pub table: String,
    /// With indexes and TOAST.
    pub bytes: u64,
    /// Rows, by the statistics.
    pub live_rows: u64,
    /// Rows that a vacuum would remove, by the statistics.
    pub dead_rows: u64,
}

/// A transaction that is open for long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LongTransaction {
    /// The backend's process.
    pub pid: i32,
    /// Who.
    pub user: String,
    /// `application_name`.
    pub application: String,
    /// Since when, seconds.
    pub age_s: f64,
    /// `active`, `idle in transaction` …
    pub state: String,
    /// What it waits for.
    pub waits_for: Option<String>,
    /// Backends that hold it up.
    pub blocked_by: Vec<i32>,
    /// What it runs, cut.
    pub query: String,
}

/// A receiver of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Replica {
    /// Its `application_name`.
    pub name: String,
    /// `streaming`, `catchup` …
    pub state: String,
    /// Bytes of log that it has not replayed.
    pub lag_bytes: u64,
    /// The time that it is behind, as it says.
    pub lag_s: Option<f64>,
}

/// A statement of pg_stat_statements.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SlowStatement {
    /// Calls.
    pub calls: u64,
    /// Milliseconds in all.
    pub total_ms: f64,
    /// Milliseconds of one call, in the mean.
    pub mean_ms: f64,
    /// Rows.
    pub rows: u64,
    /// The statement, cut, without its values.
    pub query: String,
}

/// How something grew since an earlier look.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Growth {
    /// The table; none for the database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// Bytes more than then; fewer below 0.
    pub bytes: i64,
    /// Seconds between the two looks.
    pub over_s: f64,
}

/// What grew between two looks, the database first, then tables by their growth.
pub fn growth(then: &Sample, now: &Sample) -> Vec<Growth> {
    let over_s = now.at_s - then.at_s;
    let more =
        |now: u64, then: u64| i64::try_from(i128::from(now) - i128::from(then)).unwrap_or(i64::MAX);
    let before: BTreeMap<&str, u64> =
        then.tables.iter().map(|table| (table.table.as_str(), table.bytes)).collect();
    let mut grown: Vec<_> = now
        .tables
        .iter()
        .filter_map(|table| {
            let bytes = more(table.bytes, *before.get(table.table.as_str())?);
            (bytes != 0).then(|| Growth { table: Some(table.table.clone()), bytes, over_s })
        })
        .collect();
    grown.sort_by_key(|table| std::cmp::Reverse(table.bytes));
    let database =
        Growth { table: None, bytes: more(now.database_bytes, then.database_bytes), over_s };
    std::iter::once(database).chain(grown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_of_what_was_there_before() {
        let table = |name: &str, bytes| TableFigures {
            table: name.to_owned(),
            bytes,
            live_rows: 0,
            dead_rows: 0,
        };
        let sample = |at_s, database_bytes, tables| Sample {
            at_s,
            database_bytes,
            tables,
            ..Sample::default()
        };
        let then = sample(10.0, 100, vec![table("a", 50), table("b", 10), table("c", 5)]);
        let now =
            sample(70.0, 90, vec![table("a", 51), table("b", 30), table("c", 5), table("d", 4)]);
        let grown: Vec<_> = growth(&then, &now).into_iter().map(|g| (g.table, g.bytes)).collect();
        assert_eq!(grown, [(None, -10), (Some("b".to_owned()), 20), (Some("a".to_owned()), 1)]);
    }
}
