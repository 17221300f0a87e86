//! Connections: where to (a [`ConnectSpec`]), the open [`Session`], and why it did not come about.
//!
//! Invariant: every failure to connect is a [`Problem`] with its cause and what to do; no message,
//! log or debug output holds a password.

mod announced;
mod conninfo;
mod environment;
mod failure;
mod parameters;
mod probe;
mod refusal;
mod secret;
mod session;
mod settings;
mod spec;
mod supabase;
mod tls;
mod unreached;
mod url;

use std::time::Duration;

use futures_util::future::BoxFuture;
use pgfleet_core::diagnose::Problem;
pub use pgfleet_core::diagnose::ServerError;
use tokio_postgres::Config;
use tokio_postgres::config::{ChannelBinding as DriverBinding, SslMode, SslNegotiation};
use tokio_postgres_rustls::MakeRustlsConnect;

use failure::Failure;
pub use probe::{ServerFacts, check_pooler, preflight, probe};
pub use secret::Secret;
pub use session::{BatchOutcome, Canceller, CopyError, DbNotice, Session, SessionError, TextTable};
pub use settings::Surroundings;
pub use spec::{
    ChannelBinding, ConnectSpec, Endpoint, Host, Keepalive, RootCertificates, SessionAttrs,
    TlsMode, TlsSpec,
};

/// The oldest major version that is supported, as `server_version_num` writes it.
const OLDEST_VERSION_NUM: u32 = 120_000;

/// Opens a session on the first endpoint that will do.
///
/// `application_name` and `connect_timeout` (for each endpoint) hold where the user chose none.
///
/// # Errors
/// What stood in the way, with its cause and what to do about it.
pub async fn connect(
    spec: &ConnectSpec,
    application_name: &str,
    connect_timeout: Duration,
) -> Result<Session, Problem> {
    let tls = tls::connector(&spec.tls)?;
    let attempt = Attempt {
        spec,
        application_name: spec.application_name.as_deref().unwrap_or(application_name),
        timeout: spec.connect_timeout.unwrap_or(connect_timeout),
        tls,
    };
    match attempt.any_endpoint().await {
        Ok(session) => accept_version(session),
        Err(failures) => Err(attempt.explain(failures).await),
    }
}

fn accept_version(session: Session) -> Result<Session, Problem> {
    match session.server_version_num() {
        1..OLDEST_VERSION_NUM => Err(refusal::too_old(session.server_version_num())),
        _ => Ok(session),
    }
}

/// What one call of [`connect`] works with.
struct Attempt<'a> {
    spec: &'a ConnectSpec,
    application_name: &'a str,
    timeout: Duration,
    tls: MakeRustlsConnect,
}

