//! What a fresh session is good for: facts about server, role and path, in one round trip.
//!
//! Invariant: a direct connection costs that one round trip and no more. Only when the server's
//! process id is not the one that was announced, so that a pooler stands between, a second session
//! is opened to see whether the pooler lends one server process to several clients.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_sql::quote_ident;

use super::{ConnectSpec, Session, SessionError, connect, supabase};

/// What the server says about itself and the session.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ServerFacts {
    /// `150004` for 15.4.
    pub version_num: u32,
    /// The role that acts.
    pub current_user: String,
    /// The first schema of `search_path` that exists.
    pub current_schema: Option<String>,
    /// The setting.
    pub search_path: String,
    /// The database.
    pub database: String,
    /// The database's owner.
    pub database_owner: String,
    /// The server is a standby.
    pub in_recovery: bool,
    /// Transactions cannot write.
    pub read_only: bool,
    /// Transactions are read-only by the role's or the database's setting.
    pub default_read_only: bool,
    /// The role is a superuser.
    pub superuser: bool,
    /// The role may create schemas in the database.
    pub can_create_schema: bool,
    /// The role may create objects in [`ServerFacts::current_schema`].
    pub can_create_in_schema: bool,
    /// How far the server's clock is ahead of ours, in seconds; half the round trip is unsure.
    pub clock_ahead_s: f64,
    /// How many prepared transactions the server keeps.
    pub max_prepared_transactions: u32,
    /// The database's encoding.
    pub encoding: String,
    /// The process that works for this session at this moment.
    pub backend_pid: i32,
    /// The port of the server itself, behind any pooler.
    pub server_port: u16,
}

const FACTS: &str = "SELECT current_setting('server_version_num'), current_user, current_schema, \
    current_setting('search_path'), current_database(), \
    (SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()), \
    pg_is_in_recovery(), current_setting('transaction_read_only') = 'on', \
    current_setting('default_transaction_read_only') = 'on', \
    current_setting('is_superuser') = 'on', \
    has_database_privilege(current_database(), 'CREATE'), \
    COALESCE(has_schema_privilege(current_schema, 'CREATE'), false), \
    extract(epoch FROM clock_timestamp()), current_setting('max_prepared_transactions'), \
    current_setting('server_encoding'), \
    pg_backend_pid(), COALESCE(inet_server_port()::text, current_setting('port'))";

/// Asks the server for [`ServerFacts`]; one round trip.
///
/// # Errors
/// The server's refusal, or a lost connection.
pub async fn probe(session: &Session) -> Result<ServerFacts, SessionError> {
    let before = seconds_now();
    let rows = session.query_text(FACTS).await?;
    let our_time = f64::midpoint(before, seconds_now());
    let row = rows.into_iter().next().unwrap_or_default();
    let mut values = row.into_iter();
    let mut next = || values.next().flatten();
    Ok(ServerFacts {
        version_num: parsed(next()),
        current_user: next().unwrap_or_default(),
        current_schema: next(),
        search_path: next().unwrap_or_default(),
        database: next().unwrap_or_default(),
        database_owner: next().unwrap_or_default(),
        in_recovery: is_true(next()),
        read_only: is_true(next()),
        default_read_only: is_true(next()),
        superuser: is_true(next()),
        can_create_schema: is_true(next()),
        can_create_in_schema: is_true(next()),
        clock_ahead_s: parsed::<f64>(next()) - our_time,
        max_prepared_transactions: parsed(next()),
        encoding: next().unwrap_or_default(),
        backend_pid: parsed(next()),
        server_port: parsed(next()),
    })
}

fn seconds_now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

fn parsed<T: std::str::FromStr + Default>(text: Option<String>) -> T {
    text.and_then(|text| text.parse().ok()).unwrap_or_default()
}

fn is_true(text: Option<String>) -> bool {
    text.as_deref() == Some("t")
}

/// How far clocks may differ before it is worth a warning, in seconds.
const SKEW_TOLERATED_S: f64 = 5.0;

/// What keeps this session from changing the schema, and what looks odd.
#[must_use]
pub fn preflight(facts: &ServerFacts) -> Vec<Problem> {
    let mut problems = Vec::new();
    if facts.in_recovery {
        problems.push(in_recovery(facts));
    } else if facts.read_only {
        problems.push(read_only(facts));
    }
    if !facts.superuser && !facts.in_recovery {
        problems.extend(cannot_create(facts));
    }
    if facts.clock_ahead_s.abs() > SKEW_TOLERATED_S {
        problems.push(clock_skew(facts.clock_ahead_s));
    }
    problems
}

