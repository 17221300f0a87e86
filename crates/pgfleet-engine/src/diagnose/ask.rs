//! Read-only questions with short timeouts.

pub(super) use pgfleet_sql::quote_text as literal;

use crate::connect::Session;

/// One question may take this long, in milliseconds.
const STATEMENT_TIMEOUT_MS: u32 = 3_000;

/// One row, as text.
pub(super) type Row = Vec<Option<String>>;

/// The rows of a query; none when it fails or takes too long.
pub(super) async fn ask(session: &Session, query: &str) -> Vec<Row> {
    let sql = format!(
        "BEGIN READ ONLY; SET LOCAL statement_timeout = {STATEMENT_TIMEOUT_MS}; \
         SET LOCAL lock_timeout = 200; {query}; ROLLBACK"
    );
    match session.query_text(&sql).await {
        Ok(rows) => rows,
        Err(error) => {
            if !error.is_lost() {
                let _ = session.batch("ROLLBACK").await;
            }
            Vec::new()
        }
    }
}

/// The first column of every row.
pub(super) async fn ask_names(session: &Session, query: &str) -> Vec<String> {
    ask(session, query).await.into_iter().filter_map(|row| row.into_iter().next()?).collect()
}
