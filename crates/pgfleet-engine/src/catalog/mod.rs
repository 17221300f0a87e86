//! Reads the schema of a database from its catalog.
//!
//! Invariant: one exchange with the server whatever the schema's size, in one read-only snapshot
//! with an empty search path, so that all names come back qualified. pgfleet's own schema and the
//! members of extensions are left out.

mod build;
mod link;
mod rows;

use std::pin::pin;

use futures_util::StreamExt;
use pgfleet_core::schema::Schema;
use tokio_postgres::SimpleQueryMessage;

use crate::connect::{Session, SessionError};
use crate::journal::literal;
use build::Builder;
use rows::Row;

/// What makes PostgreSQL write the same text for the same thing everywhere.
const SETTINGS: &str = "
SET LOCAL search_path = ''; SET LOCAL \"TimeZone\" = 'UTC'; SET LOCAL \"DateStyle\" = 'ISO, YMD';
SET LOCAL \"IntervalStyle\" = 'postgres'; SET LOCAL bytea_output = 'hex';
SET LOCAL extra_float_digits = 1; SET LOCAL quote_all_identifiers = off;
SET LOCAL standard_conforming_strings = on; SET LOCAL xmloption = 'content';
SET LOCAL jit = off;";

/// The queries, in the order in which [`Builder::take`] understands their rows.
const QUERIES: &[(Query, &str)] = &[
    (Query::Columns, include_str!("columns.sql")),
    (Query::Sequences, include_str!("sequences.sql")),
    (Query::Tables, include_str!("tables.sql")),
    (Query::Constraints, include_str!("constraints.sql")),
    (Query::Indexes, include_str!("indexes.sql")),
    (Query::Objects, include_str!("schemas.sql")),
    (Query::Objects, include_str!("types.sql")),
    (Query::Objects, include_str!("views.sql")),
    (Query::Objects, include_str!("routines.sql")),
    (Query::Objects, include_str!("operators.sql")),
    (Query::Objects, include_str!("triggers.sql")),
    (Query::Objects, include_str!("foreign.sql")),
    (Query::Objects, include_str!("text_search.sql")),
    (Query::Objects, include_str!("others.sql")),
    (Query::Comments, include_str!("comments.sql")),
    (Query::Dependencies, include_str!("depends.sql")),
    (Query::Unmodelled, include_str!("unmodelled.sql")),
];

/// What the rows of a query mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Query {
    Columns,
    Sequences,
    Tables,
    Constraints,
    Indexes,
    /// Objects of any kind, their bodies as JSON.
    Objects,
    Comments,
    Dependencies,
    Unmodelled,
}

/// Why a schema could not be read.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The server refused, or the connection was lost.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A row is not what its query promises.
    #[error("the catalog query {query} gave a row that cannot be read: {reason}")]
    Row {
        /// The query.
        query: String,
        /// Why not.
        reason: String,
    },
}

/// Reads the schema of a session's database. The session must not be in a transaction.
///
/// # Errors
/// [`CatalogError`]; the session can be used further.
pub async fn read_schema(session: &Session) -> Result<Schema, CatalogError> {
    read_schema_at(session, None).await
}

/// The same in a snapshot that another session exported. The definitions that PostgreSQL writes
/// itself (`pg_get_*def`) are of now all the same, as they are for pg_dump.
///
/// # Errors
/// As [`read_schema`]; also when the snapshot is gone.
pub async fn read_schema_at(
    session: &Session,
    snapshot: Option<&str>,
) -> Result<Schema, CatalogError> {
    let version = session.server_version_num();
    let read = read_rows(session, &script(version / 10_000, snapshot), version).await;
    if read.is_err() && !session.is_closed() {
        session.batch("ROLLBACK").await?;
    }
    read
}

fn script(major: u32, snapshot: Option<&str>) -> String {
    let mut script = begin_in(snapshot);
    script.push_str(SETTINGS);
    for (_, sql) in QUERIES {
        script.push('\n');
        script.push_str(&for_major(sql, major));
        script.push(';');
    }
    script.push_str("\nCOMMIT");
    script
}

/// Begins a read-only transaction that sees one snapshot: its own, or one that was exported.
pub(crate) fn begin_in(snapshot: Option<&str>) -> String {
    let mut begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;".to_owned();
    if let Some(snapshot) = snapshot {
        begin.push_str(&format!(" SET TRANSACTION SNAPSHOT {};", literal(snapshot)));
    }
    begin
}

/// Leaves out the lines that begin with `/*>=N*/` for a newer major version.
fn for_major(sql: &str, major: u32) -> String {
    let fits = |line: &&str| {
        let Some(rest) = line.strip_prefix("/*>=") else { return true };
        let since = rest.split('*').next().and_then(|number| number.parse::<u32>().ok());
        since.is_none_or(|since| major >= since)
    };
    sql.lines().filter(fits).collect::<Vec<_>>().join("\n")
}

async fn read_rows(session: &Session, script: &str, version: u32) -> Result<Schema, CatalogError> {
    let mut builder = Builder::new(version);
    let stream = session.client().simple_query_raw(script).await;
    let mut stream = pin!(stream.map_err(|error| session.error(&error))?);
    let mut queries = QUERIES.iter();
    let mut current = None;
    let mut failed = None;
    while let Some(message) = stream.next().await {
        match message.map_err(|error| session.error(&error)) {
            Ok(SimpleQueryMessage::RowDescription(_)) => current = queries.next(),
            Ok(SimpleQueryMessage::Row(row)) => {
                let Some((query, sql)) = current else { continue };
                if let Err(reason) = builder.take(*query, &Row::new(&row)) {
                    let query = sql.lines().next().unwrap_or_default().to_owned();
                    failed.get_or_insert(CatalogError::Row { query, reason });
                }
            }
            Ok(_) => {}
            // The rest is read to its end, so that the connection stays in step.
            Err(error) => _ = failed.get_or_insert(error.into()),
        }
        if failed.is_some() && session.is_closed() {
            break;
        }
    }
    match failed {
        Some(error) => Err(error),
        None => Ok(builder.finish()),
    }
}