fn in_recovery(facts: &ServerFacts) -> Problem {
    let what = format!("the server of `{}` is a read-only standby", facts.database);
    Problem::error(Code::ServerInRecovery, what)
        .because("it replays another server's log (pg_is_in_recovery() is true)")
        .fix("use the primary's host in the URL")
        .fix_with(
            "or name all hosts and let pgfleet find it",
            "postgres://USER@HOST1,HOST2/DATABASE?target_session_attrs=primary",
        )
}

fn read_only(facts: &ServerFacts) -> Problem {
    let (role, database) = (&facts.current_user, &facts.database);
    let problem = Problem::error(
        Code::RoleReadOnly,
        format!("transactions of `{role}` in `{database}` are read-only"),
    );
    let (role, database) = (quote_ident(role), quote_ident(database));
    if !facts.default_read_only {
        return problem.because("transaction_read_only is on");
    }
    problem
        .because("default_transaction_read_only is on for the role, the database or the server")
        .fix_with(
            "use another role, or turn it off for this one",
            format!("ALTER ROLE {role} SET default_transaction_read_only = off"),
        )
        .fix_with(
            "or for the database",
            format!("ALTER DATABASE {database} SET default_transaction_read_only = off"),
        )
        .fix("a provider sets it when the disk is full: make room first")
}

fn cannot_create(facts: &ServerFacts) -> Option<Problem> {
    let role = quote_ident(&facts.current_user);
    let Some(schema) = &facts.current_schema else {
        return (!facts.can_create_schema).then(|| no_schema(facts, &role));
    };
    if facts.can_create_in_schema {
        return None;
    }
    let what = format!("`{}` may not create objects in the schema `{schema}`", facts.current_user);
    let problem = Problem::error(Code::RoleReadOnly, what);
    let problem = match schema == "public" && facts.version_num >= 150_000 {
        true => problem.because(
            "since PostgreSQL 15 only the database's owner may create in the schema public",
        ),
        false => problem.because("the role lacks the CREATE privilege on it"),
    };
    let owner = &facts.database_owner;
    Some(
        problem
            .fix_with(
                format!("as `{owner}`, the database's owner, or as a superuser"),
                format!("GRANT CREATE ON SCHEMA {} TO {role}", quote_ident(schema)),
            )
            .fix("or connect as the role that owns the tables"),
    )
}

fn no_schema(facts: &ServerFacts, role: &str) -> Problem {
    let database = quote_ident(&facts.database);
    Problem::error(
        Code::RoleReadOnly,
        format!("no schema of search_path ({}) is there", facts.search_path),
    )
    .because(format!("and `{}` may not create schemas in this database", facts.current_user))
    .fix_with("let the role create it", format!("GRANT CREATE ON DATABASE {database} TO {role}"))
    .fix("or correct search_path (the URL's schema= or options=)")
}

fn clock_skew(ahead_s: f64) -> Problem {
    let direction = if ahead_s > 0.0 { "ahead of" } else { "behind" };
    let what = format!("the server's clock is {:.0} s {direction} this machine's", ahead_s.abs());
    Problem::warning(Code::ClockSkew, what)
        .because("one of the two does not follow a time server; times in reports are the server's")
        .fix_with("check this machine", "timedatectl status")
}

/// How long the second session may take; a session-mode pooler may let it wait.
const POOLER_PATIENCE: Duration = Duration::from_secs(3);

/// How often the sharing of a server process is looked for.
const POOLER_ATTEMPTS: usize = 3;

/// Refuses a pooler that lends one server process to several clients: session locks, settings and
/// temporary tables would land in other clients' sessions. One in session mode is fine.
///
/// # Errors
/// [`PoolerTransactionMode`](Code::PoolerTransactionMode) with the port to use.
pub async fn check_pooler(
    spec: &ConnectSpec,
    session: &Session,
    facts: &ServerFacts,
) -> Result<(), Problem> {
    if is_direct(session, facts) {
        return Ok(());
    }
    let names_supabase = spec.endpoints.iter().find(|e| e.name().is_some_and(supabase::is_host));
    let shared = match names_supabase {
        Some(endpoint) => endpoint.port == supabase::TRANSACTION_PORT,
        None => shares_processes(spec, session, facts).await,
    };
    if shared { Err(transaction_mode(spec, facts)) } else { Ok(()) }
}

