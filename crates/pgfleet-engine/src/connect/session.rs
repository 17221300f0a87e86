//! One open connection.
//!
//! Invariant: requests are sent in the order in which their futures are first polled, so that
//! futures polled together travel in one exchange; notices are kept until somebody takes them.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::{SinkExt, Stream, StreamExt};
use pgfleet_core::diagnose::ServerError;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;
use tokio_postgres::error::{DbError, ErrorPosition};
use tokio_postgres::{AsyncMessage, CancelToken, Client, Connection, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::announced::announced_pid;

/// How many notices are kept; a migration in a loop can raise millions.
const NOTICES_KEPT: usize = 10_000;

/// One open connection. Dropping it closes it.
pub struct Session {
    client: Client,
    inbox: Arc<Mutex<Inbox>>,
    task: JoinHandle<()>,
    canceller: Canceller,
    backend_pid: i32,
    server_version_num: u32,
}

/// What the connection received besides answers.
#[derive(Default)]
struct Inbox {
    notices: Vec<DbNotice>,
    dropped: usize,
    /// Why the connection ended.
    ended: Option<SessionError>,
}

/// A message that is not an error: `RAISE NOTICE`, `relation … already exists, skipping`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DbNotice {
    /// `NOTICE`, `WARNING`, `INFO` …, in the server's language.
    pub severity: String,
    /// Five characters that say what kind of notice it is.
    pub sqlstate: String,
    /// The message.
    pub message: String,
    /// More about it.
    pub detail: Option<String>,
    /// What the server suggests.
    pub hint: Option<String>,
}

/// Why a request did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// The server refused it; the connection goes on.
    #[error("{0}")]
    Server(Box<ServerError>),
    /// The connection is gone; whether the request was carried out is not known.
    #[error("the connection was lost: {reason}")]
    Lost {
        /// What is known of the reason.
        reason: String,
        /// What the server said last, when it ended the connection itself.
        server: Option<Box<ServerError>>,
    },
}

/// A query's answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextTable {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows, a value for each column.
    pub rows: Vec<Vec<Option<String>>>,
}

/// What became of a batch of statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchOutcome {
    /// Commands that completed before the batch ended or failed. Within a transaction their
    /// effects are gone when a later one failed.
    pub completed: usize,
    /// Rows affected (or returned), one number for each completed command.
    pub rows_affected: Vec<u64>,
    /// Why the batch did not get to its end.
    pub error: Option<SessionError>,
}

/// Why rows were not copied.
#[derive(Debug, PartialEq, Eq)]
pub enum CopyError<E> {
    /// The server refused, or is gone.
    Session(SessionError),
    /// The rows could not be had.
    Source(E),
}

/// Cancels what a session is running, from anywhere.
#[derive(Clone)]
pub struct Canceller {
    token: CancelToken,
    tls: MakeRustlsConnect,
}

