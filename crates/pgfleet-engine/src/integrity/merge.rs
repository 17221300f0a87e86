//! References between databases: both sides' values come sorted from their servers and are merged
//! as they come, in constant memory.

use std::cmp::Ordering;
use std::pin::Pin;

use futures_util::{Stream, StreamExt};
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::split::ColumnsOf;
use pgfleet_sql::quote_ident;
use serde::Serialize;
use tokio_postgres::SimpleQueryMessage;

use crate::conduct::Target;
use crate::connect::{Session, SessionError};

/// How many values without a partner are shown.
const SAMPLES: usize = 5;

/// What became of one reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReferenceResult {
    /// The side that refers.
    pub from: String,
    /// The side that is referred to.
    pub to: String,
    /// Different values that refer.
    pub values: u64,
    /// Those without a partner.
    pub orphans: u64,
    /// Some of them.
    pub samples: Vec<String>,
}

impl ReferenceResult {
    /// The problem, when values have no partner.
    pub fn problem(&self) -> Option<Problem> {
        if self.orphans == 0 {
            return None;
        }
        let what =
            format!("{} names {} values that {} does not have", self.from, self.orphans, self.to);
        let problem = Problem::error(Code::ReferenceBroken, what);
        let shown = self.samples.iter().fold(problem, |p, sample| p.detail(sample.clone()));
        Some(shown.fix("Add the missing rows, or delete those that refer to them."))
    }
}

/// Which side could not be read, and why.
#[derive(Debug)]
pub(super) enum Unread {
    /// The one that refers.
    From(SessionError),
    /// The one that is referred to.
    To(SessionError),
}

/// Looks in the second database for the values of the first.
///
/// # Errors
/// When a database cannot be reached or asked.
pub async fn check_between(
    child: &Target,
    from: &ColumnsOf,
    parent: &Target,
    to: &ColumnsOf,
) -> Result<ReferenceResult, Box<Problem>> {
    let (left, right) = futures_util::future::join(child.connect(), parent.connect()).await;
    let (left, right) = (left?, right?);
    let result = merge(&left, from, &right, to).await.map_err(|unread| match unread {
        Unread::From(error) => child.session_problem(&error),
        Unread::To(error) => parent.session_problem(&error),
    })?;
    left.close().await;
    right.close().await;
    Ok(result)
}

/// The same on sessions; after an error neither answers any more.
pub(super) async fn merge(
    left: &Session,
    from: &ColumnsOf,
    right: &Session,
    to: &ColumnsOf,
) -> Result<ReferenceResult, Unread> {
    let mut lefts = Values::of(left, from).await.map_err(Unread::From)?;
    let mut rights = Values::of(right, to).await.map_err(Unread::To)?;
    let (mut values, mut orphans, mut samples) = (0, 0, Vec::new());
    let mut partner = rights.next().await.map_err(Unread::To)?;
    while let Some(value) = lefts.next().await.map_err(Unread::From)? {
        values += 1;
        let found = loop {
            match partner.as_ref().map(|partner| compare(partner, &value)) {
                Some(Ordering::Less) => {}
                Some(Ordering::Equal) => break true,
                Some(Ordering::Greater) | None => break false,
            }
            partner = rights.next().await.map_err(Unread::To)?;
        };
        if !found {
            orphans += 1;
            if samples.len() < SAMPLES {
                samples.push(value.join(", "));
            }
        }
    }
    // A session with unread rows would answer nothing else.
    while partner.is_some() {
        partner = rights.next().await.map_err(Unread::To)?;
    }
    Ok(ReferenceResult { from: from.to_string(), to: to.to_string(), values, orphans, samples })
}

/// As `COLLATE "C"` sorts: by bytes.
fn compare(left: &[String], right: &[String]) -> Ordering {
    left.iter().map(String::as_bytes).cmp(right.iter().map(String::as_bytes))
}

/// The different values of some columns, sorted; rows with a NULL among them refer to nothing.
struct Values<'s> {
    session: &'s Session,
    rows:
        Pin<Box<dyn Stream<Item = Result<SimpleQueryMessage, tokio_postgres::Error>> + Send + 's>>,
}

impl<'s> Values<'s> {
    async fn of(session: &'s Session, columns: &ColumnsOf) -> Result<Self, SessionError> {
        let names: Vec<_> = columns.columns.iter().map(|column| quote_ident(column)).collect();
        let values: Vec<_> =
            names.iter().map(|name| format!("{name}::text COLLATE \"C\"")).collect();
        let present: Vec<_> = names.iter().map(|name| format!("{name} IS NOT NULL")).collect();
        let sql = format!(
            "SELECT DISTINCT {} FROM {} WHERE {} ORDER BY {}",
            values.join(", "),
            columns.table.name(),
            present.join(" AND "),
            (1..=names.len()).map(|at| at.to_string()).collect::<Vec<_>>().join(", ")
        );
        let rows = session.client().simple_query_raw(&sql).await;
        let rows = rows.map_err(|error| session.error(&error))?;
        Ok(Self { session, rows: Box::pin(rows) })
    }

    async fn next(&mut self) -> Result<Option<Vec<String>>, SessionError> {
        while let Some(message) = self.rows.next().await {
            if let SimpleQueryMessage::Row(row) = message.map_err(|e| self.session.error(&e))? {
                let value = |at| row.get(at).unwrap_or_default().to_owned();
                return Ok(Some((0..row.len()).map(value).collect()));
            }
        }
        Ok(None)
    }
}
