//! Why a session did not come about: the driver's error becomes a cause and what to do.

use std::io;
use std::time::Duration;

use pgfleet_core::diagnose::{Problem, ServerError};

use super::session::{SessionError, full_message, server_error};
use super::spec::{ConnectSpec, Endpoint};
use super::{refusal, unreached};

/// Why one endpoint gave no session.
#[derive(Debug)]
pub(super) enum Failure {
    /// No answer in this time.
    Timeout(Duration),
    /// The server answered with an error.
    Server(Box<ServerError>),
    /// The network, TLS or the login protocol.
    Driver(tokio_postgres::Error),
    /// A server, but not of the kind that `target_session_attrs` asks for.
    WrongKind { standby: bool, read_only: bool },
    /// It went after the login.
    Lost(String),
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Server(error) => Self::Server(error),
            SessionError::Lost { reason, .. } => Self::Lost(reason),
        }
    }
}

impl Failure {
    pub(super) fn of_driver(error: tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(error) => Self::Server(Box::new(server_error(error))),
            None => Self::Driver(error),
        }
    }

    fn server(&self) -> Option<&ServerError> {
        match self {
            Self::Server(error) => Some(error),
            _ => None,
        }
    }

    /// The server knows us and says no; no other endpoint is asked.
    pub(super) fn is_login(&self) -> bool {
        self.server().is_some_and(|error| error.class() == "28")
    }

    /// Worth another try with TLS where there was none, or without.
    pub(super) fn may_be_about_tls(&self) -> bool {
        match self {
            Self::Server(error) => error.is("28000"),
            Self::Driver(error) => error.to_string().contains("TLS"),
            _ => false,
        }
    }

    /// PgBouncer's words for a startup parameter that it was not told to ignore.
    pub(super) fn refuses_options(&self) -> bool {
        self.server().is_some_and(|error| {
            error.is("08P01") && error.message.contains("unsupported startup parameter")
        })
    }

    pub(super) fn is_missing_database(&self) -> bool {
        self.server().is_some_and(|error| {
            error.is("3D000") || (error.is("08P01") && error.message.contains("no such database"))
        })
    }

    /// One line, for lists.
    fn summary(&self) -> String {
        match self {
            Self::Timeout(after) => format!("no answer within {} s", after.as_secs_f32()),
            Self::Server(error) => error.to_string(),
            Self::Driver(error) => full_message(error),
            Self::WrongKind { standby: true, .. } => "is a standby".to_owned(),
            Self::WrongKind { read_only: true, .. } => "takes no writes".to_owned(),
            Self::WrongKind { .. } => "is a primary that takes writes".to_owned(),
            Self::Lost(reason) => format!("the connection was lost: {reason}"),
        }
    }
}

/// The network's own word about a failure, when it had one.
pub(super) fn io_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a io::Error> {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            return Some(io);
        }
        source = cause.source();
    }
    None
}

/// Says why none of the endpoints gave a session: the last failure, with the others as details.
pub(super) fn explain(
    spec: &ConnectSpec,
    failures: &[(&Endpoint, Failure)],
    databases: &[String],
) -> Problem {
    let Some((endpoint, failure)) = failures.last() else {
        return super::settings::invalid("the connection names no server");
    };
    let mut problem = match failure {
        Failure::Timeout(after) => unreached::timeout(endpoint, *after),
        Failure::Server(error) => refusal::explain(spec, endpoint, error, databases),
        Failure::Driver(error) => unreached::explain(spec, endpoint, error),
        Failure::Lost(reason) => unreached::lost(endpoint, reason),
        Failure::WrongKind { standby, .. } => unreached::wrong_kind(endpoint, *standby),
    };
    if failures.len() > 1 {
        let each = failures.iter().map(|(at, why)| format!("{}: {}", at.label(), why.summary()));
        problem.details.extend(each);
    }
    problem.details.extend(spec.remarks.iter().cloned());
    problem
}
