//! The journal of a split: in the source, which split is under way and which databases it made; in
//! each database that it fills, which parts of which tables arrived.

use pgfleet_core::split::SplitPlan;

use crate::connect::{Session, SessionError};
use crate::journal::literal;

/// A journal that a crash of the server forgets would make a split's databases somebody else's: its
/// commits wait for the disk, whatever the server's own setting.
pub(super) const DURABLE: &str = "SET synchronous_commit = on";

/// Tables in the source.
const CREATE_IN_SOURCE: &str = "CREATE SCHEMA IF NOT EXISTS pgfleet;
CREATE TABLE IF NOT EXISTS pgfleet.split_runs (
  split_id text PRIMARY KEY, fingerprint text NOT NULL, plan text NOT NULL, state text NOT NULL
    CHECK (state IN ('running', 'done', 'rolling back', 'rolled back', 'finished')),
  begun_at timestamptz NOT NULL DEFAULT pg_catalog.now(), ended_at timestamptz);
CREATE TABLE IF NOT EXISTS pgfleet.split_databases (
  split_id text NOT NULL, family text NOT NULL, database text NOT NULL,
  state text NOT NULL CHECK (state IN ('creating', 'created', 'dropped')),
  PRIMARY KEY (split_id, family));
CREATE TABLE IF NOT EXISTS pgfleet.split_sums (
  split_id text NOT NULL, into_table text NOT NULL, rows bigint NOT NULL, checksum numeric NOT NULL,
  here_rows bigint NOT NULL, here_checksum numeric NOT NULL,
  PRIMARY KEY (split_id, into_table))";

/// Tables in a database that is filled.
pub(super) const CREATE_IN_FAMILY: &str = "CREATE SCHEMA IF NOT EXISTS pgfleet;
CREATE TABLE IF NOT EXISTS pgfleet.split_tables (
  split_id text NOT NULL, into_table text NOT NULL, file bigint NOT NULL,
  before_rows bigint NOT NULL, before_checksum numeric NOT NULL,
  PRIMARY KEY (split_id, into_table));
CREATE TABLE IF NOT EXISTS pgfleet.split_parts (
  split_id text NOT NULL, into_table text NOT NULL, from_page bigint NOT NULL, until_page bigint,
  rows bigint, done_at timestamptz, PRIMARY KEY (split_id, into_table, from_page));
CREATE TABLE IF NOT EXISTS pgfleet.split_later (
  at serial PRIMARY KEY, split_id text NOT NULL, phase integer NOT NULL, what text NOT NULL,
  sql text NOT NULL, restored boolean NOT NULL DEFAULT false);
CREATE TABLE IF NOT EXISTS pgfleet.split_marks (
  split_id text NOT NULL, mark text NOT NULL, detail text, PRIMARY KEY (split_id, mark))";

/// A split that was begun and neither finished nor taken back.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OpenSplit {
    pub(super) id: String,
    pub(super) fingerprint: String,
    pub(super) plan: SplitPlan,
    pub(super) state: String,
}

/// A database of an open split: family, name, state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MadeDatabase {
    pub(super) family: String,
    pub(super) database: String,
    pub(super) state: String,
}

/// The split that is under way, if any.
pub(super) async fn open_split(session: &Session) -> Result<Option<OpenSplit>, SessionError> {
    if !is_there(session, "pgfleet.split_runs").await? {
        return Ok(None);
    }
    let sql = "SELECT split_id, fingerprint, plan, state FROM pgfleet.split_runs \
               WHERE state NOT IN ('rolled back', 'finished') ORDER BY begun_at DESC LIMIT 1";
    let rows = session.query_text(sql).await?;
    Ok(rows.first().map(|row| OpenSplit {
        id: cell(row, 0),
        fingerprint: cell(row, 1),
        plan: serde_json::from_str(&cell(row, 2)).unwrap_or_default(),
        state: cell(row, 3),
    }))
}

/// Begins a split; its plan is kept, so that it can be taken back without the declaration.
pub(super) async fn begin(
    session: &Session,
    id: &str,
    plan: &SplitPlan,
) -> Result<(), SessionError> {
    let row = format!(
        "INSERT INTO pgfleet.split_runs (split_id, fingerprint, plan, state) \
         VALUES ({}, {}, {}, 'running')",
        literal(id),
        literal(&plan.fingerprint()),
        literal(&serde_json::to_string(plan).unwrap_or_default())
    );
    session.batch(&format!("{CREATE_IN_SOURCE};\n{row}")).await
}

/// Says how far a split is.
pub(super) async fn set_state(
    session: &Session,
    id: &str,
    state: &str,
) -> Result<(), SessionError> {
    let ended = matches!(state, "rolled back" | "finished");
    let ended = if ended { "pg_catalog.now()" } else { "NULL" };
    let sql = format!(
        "UPDATE pgfleet.split_runs SET state = {}, ended_at = {ended} WHERE split_id = {}",
        literal(state),
        literal(id)
    );
    session.batch(&sql).await
}

/// The databases that a split made or was about to make.
pub(super) async fn databases(
    session: &Session,
    id: &str,
) -> Result<Vec<MadeDatabase>, SessionError> {
    let sql = format!(
        "SELECT family, database, state FROM pgfleet.split_databases WHERE split_id = {} ORDER BY 1",
        literal(id)
    );
    let rows = session.query_text(&sql).await?;
    let made = |row: &Vec<Option<String>>| MadeDatabase {
        family: cell(row, 0),
        database: cell(row, 1),
        state: cell(row, 2),
    };
    Ok(rows.iter().map(made).collect())
}

/// Says what became of a database.
pub(super) async fn set_database(
    session: &Session,
    id: &str,
    family: &str,
    database: &str,
    state: &str,
) -> Result<(), SessionError> {
    let sql = format!(
        "INSERT INTO pgfleet.split_databases (split_id, family, database, state) \
         VALUES ({}, {}, {}, {}) ON CONFLICT (split_id, family) DO UPDATE SET state = EXCLUDED.state",
        literal(id),
        literal(family),
        literal(database),
        literal(state)
    );
    session.batch(&sql).await
}

/// Whether a table is there.
pub(super) async fn is_there(session: &Session, table: &str) -> Result<bool, SessionError> {
    let sql = format!("SELECT pg_catalog.to_regclass({}) IS NOT NULL", literal(table));
    let rows = session.query_text(&sql).await?;
    Ok(rows.first().is_some_and(|row| cell(row, 0) == "t"))
}

/// Sets a mark in the transaction that it is sent with.
pub(super) fn mark(id: &str, mark: &str, detail: &str) -> String {
    format!(
        "INSERT INTO pgfleet.split_marks (split_id, mark, detail) VALUES ({}, {}, {}) \
         ON CONFLICT (split_id, mark) DO NOTHING",
        literal(id),
        literal(mark),
        literal(detail)
    )
}

/// What was said with a mark; none when it is not set.
pub(super) async fn marked(
    session: &Session,
    id: &str,
    mark: &str,
) -> Result<Option<String>, SessionError> {
    let sql = format!(
        "SELECT detail FROM pgfleet.split_marks WHERE split_id = {} AND mark = {}",
        literal(id),
        literal(mark)
    );
    let rows = session.query_text(&sql).await?;
    Ok(rows.first().map(|row| cell(row, 0)))
}

/// A cell's text; empty for NULL.
pub(super) fn cell(row: &[Option<String>], at: usize) -> String {
    row.get(at).cloned().flatten().unwrap_or_default()
}
