//! Looks for what checks expect: one batch for the catalog, one for the data, then the probes.
//!
//! Invariant: everything runs in read-only transactions (attempts across the border of tenants in
//! ones that are rolled back), and no check can make another fail: when
//! the batch of data questions fails, each is asked alone.

use std::collections::{BTreeMap, BTreeSet};

use pgfleet_core::verify::{
    Answer, Check, CheckResult, Evidence, Scope, TextRow, catalog_sql, facts_sql, judge, questions,
    read_catalog, row_counts_sql,
};

use crate::connect::{Session, SessionError};
use crate::probe;

/// Tables up to this size have their rows counted for a proposal: a full scan of them is short.
const MAX_COUNTED_BYTES: u64 = 1024 * 1024;

/// How checks are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Whether `http` checks are made; they are skipped otherwise.
    pub probes: bool,
    /// How long one query may take; 0 for no limit.
    pub statement_timeout_ms: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { probes: true, statement_timeout_ms: 60_000 }
    }
}

/// Makes the checks, and gives one verdict for each, in their order.
///
/// Without a session only `env` and `http` checks are made. `variables` are the environment's,
/// those of `.env` included.
pub async fn run(
    session: Option<&Session>,
    checks: &[Check],
    variables: &BTreeMap<String, String>,
    options: Options,
) -> Vec<CheckResult> {
    let set = variables.iter().filter(|(_, value)| !value.is_empty());
    let variables_set: BTreeSet<String> = set.map(|(name, _)| name.clone()).collect();
    let mut evidence = Evidence { variables: variables_set, ..Evidence::default() };
    if let Some(session) = session {
        read_facts(session, checks, options, &mut evidence).await;
        ask(session, checks, options, &mut evidence).await;
        for (position, check) in checks.iter().enumerate() {
            let outcome = match check {
                Check::Isolation(check) => crate::isolation::outcome(session, check).await,
                Check::Reference(check) => {
                    let timeout_ms = options.statement_timeout_ms;
                    crate::integrity::outcome(session, check, variables, timeout_ms).await
                }
                _ => continue,
            };
            evidence.probes.insert(position, outcome);
        }
    }
    if options.probes {
        for (position, check) in checks.iter().enumerate() {
            if let Check::Http(http) = check {
                evidence.probes.insert(position, probe::probe(http, variables).await);
            }
        }
    }
    checks.iter().enumerate().map(|(position, check)| judge(position, check, &evidence)).collect()
}

/// A declaration that the database satisfies, as TOML text.
///
/// # Errors
/// When the catalog or a table cannot be read.
pub async fn propose(session: &Session, schemas: &[String]) -> Result<String, SessionError> {
    let options = Options::default();
    let Ok(sql) = facts_sql(&Scope::whole(schemas)) else { return Ok(String::new()) };
    let mut catalog = read_catalog(&read_only(session, &sql, options).await?);
    let counts = read_only(session, &row_counts_sql(&catalog, MAX_COUNTED_BYTES), options).await?;
    for row in counts {
        let [Some(position), Some(count)] = row.as_slice() else { continue };
        let table = position.parse().ok().and_then(|at: usize| catalog.tables.get_mut(at));
        if let Some(table) = table {
            table.rows = count.parse().ok();
        }
    }
    Ok(pgfleet_core::verify::propose(&catalog))
}

async fn read_facts(
    session: &Session,
    checks: &[Check],
    options: Options,
    evidence: &mut Evidence,
) {
    evidence.catalog = match catalog_sql(checks) {
        Ok(None) => None,
        Err(error) => Some(Err(error.to_string())),
        Ok(Some(sql)) => {
            let rows = read_only(session, &sql, options).await;
            Some(rows.map(|rows| read_catalog(&rows)).map_err(|error| error.to_string()))
        }
    };
}

async fn ask(session: &Session, checks: &[Check], options: Options, evidence: &mut Evidence) {
    let questions = questions(checks);
    if questions.is_empty() {
        return;
    }
    let all: String = questions.iter().map(|question| format!("{};\n", question.sql)).collect();
    if let Ok(rows) = read_only(session, &all, options).await {
        let answers = rows.iter().filter_map(read_answer);
        evidence.answers = answers.map(|(position, answer)| (position, Ok(answer))).collect();
        return;
    }
    for question in questions {
        let rows = read_only(session, &format!("{};\n", question.sql), options).await;
        let answer = rows.map_err(|error| error.to_string()).and_then(|rows| {
            let answer = rows.iter().find_map(read_answer).map(|(_, answer)| answer);
            answer.ok_or_else(|| "the query gave no row".to_owned())
        });
        evidence.answers.insert(question.position, answer);
    }
}

fn read_answer(row: &TextRow) -> Option<(usize, Answer)> {
    let [Some(position), value, matches] = row.as_slice() else { return None };
    let matches = matches.as_deref().map(|matches| matches == "t");
    Some((position.parse().ok()?, Answer { value: value.clone(), matches }))
}

/// The rows of statements that see one snapshot and can change nothing.
async fn read_only(
    session: &Session,
    statements: &str,
    options: Options,
) -> Result<Vec<TextRow>, SessionError> {
    let rows = session
        .query_text(&format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;\n\
             SET LOCAL statement_timeout = {};\n{statements}COMMIT",
            options.statement_timeout_ms
        ))
        .await;
    if rows.is_err() && !session.is_closed() {
        // The transaction is aborted; whatever the answer, the session's next request tells more.
        let _ = session.batch("ROLLBACK").await;
    }
    rows
}

#[cfg(test)]
mod bilan;
#[cfg(test)]
mod tests;
