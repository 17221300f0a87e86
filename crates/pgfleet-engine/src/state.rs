//! Reads what a target says about itself: its history, its journal, and whether it holds anything.
//!
//! Invariant: everything is asked in one exchange, so a run with nothing to do costs one round
//! trip after connecting; only a database with tables and without history costs another.

use futures_util::future::{join3, join4};
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::history::{Dialect, HistoryRow, LockContext};
use pgfleet_sql::QualifiedName;

use crate::connect::{Session, SessionError};
use crate::journal::{self, OpenUnit};

/// What a target says about itself.
#[derive(Debug, Clone)]
pub struct TargetState {
    /// The connected database.
    pub database: String,
    /// `current_schema()`; empty when no schema of the search path exists.
    pub schema: String,
    /// Microseconds since 1970 on the server's clock.
    pub clock_us: i64,
    /// The server is a standby.
    pub in_recovery: bool,
    /// Somebody's tables are there, besides ours and the history. Tables of extensions alone are none
    /// where there is no history yet.
    pub holds_tables: bool,
    /// The journal is there.
    pub has_journal: bool,
    /// The history table, when it is there.
    pub history: Option<HistoryTable>,
    /// The table's name: as found, else as it will be created.
    pub table: QualifiedName,
    /// In the order in which they were applied.
    pub rows: Vec<HistoryRow>,
    /// Units that an earlier run began, of migrations that are not complete.
    pub open_units: Vec<OpenUnit>,
}

/// A history table as it is.
#[derive(Debug, Clone)]
pub struct HistoryTable {
    /// Its columns.
    pub columns: Vec<String>,
    /// Columns that must be given a value.
    pub mandatory: Vec<String>,
}

impl TargetState {
    /// What native locks are computed from.
    pub fn lock_context(&self) -> LockContext {
        LockContext {
            database: self.database.clone(),
            schema: self.schema.clone(),
            table: self.table.clone(),
        }
    }
}

/// Why a target could not be read.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The server refused, or is gone.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The history is not one that we understand.
    #[error("{}", .0.what)]
    Problem(Box<Problem>),
}

/// Reads a target. `table` overrides the dialect's usual history table.
///
/// # Errors
/// When the server cannot be asked, or its history has a layout that is not known.
pub async fn read_state(
    session: &Session,
    dialect: &dyn Dialect,
    table: Option<&QualifiedName>,
) -> Result<TargetState, StateError> {
    let wanted = table.cloned().unwrap_or_else(|| dialect.default_table());
    let (facts_sql, read_sql) = (facts_sql(&wanted), dialect.read_sql(&wanted));
    let columns_sql = columns_sql(&[&wanted]);
    let (facts, columns, rows, open) = join4(
        session.query_text(&facts_sql),
        session.query_text(&columns_sql),
        session.query_text(&read_sql),
        session.query_text(journal::READ_OPEN),
    )
    .await;
    let mut state = parse_facts(&facts?, wanted);
    state.history = parse_columns(&columns?, &mut state.table);
    state.open_units = journal::parse_open(&unless_missing(open)?.unwrap_or_default());
    if let Some(history) = &state.history {
        check_layout(dialect, &state.table, history)?;
        let rows = unless_missing(rows)?.unwrap_or_default();
        state.rows = dialect
            .parse(&rows)
            .map_err(|error| layout_problem(dialect, &state.table, &error.message))?;
        return Ok(state);
    }
    if state.holds_tables {
        // A database that has been taken over is told from one that is new but for its extensions.
        let own = session.query_text(&own_tables_sql()).await?;
        state.holds_tables = own.first().is_some_and(|row| text(row, 0) == "t");
    }
    if let Some(schema) = created_in(&state) {
        state.table.schema = Some(schema);
    }
    Ok(state)
}

/// Reads again what a run goes by, under its lock: none when it is as it was.
///
/// # Errors
/// As those of [`read_state`].
pub async fn read_if_changed(
    session: &Session,
    dialect: &dyn Dialect,
    table: Option<&QualifiedName>,
    before: &TargetState,
) -> Result<Option<TargetState>, StateError> {
    let wanted = table.cloned().unwrap_or_else(|| dialect.default_table());
    let (there_sql, read_sql) = (there_sql(&wanted), dialect.read_sql(&wanted));
    let (there, rows, open) = join3(
        session.query_text(&there_sql),
        session.query_text(&read_sql),
        session.query_text(journal::READ_OPEN),
    )
    .await;
    let there = there?.into_iter().next().unwrap_or_default();
    let is_there = |at: usize| text(&there, at) == "t";
    let same_tables = (is_there(0), is_there(1)) == (before.history.is_some(), before.has_journal);
    let open = journal::parse_open(&unless_missing(open)?.unwrap_or_default());
    let rows = dialect.parse(&unless_missing(rows)?.unwrap_or_default()).ok();
    if same_tables && open == before.open_units && rows.as_ref() == Some(&before.rows) {
        return Ok(None);
    }
    read_state(session, dialect, table).await.map(Some)
}

fn there_sql(table: &QualifiedName) -> String {
    format!(
        "SELECT pg_catalog.to_regclass({}) IS NOT NULL, pg_catalog.to_regclass('{}') IS NOT NULL",
        journal::literal(&table.to_string()),
        journal::MARKER_TABLE
    )
}

