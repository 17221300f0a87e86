//! The journal of tenant life, in the registry's database: one row for each time that a tenant was
//! created or dropped, with the step that was done last. Column `database` has the database's name or
//! the schema's, `database_oid` its OID.

use std::collections::BTreeMap;

use crate::connect::{Session, SessionError};
use crate::journal::literal;

const CREATE: &str = "CREATE SCHEMA IF NOT EXISTS pgfleet;
CREATE TABLE IF NOT EXISTS pgfleet.tenant_steps (
  run_id text PRIMARY KEY, group_name text NOT NULL, code text NOT NULL,
  action text NOT NULL CHECK (action IN ('create', 'drop')), step text NOT NULL,
  database text NOT NULL, private_name text NOT NULL, database_oid bigint,
  variables jsonb NOT NULL DEFAULT '{}', backup text, client text NOT NULL,
  began_by text NOT NULL DEFAULT current_user,
  began_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  changed_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(), ended_at timestamptz);
CREATE UNIQUE INDEX IF NOT EXISTS tenant_steps_open
  ON pgfleet.tenant_steps (group_name, code) WHERE ended_at IS NULL";

/// What is done to a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Create,
    Drop,
}

/// The step that was done last; those of each action stand in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// The row is there.
    Claimed,
    /// The database is there, under its private name; the schema with a comment that hides it.
    Made,
    Migrated,
    Seeded,
    Verified,
    /// The database has its own name; the schema is not hidden any more.
    Named,
    /// Nobody finds the database or schema by its name.
    Fenced,
    BackedUp,
    /// The registry does not have it any more.
    Unregistered,
    Done,
    TakenBack,
}

const STEPS: [(Step, &str); 11] = [
    (Step::Claimed, "claimed"),
    (Step::Made, "made"),
    (Step::Migrated, "migrated"),
    (Step::Seeded, "seeded"),
    (Step::Verified, "verified"),
    (Step::Named, "named"),
    (Step::Fenced, "fenced"),
    (Step::BackedUp, "backed up"),
    (Step::Unregistered, "unregistered"),
    (Step::Done, "done"),
    (Step::TakenBack, "taken back"),
];

impl Step {
    pub(super) fn name(self) -> &'static str {
        STEPS.iter().find(|(step, _)| *step == self).map_or("", |(_, name)| name)
    }

    fn parse(text: &str) -> Option<Self> {
        STEPS.iter().find(|(_, name)| *name == text).map(|(step, _)| *step)
    }

    fn is_end(self) -> bool {
        matches!(self, Self::Done | Self::TakenBack)
    }
}

/// A row that is not over.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) run_id: String,
    pub(super) code: String,
    pub(super) action: Action,
    pub(super) step: Step,
    /// The name that the database or schema has, or had.
    pub(super) home: String,
    /// Its name while it is being made or dropped.
    pub(super) private_name: String,
    /// Its OID in `pg_database` or `pg_namespace`, once it is known.
    pub(super) oid: Option<u32>,
    /// Values for SQL, seeds and migrations.
    pub(super) variables: BTreeMap<String, String>,
    /// The backup's folder.
    pub(super) backup: Option<String>,
    pub(super) began_at: String,
}

impl Entry {
    pub(super) fn new(action: Action, code: &str, home: &str) -> Self {
        let run_id = crate::conduct::new_run_id();
        Self {
            private_name: format!("{}{run_id}", super::place::PRIVATE),
            run_id,
            code: code.to_owned(),
            action,
            step: Step::Claimed,
            home: home.to_owned(),
            oid: None,
            variables: BTreeMap::new(),
            backup: None,
            began_at: String::new(),
        }
    }

    /// The statement that writes the row.
    pub(super) fn insert_sql(&self, group: &str) -> String {
        format!(
            "INSERT INTO pgfleet.tenant_steps (run_id, group_name, code, action, step, database, \
             private_name, database_oid, variables, client) \
             VALUES ({}, {}, {}, '{}', 'claimed', {}, {}, {}, {}::jsonb, {})",
            literal(&self.run_id),
            literal(group),
            literal(&self.code),
            match self.action {
                Action::Create => "create",
                Action::Drop => "drop",
            },
            literal(&self.home),
            literal(&self.private_name),
            self.oid.map_or_else(|| "NULL".to_owned(), |oid| oid.to_string()),
            literal(&serde_json::to_string(&self.variables).unwrap_or_default()),
            literal(&format!("pgfleet {}", env!("CARGO_PKG_VERSION"))),
        )
    }

    /// The statement that says which step is done, and what is known since.
    pub(super) fn update_sql(&self, step: Step) -> String {
        let now = "pg_catalog.clock_timestamp()";
        format!(
            "UPDATE pgfleet.tenant_steps SET step = '{}', database_oid = {}, backup = {}, \
             changed_at = {now}, ended_at = {} WHERE run_id = {} AND ended_at IS NULL",
            step.name(),
            self.oid.map_or_else(|| "database_oid".to_owned(), |oid| oid.to_string()),
            self.backup.as_deref().map_or_else(|| "backup".to_owned(), literal),
            if step.is_end() { now } else { "NULL" },
            literal(&self.run_id)
        )
    }
}

/// Makes the table where it is not there.
pub(super) async fn prepare(session: &Session) -> Result<(), SessionError> {
    if is_there(session).await? {
        return Ok(());
    }
    // Two that make it at the same moment would collide in the catalog.
    let lock = "SELECT pg_catalog.pg_advisory_xact_lock(8099555070592775171)";
    session.batch(&format!("{lock}; {CREATE}")).await
}

async fn is_there(session: &Session) -> Result<bool, SessionError> {
    let sql = "SELECT pg_catalog.to_regclass('pgfleet.tenant_steps_open') IS NOT NULL";
    session.is_true(sql).await
}

/// The rows of a group that are not over; of one tenant when a code is given.
pub(super) async fn unfinished(
    session: &Session,
    group: &str,
    code: Option<&str>,
) -> Result<Vec<Entry>, SessionError> {
    if !is_there(session).await? {
        return Ok(Vec::new());
    }
    let of_code = code.map(|code| format!("AND code = {}", literal(code))).unwrap_or_default();
    let sql = format!(
        "SELECT run_id, code, action, step, database, private_name, database_oid, variables, \
         backup, pg_catalog.date_trunc('second', began_at) FROM pgfleet.tenant_steps \
         WHERE ended_at IS NULL AND group_name = {} {of_code} ORDER BY code",
        literal(group)
    );
    Ok(session.query_text(&sql).await?.iter().filter_map(|row| read(row)).collect())
}

fn read(row: &[Option<String>]) -> Option<Entry> {
    let text = |at: usize| row.get(at).cloned().flatten();
    Some(Entry {
        run_id: text(0)?,
        code: text(1)?,
        action: if text(2)? == "create" { Action::Create } else { Action::Drop },
        step: Step::parse(&text(3)?)?,
        home: text(4)?,
        private_name: text(5)?,
        oid: text(6).and_then(|oid| oid.parse().ok()),
        variables: text(7).and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
        backup: text(8),
        began_at: text(9).unwrap_or_default(),
    })
}
