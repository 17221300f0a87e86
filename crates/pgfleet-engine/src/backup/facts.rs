//! What a database says about itself in one snapshot: the part of a manifest that is not a file.

use pgfleet_core::backup::{ChecksumColumn, DatabaseSetting, Locale, SequenceValue, TableShape};
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::schema::Grant;
use pgfleet_sql::QualifiedName;
use serde::Deserialize;

use crate::catalog::begin_in;
use crate::conduct::Target;
use crate::connect::Session;

/// A read-only transaction that others can join.
pub struct Snapshot {
    session: Session,
    /// What `SET TRANSACTION SNAPSHOT` takes.
    pub id: String,
}

/// The database itself.
#[derive(Debug, Clone, Deserialize)]
pub struct DatabaseFacts {
    /// Its name.
    pub database: String,
    /// The role that owns it.
    pub owner: String,
    /// `pg_database_size`.
    pub bytes: u64,
    /// How it orders and encodes text.
    pub locale: Locale,
    /// `COMMENT ON DATABASE`.
    pub comment: Option<String>,
    /// Settings of the database.
    pub settings: Vec<DatabaseSetting>,
    /// Rights on it, when they are not those of a new one.
    pub grants: Option<Vec<Grant>>,
    /// Roles that own something or were granted something.
    pub roles: Vec<String>,
    /// The user's schemas.
    pub schemas: Vec<String>,
    /// Where sequences stand.
    pub sequences: Vec<SequenceValue>,
}

#[derive(Deserialize)]
struct TableRow {
    schema: String,
    name: String,
    pages: u64,
    bytes: u64,
    columns: Vec<ChecksumColumn>,
}

impl Snapshot {
    /// Takes a snapshot and offers it to other sessions for as long as this value lives.
    ///
    /// # Errors
    /// When the target cannot be reached, or gives no snapshot.
    pub async fn take(target: &Target) -> Result<Self, Box<Problem>> {
        let session = target.connect().await?;
        let sql = format!(
            "{} SET LOCAL search_path = ''; SET LOCAL statement_timeout = 0; \
             SET LOCAL idle_in_transaction_session_timeout = 0; \
             SELECT pg_catalog.pg_export_snapshot()",
            begin_in(None)
        );
        let rows = session.query_text(&sql).await;
        let rows = rows.map_err(|error| target.session_problem(&error))?;
        let id = rows.into_iter().flatten().flatten().next();
        let id = id.ok_or_else(|| unreadable(target, "no snapshot was given"))?;
        Ok(Self { session, id })
    }

    /// The session that holds it.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Lets go of it.
    pub async fn close(self) {
        self.session.close().await;
    }
}

/// Reads what the database says about itself.
///
/// # Errors
/// When the server refuses or the connection is lost.
pub async fn read_database(
    target: &Target,
    session: &Session,
) -> Result<DatabaseFacts, Box<Problem>> {
    let rows = session.query_text(include_str!("database.sql")).await;
    let rows = rows.map_err(|error| target.session_problem(&error))?;
    let text = rows.into_iter().flatten().flatten().next().unwrap_or_default();
    serde_json::from_str(&text).map_err(|error| unreadable(target, &error.to_string()))
}

/// Reads which tables hold rows, in the order of their names. Large objects are a table of their
/// own where they are asked for, there are some and the role may read them.
///
/// # Errors
/// When the server refuses or the connection is lost.
pub async fn read_tables(
    target: &Target,
    session: &Session,
    large_objects: bool,
) -> Result<Vec<TableShape>, Box<Problem>> {
    let sql = include_str!("tables.sql").replace(":large_objects", &large_objects.to_string());
    let rows = session.query_text(&sql).await;
    let rows = rows.map_err(|error| target.session_problem(&error))?;
    let shape = |text: String| {
        let row: TableRow =
            serde_json::from_str(&text).map_err(|error| unreadable(target, &error.to_string()))?;
        let name = QualifiedName::new(row.schema, row.name);
        Ok(TableShape { name, columns: row.columns, pages: row.pages, bytes: row.bytes })
    };
    rows.into_iter().flatten().flatten().map(shape).collect()
}

fn unreadable(target: &Target, reason: &str) -> Box<Problem> {
    let what = "the server's answer about the database cannot be read";
    Box::new(Problem::error(Code::Bug, what).in_target(&target.name).because(reason.to_owned()))
}
