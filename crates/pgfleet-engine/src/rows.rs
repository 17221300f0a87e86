//! Looks for rows that would break what is about to run, before it runs.
//!
//! Invariant: questions are read-only and short; what cannot be told within that is no finding, and the
//! statement itself will say.

use pgfleet_core::diagnose::{Problem, Severity, Violations};
use pgfleet_core::program;
use pgfleet_core::rows::{RowDemand, broken, pending_demands};
use pgfleet_sql::classify::{Demand, Rule, demands};
use pgfleet_sql::{quote_ident, quote_literal};

use crate::compare::Side;
use crate::conduct::{ChangeError, Opened, Selection, Target, pending, read_include};
use crate::connect::{Session, SessionError};
use crate::diagnose::rows::{duplicates_of, primary_key, rows_where};
use crate::project::Project;

/// One cast of all values may take this long, in milliseconds.
const CAST_TIMEOUT_MS: u32 = 10_000;

/// Refuses pending migrations that existing rows will break.
///
/// # Errors
/// A problem for each rule that rows break.
pub async fn check_pending(opened: &Opened, selection: &Selection) -> Result<(), ChangeError> {
    let problems = broken_by_pending(opened, selection).await?;
    if problems.is_empty() { Ok(()) } else { Err(problems.into()) }
}

/// What of the pending migrations existing rows will break.
///
/// # Errors
/// When the selection names no migration.
pub async fn broken_by_pending(
    opened: &Opened,
    selection: &Selection,
) -> Result<Vec<Problem>, ChangeError> {
    if !opened.state.holds_tables {
        return Ok(Vec::new());
    }
    let versions = pending(&opened.statuses, selection)?;
    let tree = &opened.folder.tree;
    let read =
        |path: &str, relative: bool, including: &str| read_include(tree, path, relative, including);
    let chosen = opened.folder.set.migrations.iter().filter(|m| versions.contains(&m.version));
    let programs: Vec<_> = chosen.map(|m| (m.label(), program::build(&m.up, &read))).collect();
    Ok(broken_demands(&opened.session, &pending_demands(&programs)).await)
}

/// What of a difference's demands the rows of its first side break, where that is a database: warnings,
/// as nothing runs now.
///
/// # Errors
/// When the database cannot be reached.
pub async fn broken_by_difference(
    project: &Project,
    from: &Side,
    wanted: &[RowDemand],
) -> Result<Vec<Problem>, Box<Problem>> {
    let target = match from {
        Side::Target => Target::of(project)?,
        Side::Database(url) => {
            Target::at(&from.to_string(), project.spec_of(url)?, &project.settings)
        }
        _ => return Ok(Vec::new()),
    };
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let session = target.connect().await?;
    let found = broken_demands(&session, wanted).await;
    session.close().await;
    let warn = |problem: Problem| Problem { severity: Severity::Warning, ..problem };
    Ok(found.into_iter().map(warn).collect())
}

/// The demands that rows of a database break.
pub async fn broken_demands(session: &Session, wanted: &[RowDemand]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for demand in wanted {
        if let Some(rows) = violations(session, &demand.demand).await
            && rows.count > 0
        {
            problems.push(broken(demand, &rows));
        }
    }
    problems
}

async fn violations(session: &Session, demand: &Demand) -> Option<Violations> {
    let table = demand.table.to_string();
    match &demand.rule {
        Rule::NotNull { column } => {
            rows_where(session, &table, &format!("t.{} IS NULL", quote_ident(column))).await
        }
        Rule::NoRow { .. } => rows_where(session, &table, "true").await,
        Rule::Check { condition } => {
            rows_where(session, &table, &format!("NOT ({condition})")).await
        }
        Rule::Unique { keys, predicate, nulls_are_equal, primary } => {
            let condition =
                unique_condition(keys, predicate.as_deref(), *nulls_are_equal || *primary);
            let twice = duplicates_of(session, &table, &keys.join(", "), &condition).await?;
            if twice.count > 0 || !*primary {
                return Some(twice);
            }
            let absent: Vec<_> = keys.iter().map(|key| format!("t.{key} IS NULL")).collect();
            rows_where(session, &table, &absent.join(" OR ")).await
        }
        Rule::References { columns, table: other, referenced } => {
            let other = other.to_string();
            let keys = match referenced.is_empty() {
                false => referenced.clone(),
                true => primary_key(session, &other).await,
            };
            let condition = orphan_condition(columns, &other, &keys)?;
            rows_where(session, &table, &condition).await
        }
        Rule::Fits { column, type_text, using } => {
            misfits(session, &table, column, type_text, using.as_deref()).await
        }
        Rule::Validated { constraint } => validated(session, demand, constraint).await,
    }
}