/// Of several dialects and their history tables, those whose table is there.
///
/// # Errors
/// When the server cannot be asked.
pub async fn find_histories<'d>(
    session: &Session,
    dialects: &[(&'d dyn Dialect, QualifiedName)],
) -> Result<Vec<&'d dyn Dialect>, SessionError> {
    let tables: Vec<_> = dialects.iter().map(|(_, table)| table).collect();
    let rows = session.query_text(&columns_sql(&tables)).await?;
    let mut found = Vec::new();
    for (at, (dialect, table)) in dialects.iter().enumerate() {
        let (at, mut table) = (at.to_string(), table.clone());
        let rows = rows.iter().filter(|row| text(row, 1) == at).cloned().collect();
        let Some(history) = parse_columns(&rows, &mut table) else { continue };
        if missing_column(*dialect, &history).is_none() {
            found.push(*dialect);
        }
    }
    Ok(found)
}

/// An unqualified table will be created in the first schema of the search path.
fn created_in(state: &TargetState) -> Option<String> {
    let unqualified = state.table.schema.is_none() && !state.schema.is_empty();
    unqualified.then(|| state.schema.clone())
}

/// Tables are looked for in the cheapest way: those of extensions count as somebody's here.
fn facts_sql(table: &QualifiedName) -> String {
    let history = journal::literal(&table.to_string());
    format!(
        "SELECT pg_catalog.current_database(), pg_catalog.current_schema(), \
         (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint, \
         pg_catalog.pg_is_in_recovery(), \
         EXISTS (SELECT 1 FROM pg_catalog.pg_class c WHERE c.oid >= {FIRST_OID} \
           AND c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't' \
           AND c.relnamespace <> coalesce(pg_catalog.to_regnamespace('pgfleet')::oid, 0) \
           AND c.oid IS DISTINCT FROM pg_catalog.to_regclass({history})), \
         pg_catalog.to_regclass('{}') IS NOT NULL",
        journal::MARKER_TABLE
    )
}

/// Whether there are tables that no extension brought along.
fn own_tables_sql() -> String {
    format!(
        "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_class c \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.oid >= {FIRST_OID} AND c.relkind IN ('r', 'p', 'm') AND n.nspname <> 'pgfleet' \
         AND n.nspname !~ '^pg_' AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d \
         WHERE d.objid = c.oid AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass \
         AND d.deptype = 'e'))"
    )
}

/// Schema, which of the tables (from 0), column, mandatory.
fn columns_sql(tables: &[&QualifiedName]) -> String {
    let named = |(at, table): (usize, &&QualifiedName)| {
        format!("({at}, pg_catalog.to_regclass({}))", journal::literal(&table.to_string()))
    };
    let tables: Vec<_> = tables.iter().enumerate().map(named).collect();
    format!(
        "SELECT n.nspname, t.at, a.attname, \
         a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' \
         FROM (VALUES {}) AS t (at, oid) JOIN pg_catalog.pg_class c ON c.oid = t.oid \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
         ORDER BY t.at, a.attnum",
        tables.join(", ")
    )
}

/// The first OID that is nobody's but the users' ("System Catalog Initial Data" in PostgreSQL's
/// documentation).
const FIRST_OID: u32 = 16_384;

type Rows = Vec<Vec<Option<String>>>;

fn text(row: &[Option<String>], at: usize) -> String {
    row.get(at).cloned().flatten().unwrap_or_default()
}

fn parse_facts(rows: &Rows, table: QualifiedName) -> TargetState {
    let row = rows.first().map(Vec::as_slice).unwrap_or_default();
    TargetState {
        database: text(row, 0),
        schema: text(row, 1),
        clock_us: text(row, 2).parse().unwrap_or_default(),
        in_recovery: text(row, 3) == "t",
        holds_tables: text(row, 4) == "t",
        has_journal: text(row, 5) == "t",
        history: None,
        table,
        rows: Vec::new(),
        open_units: Vec::new(),
    }
}

fn parse_columns(rows: &Rows, table: &mut QualifiedName) -> Option<HistoryTable> {
    let first = rows.first()?;
    table.schema = Some(text(first, 0));
    let columns = rows.iter().map(|row| text(row, 2)).collect();
    let mandatory = rows.iter().filter(|row| text(row, 3) == "t").map(|row| text(row, 2)).collect();
    Some(HistoryTable { columns, mandatory })
}

fn missing_column(dialect: &dyn Dialect, history: &HistoryTable) -> Option<&'static str> {
    let missing = |column: &&&str| !history.columns.iter().any(|there| there == **column);
    dialect.required_columns().iter().find(missing).copied()
}

fn check_layout(
    dialect: &dyn Dialect,
    table: &QualifiedName,
    history: &HistoryTable,
) -> Result<(), StateError> {
    if let Some(column) = missing_column(dialect, history) {
        return Err(layout_problem(dialect, table, &format!("it has no column {column:?}")));
    }
    let known = |column: &String| {
        let known = dialect.required_columns().iter().chain(dialect.optional_columns());
        known.into_iter().any(|name| name == column)
    };
    match history.mandatory.iter().find(|column| !known(column)) {
        Some(column) => {
            let what = format!("its column {column:?} must be given a value and is not known");
            Err(layout_problem(dialect, table, &what))
        }
        None => Ok(()),
    }
}

fn layout_problem(dialect: &dyn Dialect, table: &QualifiedName, what: &str) -> StateError {
    let format = dialect.format();
    StateError::Problem(Box::new(
        Problem::error(
            Code::HistoryNewerLayout,
            format!("the history table {table} is not laid out as {format}'s"),
        )
        .because(what.to_owned())
        .fix(
            "Check --format; if the table was made by a newer release of the tool, update pgfleet.",
        ),
    ))
}

/// A table that is not there is no error here: the other answers say so.
fn unless_missing(rows: Result<Rows, SessionError>) -> Result<Option<Rows>, SessionError> {
    match rows {
        Ok(rows) => Ok(Some(rows)),
        Err(error)
            if error
                .server()
                .is_some_and(|e| matches!(e.sqlstate.as_str(), "42P01" | "3F000" | "42703")) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
