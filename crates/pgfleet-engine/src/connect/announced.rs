//! The process id that the server announced when the session began.
//!
//! A pooler announces an id of its own, so an id that differs from `pg_backend_pid()` gives the
//! pooler away. The driver keeps the id to itself but writes it into a cancel request ("CancelRequest"
//! in PostgreSQL's protocol documentation: length, code, process id, key); so one is written to
//! memory and read there. Nothing is sent.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::CancelToken;
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};

/// Length of a cancel request, in bytes.
const REQUEST_LENGTH: usize = 16;

/// The announced process id; `None` only if the driver wrote something else than a cancel request.
pub(super) async fn announced_pid(token: &CancelToken) -> Option<i32> {
    let mut written = Vec::new();
    token.cancel_query_raw(Memory(&mut written), NoCipher).await.ok()?;
    // A request for TLS may stand before it.
    let request = written.len().checked_sub(REQUEST_LENGTH).map(|at| &written[at..])?;
    let pid = request.get(8..12)?;
    pid.try_into().ok().map(i32::from_be_bytes)
}

/// A stream that keeps what is written and answers every question of TLS with yes.
struct Memory<'a>(&'a mut Vec<u8>);

impl AsyncRead for Memory<'_> {
    fn poll_read(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buffer.remaining() > 0 {
            buffer.put_slice(b"S");
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Memory<'_> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl TlsStream for Memory<'_> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

/// TLS that leaves the stream as it is; only for [`Memory`].
struct NoCipher;

impl<'a> TlsConnect<Memory<'a>> for NoCipher {
    type Stream = Memory<'a>;
    type Error = Infallible;
    type Future = Ready<Result<Memory<'a>, Infallible>>;

    fn connect(self, stream: Memory<'a>) -> Self::Future {
        ready(Ok(stream))
    }
}
