//! Holds what a history claims against the catalog.

use pgfleet_core::diagnose::Problem;
use pgfleet_core::history::Verdict;
use pgfleet_core::preflight::{Claim, claims};
use pgfleet_core::program::Program;
use pgfleet_sql::quote_text;

use crate::conduct::Opened;
use crate::connect::{Session, SessionError};

/// Between the columns of a claim; a control character that no sane name holds.
const COLUMN_END: char = '\u{1f}';
/// Between claims.
const CLAIM_END: char = '\u{1e}';

/// Tables and columns that applied migrations create and that are not there. One round trip.
///
/// # Errors
/// When the server cannot be asked.
pub async fn untrue_claims(opened: &Opened) -> Result<Vec<Problem>, SessionError> {
    let mut claims = claims(&applied_programs(opened));
    claims.retain(is_askable);
    if claims.is_empty() {
        return Ok(Vec::new());
    }
    let missing = missing(&opened.session, &claims).await?;
    Ok(missing.into_iter().map(|(claim, columns)| claim.untrue(columns.as_deref())).collect())
}

fn applied_programs(opened: &Opened) -> Vec<(&str, &Program)> {
    let verdicts = opened.verdicts();
    let migrations = opened.folder.set.migrations.iter();
    let programs = migrations.map(|m| m.version.as_str()).zip(opened.folder.up_programs());
    programs.filter(|(version, _)| verdicts.get(version) == Some(&Verdict::Applied)).collect()
}

/// Whether the claim's names can be told apart in the question's text.
fn is_askable(claim: &Claim) -> bool {
    let mut names = claim.columns.iter().chain([&claim.table.name]).chain(&claim.table.schema);
    !names.any(|name| name.contains([COLUMN_END, CLAIM_END, '\0']))
}

/// The claims that are not so: the whole table, or some of its columns.
async fn missing<'c>(
    session: &Session,
    claims: &'c [Claim],
) -> Result<Vec<(&'c Claim, Option<Vec<String>>)>, SessionError> {
    let rows = session.query_text(&question(claims)).await?;
    let read = |row: Vec<Option<String>>| {
        let mut cells = row.into_iter();
        let claim = claims.get(cells.next()??.parse::<usize>().ok()?.checked_sub(1)?)?;
        let columns = cells.next()?.map(|text| text.split(COLUMN_END).map(str::to_owned).collect());
        Some((claim, columns))
    };
    Ok(rows.into_iter().filter_map(read).collect())
}

/// Number of the claim from 1, and the columns that are missing; NULL when the table itself is.
/// The claims go in two literals: a row constructor for each costs the server's parser and planner
/// more than looking them up does.
fn question(claims: &[Claim]) -> String {
    let tables: Vec<_> = claims.iter().map(|claim| claim.table.to_string()).collect();
    let columns: Vec<_> =
        claims.iter().map(|claim| claim.columns.join(&COLUMN_END.to_string())).collect();
    let list = |parts: &[String]| {
        let joined = quote_text(&parts.join(&CLAIM_END.to_string()));
        format!("pg_catalog.unnest(pg_catalog.string_to_array({joined}, E'\\x1e'))")
    };
    format!(
        "SELECT c.number, CASE WHEN r.oid IS NOT NULL THEN \
         (SELECT pg_catalog.string_agg(w.name, E'\\x1f') \
            FROM pg_catalog.unnest(w.columns) AS w(name) WHERE w.name <> ALL (h.columns)) END \
         FROM ROWS FROM ({}, {}) WITH ORDINALITY AS c(name, columns, number) \
         CROSS JOIN LATERAL (SELECT pg_catalog.to_regclass(c.name)::oid) AS r(oid) \
         CROSS JOIN LATERAL (SELECT pg_catalog.string_to_array(c.columns, E'\\x1f')) AS w(columns) \
         CROSS JOIN LATERAL (SELECT COALESCE(pg_catalog.array_agg(a.attname::text), '{{}}') \
           FROM pg_catalog.pg_attribute a \
           WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped) AS h(columns) \
         WHERE r.oid IS NULL OR NOT w.columns OPERATOR(pg_catalog.<@) h.columns \
         ORDER BY c.number",
        list(&tables),
        list(&columns),
    )
}
