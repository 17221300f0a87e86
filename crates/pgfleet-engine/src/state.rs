//! Reads what a target says about itself: its history, its journal, and whether it holds anything.
//!
//! Invariant: everything is asked in one exchange, so a run with nothing to do costs one round
//! trip after connecting; only a database whose history is empty costs more.
//!
//! A new server process looks up every operator and table that a statement names for the first time,
//! which takes it longer than to answer. What every target is asked is therefore put in as few of
//! them as will do: functions, and no table of the catalogs.

use futures_util::future::{join3, join4};
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::history::{Dialect, HistoryRow, LockContext};
use pgfleet_sql::{QualifiedName, parse_qualified};

use crate::connect::{Session, SessionError};
use crate::journal::{self, OpenUnit};

/// What a target says about itself.
#[derive(Debug, Clone)]
pub struct TargetState {
    /// The connected database.
    pub database: String,
    /// `current_schema()`; empty when no schema of the search path exists.
    pub schema: String,
    /// Migrations were applied, or somebody's tables are there besides ours and the history. Tables of
    /// extensions alone are none where there is no history yet.
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
    let columns_sql = columns_sql(&wanted);
    let (facts, columns, rows, open) = join4(
        session.query_text(&facts_sql),
        session.query_table(&columns_sql),
        session.query_text(&read_sql),
        session.query_text(journal::READ_OPEN),
    )
    .await;
    let mut state = parse_facts(&facts?, wanted);
    state.open_units = journal::parse_open(&unless_missing(open)?.unwrap_or_default());
    if let Some(columns) = unless_missing(columns)? {
        let history = HistoryTable { columns: columns.columns };
        check_layout(session, dialect, &state.table, &history).await?;
        state.history = Some(history);
        let rows = unless_missing(rows)?.unwrap_or_default();
        state.rows = dialect
            .parse(&rows)
            .map_err(|error| layout_problem(dialect, &state.table, &error.message))?;
    } else if let Some(schema) = created_in(&state) {
        state.table.schema = Some(schema);
    }
    state.holds_tables = !state.rows.is_empty() || holds_tables(session, &state).await?;
    Ok(state)
}

/// Tables are looked for in the cheapest way first: a database that has been taken over is told from
/// one that is new but for its extensions only where there are any.
async fn holds_tables(session: &Session, state: &TargetState) -> Result<bool, SessionError> {
    if !session.is_true(&any_tables_sql(&state.table)).await? {
        return Ok(false);
    }
    Ok(state.history.is_some() || session.is_true(&own_tables_sql()).await?)
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
    let (read_sql, marker) = (dialect.read_sql(&wanted), journal::marker_table());
    let tables = [&wanted, &marker];
    let there = are_there(session, &tables);
    if before.history.is_none() && !before.has_journal {
        // Reading tables that are not there would but fill the server's log with errors.
        return match there.await?.contains(&true) {
            true => read_state(session, dialect, table).await.map(Some),
            false => Ok(None),
        };
    }
    let (there, rows, open) =
        join3(there, session.query_text(&read_sql), session.query_text(journal::READ_OPEN)).await;
    let there = there?;
    let same_tables = there == [before.history.is_some(), before.has_journal];
    let open = journal::parse_open(&unless_missing(open)?.unwrap_or_default());
    let rows = dialect.parse(&unless_missing(rows)?.unwrap_or_default()).ok();
    if same_tables && open == before.open_units && rows.as_ref() == Some(&before.rows) {
        return Ok(None);
    }
    read_state(session, dialect, table).await.map(Some)
}

/// Of several tables, whether each is there.
///
/// # Errors
/// When the server cannot be asked.
pub async fn are_there(
    session: &Session,
    tables: &[&QualifiedName],
) -> Result<Vec<bool>, SessionError> {
    let place = |table: &&QualifiedName| format!("pg_catalog.to_regclass({})", name_literal(table));
    let places: Vec<_> = tables.iter().map(place).collect();
    let rows = session.query_text(&format!("SELECT {}", places.join(", "))).await?;
    Ok(rows.iter().flatten().map(Option::is_some).collect())
}

/// Whether a table is there and has the columns that a dialect's history must have.
///
/// # Errors
/// When the server cannot be asked.
pub async fn is_history_of(
    session: &Session,
    dialect: &dyn Dialect,
    table: &QualifiedName,
) -> Result<bool, SessionError> {
    let columns = unless_missing(session.query_table(&columns_sql(table)).await)?;
    Ok(columns.is_some_and(|table| missing_column(dialect, &table.columns).is_none()))
}

