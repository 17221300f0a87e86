//! The control database: the manifest's tables, leases, and the statements that change them.

use std::cell::RefCell;
use std::collections::BTreeSet;

use pgfleet_core::diagnose::Problem;
use pgfleet_core::fleet::{RolloutState, WaveCounts};
use pgfleet_core::plan::hash_text;

use super::super::group::Group;
use crate::conduct::Target;
use crate::connect::{Session, SessionError, check_pooler, probe};
use crate::journal::literal;
use crate::project::Project;

/// Held while the tables are made and a rollout is begun.
const BEGIN_KEY: i64 = 0x7067_666c_6565_7404;

const CREATE: &str = "CREATE SCHEMA IF NOT EXISTS pgfleet; \
     CREATE TABLE IF NOT EXISTS pgfleet.rollouts (\
     rollout_id text PRIMARY KEY, group_name text NOT NULL, state text NOT NULL, \
     note text NOT NULL DEFAULT '', rules jsonb NOT NULL, folder text NOT NULL, \
     client text NOT NULL, began_by text NOT NULL DEFAULT current_user, \
     began_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(), ended_at timestamptz); \
     CREATE TABLE IF NOT EXISTS pgfleet.rollout_targets (\
     rollout_id text NOT NULL REFERENCES pgfleet.rollouts ON DELETE CASCADE, \
     position integer NOT NULL, target text NOT NULL, wave integer NOT NULL, \
     state text NOT NULL DEFAULT 'waiting', attempts integer NOT NULL DEFAULT 0, holder text, \
     versions text[], headline text NOT NULL DEFAULT '', problem jsonb, \
     began_at timestamptz, ended_at timestamptz, PRIMARY KEY (rollout_id, position)); \
     CREATE TABLE IF NOT EXISTS pgfleet.rollout_waves (\
     rollout_id text NOT NULL REFERENCES pgfleet.rollouts ON DELETE CASCADE, \
     wave integer NOT NULL, passed_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(), \
     PRIMARY KEY (rollout_id, wave))";

/// A session on the control database.
pub struct Control {
    target: Target,
    pub(super) session: Session,
    /// Leases that this process holds: a session may take an advisory lock twice.
    held: RefCell<BTreeSet<i32>>,
    /// Held while a lease is taken, so that no two workers of this process take the same one.
    claiming: tokio::sync::Mutex<()>,
}

/// A target that this process has the lease of.
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) position: i32,
    /// What it is to be migrated by, as an earlier attempt said.
    pub(super) versions: Option<Vec<String>>,
}

/// What is worked on: states of targets that may be claimed, and of the rollout.
#[derive(Debug, Clone, Copy)]
pub(super) struct Phase {
    pub(super) targets: &'static str,
    pub(super) rollout: RolloutState,
}

/// Targets to migrate.
pub(super) const FORWARD: Phase =
    Phase { targets: "'waiting', 'running'", rollout: RolloutState::Running };

/// Targets to take back.
pub(super) const BACK: Phase =
    Phase { targets: "'done', 'failed', 'running'", rollout: RolloutState::TakingBack };

impl Control {
    /// Connects to the control database of a group: the configured one, else the group's registry,
    /// else its first target.
    ///
    /// # Errors
    /// When it cannot be reached, or only through a pooler in transaction mode.
    pub async fn connect(project: &Project, group: &Group) -> Result<Self, Box<Problem>> {
        let spec = match (&project.file.rollout.control, &group.registry, group.members.first()) {
            (Some(url), _, _) => project.spec_of(url)?,
            (None, Some(registry), _) => project.spec_of(registry)?,
            (None, None, Some(first)) => first.target.spec.clone(),
            (None, None, None) => project.connect_spec()?,
        };
        let target = Target::at("the control database", spec, &project.settings);
        let session = target.connect().await?;
        let facts = probe(&session).await.map_err(|error| target.session_problem(&error))?;
        check_pooler(&target.spec, &session, &facts).await.map_err(Box::new)?;
        let there = "SELECT pg_catalog.to_regclass('pgfleet.rollout_waves') IS NOT NULL";
        let control =
            Self { target, session, held: RefCell::default(), claiming: Default::default() };
        if first_cell(&control.ask(there).await?).as_deref() != Some("t") {
            let lock = format!("SELECT pg_catalog.pg_advisory_xact_lock({BEGIN_KEY})");
            control.ask(&format!("BEGIN; {lock}; {CREATE}; COMMIT")).await?;
        }
        Ok(control)
    }