/// Without `NULLS NOT DISTINCT` a row with a NULL is the same as no other.
fn unique_condition(keys: &[String], predicate: Option<&str>, nulls_are_equal: bool) -> String {
    let mut conditions: Vec<_> = predicate.map(|text| format!("({text})")).into_iter().collect();
    if !nulls_are_equal {
        conditions.extend(keys.iter().map(|key| format!("{key} IS NOT NULL")));
    }
    if conditions.is_empty() { "true".to_owned() } else { conditions.join(" AND ") }
}

fn orphan_condition(columns: &[String], other: &str, keys: &[String]) -> Option<String> {
    if keys.is_empty() || keys.len() != columns.len() {
        return None;
    }
    let pairs: Vec<_> =
        columns.iter().zip(keys).map(|(ours, theirs)| format!("o.{theirs} = t.{ours}")).collect();
    let present: Vec<_> = columns.iter().map(|column| format!("t.{column} IS NOT NULL")).collect();
    let (present, pairs) = (present.join(" AND "), pairs.join(" AND "));
    Some(format!("{present} AND NOT EXISTS (SELECT FROM {other} o WHERE {pairs})"))
}

/// Texts that are too long are counted; of other types the server says the first that does not fit.
async fn misfits(
    session: &Session,
    table: &str,
    column: &str,
    type_text: &str,
    using: Option<&str>,
) -> Option<Violations> {
    let name = quote_ident(column);
    if let (Some(limit), None) = (text_limit(type_text), using) {
        let condition = format!("length(t.{name}::text) > {limit}");
        return rows_where(session, table, &condition).await;
    }
    let value = using.map_or_else(|| format!("{name}::{type_text}"), |using| format!("({using})"));
    let query = format!("SELECT count({value}) FROM {table}");
    let sql = format!(
        "BEGIN READ ONLY; SET LOCAL statement_timeout = {CAST_TIMEOUT_MS}; \
         SET LOCAL lock_timeout = 200; {query}; ROLLBACK"
    );
    let error = session.query_text(&sql).await.err()?;
    if !error.is_lost() {
        let _ = session.batch("ROLLBACK").await;
    }
    match error {
        // Class 22 is "data exception".
        SessionError::Server(error) if error.sqlstate.starts_with("22") => Some(Violations {
            count: 1,
            samples: vec![format!("at least: {}", error.message)],
            query,
        }),
        _ => None,
    }
}

/// The limit of `varchar(5)`, `char(5)` and their longer names.
fn text_limit(type_text: &str) -> Option<u32> {
    let (name, rest) = type_text.split_once('(')?;
    let name = name.trim().to_ascii_lowercase();
    let is_text = ["varchar", "char", "character", "character varying"].contains(&name.as_str());
    is_text.then(|| rest.trim_end_matches(')').trim().parse().ok()).flatten()
}

/// A constraint that was there before, by its definition.
async fn validated(session: &Session, demand: &Demand, constraint: &str) -> Option<Violations> {
    let literal = |text: &str| quote_literal(text).ok();
    let (table, name) = (literal(&demand.table.to_string())?, literal(constraint)?);
    let sql = format!(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint \
         WHERE conrelid = to_regclass({table}) AND conname = {name}"
    );
    let rows = session.query_text(&sql).await.ok()?;
    let definition = rows.first()?.first()?.clone()?;
    let definition = definition.trim_end_matches(" NOT VALID");
    let add = format!("ALTER TABLE {} ADD {definition}", demand.table);
    let [found] = &demands(&add)[..] else { return None };
    Box::pin(violations(session, found)).await
}
