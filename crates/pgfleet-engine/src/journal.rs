//! The journal: which step of which run began and ended, in schema `pgfleet` of the target.
//!
//! Invariant: the row of a transactional unit commits with it. A unit that no transaction can hold
//! has a row in state `intent` before it and `done` after it. Rows stay open until the migration's
//! history row is written, in the same transaction; open rows are what a later run resumes from.

use pgfleet_core::plan::Direction;
use pgfleet_sql::QualifiedName;
pub(crate) use pgfleet_sql::quote_text as literal;

/// What tells that the journal is there; must stay the newest of its tables.
pub(crate) fn marker_table() -> QualifiedName {
    QualifiedName::new("pgfleet", "steps")
}

/// Which of several targets in one database a row belongs to: the schema of a tenant that has but
/// a schema, else nothing. The session says it, see [`crate::connect::ConnectSpec::with_scope`].
pub(crate) const SCOPE: &str = "COALESCE(pg_catalog.current_setting('pgfleet.scope', true), '')";

/// Stands for the hash of a unit that is known not to have happened.
pub const WITHDRAWN: &str = "";

/// Statements that create the journal. Short columns of `runs` spare each target a TOAST table.
pub const CREATE: &[&str] = &[
    // Runs on several schemas of one database may begin at the same time.
    "SELECT pg_catalog.pg_advisory_xact_lock(8099555070592775171)",
    "CREATE SCHEMA IF NOT EXISTS pgfleet",
    "CREATE TABLE IF NOT EXISTS pgfleet.runs (\
     run_id varchar(64) PRIMARY KEY, command varchar(32) NOT NULL, plan varchar(64) NOT NULL, \
     client varchar(64) NOT NULL, \
     started_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(), \
     ended_at timestamptz, outcome varchar(32))",
    "CREATE TABLE IF NOT EXISTS pgfleet.steps (\
     run_id text NOT NULL, version text NOT NULL, direction text NOT NULL, unit integer NOT NULL, \
     hash text NOT NULL, state text NOT NULL CHECK (state IN ('intent', 'done')), \
     scope text NOT NULL DEFAULT COALESCE(pg_catalog.current_setting('pgfleet.scope', true), ''), \
     closed boolean NOT NULL DEFAULT false, \
     began_at timestamptz NOT NULL DEFAULT pg_catalog.now(), \
     ended_at timestamptz, \
     PRIMARY KEY (version, direction, unit, run_id))",
];

/// Reads the open units: version, direction, unit, hash, state, run.
pub const READ_OPEN: &str = "SELECT version, direction, unit, hash, state, run_id FROM pgfleet.steps \
     WHERE NOT closed AND scope = COALESCE(pg_catalog.current_setting('pgfleet.scope', true), '')";

/// A unit that an earlier run began or did, of a migration that is not complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenUnit {
    /// The migration's version.
    pub version: String,
    /// Up or down.
    pub direction: Direction,
    /// 0-based position in the migration.
    pub unit: usize,
    /// Recognises the statements.
    pub hash: String,
    /// True when it is known to have happened.
    pub done: bool,
    /// The run that did it.
    pub run_id: String,
}

impl OpenUnit {
    /// A run's id begins with the time.
    fn place(&self) -> impl Ord + '_ {
        let is_down = self.direction == Direction::Down;
        (&self.version, !is_down, self.unit, !self.done, &self.run_id)
    }
}

/// Understands the rows of [`READ_OPEN`], and gives them in the order of the units: of a unit what is
/// done first, and earlier runs first. Rows that are not of its form are left out.
pub fn parse_open(rows: &[Vec<Option<String>>]) -> Vec<OpenUnit> {
    let text = |row: &[Option<String>], at: usize| row.get(at).cloned().flatten();
    let parse = |row: &Vec<Option<String>>| {
        Some(OpenUnit {
            version: text(row, 0)?,
            direction: parse_direction(&text(row, 1)?)?,
            unit: text(row, 2)?.parse().ok()?,
            hash: text(row, 3)?,
            done: text(row, 4)? == "done",
            run_id: text(row, 5)?,
        })
    };
    let mut units: Vec<_> = rows.iter().filter_map(parse).collect();
    units.sort_by(|a, b| a.place().cmp(&b.place()));
    units
}