    /// Where it is, without secrets.
    pub fn place(&self) -> String {
        self.target.spec.redacted()
    }

    /// Asks, with errors as problems.
    pub(super) async fn ask(&self, sql: &str) -> Result<Vec<Vec<Option<String>>>, Box<Problem>> {
        self.session.query_text(sql).await.map_err(|error| self.problem(&error))
    }

    pub(super) fn problem(&self, error: &SessionError) -> Box<Problem> {
        self.target.session_problem(error)
    }

    /// Statements in one transaction, alone among those that begin or change rollouts.
    pub(super) async fn alone(&self, sql: &str) -> Result<Vec<Vec<Option<String>>>, Box<Problem>> {
        let lock = format!("PERFORM pg_catalog.pg_advisory_xact_lock({BEGIN_KEY})");
        let text = format!("BEGIN; DO $lock$ BEGIN {lock}; END $lock$; {sql}; COMMIT");
        let answer = self.ask(&text).await;
        if answer.is_err() {
            // The transaction may be open; whatever the answer, the next request tells more.
            let _ = self.session.batch("ROLLBACK").await;
        }
        answer
    }

    /// Takes the lease of a target that nobody works on.
    pub(super) async fn claim(
        &self,
        rollout: &str,
        wave: Option<usize>,
        positions: &[i32],
        phase: Phase,
    ) -> Result<Option<Lease>, Box<Problem>> {
        let positions: Vec<_> = positions.iter().map(ToString::to_string).collect();
        loop {
            let claiming = self.claiming.lock().await;
            let held: Vec<_> = self.held.borrow().iter().map(ToString::to_string).collect();
            let in_wave = wave.map(|wave| format!("AND wave = {wave}")).unwrap_or_default();
            let sql = format!(
                "WITH open AS MATERIALIZED (SELECT position FROM pgfleet.rollout_targets \
                 WHERE rollout_id = {id} {in_wave} AND state IN ({states}) \
                 AND position = ANY ('{{{mine}}}') AND position <> ALL ('{{{held}}}') \
                 ORDER BY position) \
                 SELECT position FROM open \
                 WHERE pg_catalog.pg_try_advisory_lock({class}, position) LIMIT 1",
                id = literal(rollout),
                states = phase.targets,
                mine = positions.join(","),
                held = held.join(","),
                class = lock_class(rollout),
            );
            let found = first_cell(&self.ask(&sql).await?).and_then(|text| text.parse().ok());
            let Some(position) = found else { return Ok(None) };
            self.held.borrow_mut().insert(position);
            drop(claiming);
            if let Some(lease) = self.begin_target(rollout, position, phase).await? {
                return Ok(Some(lease));
            }
            self.release(rollout, position).await?;
            // Somebody ended it in between, or the rollout is no longer what it was.
            if !self.is_in(rollout, phase.rollout).await? {
                return Ok(None);
            }
        }
    }

