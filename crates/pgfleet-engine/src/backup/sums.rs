//! Sums the rows of many tables over a few connections that share one snapshot.
//!
//! Invariant: every page range of every table is summed exactly once, and a sum that fails fails
//! the whole: no table is left out in silence.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use pgfleet_core::backup::{
    Algorithm, CANONICAL_SETTINGS, PageRange, TableShape, TableSum, checksum_sql, split_pages,
};
use pgfleet_core::diagnose::Problem;

use crate::catalog::begin_in;
use crate::conduct::Target;
use crate::connect::{Session, SessionError};
use crate::queue::Queue;

/// The position of a table, and which part of it.
type Piece = (usize, Option<PageRange>);

/// Rows and sum of a table or a part of it.
struct Part {
    table: usize,
    rows: u64,
    sum: i128,
}

/// Sums tables in a snapshot (of each connection's own when none is given, which is right for a
/// database that nobody writes to) over `jobs` connections. The sums are in the tables' order.
///
/// # Errors
/// Names the table that could not be read.
pub async fn sum_tables(
    target: &Target,
    snapshot: Option<&str>,
    tables: &[TableShape],
    algorithm: Algorithm,
    jobs: usize,
) -> Result<Vec<TableSum>, Box<Problem>> {
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    let first = open(target, snapshot).await?;
    let queue = queue(tables, first.server_version_num());
    let further = jobs.max(1).min(queue.len()).saturating_sub(1);
    let mut sessions = try_join_all((0..further).map(|_| open(target, snapshot))).await?;
    sessions.push(first);
    let work = sessions.iter().map(|session| drain(target, session, &queue, tables, algorithm));
    let parts = try_join_all(work).await?;
    for session in sessions {
        session.close().await;
    }
    Ok(add_up(tables, parts.into_iter().flatten()))
}

async fn open(target: &Target, snapshot: Option<&str>) -> Result<Session, Box<Problem>> {
    let session = target.connect().await?;
    let begin = format!("{} {CANONICAL_SETTINGS}", begin_in(snapshot));
    session.batch(&begin).await.map_err(|error| target.session_problem(&error))?;
    Ok(session)
}

/// Large tables first, so that no connection is left alone with one at the end.
fn queue(tables: &[TableShape], version: u32) -> Queue<Piece> {
    let mut order: Vec<_> = (0..tables.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(tables[*at].bytes));
    let parts = |at: usize| split_pages(&tables[at], version).into_iter().map(move |r| (at, r));
    order.into_iter().flat_map(parts).collect()
}

async fn drain(
    target: &Target,
    session: &Session,
    queue: &Queue<Piece>,
    tables: &[TableShape],
    algorithm: Algorithm,
) -> Result<Vec<Part>, Box<Problem>> {
    let mut parts = Vec::new();
    while let Some((at, range)) = queue.take() {
        let rows = session.query_text(&checksum_sql(&tables[at], algorithm, range)).await;
        let rows = rows.map_err(|error| unreadable(target, &tables[at], &error))?;
        let mut cells = rows.into_iter().flatten().flatten();
        let mut number = || cells.next().and_then(|cell| cell.parse::<i128>().ok()).unwrap_or(0);
        let (rows, sum) = (number(), number());
        parts.push(Part { table: at, rows: u64::try_from(rows).unwrap_or(0), sum });
    }
    Ok(parts)
}

fn add_up(tables: &[TableShape], parts: impl Iterator<Item = Part>) -> Vec<TableSum> {
    let mut sums: BTreeMap<usize, (u64, i128)> = BTreeMap::new();
    for part in parts {
        let sum = sums.entry(part.table).or_default();
        sum.0 += part.rows;
        sum.1 += part.sum;
    }
    let sum = |(at, table): (usize, &TableShape)| {
        let (rows, sum) = sums.get(&at).copied().unwrap_or_default();
        TableSum { table: table.name.to_string(), rows, sum: sum.to_string() }
    };
    tables.iter().enumerate().map(sum).collect()
}

fn unreadable(target: &Target, table: &TableShape, error: &SessionError) -> Box<Problem> {
    let mut problem = target.session_problem(error);
    problem.what = format!("the rows of {} cannot be read: {}", table.name, problem.what);
    let sqlstate = problem.sqlstate.as_deref();
    if sqlstate == Some("42501") && problem.what.contains("row-level security") {
        return Box::new(
            problem
                .because("a row-level security policy would hide rows from this role")
                .fix("Connect as the table's owner without FORCE, a superuser, or a role with BYPASSRLS."),
        );
    }
    problem
}
