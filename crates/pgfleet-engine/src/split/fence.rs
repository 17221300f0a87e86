//! The fence around the source: a trigger on each table that is moved refuses writes, for
//! everybody, until it is lifted.
//!
//! A trigger and not REVOKE, because owners and superusers pass by privileges; and not a lock,
//! because a lock ends with its session. Statement triggers see UPDATE, DELETE and TRUNCATE of no
//! rows too, which harms nobody.

use pgfleet_core::split::{Move, Rows};

use crate::connect::{Session, SessionError};

/// What the trigger is called.
const TRIGGER: &str = "pgfleet_split_fence";

const FUNCTION: &str = "CREATE OR REPLACE FUNCTION pgfleet.refuse_write() RETURNS trigger
LANGUAGE plpgsql AS $pgfleet$ BEGIN
  RAISE EXCEPTION 'pgfleet: %.% is being split into other databases and cannot be written',
    TG_TABLE_SCHEMA, TG_TABLE_NAME
    USING ERRCODE = 'read_only_sql_transaction',
    HINT = 'Write to the new database. `pgfleet split rollback` lifts this.';
END $pgfleet$";

/// Tables of the source that are moved, quoted, each once.
pub(super) fn fenced_tables(moves: &[Move]) -> Vec<String> {
    let tables = moves.iter().filter_map(|step| match &step.rows {
        Rows::Table { table, .. } => Some(table.clone()),
        Rows::Query { .. } => None,
    });
    let mut tables: Vec<_> = tables.collect();
    tables.sort();
    tables.dedup();
    tables
}

/// Puts up the fence; writers that are at work are waited for, `lock_timeout_ms` each time. What
/// stands already stays.
pub(super) async fn put_up(
    session: &Session,
    moves: &[Move],
    lock_timeout_ms: u64,
) -> Result<(), SessionError> {
    session.batch(FUNCTION).await?;
    for table in fenced_tables(moves) {
        let sql = format!(
            "SET LOCAL lock_timeout = {lock_timeout_ms};
             DROP TRIGGER IF EXISTS {TRIGGER} ON {table};
             CREATE TRIGGER {TRIGGER} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}
             FOR EACH STATEMENT EXECUTE FUNCTION pgfleet.refuse_write();
             ALTER TABLE {table} ENABLE ALWAYS TRIGGER {TRIGGER}"
        );
        if !stands(session, &table).await? {
            // One message is one transaction.
            session.batch(&sql).await?;
        }
    }
    Ok(())
}

async fn stands(session: &Session, table: &str) -> Result<bool, SessionError> {
    let sql = format!(
        "SELECT 1 FROM pg_catalog.pg_trigger WHERE tgname = '{TRIGGER}' AND tgenabled = 'A' \
         AND tgrelid = {}::pg_catalog.regclass",
        crate::journal::literal(table)
    );
    Ok(!session.query_text(&sql).await?.is_empty())
}

/// Takes the fence away, wherever it stands.
pub(super) async fn lift(session: &Session) -> Result<(), SessionError> {
    let sql = format!(
        "SELECT tgrelid::pg_catalog.regclass FROM pg_catalog.pg_trigger \
         WHERE tgname = '{TRIGGER}' AND NOT tgisinternal ORDER BY 1"
    );
    for row in session.query_text(&sql).await? {
        let Some(table) = row.first().and_then(Option::as_ref) else { continue };
        session.batch(&format!("DROP TRIGGER IF EXISTS {TRIGGER} ON {table}")).await?;
    }
    session.batch("DROP FUNCTION IF EXISTS pgfleet.refuse_write()").await
}
