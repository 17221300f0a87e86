//! Holds what a history claims against the catalog.

use pgfleet_core::diagnose::Problem;
use pgfleet_core::folder::Migration;
use pgfleet_core::history::Verdict;
use pgfleet_core::preflight::{Claim, claims};
use pgfleet_core::program::{self, Program};
use pgfleet_sql::quote_literal;

use crate::conduct::{Opened, read_include};
use crate::connect::{Session, SessionError};
use crate::journal::literal;

/// Tables and columns that applied migrations create and that are not there. One round trip.
///
/// # Errors
/// When the server cannot be asked.
pub async fn untrue_claims(opened: &Opened) -> Result<Vec<Problem>, SessionError> {
    let programs = applied_programs(opened);
    let programs: Vec<_> =
        programs.iter().map(|(version, program)| (version.as_str(), program)).collect();
    let claims = claims(&programs);
    if claims.is_empty() {
        return Ok(Vec::new());
    }
    let missing = missing(&opened.session, &claims).await?;
    Ok(missing.into_iter().map(|(claim, columns)| claim.untrue(columns.as_deref())).collect())
}

fn applied_programs(opened: &Opened) -> Vec<(String, Program)> {
    let applied = |migration: &&Migration| {
        let status = opened.statuses.iter().find(|status| status.version == migration.version);
        status.is_some_and(|status| status.verdict == Verdict::Applied)
    };
    let tree = &opened.folder.tree;
    let read =
        |path: &str, relative: bool, including: &str| read_include(tree, path, relative, including);
    let migrations = opened.folder.set.migrations.iter().filter(applied);
    migrations.map(|m| (m.version.clone(), program::build(&m.up, &read))).collect()
}

/// The claims that are not so: the whole table, or some of its columns.
async fn missing<'c>(
    session: &Session,
    claims: &'c [Claim],
) -> Result<Vec<(&'c Claim, Option<Vec<String>>)>, SessionError> {
    let rows = session.query_text(&question(claims)).await?;
    let read = |row: Vec<Option<String>>| {
        let mut cells = row.into_iter();
        let claim = claims.get(cells.next()??.parse::<usize>().ok()?)?;
        let columns = cells.next()?.map(|text| text.split('\u{1f}').map(str::to_owned).collect());
        Some((claim, columns))
    };
    Ok(rows.into_iter().filter_map(read).collect())
}

/// Number of the claim, and the columns that are missing; NULL when the table itself is.
fn question(claims: &[Claim]) -> String {
    let values: Vec<_> = claims
        .iter()
        .enumerate()
        .map(|(number, claim)| {
            let columns: Vec<_> =
                claim.columns.iter().filter_map(|name| quote_literal(name).ok()).collect();
            format!(
                "({number}, {}, ARRAY[{}]::text[])",
                literal(&claim.table.to_string()),
                columns.join(", ")
            )
        })
        .collect();
    format!(
        "SELECT c.number, CASE WHEN r.oid IS NOT NULL THEN m.columns END \
         FROM (VALUES {}) AS c(number, name, columns) \
         CROSS JOIN LATERAL (SELECT pg_catalog.to_regclass(c.name)::oid) AS r(oid) \
         CROSS JOIN LATERAL (SELECT pg_catalog.string_agg(w.name, E'\\x1f') \
           FROM pg_catalog.unnest(c.columns) AS w(name) \
           WHERE NOT EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.attrelid = r.oid \
             AND a.attname = w.name AND a.attnum > 0 AND NOT a.attisdropped)) AS m(columns) \
         WHERE r.oid IS NULL OR m.columns IS NOT NULL ORDER BY c.number",
        values.join(", ")
    )
}