impl Session {
    /// Takes over a connection and drives it in a task of its own.
    pub(super) async fn start<S, T>(
        client: Client,
        connection: Connection<S, T>,
        tls: MakeRustlsConnect,
    ) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let version = connection.parameter("server_version").map_or(0, parse_version);
        let inbox = Arc::new(Mutex::new(Inbox::default()));
        let task = tokio::spawn(drive(connection, inbox.clone()));
        let token = client.cancel_token();
        let backend_pid = announced_pid(&token).await.unwrap_or(0);
        let canceller = Canceller { token, tls };
        Self { client, inbox, task, canceller, backend_pid, server_version_num: version }
    }

    /// The process id that the server announced. It is the backend's own, except through a pooler.
    pub fn backend_pid(&self) -> i32 {
        self.backend_pid
    }

    /// The server's version as a number, 150004 for 15.4; 0 when it did not say.
    pub fn server_version_num(&self) -> u32 {
        self.server_version_num
    }

    /// True when no request can succeed any more.
    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Runs SQL and gives the rows of all its commands, as text.
    ///
    /// # Errors
    /// The first error of the server, or a lost connection.
    pub async fn query_text(&self, sql: &str) -> Result<Vec<Vec<Option<String>>>, SessionError> {
        let stream = self.client.simple_query_raw(sql).await.map_err(|e| self.error(&e))?;
        let mut stream = pin!(stream);
        let mut rows = Vec::new();
        while let Some(message) = stream.next().await {
            if let SimpleQueryMessage::Row(row) = message.map_err(|e| self.error(&e))? {
                rows.push((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect());
            }
        }
        Ok(rows)
    }

    /// Asks a question: whether the first value of the answer is true.
    ///
    /// # Errors
    /// The first error of the server, or a lost connection.
    pub async fn is_true(&self, sql: &str) -> Result<bool, SessionError> {
        let rows = self.query_text(sql).await?;
        let first = rows.first().and_then(|row| row.first());
        Ok(first.is_some_and(|cell| cell.as_deref() == Some("t")))
    }

    /// Runs a query and gives its columns' names and its rows, as text.
    ///
    /// # Errors
    /// The first error of the server, or a lost connection.
    pub async fn query_table(&self, sql: &str) -> Result<TextTable, SessionError> {
        let stream = self.client.simple_query_raw(sql).await.map_err(|e| self.error(&e))?;
        let mut stream = pin!(stream);
        let mut table = TextTable::default();
        while let Some(message) = stream.next().await {
            match message.map_err(|e| self.error(&e))? {
                SimpleQueryMessage::RowDescription(columns) => {
                    table = TextTable::default();
                    table.columns = columns.iter().map(|c| c.name().to_owned()).collect();
                }
                SimpleQueryMessage::Row(row) => {
                    let cells = (0..row.len()).map(|at| row.get(at).map(str::to_owned));
                    table.rows.push(cells.collect());
                }
                _ => {}
            }
        }
        Ok(table)
    }

    /// Runs SQL for its effects.
    ///
    /// # Errors
    /// The first error of the server, or a lost connection.
    pub async fn batch(&self, sql: &str) -> Result<(), SessionError> {
        match self.run_batch(sql).await.error {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Runs statements and says how far they came. Without BEGIN in it, the whole text is one
    /// transaction (one simple query message). The request is sent when the future is first polled.
    ///
    /// The text must not hold `COPY … FROM STDIN`: use [`Session::copy_in`]. A text without any
    /// command counts as one command of 0 rows.
    pub async fn run_batch(&self, sql: &str) -> BatchOutcome {
        let mut outcome = BatchOutcome { completed: 0, rows_affected: Vec::new(), error: None };
        let stream = match self.client.simple_query_raw(sql).await {
            Ok(stream) => stream,
            Err(error) => return BatchOutcome { error: Some(self.error(&error)), ..outcome },
        };
        let mut stream = pin!(stream);
        while let Some(message) = stream.next().await {
            match message {
                Ok(SimpleQueryMessage::CommandComplete(rows)) => outcome.rows_affected.push(rows),
                Ok(_) => {}
                // The rest is read to its end, so that the connection stays in step.
                Err(error) => outcome.error = outcome.error.or_else(|| Some(self.error(&error))),
            }
            if outcome.error.is_some() && self.client.is_closed() {
                break;
            }
        }
        outcome.completed = outcome.rows_affected.len();
        outcome
    }

    /// Sends the data of a `COPY … FROM STDIN` and gives the number of rows. Chunks of about
    /// 64 KiB are best.
    ///
    /// # Errors
    /// The server's refusal of the statement or of a row, or a lost connection; or what the source
    /// of the chunks says, and then the server is told that there is no end to the data.
    pub async fn copy_in<E>(
        &self,
        sql: &str,
        chunks: impl Stream<Item = Result<Bytes, E>>,
    ) -> Result<u64, CopyError<E>> {
        let server = |e| CopyError::Session(self.error(&e));
        let sink = self.client.copy_in::<_, Bytes>(sql).await.map_err(server)?;
        let (mut sink, mut chunks) = (pin!(sink), pin!(chunks));
        while let Some(chunk) = chunks.next().await {
            if sink.feed(chunk.map_err(CopyError::Source)?).await.is_err() {
                // The server gave up; its reason comes with the answer to the end of the data.
                break;
            }
        }
        sink.finish().await.map_err(server)
    }

    /// Takes the notices that came since the last call.
    pub fn take_notices(&self) -> Vec<DbNotice> {
        let mut inbox = lock(&self.inbox);
        let dropped = std::mem::take(&mut inbox.dropped);
        let mut notices = std::mem::take(&mut inbox.notices);
        if dropped > 0 {
            notices.push(DbNotice::of_dropped(dropped));
        }
        notices
    }

    /// A handle that cancels what this session runs.
    pub fn canceller(&self) -> Canceller {
        self.canceller.clone()
    }

    /// Asks the server to cancel what the session is running, on a connection of its own that is
    /// secured like the session's.
    ///
    /// # Errors
    /// When the request could not be delivered; whether it took effect is seen at the statement.
    pub async fn cancel(&self) -> Result<(), SessionError> {
        self.canceller.cancel().await
    }

    /// Closes the connection and waits until the server has been told.
    pub async fn close(self) {
        drop(self.client);
        let _ = self.task.await;
    }

    /// The driver itself, for what this type does not offer (binary COPY, prepared statements).
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Understands an error of the driver; after a lost connection, with the server's last words.
    pub fn error(&self, error: &tokio_postgres::Error) -> SessionError {
        match error.as_db_error() {
            Some(error) if !is_fatal(error) => SessionError::Server(Box::new(server_error(error))),
            Some(error) => lost_by_server(error),
            None => lock(&self.inbox).ended.clone().unwrap_or_else(|| lost(error)),
        }
    }
}

impl Canceller {
    /// See [`Session::cancel`].
    ///
    /// # Errors
    /// When the request could not be delivered.
    pub async fn cancel(&self) -> Result<(), SessionError> {
        self.token.cancel_query(self.tls.clone()).await.map_err(|error| lost(&error))
    }
}

impl DbNotice {
    fn of(error: &DbError) -> Self {
        Self {
            severity: error.severity().to_owned(),
            sqlstate: error.code().code().to_owned(),
            message: error.message().to_owned(),
            detail: error.detail().map(str::to_owned),
            hint: error.hint().map(str::to_owned),
        }
    }

    fn of_dropped(count: usize) -> Self {
        Self {
            severity: "NOTICE".to_owned(),
            sqlstate: "00000".to_owned(),
            message: format!("{count} further notices were not kept"),
            detail: None,
            hint: None,
        }
    }
}

impl SessionError {
    /// What the server said, if it spoke.
    pub fn server(&self) -> Option<&ServerError> {
        match self {
            Self::Server(error) => Some(error),
            Self::Lost { server, .. } => server.as_deref(),
        }
    }

    /// True when the connection is gone.
    pub fn is_lost(&self) -> bool {
        matches!(self, Self::Lost { .. })
    }
}

async fn drive<S, T>(mut connection: Connection<S, T>, inbox: Arc<Mutex<Inbox>>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
        match message {
            Ok(AsyncMessage::Notice(notice)) => keep(&inbox, &notice),
            Ok(_) => {}
            Err(error) => {
                let ended = error.as_db_error().map_or_else(|| lost(&error), lost_by_server);
                lock(&inbox).ended = Some(ended);
                return;
            }
        }
    }
}

fn keep(inbox: &Mutex<Inbox>, notice: &DbError) {
    let mut inbox = lock(inbox);
    if inbox.notices.len() < NOTICES_KEPT {
        inbox.notices.push(DbNotice::of(notice));
    } else {
        inbox.dropped += 1;
    }
}

/// The inbox holds plain data, which a panic elsewhere does not spoil.
fn lock(inbox: &Mutex<Inbox>) -> MutexGuard<'_, Inbox> {
    inbox.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_fatal(error: &DbError) -> bool {
    use tokio_postgres::error::Severity::{Fatal, Panic};
    match error.parsed_severity() {
        Some(severity) => matches!(severity, Fatal | Panic),
        None => matches!(error.severity(), "FATAL" | "PANIC"),
    }
}

fn lost_by_server(error: &DbError) -> SessionError {
    let server = server_error(error);
    SessionError::Lost { reason: server.message.clone(), server: Some(Box::new(server)) }
}

fn lost(error: &tokio_postgres::Error) -> SessionError {
    SessionError::Lost { reason: full_message(error), server: None }
}

/// An error with all its causes, which the driver's own `Display` leaves out.
pub(super) fn full_message(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        message.push_str(": ");
        message.push_str(&cause.to_string());
        source = cause.source();
    }
    message
}

