//! Failures before the server could say anything: names, network, TLS, time.

use std::io::{self, ErrorKind};
use std::time::Duration;

use pgfleet_core::diagnose::{Code, Problem};

use super::failure::io_error;
use super::session::full_message;
use super::spec::{ConnectSpec, Endpoint, Host};
use super::supabase;

/// Nothing came back in time.
pub(super) fn timeout(endpoint: &Endpoint, after: Duration) -> Problem {
    let label = endpoint.label();
    let what = format!("{label} did not answer within {} s", after.as_secs_f32());
    let problem = Problem::error(Code::ConnectTimeout, what);
    supabase::advise_unreachable(problem, endpoint, || {
        "a firewall drops the packets, the address is not reachable from here, or the server is \
         stopped"
            .to_owned()
    })
    .fix("allow this machine's address in the server's firewall or security group")
    .fix_with("see whether the port answers at all", probe_command(endpoint))
    .fix_with("wait longer for a slow start", "connect_timeout=60")
}

/// The server, or what stands before it, closed the connection during the login.
pub(super) fn lost(endpoint: &Endpoint, reason: &str) -> Problem {
    let what = format!("{} closed the connection during the login", endpoint.label());
    Problem::error(Code::ConnectionLost, what)
        .because(reason.to_owned())
        .fix("look into the server's log, which says why")
}

/// A server answered that is not what `target_session_attrs` asks for.
pub(super) fn wrong_kind(endpoint: &Endpoint, standby: bool) -> Problem {
    let label = endpoint.label();
    let code = if standby { Code::ServerInRecovery } else { Code::ServerUnavailable };
    let kind = if standby { "a standby" } else { "not of the kind asked for" };
    Problem::error(code, format!("{label} is {kind}"))
        .because("target_session_attrs asks for another kind of server")
        .fix("name the primary in the URL, or correct target_session_attrs")
}

/// The driver's error, when the server said nothing.
pub(super) fn explain(
    spec: &ConnectSpec,
    endpoint: &Endpoint,
    error: &tokio_postgres::Error,
) -> Problem {
    let message = full_message(error);
    let kind = error.to_string();
    if kind.contains("TLS") {
        return tls_failed(endpoint, error, &message);
    }
    if kind.contains("authentication") || message.contains("password missing") {
        return login_impossible(spec, endpoint, &message);
    }
    match io_error(error) {
        Some(io) => explain_io(endpoint, io),
        None => lost(endpoint, &message),
    }
}

fn explain_io(endpoint: &Endpoint, io: &io::Error) -> Problem {
    match io.kind() {
        ErrorKind::ConnectionRefused | ErrorKind::NotFound => refused(endpoint, io),
        ErrorKind::PermissionDenied => {
            let what = format!("this user may not use the socket {}", endpoint.label());
            Problem::error(Code::ConnectRefused, what)
                .because(io.to_string())
                .fix("run as a user of the socket's group, or connect over TCP")
        }
        ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable => unroutable(endpoint, io),
        ErrorKind::TimedOut => timeout_of_system(endpoint),
        _ if io.to_string().contains("lookup address") => unknown_host(endpoint, io),
        _ => lost(endpoint, &io.to_string()),
    }
}

fn refused(endpoint: &Endpoint, io: &io::Error) -> Problem {
    let problem =
        Problem::error(Code::ConnectRefused, format!("nothing listens at {}", endpoint.label()));
    match &endpoint.host {
        Host::Unix(directory) => problem
            .because(format!("no server has its socket in {}: {io}", directory.display()))
            .fix_with("see where the server's sockets are", "pg_lsclusters; ls /var/run/postgresql /tmp/.s.PGSQL.*"),
        Host::Tcp(_) => problem
            .because("the machine answers, but no process has this port open: the server is stopped, or uses another port")
            .fix_with("see whether a server runs and on which port", probe_command(endpoint))
            .fix("correct host and port in the URL, or start the server (listen_addresses must include this address)"),
    }
}

fn unroutable(endpoint: &Endpoint, io: &io::Error) -> Problem {
    let what = format!("there is no route to {}", endpoint.label());
    supabase::advise_unreachable(Problem::error(Code::ConnectTimeout, what), endpoint, || {
        format!("{io}: the host may have an IPv6 address only, and this network has no IPv6")
    })
    .fix("connect from a network that reaches the host, or through its IPv4 address or pooler")
}

fn timeout_of_system(endpoint: &Endpoint) -> Problem {
    let what = format!("{} did not answer", endpoint.label());
    supabase::advise_unreachable(Problem::error(Code::ConnectTimeout, what), endpoint, || {
        "a firewall drops the packets, or the machine is off".to_owned()
    })
    .fix("allow this machine's address in the server's firewall or security group")
}