    async fn begin_target(
        &self,
        rollout: &str,
        position: i32,
        phase: Phase,
    ) -> Result<Option<Lease>, Box<Problem>> {
        let sql = format!(
            "UPDATE pgfleet.rollout_targets t SET state = CASE WHEN {forward} THEN 'running' ELSE t.state END, \
             holder = {holder}, attempts = t.attempts + 1, began_at = pg_catalog.clock_timestamp() \
             FROM pgfleet.rollouts r WHERE r.rollout_id = t.rollout_id AND t.rollout_id = {id} \
             AND t.position = {position} AND t.state IN ({states}) AND r.state = '{state}' \
             RETURNING t.versions IS NOT NULL, pg_catalog.array_to_json(t.versions)",
            forward = phase.rollout == RolloutState::Running,
            holder = literal(&holder()),
            id = literal(rollout),
            states = phase.targets,
            state = phase.rollout.name(),
        );
        let rows = self.ask(&sql).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let versions = row.get(1).cloned().flatten();
        let versions = versions.and_then(|text| serde_json::from_str(&text).ok());
        Ok(Some(Lease { position, versions }))
    }

    /// Says what a target is about to be migrated by; what an earlier attempt said stays.
    pub(super) async fn intend(
        &self,
        rollout: &str,
        position: i32,
        versions: &[String],
    ) -> Result<(), Box<Problem>> {
        let list: Vec<_> = versions.iter().map(|version| literal(version)).collect();
        let sql = format!(
            "UPDATE pgfleet.rollout_targets SET versions = ARRAY[{}]::text[] \
             WHERE rollout_id = {} AND position = {position} AND versions IS NULL",
            list.join(", "),
            literal(rollout),
        );
        self.ask(&sql).await.map(|_| ())
    }

    /// Says how a target ended, and gives its lease back.
    pub(super) async fn end_target(
        &self,
        rollout: &str,
        position: i32,
        state: &str,
        headline: &str,
        problem: Option<&Problem>,
    ) -> Result<(), Box<Problem>> {
        let problem = problem.and_then(|problem| serde_json::to_string(problem).ok());
        let sql = format!(
            "UPDATE pgfleet.rollout_targets SET state = '{state}', headline = {}, problem = {}, \
             ended_at = pg_catalog.clock_timestamp() WHERE rollout_id = {} AND position = {position}",
            literal(headline),
            problem.map_or_else(|| "NULL".to_owned(), |text| format!("{}::jsonb", literal(&text))),
            literal(rollout),
        );
        let ended = self.ask(&sql).await;
        self.release(rollout, position).await?;
        ended.map(|_| ())
    }

    async fn release(&self, rollout: &str, position: i32) -> Result<(), Box<Problem>> {
        let class = lock_class(rollout);
        let sql = format!("SELECT pg_catalog.pg_advisory_unlock({class}, {position})");
        self.ask(&sql).await?;
        self.held.borrow_mut().remove(&position);
        Ok(())
    }

    /// Takes the lock of a wave's gate: one process looks, the others wait.
    pub(super) async fn try_gate(&self, rollout: &str, wave: usize) -> Result<bool, Box<Problem>> {
        let sql = format!("SELECT pg_catalog.pg_try_advisory_lock({})", gate(rollout, wave));
        Ok(first_cell(&self.ask(&sql).await?).as_deref() == Some("t"))
    }

    pub(super) async fn leave_gate(&self, rollout: &str, wave: usize) -> Result<(), Box<Problem>> {
        let sql = format!("SELECT pg_catalog.pg_advisory_unlock({})", gate(rollout, wave));
        self.ask(&sql).await.map(|_| ())
    }

    /// Says that the next wave may begin; with a note, once a person says so. One transaction, so
    /// that no wave begins unconfirmed.
    pub(super) async fn pass(
        &self,
        rollout: &str,
        wave: usize,
        pause: Option<&str>,
    ) -> Result<(), Box<Problem>> {
        let pause = pause.map(|note| {
            format!(
                "UPDATE pgfleet.rollouts SET state = 'paused', note = {} \
                 WHERE rollout_id = {} AND state = 'running'; ",
                literal(note),
                literal(rollout)
            )
        });
        let pause = pause.unwrap_or_default();
        let sql = format!(
            "{pause}INSERT INTO pgfleet.rollout_waves (rollout_id, wave) VALUES ({}, {wave}) \
             ON CONFLICT DO NOTHING",
            literal(rollout)
        );
        self.ask(&sql).await.map(|_| ())
    }

