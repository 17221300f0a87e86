//! Looks at a server and a database, and keeps what it saw for the next look.
//!
//! Invariant: a look is read-only, short, and takes no lock that anybody waits for.

mod serve;

use std::path::{Path, PathBuf};
use std::time::Instant;

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::monitor::{Sample, SlowStatement};
use pgfleet_sql::quote_ident;

use crate::conduct::Target;
use crate::connect::Session;

pub use serve::serve;

/// How long a look may take in the server.
const TIMEOUT_MS: u32 = 10_000;
/// Statements of pg_stat_statements that are read.
const STATEMENTS: u32 = 20;

/// Takes one look.
///
/// # Errors
/// When the server refuses or the connection is lost.
pub async fn sample(target: &Target, session: &Session) -> Result<Sample, Box<Problem>> {
    let started = Instant::now();
    let begin = format!(
        "BEGIN READ ONLY; SET LOCAL statement_timeout = {TIMEOUT_MS}; SET LOCAL lock_timeout = 1000; {}; \
         COMMIT",
        include_str!("sample.sql")
    );
    let text = one(target, session, &begin).await?.unwrap_or_default();
    let mut sample: Sample = serde_json::from_str(&text).map_err(|error| {
        let what = "the server's answer about itself cannot be read";
        Box::new(Problem::error(Code::Bug, what).in_target(&target.name).because(error.to_string()))
    })?;
    sample.answered_ms = started.elapsed().as_secs_f64() * 1000.0;
    sample.statements = statements(session).await;
    Ok(sample)
}

async fn one(
    target: &Target,
    session: &Session,
    sql: &str,
) -> Result<Option<String>, Box<Problem>> {
    match session.query_text(sql).await {
        Ok(rows) => Ok(rows.into_iter().flatten().flatten().next()),
        Err(error) => {
            if !error.is_lost() {
                // Whatever the answer, the next request tells more.
                let _ = session.batch("ROLLBACK").await;
            }
            Err(target.session_problem(&error))
        }
    }
}

/// None where pg_stat_statements is not installed, not loaded or not for this role.
async fn statements(session: &Session) -> Option<Vec<SlowStatement>> {
    let schema = "SELECT n.nspname FROM pg_catalog.pg_extension e \
                  JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace \
                  WHERE e.extname = 'pg_stat_statements'";
    let schema = session.query_text(schema).await.ok()?.into_iter().flatten().flatten().next()?;
    let time = if session.server_version_num() >= 130_000 { "exec_time" } else { "time" };
    let sql = format!(
        "SELECT coalesce(pg_catalog.json_agg(s), '[]')::text FROM (SELECT calls, total_{time} AS total_ms, \
         mean_{time} AS mean_ms, rows, pg_catalog.left(pg_catalog.regexp_replace(query, '\\s+', ' ', 'g'), 300) AS query \
         FROM {}.pg_stat_statements WHERE dbid = (SELECT oid FROM pg_catalog.pg_database \
         WHERE datname = pg_catalog.current_database()) ORDER BY 2 DESC LIMIT {STATEMENTS}) s",
        quote_ident(&schema)
    );
    let text = session.query_text(&sql).await.ok()?.into_iter().flatten().flatten().next()?;
    serde_json::from_str(&text).ok()
}

/// Where the last look at a target is kept.
pub fn last_look_file(root: &Path, target: &Target) -> PathBuf {
    let name = crate::backup::target_folder_name(target);
    root.join(".pgfleet").join("monitor").join(format!("{name}.json"))
}

/// The last look; none when there was none or it cannot be read.
pub fn last_look(file: &Path) -> Option<Sample> {
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}

/// Keeps a look for the next one to compare with.
///
/// # Errors
/// What the system said.
pub fn keep_look(file: &Path, sample: &Sample) -> std::io::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
        crate::own_folder::keep_out_of_git(folder);
    }
    let draft = file.with_extension("draft");
    std::fs::write(&draft, serde_json::to_vec(sample)?)?;
    std::fs::rename(draft, file)
}
