//! One request, and its answer or failure in words.

use std::error::Error as _;
use std::io::ErrorKind;
use std::sync::{Arc, OnceLock};

use pgfleet_core::verify::{Http, ProbeOutcome};
use ureq::Agent;
use ureq::http::{Request, Response};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::request::{Prepared, place};

/// What is read of an answer; a health endpoint's is far smaller.
const MAX_BODY_BYTES: u64 = 1024 * 1024;

/// What is shown of an unexpected answer.
const SHOWN_LINES: usize = 5;
const SHOWN_CHARS: usize = 200;

/// Sends the request once and compares the answer with what is expected. Blocks.
pub(super) fn attempt(prepared: &Prepared, http: &Http) -> ProbeOutcome {
    match send(prepared) {
        Ok((status, body)) => judge(prepared, http, status, &body),
        Err(error) => {
            let reason = prepared.hide(&explain(&error, prepared));
            ProbeOutcome { found: "no answer".to_owned(), deviations: vec![reason] }
        }
    }
}

fn judge(prepared: &Prepared, http: &Http, status: u16, body: &str) -> ProbeOutcome {
    let deviations = http.deviations(status, body);
    let mut deviations: Vec<String> = deviations.iter().map(|text| prepared.hide(text)).collect();
    if !http.status.accepts(status) {
        let lines = body.lines().filter(|line| !line.trim().is_empty()).take(SHOWN_LINES);
        let shown =
            lines.map(|line| prepared.hide(line).chars().take(SHOWN_CHARS).collect::<String>());
        deviations.extend(shown.map(|line| format!("| {line}")));
    }
    ProbeOutcome { found: format!("status {status}"), deviations }
}

fn send(prepared: &Prepared) -> Result<(u16, String), ureq::Error> {
    let mut request = Request::builder().method(prepared.method.as_str()).uri(&prepared.url);
    for (name, value) in &prepared.headers {
        request = request.header(name, value);
    }
    let agent = agent(prepared);
    let response = match &prepared.body {
        Some(body) => agent.run(request.body(body.clone())?)?,
        None => agent.run(request.body(())?)?,
    };
    read(response)
}

fn read(mut response: Response<ureq::Body>) -> Result<(u16, String), ureq::Error> {
    let status = response.status().as_u16();
    let bytes = response.body_mut().with_config().limit(MAX_BODY_BYTES).read_to_vec();
    let bytes = match bytes {
        Err(ureq::Error::BodyExceedsLimit(_)) => Vec::new(),
        other => other?,
    };
    Ok((status, String::from_utf8_lossy(&bytes).into_owned()))
}

fn agent(prepared: &Prepared) -> Agent {
    let tls = TlsConfig::builder().root_certs(root_certificates()).build();
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .allow_non_standard_methods(true)
        .timeout_global(Some(prepared.timeout))
        .user_agent(concat!("pgfleet/", env!("CARGO_PKG_VERSION")))
        .tls_config(tls)
        .build()
        .into()
}

/// The machine's own certificates, so that a private authority counts; those that come with the
/// program when the machine has none.
fn root_certificates() -> RootCerts {
    static ROOTS: OnceLock<RootCerts> = OnceLock::new();
    let load = || {
        let found = rustls_native_certs::load_native_certs().certs;
        if found.is_empty() {
            return RootCerts::WebPki;
        }
        let owned = found.iter().map(|der| Certificate::from_der(der.as_ref()).to_owned());
        RootCerts::Specific(Arc::new(owned.collect()))
    };
    ROOTS.get_or_init(load).clone()
}

/// Why there is no answer.
fn explain(error: &ureq::Error, prepared: &Prepared) -> String {
    let place = place(&prepared.url);
    let seconds = prepared.timeout.as_secs_f64();
    match error {
        ureq::Error::HostNotFound => unresolved(&place),
        ureq::Error::Timeout(_) => format!("{place} did not answer within {seconds} s"),
        ureq::Error::Io(io) => match io.kind() {
            ErrorKind::ConnectionRefused => {
                format!("nothing listens at {place}: is the service running?")
            }
            ErrorKind::TimedOut => format!("{place} did not answer within {seconds} s"),
            ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof | ErrorKind::BrokenPipe => {
                format!("{place} closed the connection without an answer")
            }
            // The standard library gives a failed look-up no kind of its own.
            _ if io.to_string().starts_with("failed to lookup address") => unresolved(&place),
            _ => match io.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                Some(tls) => tls_failure(&place, tls),
                None => format!("{place}: {io}"),
            },
        },
        ureq::Error::Rustls(tls) => tls_failure(&place, tls),
        other => match other.source() {
            Some(source) => format!("{place}: {other}: {source}"),
            None => format!("{place}: {other}"),
        },
    }
}

fn unresolved(place: &str) -> String {
    format!("the host name of {place} does not resolve")
}

fn tls_failure(place: &str, error: &rustls::Error) -> String {
    format!("no secure connection to {place}: {error}")
}
