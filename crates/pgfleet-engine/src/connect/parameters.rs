//! The meaning of each connection parameter, libpq's and those that other tools put into URLs.
//!
//! Invariant: every parameter is understood, known to be harmless, or refused by name.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pgfleet_core::diagnose::Problem;

use super::environment::{PasswordKey, find_password, password_file, read_password_file};
use super::secret::Secret;
use super::settings::{Settings, Surroundings, invalid};
use super::spec::{
    ChannelBinding, ConnectSpec, Endpoint, Host, Keepalive, RootCertificates, SessionAttrs,
    TlsMode, TlsSpec,
};

/// Parameters of other tools that say nothing about one plain connection.
const HARMLESS: &[&str] = &[
    // libpq, without effect here.
    "gssencmode",
    "krbsrvname",
    "gsslib",
    "gssdelegation",
    "sslcompression",
    "sslsni",
    "ssl_max_protocol_version",
    "fallback_application_name",
    "scram_client_key",
    // Prisma.
    "connection_limit",
    "pool_timeout",
    "socket_timeout",
    "statement_cache_size",
    "single_use_connections",
    "sslidentity",
    // SQLAlchemy, asyncpg, pgx, node-postgres, lib/pq, Supabase.
    "prepared_statement_cache_size",
    "pool_max_conns",
    "pool_min_conns",
    "pool_mode",
    "pool_max_conn_lifetime",
    "pool_max_conn_idle_time",
    "statement_cache_capacity",
    "statement_cache_mode",
    "default_query_exec_mode",
    "binary_parameters",
    "disable_prepared_binary_result",
    "uselibpqcompat",
    "supa",
    "workaround",
    // Migration tools.
    "migrations_table",
    "x-migrations-table",
    "x-migrations-table-quoted",
    "x-statement-timeout",
    "x-multi-statement",
    "x-multi-statement-max-size",
    "x-lock-strategy",
    // JDBC.
    "prepareThreshold",
    "reWriteBatchedInserts",
    "stringtype",
    "tcpKeepAlive",
    "loginTimeout",
    "socketTimeout",
    "ApplicationName",
];

/// Server settings that some drivers take as parameters of the URL.
const SERVER_SETTINGS: &[&str] = &[
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "TimeZone",
    "timezone",
    "DateStyle",
    "datestyle",
    "IntervalStyle",
    "intervalstyle",
    "role",
];

/// Parameters that would weaken or change the connection if they were passed over.
const REFUSED: &[&str] = &[
    "sslcrl",
    "sslcrldir",
    "sslpassword",
    "sslcertmode",
    "requirepeer",
    "require_auth",
    "replication",
    "sslkeylogfile",
    "oauth_issuer",
    "oauth_client_id",
];

/// Turns settings into a complete specification.
pub(super) fn understand(
    mut settings: Settings,
    around: &Surroundings,
) -> Result<ConnectSpec, Problem> {
    let mut take = |name: &str| settings.remove(name).filter(|value| !value.is_empty());
    let user =
        take("user").or_else(|| around.user.clone()).unwrap_or_else(|| "postgres".to_owned());
    let database = take("dbname").unwrap_or_else(|| user.clone());
    let password = take("password").map(Secret::new);
    let mut endpoints = endpoints(take("host"), take("hostaddr"), take("port"))?;
    let passfile = password_file(take("passfile").as_deref(), around);
    let mut remarks = Vec::new();
    match password {
        Some(password) => endpoints.iter_mut().for_each(|e| e.password = Some(password.clone())),
        None => remarks.extend(look_up_passwords(&mut endpoints, passfile, &user, &database)),
    }
    let spec = ConnectSpec {
        endpoints,
        tls: tls_spec(&mut settings, around)?,
        session_attrs: session_attrs(&mut settings)?,
        shuffle: choice(
            &mut settings,
            "load_balance_hosts",
            &[("disable", false), ("random", true)],
        )?
        .unwrap_or(false),
        application_name: take_first(&mut settings, &["application_name", "ApplicationName"]),
        connect_timeout: connect_timeout(&mut settings)?,
        search_path: search_path(&mut settings),
        pooler_declared: flag(&mut settings, "pgbouncer")?.unwrap_or(false),
        keepalive: keepalive(&mut settings)?,
        options: server_options(&mut settings),
        user,
        database,
        remarks,
    };
    check_encoding(&mut settings)?;
    refuse_rest(&settings)?;
    Ok(spec)
}

