//! Where and how to connect, understood and complete.
//!
//! Invariant: a [`ConnectSpec`] has at least one endpoint, a user and a database; its `Debug` and
//! its [`ConnectSpec::redacted`] form hold no password.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use pgfleet_core::diagnose::Problem;
use pgfleet_sql::quote_ident;

use super::secret::Secret;
use super::settings::Surroundings;
use super::{conninfo, environment, parameters, url};

/// Everything needed to reach one database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectSpec {
    /// The servers to try, in this order.
    pub endpoints: Vec<Endpoint>,
    /// The role to log in as.
    pub user: String,
    /// The database.
    pub database: String,
    /// How the connection is secured.
    pub tls: TlsSpec,
    /// What kind of server will do.
    pub session_attrs: SessionAttrs,
    /// Whether endpoints are tried in random order.
    pub shuffle: bool,
    /// The name in `pg_stat_activity`, when the user chose one.
    pub application_name: Option<String>,
    /// How long to wait for one endpoint, when the user chose.
    pub connect_timeout: Option<Duration>,
    /// Command-line options for the server process (`-c name=value`).
    pub options: Option<String>,
    /// The value for `search_path`, written as `SET search_path` takes it.
    pub search_path: Option<String>,
    /// The URL says itself that a pooler is behind it (Prisma's `pgbouncer=true`).
    pub pooler_declared: bool,
    /// TCP keepalive settings.
    pub keepalive: Keepalive,
    /// What was ignored on the way, in words; worth showing when the login fails.
    pub remarks: Vec<String>,
}

/// One server to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its name or socket directory.
    pub host: Host,
    /// The address to use instead of asking for the host's.
    pub address: Option<IpAddr>,
    /// The port, also part of a socket's name.
    pub port: u16,
    /// The password to use here.
    pub password: Option<Secret>,
}

/// A server's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// A DNS name or an IP address.
    Tcp(String),
    /// The directory of a Unix socket.
    Unix(PathBuf),
}

/// How the connection is secured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSpec {
    /// How much is asked for.
    pub mode: TlsMode,
    /// Whose certificates are trusted; `None` means `~/.postgresql/root.crt` when it exists.
    pub root: Option<RootCertificates>,
    /// The client's certificate chain, PEM.
    pub certificate: Option<PathBuf>,
    /// The key of the client's certificate, PEM.
    pub key: Option<PathBuf>,
    /// TLS from the first byte, which PostgreSQL 17 and later understand.
    pub direct: bool,
    /// Whether the login is bound to the TLS channel.
    pub channel_binding: ChannelBinding,
    /// Refuse TLS before 1.3.
    pub only_tls13: bool,
}

/// libpq's `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsMode {
    /// Never.
    Disable,
    /// Only when the server insists.
    Allow,
    /// When the server can.
    Prefer,
    /// Always, whoever the server is.
    Require,
    /// Always, with a certificate of a trusted authority.
    VerifyCa,
    /// Always, with a trusted certificate for the host's name.
    VerifyFull,
}

/// Trusted certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootCertificates {
    /// The operating system's.
    System,
    /// Those of a PEM file.
    File(PathBuf),
}

/// libpq's `channel_binding`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelBinding {
    /// Never.
    Disable,
    /// When server and TLS allow.
    Prefer,
    /// Always.
    Require,
}

/// libpq's `target_session_attrs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionAttrs {
    /// Any server.
    Any,
    /// Sessions can write.
    ReadWrite,
    /// Sessions cannot write.
    ReadOnly,
    /// Not in recovery.
    Primary,
    /// In recovery.
    Standby,
    /// In recovery, or else any.
    PreferStandby,
}

/// TCP keepalive; `None` leaves the system's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keepalive {
    /// Whether it is used.
    pub enabled: bool,
    /// Silence before the first probe.
    pub idle: Option<Duration>,
    /// Time between probes.
    pub interval: Option<Duration>,
    /// Probes before giving up.
    pub retries: Option<u32>,
    /// How long sent data may stay unacknowledged.
    pub user_timeout: Option<Duration>,
}

impl ConnectSpec {
    /// True when every server that it names is on this machine.
    pub fn is_local(&self) -> bool {
        self.endpoints.iter().all(|endpoint| endpoint.host.is_local())
    }

    /// Understands a URL or a `key=value` string, completed by service files, `PG*` variables,
    /// the password file and libpq's defaults. The empty string takes everything from there.
    ///
    /// # Errors
    /// [`UrlInvalid`](pgfleet_core::diagnose::Code::UrlInvalid), naming the part or parameter.
    /// No message repeats a value that may be secret.
    pub fn parse(text: &str, around: &Surroundings) -> Result<Self, Problem> {
        let text = text.trim();
        let mut settings =
            if url::is_url(text) { url::parse(text)? } else { conninfo::parse(text)? };
        environment::complete(&mut settings, around)?;
        parameters::understand(settings, around)
    }

    /// The same server and user, another database.
    #[must_use]
    pub fn with_database(&self, database: &str) -> Self {
        Self { database: database.to_owned(), ..self.clone() }
    }

    /// The same place for one of several targets in the database, told apart by a name in the
    /// journal.
    #[must_use]
    pub fn with_scope(&self, scope: &str) -> Self {
        let option = format!("-c pgfleet.scope={}", parameters::escape_option(scope));
        let options = self.options.iter().map(String::as_str).chain([option.as_str()]);
        Self { options: Some(options.collect::<Vec<_>>().join(" ")), ..self.clone() }
    }

    /// The same place with a schema that is a target of its own: the only one on the search path.
    #[must_use]
    pub fn with_schema(&self, schema: &str) -> Self {
        Self { search_path: Some(quote_ident(schema)), ..self.with_scope(schema) }
    }

    /// For display: a URL without the password.
    pub fn redacted(&self) -> String {
        let hosts: Vec<_> = self.endpoints.iter().map(Endpoint::for_url).collect();
        let (user, database) = (encode(&self.user), encode(&self.database));
        format!("postgres://{user}@{}/{database}", hosts.join(","))
    }
}

impl Host {
    fn is_local(&self) -> bool {
        match self {
            Self::Unix(_) => true,
            Self::Tcp(name) => matches!(name.as_str(), "localhost" | "127.0.0.1" | "::1"),
        }
    }
}

impl Endpoint {
    /// `host:port`, or the socket's path.
    pub fn label(&self) -> String {
        match &self.host {
            Host::Tcp(name) if name.contains(':') => format!("[{name}]:{}", self.port),
            Host::Tcp(name) => format!("{name}:{}", self.port),
            Host::Unix(directory) => {
                directory.join(format!(".s.PGSQL.{}", self.port)).display().to_string()
            }
        }
    }

    /// The DNS name, when it has one.
    pub fn name(&self) -> Option<&str> {
        match &self.host {
            Host::Tcp(name) => Some(name),
            Host::Unix(_) => None,
        }
    }

    fn for_url(&self) -> String {
        match &self.host {
            Host::Tcp(_) => self.label(),
            Host::Unix(directory) => {
                format!("{}:{}", encode(&directory.to_string_lossy()), self.port)
            }
        }
    }
}

impl TlsMode {
    /// As `sslmode` writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Allow => "allow",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyCa => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }
}

/// Percent-encodes what cannot stand in a URL's user, host or database.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
