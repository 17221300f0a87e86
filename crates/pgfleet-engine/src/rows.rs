//! Looks for rows that would break what is about to run, before it runs.
//!
//! Invariant: questions are read-only and short; what cannot be told within that is no finding, and the
//! statement itself will say.

use pgfleet_core::diagnose::{Problem, Severity, Violations};
use pgfleet_core::program;
use pgfleet_core::rows::{RowDemand, broken, broken_by_column, pending_demands};
use pgfleet_sql::classify::{Demand, Rule, demands};
use pgfleet_sql::{QualifiedName, quote_ident, quote_literal};

use crate::compare::Side;
use crate::conduct::{ChangeError, Opened, Selection, Target, pending, read_include};
use crate::connect::{Session, SessionError};
use crate::diagnose::rows::{duplicates_of, primary_key, rows_where};
use crate::project::Project;

/// One cast of all values may take this long, in milliseconds.
const CAST_TIMEOUT_MS: u32 = 10_000;

/// Of a domain no more columns are asked.
const COLUMNS_MAX: usize = 100;

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
        let Some(demand) = &told_apart(session, demand).await else { continue };
        if let Rule::Domain { condition, except } = &demand.demand.rule {
            let asked = (condition.as_deref(), except.as_slice());
            problems.extend(broken_by_columns(session, demand, asked).await);
        } else if let Some(rows) = violations(session, &demand.demand).await
            && rows.count > 0
        {
            problems.push(broken(demand, &rows));
        }
    }
    problems
}

/// The columns of a domain, and of domains over it, whose values it does not allow.
async fn broken_by_columns(
    session: &Session,
    demand: &RowDemand,
    (condition, except): (Option<&str>, &[String]),
) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (table, column) in columns_of(session, &demand.demand.table, except).await {
        let name = quote_ident(&column);
        let breaks = match condition {
            None => format!("t.{name} IS NULL"),
            // VALUE is read as the name of a column, and this one is the nearest.
            Some(condition) => {
                format!("NOT (SELECT ({condition}) FROM (SELECT t.{name} AS value) AS one)")
            }
        };
        if let Some(rows) = rows_where(session, &table.to_string(), &breaks).await
            && rows.count > 0
        {
            problems.push(broken_by_column(demand, &rows, &table, &column));
        }
    }
    problems
}

/// Columns that a table does not have from another one, whose rows are asked with it.
async fn columns_of(
    session: &Session,
    domain: &QualifiedName,
    except: &[String],
) -> Vec<(QualifiedName, String)> {
    let Ok(domain) = quote_literal(&domain.to_string()) else { return Vec::new() };
    let sql = format!(
        "WITH RECURSIVE d (oid) AS (SELECT to_regtype({domain})::oid UNION \
         SELECT t.oid FROM pg_type t JOIN d ON t.typbasetype = d.oid WHERE t.typtype = 'd') \
         SELECT n.nspname, c.relname, a.attname FROM pg_attribute a JOIN d ON a.atttypid = d.oid \
         JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.relkind IN ('r', 'p') AND NOT a.attisdropped AND a.attinhcount = 0 \
         ORDER BY 1, 2, a.attnum LIMIT {COLUMNS_MAX}"
    );
    let rows = session.query_text(&sql).await.unwrap_or_default();
    let column = |row: Vec<Option<String>>| match <[_; 3]>::try_from(row) {
        Ok([Some(schema), Some(table), Some(column)]) if !except.contains(&table) => {
            Some((QualifiedName::new(schema, table), column))
        }
        _ => None,
    };
    rows.into_iter().filter_map(column).collect()
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
            let own = own_rows(session, &table).await;
            let twice = duplicates_of(session, &own, &keys.join(", "), &condition).await?;
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
            let condition = orphan_condition(columns, &own_rows(session, &other).await, &keys)?;
            rows_where(session, &own_rows(session, &table).await, &condition).await
        }
        Rule::Fits { column, type_text, using } => {
            misfits(session, &table, column, type_text, using.as_deref()).await
        }
        Rule::Excludes { pairs, predicate } => {
            let own = own_rows(session, &table).await;
            rows_where(session, &own, &conflict_condition(&own, pairs, predicate.as_deref())).await
        }
        // Asked as what it demands; asked column by column.
        Rule::Validated { .. } | Rule::Domain { .. } => None,
    }
}

/// True of a row beside which another is that is to it what all of the operators say.
fn conflict_condition(table: &str, pairs: &[(String, String)], predicate: Option<&str>) -> String {
    let counts = predicate.map_or_else(|| "true".to_owned(), |text| format!("({text})"));
    let keys: Vec<_> =
        (1..).zip(pairs).map(|(n, (key, _))| format!("({key}) AS pgfleet_key_{n}")).collect();
    let like: Vec<_> = (1..)
        .zip(pairs)
        .map(|(n, (key, with))| format!("({key}) {with} others.pgfleet_key_{n}"))
        .collect();
    format!(
        "{counts} AND EXISTS (SELECT FROM (SELECT tableoid AS pgfleet_table, ctid AS pgfleet_row, \
         {} FROM {table} WHERE {counts}) AS others WHERE (others.pgfleet_table, others.pgfleet_row) \
         <> (t.tableoid, t.ctid) AND {})",
        keys.join(", "),
        like.join(" AND ")
    )
}

/// Keys, exclusions and foreign keys of a table that others inherit from are not theirs; those of a
/// partitioned table are.
async fn own_rows(session: &Session, table: &str) -> String {
    let Ok(literal) = quote_literal(table) else { return table.to_owned() };
    let sql = format!("SELECT FROM pg_class WHERE oid = to_regclass({literal}) AND relkind = 'r'");
    match session.query_text(&sql).await {
        Ok(rows) if !rows.is_empty() => format!("ONLY {table}"),
        _ => table.to_owned(),
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

/// What a constraint that was there before demands, by its definition; any other demand as it is.
async fn told_apart(session: &Session, demand: &RowDemand) -> Option<RowDemand> {
    let Rule::Validated { constraint } = &demand.demand.rule else { return Some(demand.clone()) };
    let literal = |text: &str| quote_literal(text).ok();
    let (table, name) = (literal(&demand.demand.table.to_string())?, literal(constraint)?);
    let sql = format!(
        "SELECT pg_get_constraintdef(oid), CASE conrelid WHEN 0 THEN 'DOMAIN' ELSE 'TABLE' END \
         FROM pg_constraint WHERE conname = {name} \
         AND (conrelid = to_regclass({table}) OR contypid = to_regtype({table}))"
    );
    let rows = session.query_text(&sql).await.ok()?;
    let [Some(definition), Some(kind)] = rows.first()?.as_slice() else { return None };
    let definition = definition.trim_end_matches(" NOT VALID");
    let add = format!("ALTER {kind} {} ADD {definition}", demand.demand.table);
    let [found] = &demands(&add)[..] else { return None };
    let constraint = Some(constraint.clone());
    Some(RowDemand { demand: Demand { constraint, ..found.clone() }, ..demand.clone() })
}