fn endpoints(
    host: Option<String>,
    hostaddr: Option<String>,
    port: Option<String>,
) -> Result<Vec<Endpoint>, Problem> {
    let hosts = split_list(host.as_deref());
    let addresses = split_list(hostaddr.as_deref());
    let ports = split_list(port.as_deref());
    let count = hosts.len().max(addresses.len()).max(1);
    let fits = |list: &[&str]| list.is_empty() || list.len() == count;
    if !fits(&hosts) || !fits(&addresses) {
        return Err(invalid("`host` and `hostaddr` name different numbers of servers"));
    }
    if ports.len() > 1 && ports.len() != count {
        return Err(invalid(format!("{} ports are given for {count} hosts", ports.len())));
    }
    (0..count)
        .map(|at| {
            let port = ports.get(at).or(ports.first().filter(|_| ports.len() == 1));
            let port = parse_port(port.copied().unwrap_or_default())?;
            let address = parse_address(addresses.get(at).copied().unwrap_or_default())?;
            let host = host_of(hosts.get(at).copied().unwrap_or_default(), address, port);
            Ok(Endpoint { host, address, port, password: None })
        })
        .collect()
}

fn split_list(list: Option<&str>) -> Vec<&str> {
    list.map(|list| list.split(',').map(str::trim).collect()).unwrap_or_default()
}

fn parse_port(text: &str) -> Result<u16, Problem> {
    match text {
        "" => Ok(5432),
        text => text.parse().ok().filter(|&port| port != 0).ok_or_else(|| {
            invalid(format!("`{text}` is not a port"))
                .because("a port is a number from 1 to 65535")
                .fix("percent-encode : / ? # @ in the user and password of a URL")
        }),
    }
}

fn parse_address(text: &str) -> Result<Option<IpAddr>, Problem> {
    match text {
        "" => Ok(None),
        text => text
            .parse()
            .map(Some)
            .map_err(|_| invalid(format!("`hostaddr` has `{text}`, which is not an IP address"))),
    }
}

/// A path is a socket directory (`@` begins an abstract one); no host means the local server.
fn host_of(host: &str, address: Option<IpAddr>, port: u16) -> Host {
    match (host, address) {
        ("", Some(address)) => Host::Tcp(address.to_string()),
        ("", None) => local_server(port),
        (path, _) if path.starts_with(['/', '@']) => Host::Unix(PathBuf::from(path)),
        (name, _) => Host::Tcp(name.to_owned()),
    }
}

/// Debian's and PostgreSQL's own socket directories, else TCP.
fn local_server(port: u16) -> Host {
    ["/var/run/postgresql", "/tmp"]
        .into_iter()
        .find(|directory| Path::new(directory).join(format!(".s.PGSQL.{port}")).exists())
        .map_or_else(|| Host::Tcp("localhost".to_owned()), |found| Host::Unix(found.into()))
}

/// Fills in passwords from the password file; gives what there is to say about the file.
fn look_up_passwords(
    endpoints: &mut [Endpoint],
    passfile: Option<PathBuf>,
    user: &str,
    database: &str,
) -> Option<String> {
    let text = match read_password_file(&passfile?) {
        Ok(text) => text?,
        Err(remark) => return Some(remark),
    };
    for endpoint in endpoints {
        let host = match &endpoint.host {
            Host::Tcp(name) => name.clone(),
            // libpq looks up the default socket directory as `localhost`.
            Host::Unix(path) if is_default_directory(path) => "localhost".to_owned(),
            Host::Unix(path) => path.to_string_lossy().into_owned(),
        };
        let key = PasswordKey { host: &host, port: endpoint.port, database, user };
        endpoint.password = find_password(&text, &key).map(Secret::new);
    }
    None
}

fn is_default_directory(path: &Path) -> bool {
    path == Path::new("/var/run/postgresql") || path == Path::new("/tmp")
}

