//! What the server said when it refused the login.
//!
//! Sources: the SQLSTATEs and messages of PostgreSQL's postmaster and `auth.c`, of PgBouncer
//! (08P01) and of Supavisor (XX000).

use pgfleet_core::diagnose::{Code, Problem, ServerError, closest_name};
use pgfleet_sql::quote_ident;

use super::spec::{ConnectSpec, Endpoint, TlsMode};
use super::{OLDEST_VERSION_NUM, supabase};

/// Makes a problem of the server's refusal.
pub(super) fn explain(
    spec: &ConnectSpec,
    endpoint: &Endpoint,
    error: &ServerError,
    databases: &[String],
) -> Problem {
    let mut problem = problem_of(spec, endpoint, error, databases);
    problem.sqlstate = Some(error.sqlstate.clone());
    problem.details.push(format!("the server said: {}", error.message));
    problem
}

fn problem_of(
    spec: &ConnectSpec,
    endpoint: &Endpoint,
    error: &ServerError,
    databases: &[String],
) -> Problem {
    let message = error.message.to_ascii_lowercase();
    if message.contains("tenant or user not found") || message.contains("tenant/user") {
        return tenant_missing(spec, endpoint);
    }
    if message.contains("no such database") || error.is("3D000") {
        return database_missing(spec, endpoint, databases);
    }
    match error.sqlstate.as_str() {
        "28P01" => wrong_password(spec, endpoint),
        "28000" if message.contains("pg_hba.conf") => hba_rejected(spec, endpoint, &message),
        "28000" if message.contains("does not exist") => role_missing(spec, endpoint),
        "28000" => login_refused(spec, endpoint, error),
        "53300" => full(endpoint, error),
        "57P03" => not_ready(endpoint, &message),
        "55000" => closed(spec, endpoint, error),
        "57P01" | "57P02" => unavailable(endpoint, "is shutting down").fix("try again in a moment"),
        "42501" if message.contains("permission denied for database") => no_connect(spec),
        "08P01" if message.contains("startup parameter") => startup_parameter(error),
        // PgBouncer's words for a login that it could not make.
        "08P01" if message.contains("auth") || message.contains("password") => {
            wrong_password(spec, endpoint)
        }
        _ => unavailable(endpoint, "refused the connection").because(error.to_string()),
    }
}

/// `ALLOW_CONNECTIONS false`.
fn closed(spec: &ConnectSpec, endpoint: &Endpoint, error: &ServerError) -> Problem {
    let what =
        format!("the database `{}` at {} takes no connections", spec.database, endpoint.label());
    Problem::error(Code::ServerUnavailable, what).because(error.to_string()).fix_with(
        "If it should take connections:",
        format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", quote_ident(&spec.database)),
    )
}

fn tenant_missing(spec: &ConnectSpec, endpoint: &Endpoint) -> Problem {
    let what = format!("the pooler at {} knows no tenant for `{}`", endpoint.label(), spec.user);
    let problem = Problem::error(Code::ProjectPaused, what).because(
        "the project is paused or deleted, the pooler's host is of another region, or the user \
         lacks the project's reference",
    );
    let problem = match spec.user.contains('.') {
        true => problem,
        false => problem.fix_with(
            "the pooler's user has the project's reference in it",
            format!("{}.PROJECT_REF", spec.user),
        ),
    };
    problem.fix_with(
        "see in the dashboard whether the project is paused, and copy the string under Connect",
        "https://supabase.com/dashboard/projects",
    )
}

fn wrong_password(spec: &ConnectSpec, endpoint: &Endpoint) -> Problem {
    let what = format!("the password of `{}` was refused at {}", spec.user, endpoint.label());
    let problem = Problem::error(Code::AuthenticationFailed, what).because(
        "the password is not that of this role, or there is no such role (the server does not \
         tell which)",
    );
    let problem = match endpoint.name().is_some_and(supabase::is_host) {
        true => {
            problem.fix("reset the database password in the dashboard: Project settings, Database")
        }
        false => problem.fix_with(
            "set a new password as an administrator",
            format!("psql -c '\\password {}'", pgfleet_sql::quote_ident(&spec.user)),
        ),
    };
    problem.fix("in a URL, percent-encode @ : / ? # % of the password (%40 for @)")
}

fn role_missing(spec: &ConnectSpec, endpoint: &Endpoint) -> Problem {
    let role = pgfleet_sql::quote_ident(&spec.user);
    Problem::error(
        Code::AuthenticationFailed,
        format!("there is no role `{}` at {}", spec.user, endpoint.label()),
    )
    .because("it is misspelt; or no user was named, and that of the operating system was taken")
    .fix("name the right user in the URL: postgres://USER@HOST/DATABASE")
    .fix_with("or create the role", format!("CREATE ROLE {role} LOGIN PASSWORD '…'"))
}