    /// Changes the rollout's state, when it is in one of these. True when it was.
    pub(super) async fn change(
        &self,
        rollout: &str,
        from: &[RolloutState],
        to: RolloutState,
        note: &str,
    ) -> Result<bool, Box<Problem>> {
        let from: Vec<_> = from.iter().map(|state| format!("'{}'", state.name())).collect();
        let ended = if to.is_over() { "pg_catalog.clock_timestamp()" } else { "NULL" };
        let sql = format!(
            "UPDATE pgfleet.rollouts SET state = '{}', note = {}, ended_at = {ended} \
             WHERE rollout_id = {} AND state IN ({}) RETURNING 1",
            to.name(),
            literal(note),
            literal(rollout),
            from.join(", ")
        );
        Ok(!self.ask(&sql).await?.is_empty())
    }

    async fn is_in(&self, rollout: &str, state: RolloutState) -> Result<bool, Box<Problem>> {
        let sql = format!(
            "SELECT 1 FROM pgfleet.rollouts WHERE rollout_id = {} AND state = '{}'",
            literal(rollout),
            state.name()
        );
        Ok(!self.ask(&sql).await?.is_empty())
    }

    /// The rollout's state and its waves.
    pub(super) async fn look(
        &self,
        rollout: &str,
    ) -> Result<(RolloutState, String, Vec<WaveCounts>), Box<Problem>> {
        let id = literal(rollout);
        let sql = format!(
            "SELECT 'r', state, note, NULL FROM pgfleet.rollouts WHERE rollout_id = {id} \
             UNION ALL SELECT 't', state, wave::text, count(*)::text FROM pgfleet.rollout_targets \
             WHERE rollout_id = {id} GROUP BY state, wave \
             UNION ALL SELECT 'w', '', wave::text, NULL FROM pgfleet.rollout_waves \
             WHERE rollout_id = {id}"
        );
        let (mut state, mut note) = (RolloutState::Aborted, String::new());
        let mut waves: Vec<WaveCounts> = Vec::new();
        for row in self.ask(&sql).await? {
            let text = |at: usize| row.get(at).cloned().flatten().unwrap_or_default();
            if text(0) == "r" {
                state = RolloutState::parse(&text(1)).unwrap_or(RolloutState::Aborted);
                note = text(2);
                continue;
            }
            let wave = text(2).parse().unwrap_or(0);
            if waves.len() <= wave {
                waves.resize(wave + 1, WaveCounts::default());
            }
            let (counts, count) = (&mut waves[wave], text(3).parse().unwrap_or(0));
            match (text(0).as_str(), text(1).as_str()) {
                ("w", _) => counts.passed = true,
                (_, "waiting") => counts.waiting = count,
                (_, "running") => counts.running = count,
                (_, "done") => counts.done = count,
                (_, "failed") => counts.failed = count,
                (_, "taken_back") => counts.taken_back = count,
                _ => counts.stuck = count,
            }
        }
        Ok((state, note, waves))
    }
}

/// Tells rollouts apart in `pg_locks`.
pub(super) fn lock_class(rollout: &str) -> i32 {
    let digits = hash_text(rollout);
    i32::from_str_radix(&digits[..7], 16).unwrap_or_default()
}

/// Positions are not negative; gates are.
fn gate(rollout: &str, wave: usize) -> String {
    format!("{}, {}", lock_class(rollout), -1 - i64::try_from(wave).unwrap_or_default())
}

/// Who works, for people who look at the manifest.
fn holder() -> String {
    format!("pid {}", std::process::id())
}

pub(super) fn first_cell(rows: &[Vec<Option<String>>]) -> Option<String> {
    rows.first()?.first().cloned().flatten()
}