fn tls_spec(settings: &mut Settings, around: &Surroundings) -> Result<TlsSpec, Problem> {
    let root = settings.remove("sslrootcert").map(|root| match root.as_str() {
        "system" => RootCertificates::System,
        _ => RootCertificates::File(root.into()),
    });
    let mode = tls_mode(settings, root == Some(RootCertificates::System))?;
    let binding = [
        ("disable", ChannelBinding::Disable),
        ("prefer", ChannelBinding::Prefer),
        ("require", ChannelBinding::Require),
    ];
    let versions = [("TLSv1", false), ("TLSv1.1", false), ("TLSv1.2", false), ("TLSv1.3", true)];
    let spec = TlsSpec {
        mode,
        root: root.or_else(|| users_file(around, "root.crt").map(RootCertificates::File)),
        certificate: users_file_or(settings.remove("sslcert"), around, "postgresql.crt"),
        key: users_file_or(settings.remove("sslkey"), around, "postgresql.key"),
        direct: choice(settings, "sslnegotiation", &[("postgres", false), ("direct", true)])?
            .unwrap_or(false),
        channel_binding: choice(settings, "channel_binding", &binding)?
            .unwrap_or(ChannelBinding::Prefer),
        only_tls13: choice(settings, "ssl_min_protocol_version", &versions)?.unwrap_or(false),
    };
    check_tls(spec)
}

/// A file of `~/.postgresql/`, where libpq looks by itself.
fn users_file(around: &Surroundings, name: &str) -> Option<PathBuf> {
    let file = around.home.as_ref()?.join(".postgresql").join(name);
    file.is_file().then_some(file)
}

fn users_file_or(given: Option<String>, around: &Surroundings, name: &str) -> Option<PathBuf> {
    given.map(PathBuf::from).or_else(|| users_file(around, name))
}

fn tls_mode(settings: &mut Settings, system_root: bool) -> Result<TlsMode, Problem> {
    let modes = [
        ("disable", TlsMode::Disable),
        ("allow", TlsMode::Allow),
        ("prefer", TlsMode::Prefer),
        ("require", TlsMode::Require),
        ("no-verify", TlsMode::Require),
        ("verify-ca", TlsMode::VerifyCa),
        ("verify-full", TlsMode::VerifyFull),
    ];
    let mode = choice(settings, "sslmode", &modes)?;
    let strict =
        choice(settings, "sslaccept", &[("strict", true), ("accept_invalid_certs", false)])?;
    let ssl = flag(settings, "ssl")?;
    // libpq: trusting the system's authorities without checking the name would trust anybody.
    let default = if system_root { TlsMode::VerifyFull } else { TlsMode::Prefer };
    Ok(match (mode, strict, ssl) {
        (Some(mode), _, _) => mode,
        (None, Some(true), _) => TlsMode::VerifyFull,
        (None, _, Some(true)) => TlsMode::Require,
        (None, _, Some(false)) => TlsMode::Disable,
        _ => default,
    })
}

fn check_tls(spec: TlsSpec) -> Result<TlsSpec, Problem> {
    let mode = spec.mode.as_str();
    if spec.root == Some(RootCertificates::System) && spec.mode != TlsMode::VerifyFull {
        return Err(invalid(format!("sslrootcert=system does not go with sslmode={mode}"))
            .because("anybody can have a certificate from a public authority for some name")
            .fix_with("check the name as well", "sslmode=verify-full"));
    }
    if spec.direct && spec.mode < TlsMode::Require {
        return Err(invalid(format!("sslnegotiation=direct does not go with sslmode={mode}"))
            .fix_with("ask for TLS", "sslmode=require"));
    }
    Ok(spec)
}

fn session_attrs(settings: &mut Settings) -> Result<SessionAttrs, Problem> {
    let values = [
        ("any", SessionAttrs::Any),
        ("read-write", SessionAttrs::ReadWrite),
        ("read-only", SessionAttrs::ReadOnly),
        ("primary", SessionAttrs::Primary),
        ("standby", SessionAttrs::Standby),
        ("prefer-standby", SessionAttrs::PreferStandby),
    ];
    Ok(choice(settings, "target_session_attrs", &values)?.unwrap_or(SessionAttrs::Any))
}

/// Seconds as in libpq: 0 and less wait for ever, 1 means 2.
fn connect_timeout(settings: &mut Settings) -> Result<Option<Duration>, Problem> {
    let Some(seconds) = number::<i32>(settings, "connect_timeout")? else { return Ok(None) };
    let seconds = u64::try_from(seconds).unwrap_or(0);
    Ok((seconds > 0).then(|| Duration::from_secs(seconds.max(2))))
}