/// PostgreSQL announces its own process id; a pooler invents one, having no process to announce.
fn is_direct(session: &Session, facts: &ServerFacts) -> bool {
    session.backend_pid() == facts.backend_pid
}

/// Watches two sessions at once. While the first is open, a pooler in session mode never gives its
/// server process to the second, nor another process to the first. One in transaction mode gives
/// the last process used (or the longest unused: then the first session changes).
async fn shares_processes(spec: &ConnectSpec, session: &Session, facts: &ServerFacts) -> bool {
    let Ok(other) = connect(spec, "pgfleet pooler check", POOLER_PATIENCE).await else {
        return false;
    };
    let ours = Some(facts.backend_pid);
    let watch = async {
        for _ in 0..POOLER_ATTEMPTS {
            if backend_of(session, "").await != ours {
                return true;
            }
            // A pooler in statement mode refuses BEGIN.
            let second = backend_of(&other, "BEGIN").await;
            if second.is_none() || second == ours || backend_of(session, "").await != ours {
                return true;
            }
            let _ = other.batch("ROLLBACK").await;
        }
        false
    };
    let verdict = tokio::time::timeout(POOLER_PATIENCE, watch).await;
    // Waiting for ever means that the first session keeps the only process: session mode.
    verdict.unwrap_or(false)
}

async fn backend_of(session: &Session, begin: &str) -> Option<i32> {
    if !begin.is_empty() {
        session.batch(begin).await.ok()?;
    }
    let rows = session.query_text("SELECT pg_backend_pid()").await.ok()?;
    rows.first()?.first()?.as_ref()?.parse().ok()
}

fn transaction_mode(spec: &ConnectSpec, facts: &ServerFacts) -> Problem {
    let places: Vec<_> = spec.endpoints.iter().map(super::Endpoint::label).collect();
    let what = format!("{} is a pooler in transaction mode", places.join(", "));
    let problem = Problem::error(Code::PoolerTransactionMode, what).because(
        "each transaction may run in another server process, so that locks, settings and \
         temporary tables of a migration would land in other clients' sessions",
    );
    let mut direct = spec.clone();
    for endpoint in &mut direct.endpoints {
        let name = endpoint.name().unwrap_or_default().to_owned();
        match name.split_once("-pooler.") {
            Some((start, end)) => endpoint.host = super::Host::Tcp(format!("{start}.{end}")),
            None if supabase::is_host(&name) => endpoint.port = 5432,
            None => endpoint.port = facts.server_port,
        }
    }
    let ports: Vec<_> = direct.endpoints.iter().map(|e| e.port.to_string()).collect();
    let words = match direct.endpoints.iter().any(|e| e.name().is_some_and(supabase::is_host)) {
        true => "use port 5432, the pooler's session mode".to_owned(),
        false => format!("connect to the server itself, port {}", ports.join(", ")),
    };
    problem.fix_with(words, direct.redacted())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn healthy() -> ServerFacts {
        ServerFacts {
            version_num: 150_004,
            current_user: "app".to_owned(),
            current_schema: Some("public".to_owned()),
            database: "shop".to_owned(),
            database_owner: "boss".to_owned(),
            can_create_in_schema: true,
            can_create_schema: true,
            ..ServerFacts::default()
        }
    }

    #[test]
    fn a_healthy_session_has_no_problem() {
        assert_eq!(preflight(&healthy()), []);
    }

    #[test]
    fn a_clock_that_differs_is_a_warning_either_way() {
        for (ahead, word) in [(90.0, "90 s ahead of"), (-7.4, "7 s behind")] {
            let problems = preflight(&ServerFacts { clock_ahead_s: ahead, ..healthy() });
            assert_eq!(problems.len(), 1);
            assert_eq!(problems[0].code, Code::ClockSkew);
            assert!(!problems[0].is_error() && problems[0].what.contains(word), "{problems:?}");
        }
    }

    #[test]
    fn a_standby_is_refused_once() {
        let facts = ServerFacts { in_recovery: true, read_only: true, ..healthy() };
        let codes: Vec<_> = preflight(&facts).iter().map(|p| p.code).collect();
        assert_eq!(codes, [Code::ServerInRecovery]);
    }
}