impl Attempt<'_> {
    async fn any_endpoint(&self) -> Result<Session, Vec<(&Endpoint, Failure)>> {
        let mut failures = Vec::new();
        for endpoint in self.endpoints() {
            match self.endpoint(endpoint, self.spec.session_attrs).await {
                Ok(session) => return Ok(session),
                Err(failure) => {
                    // libpq does the same: a refused login ends the search.
                    let is_final = failure.is_login();
                    failures.push((endpoint, failure));
                    if is_final {
                        break;
                    }
                }
            }
        }
        if self.spec.session_attrs == SessionAttrs::PreferStandby {
            for endpoint in self.endpoints() {
                if let Ok(session) = self.endpoint(endpoint, SessionAttrs::Any).await {
                    return Ok(session);
                }
            }
        }
        Err(failures)
    }

    fn endpoints(&self) -> Vec<&Endpoint> {
        let mut endpoints: Vec<_> = self.spec.endpoints.iter().collect();
        if self.spec.shuffle && !endpoints.is_empty() {
            // Where to begin is all that spreads the load; the process id differs between workers.
            let by = std::process::id() as usize % endpoints.len();
            endpoints.rotate_left(by);
        }
        endpoints
    }

    async fn endpoint(
        &self,
        endpoint: &Endpoint,
        wanted: SessionAttrs,
    ) -> Result<Session, Failure> {
        match tokio::time::timeout(self.timeout, self.with_tls_choice(endpoint, wanted)).await {
            Ok(result) => result,
            Err(_) => Err(Failure::Timeout(self.timeout)),
        }
    }

    /// `allow` and `prefer` try the other way when the first is refused.
    async fn with_tls_choice(
        &self,
        endpoint: &Endpoint,
        wanted: SessionAttrs,
    ) -> Result<Session, Failure> {
        let (first, second) = match self.spec.tls.mode {
            TlsMode::Disable => (SslMode::Disable, None),
            TlsMode::Allow => (SslMode::Disable, Some(SslMode::Require)),
            TlsMode::Prefer => (SslMode::Prefer, Some(SslMode::Disable)),
            TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull => (SslMode::Require, None),
        };
        let failure = match self.open(endpoint, first).await {
            Ok(session) => return self.suited(session, wanted).await,
            Err(failure) => failure,
        };
        let socket = matches!(endpoint.host, Host::Unix(_));
        let Some(second) = second.filter(|_| !socket && failure.may_be_about_tls()) else {
            return Err(failure);
        };
        match self.open(endpoint, second).await {
            Ok(session) => self.suited(session, wanted).await,
            Err(_) => Err(failure),
        }
    }

    async fn open(&self, endpoint: &Endpoint, mode: SslMode) -> Result<Session, Failure> {
        let config = self.driver_config(endpoint, mode, true);
        match self.open_with(&config).await {
            // PgBouncer refuses the startup parameter unless it is told to ignore it.
            Err(failure) if failure.refuses_options() && self.spec.options.is_none() => {
                let session = self.open_with(&self.driver_config(endpoint, mode, false)).await?;
                self.set_search_path(&session).await?;
                Ok(session)
            }
            result => result,
        }
    }

    async fn open_with(&self, config: &Config) -> Result<Session, Failure> {
        let (client, connection) =
            config.connect(self.tls.clone()).await.map_err(Failure::of_driver)?;
        Ok(Session::start(client, connection, self.tls.clone()).await)
    }

    async fn set_search_path(&self, session: &Session) -> Result<(), Failure> {
        match &self.spec.search_path {
            Some(path) => Ok(session.batch(&format!("SET search_path TO {path}")).await?),
            None => Ok(()),
        }
    }

    fn driver_config(&self, endpoint: &Endpoint, mode: SslMode, with_options: bool) -> Config {
        let mut config = Config::new();
        config.user(&self.spec.user).dbname(&self.spec.database);
        config.application_name(self.application_name).connect_timeout(self.timeout);
        config.port(endpoint.port);
        match &endpoint.host {
            Host::Tcp(name) => config.host(name),
            Host::Unix(directory) => config.host_path(directory),
        };
        if let Some(address) = endpoint.address {
            config.hostaddr(address);
        }
        if let Some(password) = &endpoint.password {
            config.password(password.reveal());
        }
        if let Some(options) = self.server_options().filter(|_| with_options) {
            config.options(options);
        }
        self.configure_tls(&mut config, endpoint, mode);
        configure_keepalive(&mut config, &self.spec.keepalive);
        config
    }

    fn server_options(&self) -> Option<String> {
        let path = self.spec.search_path.as_deref();
        let path = path.map(|path| format!("-c search_path={}", parameters::escape_option(path)));
        let words: Vec<_> = self.spec.options.clone().into_iter().chain(path).collect();
        (!words.is_empty()).then(|| words.join(" "))
    }

    fn configure_tls(&self, config: &mut Config, endpoint: &Endpoint, mode: SslMode) {
        // PostgreSQL never speaks TLS on a Unix socket.
        let socket = matches!(endpoint.host, Host::Unix(_));
        config.ssl_mode(if socket { SslMode::Disable } else { mode });
        if self.spec.tls.direct {
            config.ssl_negotiation(SslNegotiation::Direct);
        }
        config.channel_binding(match self.spec.tls.channel_binding {
            ChannelBinding::Disable => DriverBinding::Disable,
            ChannelBinding::Prefer => DriverBinding::Prefer,
            ChannelBinding::Require => DriverBinding::Require,
        });
    }

    /// Keeps the session when it is of the wanted kind.
    async fn suited(&self, session: Session, wanted: SessionAttrs) -> Result<Session, Failure> {
        if wanted == SessionAttrs::Any {
            return Ok(session);
        }
        let rows = session
            .query_text("SELECT pg_is_in_recovery(), current_setting('transaction_read_only')")
            .await?;
        let text = |at: usize| rows.first().and_then(|row| row.get(at)?.as_deref());
        let (standby, read_only) = (text(0) == Some("t"), text(1) == Some("on"));
        let suits = match wanted {
            SessionAttrs::Any => true,
            SessionAttrs::ReadWrite => !read_only,
            SessionAttrs::ReadOnly => read_only,
            SessionAttrs::Primary => !standby,
            SessionAttrs::Standby | SessionAttrs::PreferStandby => standby,
        };
        if suits { Ok(session) } else { Err(Failure::WrongKind { standby, read_only }) }
    }

    async fn explain(&self, failures: Vec<(&Endpoint, Failure)>) -> Problem {
        failure::explain(self.spec, &failures, &self.list_databases(&failures).await)
    }

    /// The databases that are there, when the wanted one is not and another lets us in.
    async fn list_databases(&self, failures: &[(&Endpoint, Failure)]) -> Vec<String> {
        let Some((endpoint, _)) = failures.last().filter(|(_, f)| f.is_missing_database()) else {
            return Vec::new();
        };
        for database in ["postgres", "template1"] {
            let spec = self.spec.with_database(database);
            let elsewhere = Attempt { spec: &spec, tls: self.tls.clone(), ..*self };
            if let Ok(session) = elsewhere.boxed_endpoint(endpoint).await {
                let sql = "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate \
                           ORDER BY datname LIMIT 200";
                let rows = session.query_text(sql).await.unwrap_or_default();
                return rows.into_iter().filter_map(|row| row.into_iter().next()?).collect();
            }
        }
        Vec::new()
    }

    fn boxed_endpoint<'a>(
        &'a self,
        endpoint: &'a Endpoint,
    ) -> BoxFuture<'a, Result<Session, Failure>> {
        Box::pin(self.endpoint(endpoint, SessionAttrs::Any))
    }
}

fn configure_keepalive(config: &mut Config, keepalive: &Keepalive) {
    config.keepalives(keepalive.enabled);
    if let Some(idle) = keepalive.idle {
        config.keepalives_idle(idle);
    }
    if let Some(interval) = keepalive.interval {
        config.keepalives_interval(interval);
    }
    if let Some(retries) = keepalive.retries {
        config.keepalives_retries(retries);
    }
    if let Some(timeout) = keepalive.user_timeout {
        config.tcp_user_timeout(timeout);
    }
}
