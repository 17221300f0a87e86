//! Relays rows from the source to a database, in PostgreSQL's own COPY form, in constant memory.

use std::pin::pin;

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt};
use pgfleet_core::split::{Move, PageRange};

use crate::connect::{Session, SessionError};

/// The server sends a message for each row; they are handed on in pieces of about this size.
const PIECE_BYTES: usize = 64 * 1024;

/// What became of a relay.
#[derive(Debug)]
pub(super) enum Relayed {
    /// All rows arrived.
    Rows {
        /// How many.
        rows: u64,
        /// Their size in COPY's form.
        bytes: u64,
    },
    /// The source could not give a row.
    SourceFailed(SessionError),
    /// The database would not take a row.
    TargetFailed(SessionError),
}

/// Relays the rows of a move, all or those of some pages. The target's transaction is aborted
/// unless all arrived; the source's goes on, whatever happens.
pub(super) async fn relay(
    source: &Session,
    target: &Session,
    step: &Move,
    pages: Option<PageRange>,
) -> Relayed {
    let rows = match source.client().copy_out(&step.copy_out(pages)).await {
        Ok(rows) => rows,
        Err(error) => return Relayed::SourceFailed(source.error(&error)),
    };
    let mut rows = pin!(rows);
    let sink = match target.client().copy_in::<_, Bytes>(&step.copy_in()).await {
        Ok(sink) => sink,
        Err(error) => {
            drain(&mut rows).await;
            return Relayed::TargetFailed(target.error(&error));
        }
    };
    let mut sink = pin!(sink);
    let (mut piece, mut bytes) = (BytesMut::with_capacity(2 * PIECE_BYTES), 0u64);
    let mut refused = false;
    while let Some(chunk) = rows.next().await {
        let chunk = match chunk {
            Ok(chunk) => chunk,
            // Dropped unfinished, the sink tells its server that the rows failed.
            Err(error) => return Relayed::SourceFailed(source.error(&error)),
        };
        bytes += chunk.len() as u64;
        piece.extend_from_slice(&chunk);
        if piece.len() >= PIECE_BYTES && sink.feed(piece.split().freeze()).await.is_err() {
            refused = true;
            break;
        }
    }
    if refused {
        // The reason comes with the answer to the end of the rows.
        drain(&mut rows).await;
    } else if !piece.is_empty() {
        let _ = sink.feed(piece.freeze()).await;
    }
    match sink.finish().await {
        Ok(rows) => Relayed::Rows { rows, bytes },
        Err(error) => Relayed::TargetFailed(target.error(&error)),
    }
}

/// A query on a connection with an unread COPY would wait for ever.
async fn drain<S, T>(rows: &mut S)
where
    S: futures_util::Stream<Item = T> + Unpin,
{
    while rows.next().await.is_some() {}
}
