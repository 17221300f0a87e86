//! Proves that the rows of the source arrived: as many, and the same, whatever their order.

use futures_util::future::try_join_all;
use pgfleet_core::checksum::Algorithm;
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::split::Move;
use serde::Serialize;

use crate::conduct::Target;
use crate::connect::{Session, SessionError};
use crate::journal::literal;
use crate::queue::Queue;

use super::differing::{Differing, Rows, Unread, differing};
use super::journal::cell;
use super::moving::SETTINGS;
use super::{Family, Split};

/// Rows of a table on both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reconciled {
    /// The table.
    pub table: String,
    /// What the source gives.
    pub source: Sum,
    /// What the table holds, without what it held before rows were moved.
    pub here: Sum,
    /// Both are the same.
    pub ok: bool,
    /// Which rows differ, where any do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub differing: Option<Differing>,
}

/// A number of rows, and the sum of a hash of each, which does not depend on their order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Sum {
    /// Rows.
    pub rows: i64,
    /// The sum, a whole number without limit.
    pub checksum: String,
}

/// The algorithm that both sides have.
pub(super) fn algorithm(source: &Session, here: &Session) -> Algorithm {
    Algorithm::of_server(source.server_version_num().min(here.server_version_num()))
}

/// What a query of [`Move::sum_sql`]'s kind gives.
pub(super) async fn sum(session: &Session, sql: &str) -> Result<Sum, SessionError> {
    let rows = session.query_text(sql).await?;
    let row = rows.first().cloned().unwrap_or_default();
    Ok(Sum { rows: cell(&row, 0).parse().unwrap_or(-1), checksum: cell(&row, 1) })
}

/// What a table holds beyond what it held before.
pub(super) async fn sum_since(
    session: &Session,
    split_id: &str,
    step: &Move,
    algorithm: Algorithm,
) -> Result<Sum, SessionError> {
    let sql = format!(
        "SELECT a.rows - t.before_rows, a.checksum - t.before_checksum FROM pgfleet.split_tables t, \
         ({}) a (rows, checksum) WHERE t.split_id = {} AND t.into_table = {}",
        step.sum_back_sql(algorithm),
        literal(split_id),
        literal(&step.into.to_string())
    );
    sum(session, &sql).await
}

/// Both sides of all tables, several tables at a time.
pub(super) struct Reconciler<'a> {
    pub(super) split: &'a Split,
    pub(super) split_id: &'a str,
    pub(super) moves: &'a [Move],
}

impl<'a> Reconciler<'a> {
    /// On snapshots of its own, so that writes which slipped past the move are seen; recorded in the
    /// source. In the order of the moves.
    pub(super) async fn run(&self, jobs: usize) -> Result<Vec<Reconciled>, Vec<Problem>> {
        let queue = self.moves.iter().enumerate().collect();
        // Each worker keeps a connection busy on both sides.
        let workers = (0..jobs.div_ceil(2).max(1)).map(|_| self.worker(&queue));
        let done = try_join_all(workers).await.map_err(|problem| vec![*problem])?;
        let mut sums: Vec<_> = done.into_iter().flatten().collect();
        sums.sort_by_key(|(at, _)| *at);
        Ok(sums.into_iter().map(|(_, sums)| sums).collect())
    }