fn unknown_host(endpoint: &Endpoint, io: &io::Error) -> Problem {
    let host = endpoint.name().unwrap_or_default();
    let problem = Problem::error(Code::HostUnknown, format!("the host `{host}` is not known"));
    if let Some(advice) = supabase::advise_name(problem.clone(), host) {
        return advice;
    }
    problem
        .because(format!("the name service has no address for it: {io}"))
        .fix_with("see what the name service says", format!("getent ahosts {}", shell_word(host)))
        .fix("correct the host; in a URL, percent-encode @ : / in user and password")
}

fn tls_failed(endpoint: &Endpoint, error: &tokio_postgres::Error, message: &str) -> Problem {
    let problem = |what: String| Problem::error(Code::TlsFailed, what);
    let label = endpoint.label();
    if message.contains("does not support TLS") {
        return problem(format!("{label} does not offer TLS"))
            .because("the URL asks for it (sslmode), and the server has ssl = off")
            .fix_with(
                "turn it on at the server",
                "ALTER SYSTEM SET ssl = on; SELECT pg_reload_conf()",
            )
            .fix_with("or, on a network that you trust, do without", "sslmode=prefer");
    }
    match certificate_error(error) {
        Some(reason) => untrusted(problem, &label, endpoint, &reason),
        None => problem(format!("the TLS handshake with {label} failed"))
            .because(message.to_owned())
            .fix("see the server's log; a server that wants a client certificate needs sslcert and sslkey"),
    }
}

fn untrusted(
    problem: impl Fn(String) -> Problem,
    label: &str,
    endpoint: &Endpoint,
    reason: &rustls::CertificateError,
) -> Problem {
    use rustls::CertificateError as E;
    match reason {
        E::NotValidForName | E::NotValidForNameContext { .. } => {
            problem(format!("the certificate of {label} is for another name"))
                .because(format!(
                    "sslmode=verify-full wants `{}` among the certificate's subject alternative \
                     names ({reason})",
                    endpoint.name().unwrap_or_default()
                ))
                .fix("use the host name that the certificate names")
                .fix_with("or check the authority only", "sslmode=verify-ca")
        }
        E::Expired | E::ExpiredContext { .. } => {
            problem(format!("the certificate of {label} has expired"))
                .because(reason.to_string())
                .fix("renew the server's certificate, and check this machine's clock")
        }
        _ => problem(format!("the certificate of {label} is not trusted"))
            .because(format!("no trusted authority vouches for it: {reason}"))
            .fix_with(
                "name the certificate of the authority that signed it",
                "sslrootcert=FILE.pem",
            )
            .fix_with(
                "or trust the operating system's authorities",
                "sslmode=verify-full&sslrootcert=system",
            ),
    }
}

fn certificate_error(error: &tokio_postgres::Error) -> Option<rustls::CertificateError> {
    let inner = io_error(error)?.get_ref()?.downcast_ref::<rustls::Error>()?;
    match inner {
        rustls::Error::InvalidCertificate(reason) => Some(reason.clone()),
        _ => None,
    }
}

/// The login protocol could not go on: no password, or a method that is not offered.
fn login_impossible(spec: &ConnectSpec, endpoint: &Endpoint, message: &str) -> Problem {
    let (user, label) = (&spec.user, endpoint.label());
    if endpoint.password.is_none() {
        return Problem::error(
            Code::AuthenticationFailed,
            format!("{label} asks for the password of `{user}`, and none was given"),
        )
        .because("neither the URL, PGPASSWORD nor the password file has one")
        .fix_with("set it for this shell", "export PGPASSWORD=…")
        .fix_with(
            "or write it into the password file (chmod 600)",
            format!(
                "~/.pgpass: {}:{}:*:{user}:PASSWORD",
                endpoint.name().unwrap_or("localhost"),
                endpoint.port
            ),
        );
    }
    Problem::error(Code::AuthenticationFailed, format!("the login of `{user}` at {label} failed"))
        .because(message.to_owned())
        .fix("check channel_binding and the server's authentication method in pg_hba.conf")
}

fn probe_command(endpoint: &Endpoint) -> String {
    let host = match &endpoint.host {
        Host::Tcp(name) => shell_word(name),
        Host::Unix(directory) => shell_word(&directory.to_string_lossy()),
    };
    format!("pg_isready -h {host} -p {}", endpoint.port)
}

/// A word that a shell takes as it is.
fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
    match word.chars().all(plain) && !word.is_empty() {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}
