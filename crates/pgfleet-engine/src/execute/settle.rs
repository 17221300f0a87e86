//! Asks the catalog which of the two happened to a statement that no transaction can hold: intent
//! only, or intent and deed.

use pgfleet_core::plan::{Settle, SharedKind};

use crate::connect::{Session, SessionError};
use crate::journal::{UnitKey, literal};

/// What the catalog says about a statement whose outcome is not journaled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It happened; nothing is to be done.
    Happened,
    /// It did not happen, or may be repeated: run it.
    RunIt,
    /// It left something half-made; run these one by one, then it.
    CleanFirst(Vec<String>),
    /// It began and is to be ended by this instead.
    FinishBy(String),
    /// The catalog cannot tell.
    Unknown,
}

/// Looks in the catalog for what a statement was to bring about.
///
/// # Errors
/// When the server cannot be asked.
pub async fn settle(
    session: &Session,
    settle: &Settle,
    unit: &UnitKey<'_>,
) -> Result<Finding, SessionError> {
    match settle {
        Settle::IndexMade { table } => {
            let on_table = format!("i.indrelid = pg_catalog.to_regclass({})", literal(table));
            young_indexes(session, &on_table, unit).await
        }
        Settle::Reindex => {
            let left = "NOT i.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$' \
                        AND c.relnamespace <> 'pg_toast'::pg_catalog.regnamespace";
            young_indexes(session, left, unit).await
        }
        Settle::Repeat => Ok(Finding::RunIt),
        Settle::Ask => Ok(Finding::Unknown),
        Settle::IndexValid { index, table } => index_valid(session, index, table).await,
        Settle::IndexGone { index } => {
            let there =
                scalar(session, &format!("SELECT pg_catalog.to_regclass({})", literal(index)))
                    .await?;
            Ok(if there.is_none() { Finding::Happened } else { Finding::RunIt })
        }
        Settle::DatabaseThere { database } => {
            Ok(happened_if(database_there(session, database).await?))
        }
        Settle::DatabaseGone { database } => {
            Ok(happened_if(!database_there(session, database).await?))
        }
        Settle::ObjectThere { kind, name } => {
            Ok(happened_if(object_there(session, *kind, name).await?))
        }
        Settle::ObjectGone { kind, name } => {
            Ok(happened_if(!object_there(session, *kind, name).await?))
        }
        Settle::PartitionDetached { parent, partition } => {
            partition_detached(session, parent, partition).await
        }
        Settle::SubscriptionHas { subscription, publication, has } => {
            let condition = format!("{} = ANY (subpublications)", literal(publication));
            let there = subscription_there(session, subscription, &condition).await?;
            Ok(happened_if(there == *has))
        }
    }
}

fn happened_if(happened: bool) -> Finding {
    if happened { Finding::Happened } else { Finding::RunIt }
}

/// `DETACH PARTITION CONCURRENTLY` first marks the partition and commits ("ALTER TABLE" in
/// PostgreSQL's manual); what is marked can only be finalized.
async fn partition_detached(
    session: &Session,
    parent: &str,
    partition: &str,
) -> Result<Finding, SessionError> {
    let sql = format!(
        "SELECT i.inhdetachpending FROM pg_catalog.pg_inherits i \
         WHERE i.inhparent = pg_catalog.to_regclass({}) AND i.inhrelid = pg_catalog.to_regclass({})",
        literal(parent),
        literal(partition)
    );
    Ok(match scalar(session, &sql).await?.as_deref() {
        Some("t") => {
            Finding::FinishBy(format!("ALTER TABLE {parent} DETACH PARTITION {partition} FINALIZE"))
        }
        Some(_) => Finding::RunIt,
        None => Finding::Happened,
    })
}

async fn object_there(
    session: &Session,
    kind: SharedKind,
    name: &str,
) -> Result<bool, SessionError> {
    match kind {
        SharedKind::Subscription => subscription_there(session, name, "true").await,
        SharedKind::Tablespace => {
            let name = literal(name);
            let sql = format!("SELECT 1 FROM pg_catalog.pg_tablespace WHERE spcname = {name}");
            Ok(scalar(session, &sql).await?.is_some())
        }
    }
}

async fn subscription_there(
    session: &Session,
    name: &str,
    condition: &str,
) -> Result<bool, SessionError> {
    let sql = format!(
        "SELECT 1 FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid \
         WHERE d.datname = pg_catalog.current_database() AND s.subname = {} AND {condition}",
        literal(name)
    );
    Ok(scalar(session, &sql).await?.is_some())
}

/// What is known of the one index of that name. It is looked up in its table's schema, where
/// `CREATE INDEX` puts it.
async fn index_valid(session: &Session, index: &str, table: &str) -> Result<Finding, SessionError> {
    let table_literal = literal(table);
    let bare =
        pgfleet_sql::parse_qualified(index).map_or_else(|| index.to_owned(), |name| name.name);
    let name = literal(&bare);
    let sql = format!(
        "SELECT i.indisvalid, i.indexrelid::pg_catalog.regclass FROM pg_catalog.pg_index i \
         JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid \
         WHERE i.indrelid = pg_catalog.to_regclass({table_literal}) AND c.relname = {name}"
    );
    Ok(index_finding(&session.query_text(&sql).await?))
}

/// Of the indexes for which a condition holds, those made since the unit's oldest open intent was
/// written: a row's `xmin` is the transaction that wrote it, and freezing leaves it as it is.
async fn young_indexes(
    session: &Session,
    condition: &str,
    unit: &UnitKey<'_>,
) -> Result<Finding, SessionError> {
    let intents = unit.open_intents();
    let sql = format!(
        "SELECT i.indisvalid, i.indexrelid::pg_catalog.regclass FROM pg_catalog.pg_index i \
         JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid WHERE {condition} \
         AND pg_catalog.age(c.xmin) < (SELECT pg_catalog.max(pg_catalog.age(s.xmin)) {intents})"
    );
    Ok(index_finding(&session.query_text(&sql).await?))
}

/// Rows tell whether an index is valid, and its name.
fn index_finding(rows: &[Vec<Option<String>>]) -> Finding {
    let valid = |row: &Vec<Option<String>>| row.first().cloned().flatten().as_deref() == Some("t");
    if rows.iter().any(valid) {
        return Finding::Happened;
    }
    let broken = rows.iter().filter_map(|row| row.get(1).cloned().flatten());
    let drops: Vec<_> =
        broken.map(|name| format!("DROP INDEX CONCURRENTLY IF EXISTS {name}")).collect();
    if drops.is_empty() { Finding::RunIt } else { Finding::CleanFirst(drops) }
}

async fn database_there(session: &Session, database: &str) -> Result<bool, SessionError> {
    let sql = format!("SELECT 1 FROM pg_catalog.pg_database WHERE datname = {}", literal(database));
    Ok(scalar(session, &sql).await?.is_some())
}

async fn scalar(session: &Session, sql: &str) -> Result<Option<String>, SessionError> {
    let rows = session.query_text(sql).await?;
    Ok(rows.into_iter().next().and_then(|row| row.into_iter().next()).flatten())
}