    async fn worker(
        &self,
        queue: &Queue<(usize, &'a Move)>,
    ) -> Result<Vec<(usize, Reconciled)>, Box<Problem>> {
        let mut done = Vec::new();
        let Some(mut task) = queue.take() else { return Ok(done) };
        let source = open(&self.split.source).await?;
        let mut here: Option<(&Family, Session)> = None;
        loop {
            let (at, step) = task;
            let session = self.family_session(&mut here, step).await?;
            done.push((at, self.table(&source, session, step).await?));
            match queue.take() {
                Some(following) => task = following,
                None => break,
            }
        }
        source.close().await;
        if let Some((_, session)) = here {
            session.close().await;
        }
        Ok(done)
    }

    /// The session in the database that a move fills; the same one while the family stays.
    async fn family_session<'s>(
        &self,
        here: &'s mut Option<(&'a Family, Session)>,
        step: &Move,
    ) -> Result<&'s (&'a Family, Session), Box<Problem>> {
        let name = &step.into.family;
        if let Some((_, session)) = here.take_if(|(family, _)| family.name != *name) {
            session.close().await;
        }
        if here.is_none() {
            let family = self.split.family(name).ok_or_else(|| unknown(name))?;
            *here = Some((family, open(&family.target).await?));
        }
        here.as_ref().ok_or_else(|| unknown(name))
    }

    async fn table(
        &self,
        source: &Session,
        (family, session): &(&Family, Session),
        step: &Move,
    ) -> Result<Reconciled, Box<Problem>> {
        let algorithm = algorithm(source, session);
        let select = step.sum_sql(algorithm);
        let (there, here) = futures_util::future::join(
            sum(source, &select),
            sum_since(session, self.split_id, step, algorithm),
        )
        .await;
        let in_source = |error: SessionError| self.split.source.session_problem(&error);
        let here = here.map_err(|error| family.target.session_problem(&error))?;
        let mut sums = Reconciled::new(step, there.map_err(in_source)?, here);
        record(source, self.split_id, &sums).await.map_err(in_source)?;
        if !sums.ok {
            let found = differing(source, session, step, algorithm).await;
            sums.differing = Some(found.map_err(|unread| match unread {
                Unread::Source(error) => in_source(error),
                Unread::Here(error) => family.target.session_problem(&error),
            })?);
        }
        Ok(sums)
    }
}

async fn open(target: &Target) -> Result<Session, Box<Problem>> {
    let session = target.connect().await?;
    session.batch(SETTINGS).await.map_err(|error| target.session_problem(&error))?;
    Ok(session)
}

fn unknown(family: &str) -> Box<Problem> {
    Box::new(Problem::error(Code::Bug, format!("a move into {family}, which is not declared")))
}

/// Records what both sides hold, so that a rollback can tell what was written since.
pub(super) async fn record(
    source: &Session,
    split_id: &str,
    sums: &Reconciled,
) -> Result<(), SessionError> {
    let sql = format!(
        "INSERT INTO pgfleet.split_sums VALUES ({}, {}, {}, {}, {}, {}) \
         ON CONFLICT (split_id, into_table) DO UPDATE SET rows = EXCLUDED.rows, \
         checksum = EXCLUDED.checksum, here_rows = EXCLUDED.here_rows, \
         here_checksum = EXCLUDED.here_checksum",
        literal(split_id),
        literal(&sums.table),
        sums.source.rows,
        literal(&sums.source.checksum),
        sums.here.rows,
        literal(&sums.here.checksum)
    );
    source.batch(&sql).await
}

impl Reconciled {
    pub(super) fn new(step: &Move, source: Sum, here: Sum) -> Self {
        let ok = source == here && source.rows >= 0;
        Self { table: step.into.to_string(), source, here, ok, differing: None }
    }

    fn rows_named(&self) -> Vec<String> {
        let Some(differing) = &self.differing else { return Vec::new() };
        let named = |rows: &Rows, side: &str| {
            let samples = rows.samples.iter().map(|sample| format!("{side}: {sample}"));
            samples.collect::<Vec<_>>()
        };
        let source = named(&differing.source, "only the source has it so");
        let here = named(&differing.here, "only the new table has it so");
        [source, here].concat()
    }

    /// The problem, when the sides differ.
    pub(super) fn problem(&self) -> Option<Problem> {
        if self.ok {
            return None;
        }
        let (source, here) = (&self.source, &self.here);
        let what = format!("{} does not hold what the source holds", self.table);
        let because = match source.rows == here.rows {
            false => format!("the source gives {} rows, the table has {}", source.rows, here.rows),
            true => format!("{} rows on both sides, and their checksums differ", here.rows),
        };
        let problem = Problem::error(Code::SplitDiffers, what).in_target(self.table.clone());
        let problem = self.rows_named().into_iter().fold(problem, Problem::detail);
        Some(problem.because(because).fix_with(
            "Take the split back, settle the cause, and run it again.",
            "pgfleet split rollback",
        ))
    }
}
