//! Names rows of a table whose two sides differ: both servers give a number for each row, sorted, and
//! the numbers are merged as they come, in constant memory.

use std::cmp::Ordering;
use std::pin::Pin;

use futures_util::{Stream, StreamExt};
use pgfleet_core::checksum::Algorithm;
use pgfleet_core::split::Move;
use serde::Serialize;
use tokio_postgres::SimpleQueryMessage;

use crate::connect::{Session, SessionError};

/// How many rows of each side are named.
const SAMPLES: usize = 5;
/// How much of a row's name is shown.
const SHOWN_CHARS: usize = 120;

/// Rows that one side alone has. A row that was changed is on both lists.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Differing {
    /// Rows that the source gives and the table lacks.
    pub source: Rows,
    /// Rows that the table has and the source does not give; those that it had before, too.
    pub here: Rows,
}

/// Some rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Rows {
    /// How many.
    pub rows: u64,
    /// The names of a few.
    pub samples: Vec<String>,
}

impl Rows {
    fn add(&mut self, name: &str) {
        self.rows += 1;
        if self.samples.len() < SAMPLES {
            self.samples.push(name.chars().take(SHOWN_CHARS).collect());
        }
    }
}

/// Which side could not be read, and why; after that neither session answers any more.
pub(super) enum Unread {
    Source(SessionError),
    Here(SessionError),
}

/// Compares both sides row by row.
pub(super) async fn differing(
    source: &Session,
    here: &Session,
    step: &Move,
    algorithm: Algorithm,
) -> Result<Differing, Unread> {
    let mut left =
        Numbered::of(source, &step.numbered_sql(algorithm)).await.map_err(Unread::Source)?;
    let mut right =
        Numbered::of(here, &step.numbered_back_sql(algorithm)).await.map_err(Unread::Here)?;
    let mut found = Differing::default();
    let mut there = left.next().await.map_err(Unread::Source)?;
    let mut back = right.next().await.map_err(Unread::Here)?;
    loop {
        let order = match (&there, &back) {
            (None, None) => return Ok(found),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((left, _)), Some((right, _))) => left.cmp(right),
        };
        match (order, &there, &back) {
            (Ordering::Less, Some((_, name)), _) => found.source.add(name),
            (Ordering::Greater, _, Some((_, name))) => found.here.add(name),
            _ => {}
        }
        if order.is_le() {
            there = left.next().await.map_err(Unread::Source)?;
        }
        if order.is_ge() {
            back = right.next().await.map_err(Unread::Here)?;
        }
    }
}

type Messages<'s> =
    dyn Stream<Item = Result<SimpleQueryMessage, tokio_postgres::Error>> + Send + 's;

/// Rows as number and name, as they come.
struct Numbered<'s> {
    session: &'s Session,
    rows: Pin<Box<Messages<'s>>>,
}

impl<'s> Numbered<'s> {
    async fn of(session: &'s Session, sql: &str) -> Result<Self, SessionError> {
        let rows = session.client().simple_query_raw(sql).await;
        let rows = rows.map_err(|error| session.error(&error))?;
        Ok(Self { session, rows: Box::pin(rows) })
    }

    async fn next(&mut self) -> Result<Option<(i64, String)>, SessionError> {
        while let Some(message) = self.rows.next().await {
            if let SimpleQueryMessage::Row(row) = message.map_err(|e| self.session.error(&e))? {
                let number = row.get(0).and_then(|number| number.parse().ok()).unwrap_or_default();
                return Ok(Some((number, row.get(1).unwrap_or_default().to_owned())));
            }
        }
        Ok(None)
    }
}