fn keepalive(settings: &mut Settings) -> Result<Keepalive, Problem> {
    let seconds =
        |value: Option<u32>| value.filter(|&s| s > 0).map(|s| Duration::from_secs(s.into()));
    Ok(Keepalive {
        enabled: number::<u32>(settings, "keepalives")?.unwrap_or(1) != 0,
        idle: seconds(number(settings, "keepalives_idle")?),
        interval: seconds(number(settings, "keepalives_interval")?),
        retries: number(settings, "keepalives_count")?,
        user_timeout: number::<u64>(settings, "tcp_user_timeout")?
            .filter(|&ms| ms > 0)
            .map(Duration::from_millis),
    })
}

/// `schema` names one schema (Prisma, JDBC's `currentSchema`); `search_path` is a list as SQL
/// writes it.
fn search_path(settings: &mut Settings) -> Option<String> {
    let schema = take_first(settings, &["schema", "currentSchema"]);
    let path = settings.remove("search_path");
    schema.map(|schema| pgfleet_sql::quote_ident(&schema)).or(path)
}

/// `options` and the server settings that stood in the URL, as one command line.
fn server_options(settings: &mut Settings) -> Option<String> {
    let mut words: Vec<String> = settings.remove("options").into_iter().collect();
    for name in SERVER_SETTINGS {
        if let Some(value) = settings.remove(*name) {
            words.push(format!("-c {name}={}", escape_option(&value)));
        }
    }
    (!words.is_empty()).then(|| words.join(" "))
}

/// Escapes a value for the `options` command line: blanks and backslashes.
pub(super) fn escape_option(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        if c.is_ascii_whitespace() || c == '\\' {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

fn check_encoding(settings: &mut Settings) -> Result<(), Problem> {
    let Some(encoding) = settings.remove("client_encoding") else { return Ok(()) };
    let plain = encoding.replace(['-', '_'], "").to_ascii_lowercase();
    if matches!(plain.as_str(), "utf8" | "unicode" | "auto") {
        return Ok(());
    }
    Err(invalid(format!("client_encoding={encoding} cannot be used"))
        .because("pgfleet speaks UTF-8 with the server")
        .fix(
            "leave client_encoding (PGCLIENTENCODING) out; files in other encodings are converted",
        ))
}

fn refuse_rest(settings: &Settings) -> Result<(), Problem> {
    if settings.get("gssencmode").is_some_and(|mode| mode == "require") {
        return Err(invalid("gssencmode=require cannot be honoured")
            .because("pgfleet encrypts with TLS, not with GSSAPI")
            .fix_with("ask for TLS instead", "gssencmode=disable&sslmode=require"));
    }
    if let Some(name) = settings.keys().find(|name| REFUSED.contains(&name.as_str())) {
        return Err(invalid(format!("the parameter `{name}` is not supported"))
            .because("passing over it would make the connection other than what was asked for")
            .fix("leave it out of the URL"));
    }
    match settings.keys().find(|name| !HARMLESS.contains(&name.as_str())) {
        Some(name) => Err(unknown(name)),
        None => Ok(()),
    }
}

fn unknown(name: &str) -> Problem {
    invalid(format!("the connection parameter `{name}` is not known"))
        .because("an unknown parameter is more often misspelt than meant")
        .fix("correct it or leave it out; the names are those of libpq")
}

fn take_first(settings: &mut Settings, names: &[&str]) -> Option<String> {
    let values: Vec<_> = names.iter().filter_map(|name| settings.remove(*name)).collect();
    values.into_iter().find(|value| !value.is_empty())
}

fn choice<T: Copy>(
    settings: &mut Settings,
    name: &str,
    values: &[(&str, T)],
) -> Result<Option<T>, Problem> {
    let Some(text) = settings.remove(name).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let found = values.iter().find(|(word, _)| word.eq_ignore_ascii_case(&text));
    found.map(|&(_, value)| Some(value)).ok_or_else(|| {
        let words: Vec<_> = values.iter().map(|(word, _)| *word).collect();
        invalid(format!("`{name}` has a value that it cannot have"))
            .because(format!("it is one of: {}", words.join(", ")))
    })
}

fn flag(settings: &mut Settings, name: &str) -> Result<Option<bool>, Problem> {
    let values = [("true", true), ("false", false), ("1", true), ("0", false), ("require", true)];
    choice(settings, name, &values)
}

fn number<T: std::str::FromStr>(settings: &mut Settings, name: &str) -> Result<Option<T>, Problem> {
    let Some(text) = settings.remove(name).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    text.trim().parse().map(Some).map_err(|_| invalid(format!("`{name}` is not a number")))
}