/// The driver's error as the core knows it.
pub(super) fn server_error(error: &DbError) -> ServerError {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let (position, internal_query) = match error.position() {
        Some(ErrorPosition::Original(at)) => (Some(*at), None),
        Some(ErrorPosition::Internal { position, query }) => {
            (None, Some((query.clone(), *position)))
        }
        None => (None, None),
    };
    ServerError {
        sqlstate: error.code().code().to_owned(),
        severity: error.severity().to_owned(),
        message: error.message().to_owned(),
        detail: owned(error.detail()),
        hint: owned(error.hint()),
        position,
        internal_query,
        where_: owned(error.where_()),
        schema: owned(error.schema()),
        table: owned(error.table()),
        column: owned(error.column()),
        constraint: owned(error.constraint()),
        datatype: owned(error.datatype()),
    }
}

/// `15.4 (Debian …)` is 150004, `17beta1` is 170000, `9.6.24` is 90624.
fn parse_version(text: &str) -> u32 {
    let mut numbers = text
        .split(|c: char| !c.is_ascii_digit() && c != '.')
        .next()
        .unwrap_or_default()
        .split('.')
        .map(|part| part.parse::<u32>().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    match next() {
        major @ 0..10 => major * 10_000 + next() * 100 + next(),
        major => major * 10_000 + next(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_become_numbers() {
        for (text, number) in [
            ("15.4 (Debian 15.4-1.pgdg120+1)", 150_004),
            ("17beta1", 170_000),
            ("9.6.24", 90_624),
            ("18.4", 180_004),
            ("", 0),
        ] {
            assert_eq!(parse_version(text), number, "{text}");
        }
    }
}