/// An unqualified table will be created in the first schema of the search path.
fn created_in(state: &TargetState) -> Option<String> {
    let unqualified = state.table.schema.is_none() && !state.schema.is_empty();
    unqualified.then(|| state.schema.clone())
}

/// Database, schema of the search path, the journal, the history's schema.
fn facts_sql(table: &QualifiedName) -> String {
    format!(
        "SELECT pg_catalog.current_database(), pg_catalog.current_schema(), \
         pg_catalog.to_regclass({}), (pg_catalog.pg_identify_object({PG_CLASS}, \
         pg_catalog.to_regclass({}), 0)).schema",
        name_literal(&journal::marker_table()),
        name_literal(table)
    )
}

/// Without a row: only the names of the columns are wanted.
fn columns_sql(table: &QualifiedName) -> String {
    format!("SELECT * FROM {table} LIMIT 0")
}

/// Whether there are tables besides ours and the history; those of extensions count.
fn any_tables_sql(history: &QualifiedName) -> String {
    format!(
        "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_class c WHERE c.oid >= {FIRST_OID} \
           AND c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't' \
           AND c.relnamespace <> coalesce(pg_catalog.to_regnamespace('pgfleet')::oid, 0) \
           AND c.oid IS DISTINCT FROM pg_catalog.to_regclass({}))",
        name_literal(history)
    )
}

/// Whether there are tables that no extension brought along.
fn own_tables_sql() -> String {
    format!(
        "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_class c \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.oid >= {FIRST_OID} AND c.relkind IN ('r', 'p', 'm') AND n.nspname <> 'pgfleet' \
         AND n.nspname !~ '^pg_' AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d \
         WHERE d.objid = c.oid AND d.classid = {PG_CLASS} AND d.deptype = 'e'))"
    )
}

/// The columns that must be given a value.
fn mandatory_sql(table: &QualifiedName) -> String {
    format!(
        "SELECT attname FROM pg_catalog.pg_attribute \
         WHERE attrelid = pg_catalog.to_regclass({}) AND attnum > 0 AND NOT attisdropped \
         AND attnotnull AND NOT atthasdef AND attidentity = '' ORDER BY attnum",
        name_literal(table)
    )
}

fn name_literal(table: &QualifiedName) -> String {
    journal::literal(&table.to_string())
}

/// The OID of `pg_class` itself, which stands for tables where objects of several kinds are named
/// ("System Catalog Declarations" in PostgreSQL's documentation).
const PG_CLASS: u32 = 1259;

/// The first OID that is nobody's but the users' ("System Catalog Initial Data" in PostgreSQL's
/// documentation).
const FIRST_OID: u32 = 16_384;

type Rows = Vec<Vec<Option<String>>>;

fn text(row: &[Option<String>], at: usize) -> String {
    row.get(at).cloned().flatten().unwrap_or_default()
}

fn parse_facts(rows: &Rows, mut table: QualifiedName) -> TargetState {
    let row = rows.first().map(Vec::as_slice).unwrap_or_default();
    // The name comes quoted where it must be.
    let found_in = row.get(3).cloned().flatten().and_then(|schema| parse_qualified(&schema));
    table.schema = found_in.map(|schema| schema.name).or(table.schema);
    TargetState {
        database: text(row, 0),
        schema: text(row, 1),
        holds_tables: false,
        has_journal: row.get(2).is_some_and(Option::is_some),
        history: None,
        table,
        rows: Vec::new(),
        open_units: Vec::new(),
    }
}

fn missing_column(dialect: &dyn Dialect, columns: &[String]) -> Option<&'static str> {
    let missing = |column: &&&str| !columns.iter().any(|there| there == **column);
    dialect.required_columns().iter().find(missing).copied()
}

/// The history has what the dialect needs, and asks for nothing that the dialect does not give.
async fn check_layout(
    session: &Session,
    dialect: &dyn Dialect,
    table: &QualifiedName,
    history: &HistoryTable,
) -> Result<(), StateError> {
    if let Some(column) = missing_column(dialect, &history.columns) {
        return Err(layout_problem(dialect, table, &format!("it has no column {column:?}")));
    }
    let known = |column: &String| {
        let known = dialect.required_columns().iter().chain(dialect.optional_columns());
        known.into_iter().any(|name| name == column)
    };
    if history.columns.iter().all(known) {
        return Ok(());
    }
    let mandatory = session.query_text(&mandatory_sql(table)).await?;
    match mandatory.into_iter().flatten().flatten().find(|column| !known(column)) {
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
fn unless_missing<T>(answer: Result<T, SessionError>) -> Result<Option<T>, SessionError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
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
