//! Why a session did not come about: the driver's error becomes a cause and what to do.

use std::time::Duration;

use pgfleet_core::diagnose::{Code, Problem, ServerError};

use super::session::{SessionError, full_message, server_error};
use super::spec::{ConnectSpec, Endpoint};

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

    pub(super) fn refuses_options(&self) -> bool {
        self.server().is_some_and(|error| {
            error.is("08P01") && error.message.contains("unsupported startup parameter")
        })
    }

    pub(super) fn is_missing_database(&self) -> bool {
        self.server().is_some_and(|error| error.is("3D000"))
    }
}

/// The server is older than what is supported.
pub(super) fn too_old(version_num: u32) -> Problem {
    Problem::error(Code::ServerTooOld, format!("the server is version {version_num}"))
}

/// Says why none of the endpoints gave a session.
pub(super) fn explain(
    spec: &ConnectSpec,
    failures: &[(&Endpoint, Failure)],
    _databases: Vec<String>,
) -> Problem {
    let text = match failures.last() {
        Some((endpoint, Failure::Driver(error))) => {
            format!("{}: {}", endpoint.label(), full_message(error))
        }
        Some((endpoint, failure)) => format!("{}: {failure:?}", endpoint.label()),
        None => "no server is named".to_owned(),
    };
    Problem::error(Code::ConnectRefused, format!("{}: {text}", spec.redacted()))
}