/// Names a unit in the journal.
#[derive(Debug, Clone, Copy)]
pub struct UnitKey<'a> {
    /// The run.
    pub run_id: &'a str,
    /// The migration's version.
    pub version: &'a str,
    /// Up or down.
    pub direction: Direction,
    /// 0-based position in the migration.
    pub unit: usize,
    /// Recognises the statements.
    pub hash: &'a str,
}

impl UnitKey<'_> {
    /// As the journal's tables have it.
    pub fn direction_name(&self) -> &'static str {
        direction_name(self.direction)
    }

    /// Says that a unit outside a transaction is about to run.
    pub fn intent(&self) -> String {
        self.insert("intent", false, "NULL")
    }

    /// Says that the unit happened, in its own transaction.
    pub fn done(&self, closed: bool) -> String {
        self.insert("done", closed, "pg_catalog.clock_timestamp()")
    }

    /// Says of the unit's intents, in any run, that none was fulfilled.
    pub fn withdraw_all(&self) -> String {
        format!(
            "UPDATE pgfleet.steps SET hash = '{WITHDRAWN}' WHERE NOT closed AND state = 'intent' \
             AND version = {} AND direction = '{}' AND unit = {}",
            literal(self.version),
            direction_name(self.direction),
            self.unit,
        )
    }

    /// `FROM … WHERE …` of the unit's intents, in any run, that were neither fulfilled nor
    /// withdrawn; the table is called `s`.
    pub fn open_intents(&self) -> String {
        format!(
            "FROM pgfleet.steps s WHERE NOT s.closed AND s.scope = {SCOPE} AND s.state = 'intent' \
             AND s.version = {} AND s.direction = '{}' AND s.unit = {} AND s.hash <> '{WITHDRAWN}'",
            literal(self.version),
            direction_name(self.direction),
            self.unit,
        )
    }

    fn insert(&self, state: &str, closed: bool, ended_at: &str) -> String {
        format!(
            "INSERT INTO pgfleet.steps (run_id, version, direction, unit, hash, state, closed, ended_at) \
             VALUES ({}, {}, '{}', {}, '{}', '{state}', {closed}, {ended_at}) \
             ON CONFLICT (version, direction, unit, run_id) DO UPDATE SET \
             hash = EXCLUDED.hash, state = EXCLUDED.state, closed = EXCLUDED.closed, ended_at = EXCLUDED.ended_at",
            literal(self.run_id),
            literal(self.version),
            direction_name(self.direction),
            self.unit,
            self.hash,
        )
    }
}

/// Says that nothing of a migration is open any more.
pub fn close(version: &str, direction: Direction) -> String {
    format!(
        "UPDATE pgfleet.steps SET closed = true WHERE version = {} AND direction = '{}' \
         AND NOT closed AND scope = {SCOPE}",
        literal(version),
        direction_name(direction)
    )
}

/// Says that a run begins.
pub fn begin_run(run_id: &str, command: &str, plan: &str, client: &str) -> String {
    format!(
        "INSERT INTO pgfleet.runs (run_id, command, plan, client) VALUES ({}, {}, {}, {})",
        literal(run_id),
        literal(command),
        literal(plan),
        literal(client)
    )
}

/// Says how a run ended.
pub fn end_run(run_id: &str, outcome: &str) -> String {
    format!(
        "UPDATE pgfleet.runs SET ended_at = pg_catalog.clock_timestamp(), outcome = {} WHERE run_id = {}",
        literal(outcome),
        literal(run_id)
    )
}

fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Up => "up",
        Direction::Down => "down",
    }
}

fn parse_direction(text: &str) -> Option<Direction> {
    match text {
        "up" => Some(Direction::Up),
        "down" => Some(Direction::Down),
        _ => None,
    }
}
