//! The records of all-or-none runs in the control database: what was decided about the targets'
//! prepared transactions.
//!
//! Invariant: a record is there before the first transaction is prepared. It goes from `preparing`
//! to `committing` or `aborting` by one update that waits for the disk, and whoever makes it
//! decides for everybody.

use std::time::{Duration, Instant};

use pgfleet_core::diagnose::{Code, Problem};
use serde::{Deserialize, Serialize};

use super::control::{Control, first_cell, lock_class};
use crate::journal::literal;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS pgfleet.atomic (\
     id text PRIMARY KEY, group_name text NOT NULL, targets jsonb NOT NULL, \
     state text NOT NULL CHECK (state IN ('preparing', 'committing', 'aborting', 'done', 'aborted')), \
     client text NOT NULL, began_by text NOT NULL DEFAULT current_user, \
     began_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(), \
     decided_at timestamptz, ended_at timestamptz)";

/// A target of a record; its position is the number in the prepared transaction's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RecordTarget {
    pub(super) name: String,
    pub(super) database: String,
    pub(super) schema: Option<String>,
}

/// A record as it was read.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) id: String,
    pub(super) state: String,
    pub(super) targets: Vec<RecordTarget>,
}

/// What a target's prepared transaction is called.
pub(super) fn prepared_name(id: &str, number: usize) -> String {
    format!("pgfleet/{id}/{number}")
}

impl Control {
    /// Takes the lock under which one process at a time works on a group all or none.
    pub(super) async fn lock_atomic(&self, group: &str, wait_ms: u64) -> Result<(), Box<Problem>> {
        let there = "SELECT pg_catalog.to_regclass('pgfleet.atomic') IS NOT NULL";
        if first_cell(&self.ask(there).await?).as_deref() != Some("t") {
            self.alone(CREATE).await?;
        }
        let class = lock_class(&format!("atomic {group}"));
        let sql = format!("SELECT pg_catalog.pg_try_advisory_lock({class}, 0)");
        let begun = Instant::now();
        while first_cell(&self.ask(&sql).await?).as_deref() != Some("t") {
            if begun.elapsed() >= Duration::from_millis(wait_ms) {
                let what = format!("another all-or-none run of {group} is at work");
                return Err(Box::new(
                    Problem::error(Code::AtomicUnsettled, what)
                        .because(format!("waited {wait_ms} ms for its lock in {}", self.place()))
                        .fix("Wait for it to end, and run the same command again."),
                ));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    pub(super) async fn insert_record(
        &self,
        id: &str,
        group: &str,
        targets: &[RecordTarget],
    ) -> Result<(), Box<Problem>> {
        let sql = format!(
            "INSERT INTO pgfleet.atomic (id, group_name, targets, state, client) \
             VALUES ({}, {}, {}::jsonb, 'preparing', {})",
            literal(id),
            literal(group),
            literal(&serde_json::to_string(targets).unwrap_or_default()),
            literal(&format!("pgfleet {}", env!("CARGO_PKG_VERSION"))),
        );
        self.durably(&sql).await.map(|_| ())
    }

    /// Decides, unless somebody did before. Gives what holds.
    pub(super) async fn decide(&self, id: &str, commit: bool) -> Result<bool, Box<Problem>> {
        let state = if commit { "committing" } else { "aborting" };
        let id = literal(id);
        self.durably(&format!(
            "UPDATE pgfleet.atomic SET state = '{state}', \
             decided_at = pg_catalog.clock_timestamp() WHERE id = {id} AND state = 'preparing'"
        ))
        .await?;
        let holds = self.ask(&format!("SELECT state FROM pgfleet.atomic WHERE id = {id}")).await?;
        Ok(first_cell(&holds).is_some_and(|state| is_commit(&state)))
    }

    pub(super) async fn end_record(&self, id: &str, commit: bool) -> Result<(), Box<Problem>> {
        let (from, to) = if commit { ("committing", "done") } else { ("aborting", "aborted") };
        self.durably(&format!(
            "UPDATE pgfleet.atomic SET state = '{to}', ended_at = pg_catalog.clock_timestamp() \
             WHERE id = {} AND state = '{from}'",
            literal(id)
        ))
        .await
        .map(|_| ())
    }

    /// Records of a group that are not over, and those whose identifiers are given.
    pub(super) async fn records(
        &self,
        group: &str,
        ids: &[String],
    ) -> Result<Vec<Record>, Box<Problem>> {
        let ids: Vec<_> = ids.iter().map(|id| literal(id)).collect();
        let sql = format!(
            "SELECT id, state, targets::text FROM pgfleet.atomic WHERE group_name = {} AND \
             (state NOT IN ('done', 'aborted') OR id = ANY (ARRAY[{}]::text[])) ORDER BY began_at",
            literal(group),
            ids.join(", ")
        );
        let parse = |row: &Vec<Option<String>>| {
            let text = |at: usize| row.get(at).cloned().flatten();
            let targets = serde_json::from_str(&text(2)?).ok()?;
            Some(Record { id: text(0)?, state: text(1)?, targets })
        };
        Ok(self.ask(&sql).await?.iter().filter_map(parse).collect())
    }

    /// One statement whose commit waits for the disk, whatever the server's setting.
    async fn durably(&self, sql: &str) -> Result<Vec<Vec<Option<String>>>, Box<Problem>> {
        self.alone(&format!("SET LOCAL synchronous_commit TO on; {sql}")).await
    }
}

pub(super) fn is_commit(state: &str) -> bool {
    matches!(state, "committing" | "done")
}