fn login_refused(spec: &ConnectSpec, endpoint: &Endpoint, error: &ServerError) -> Problem {
    let role = pgfleet_sql::quote_ident(&spec.user);
    let what = format!("the login of `{}` was refused at {}", spec.user, endpoint.label());
    let problem = Problem::error(Code::AuthenticationFailed, what).because(error.message.clone());
    match error.message.contains("not permitted to log in") {
        true => problem.fix_with("let the role log in", format!("ALTER ROLE {role} LOGIN")),
        false => problem.fix("see pg_hba.conf for the method that is asked of this role"),
    }
}

fn hba_rejected(spec: &ConnectSpec, endpoint: &Endpoint, message: &str) -> Problem {
    let unencrypted = message.contains("no encryption") || message.contains("ssl off");
    let problem = Problem::error(
        Code::HbaRejected,
        format!("the access rules of {} let nobody in as this client comes", endpoint.label()),
    )
    .because(if message.contains("no pg_hba.conf entry") {
        "pg_hba.conf has no line for this address, user, database and encryption"
    } else {
        "a line of pg_hba.conf rejects this address, user, database or encryption"
    });
    let problem = match unencrypted && spec.tls.mode < TlsMode::Require {
        true => problem.fix_with("the server may want TLS", "sslmode=require"),
        false => problem,
    };
    let line = format!("host {} {} CLIENT_ADDRESS/32 scram-sha-256", spec.database, spec.user);
    problem
        .fix_with("add a line to pg_hba.conf, then SELECT pg_reload_conf()", line)
        .fix("on a hosted server, allow this machine's address in its network settings")
}

fn database_missing(spec: &ConnectSpec, endpoint: &Endpoint, databases: &[String]) -> Problem {
    let name = &spec.database;
    let mut problem = Problem::error(
        Code::DatabaseMissing,
        format!("there is no database `{name}` at {}", endpoint.label()),
    );
    let close = closest_name(name, databases.iter().map(String::as_str));
    problem = match close {
        Some(close) => problem
            .because(format!("there is one called `{close}`"))
            .fix_with("name that one", spec.with_database(close).redacted()),
        None => problem.because("it was never created, or the URL leads to another server"),
    };
    if !databases.is_empty() {
        let shown: Vec<_> = databases.iter().take(20).map(String::as_str).collect();
        problem = problem.detail(format!("databases there: {}", shown.join(", ")));
    }
    problem.fix_with("create it", format!("CREATE DATABASE {}", pgfleet_sql::quote_ident(name)))
}

fn no_connect(spec: &ConnectSpec) -> Problem {
    let (database, role) =
        (pgfleet_sql::quote_ident(&spec.database), pgfleet_sql::quote_ident(&spec.user));
    Problem::error(
        Code::HbaRejected,
        format!("`{}` may not connect to the database `{}`", spec.user, spec.database),
    )
    .because("the role lacks the CONNECT privilege")
    .fix_with("grant it", format!("GRANT CONNECT ON DATABASE {database} TO {role}"))
}

fn unavailable(endpoint: &Endpoint, what: &str) -> Problem {
    Problem::error(Code::ServerUnavailable, format!("{} {what}", endpoint.label()))
}

fn full(endpoint: &Endpoint, error: &ServerError) -> Problem {
    unavailable(endpoint, "has no connection left")
        .because(error.message.clone())
        .fix_with(
            "see who holds them",
            "SELECT usename, application_name, state, count(*) FROM pg_stat_activity GROUP BY 1, 2, 3 ORDER BY 4 DESC",
        )
        .fix("close idle clients, raise max_connections (or the role's CONNECTION LIMIT), or use a session-mode pooler")
}

fn not_ready(endpoint: &Endpoint, message: &str) -> Problem {
    let (what, cause) = if message.contains("shutting down") {
        ("is shutting down", "somebody stops or restarts it")
    } else if message.contains("not accepting connections") || message.contains("hot standby") {
        ("takes no connections", "the server is in recovery without hot_standby, or replays first")
    } else if message.contains("recovery") {
        ("is recovering from a crash", "it replays its log and then goes on by itself")
    } else {
        ("is starting up", "it takes connections as soon as it has finished")
    };
    unavailable(endpoint, what).because(cause).fix("try again in a moment")
}

fn startup_parameter(error: &ServerError) -> Problem {
    let name = error.message.rsplit(' ').next().unwrap_or_default();
    Problem::error(Code::UrlInvalid, format!("the pooler does not take the parameter `{name}`"))
        .because("PgBouncer refuses startup parameters that it does not know")
        .fix_with("let PgBouncer ignore it", format!("ignore_startup_parameters = {name}"))
        .fix("or connect to the server itself instead of the pooler")
}

/// The server is older than what is supported.
pub(super) fn too_old(version_num: u32) -> Problem {
    let (major, oldest) = (version_num / 10_000, OLDEST_VERSION_NUM / 10_000);
    Problem::error(
        Code::ServerTooOld,
        format!("the server is PostgreSQL {major}, and {oldest} is the oldest that is supported"),
    )
    .because("older servers lack what transactional ALTER TYPE and concurrent REINDEX need")
    .fix("upgrade the server; PostgreSQL supports each major version for five years")
}
