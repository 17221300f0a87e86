//! What completes a connection string: PG* variables, service files, the password file.
//!
//! Sources: "Environment Variables", "The Connection Service File" and "The Password File" of
//! libpq's documentation.

use std::fs;
use std::path::{Path, PathBuf};

use pgfleet_core::diagnose::Problem;

use super::settings::{Settings, Surroundings, invalid};

/// libpq's variables and the parameters they stand for.
const VARIABLES: &[(&str, &str)] = &[
    ("PGHOST", "host"),
    ("PGHOSTADDR", "hostaddr"),
    ("PGPORT", "port"),
    ("PGDATABASE", "dbname"),
    ("PGUSER", "user"),
    ("PGPASSWORD", "password"),
    ("PGOPTIONS", "options"),
    ("PGAPPNAME", "application_name"),
    ("PGSSLMODE", "sslmode"),
    ("PGSSLROOTCERT", "sslrootcert"),
    ("PGSSLCERT", "sslcert"),
    ("PGSSLKEY", "sslkey"),
    ("PGSSLNEGOTIATION", "sslnegotiation"),
    ("PGCONNECT_TIMEOUT", "connect_timeout"),
    ("PGCHANNELBINDING", "channel_binding"),
    ("PGTARGETSESSIONATTRS", "target_session_attrs"),
    ("PGLOADBALANCEHOSTS", "load_balance_hosts"),
    ("PGPASSFILE", "passfile"),
    ("PGGSSENCMODE", "gssencmode"),
    ("PGSSLMINPROTOCOLVERSION", "ssl_min_protocol_version"),
    ("PGCLIENTENCODING", "client_encoding"),
];

/// Fills in what the connection string leaves open: first the service, then the variables.
pub(super) fn complete(settings: &mut Settings, around: &Surroundings) -> Result<(), Problem> {
    let named = settings.remove("service");
    if let Some(service) = named.or_else(|| around.variable("PGSERVICE").map(str::to_owned)) {
        for (key, value) in read_service(&service, around)? {
            settings.entry(key).or_insert(value);
        }
    }
    // A host in the string makes PGHOSTADDR mean another machine.
    let host_is_given = settings.contains_key("host");
    for (variable, parameter) in VARIABLES {
        let Some(value) = around.variable(variable) else { continue };
        if !(host_is_given && *parameter == "hostaddr") {
            settings.entry((*parameter).to_owned()).or_insert_with(|| value.to_owned());
        }
    }
    Ok(())
}

fn read_service(service: &str, around: &Surroundings) -> Result<Settings, Problem> {
    let files = service_files(around);
    for file in &files {
        let Ok(text) = fs::read_to_string(file) else { continue };
        if let Some(settings) = service_section(&text, service, file)? {
            return Ok(settings);
        }
    }
    let looked_in: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
    Err(invalid(format!("no service `{service}` is defined"))
        .because(format!("looked for [{service}] in {}", looked_in.join(", ")))
        .fix("define the service, or unset PGSERVICE"))
}

fn service_files(around: &Surroundings) -> Vec<PathBuf> {
    let user_file = around.variable("PGSERVICEFILE").map(PathBuf::from);
    let user_file = user_file.or_else(|| Some(around.home.as_ref()?.join(".pg_service.conf")));
    let system_file = around
        .variable("PGSYSCONFDIR")
        .map_or_else(|| PathBuf::from("/etc/postgresql-common"), PathBuf::from)
        .join("pg_service.conf");
    user_file.into_iter().chain([system_file]).collect()
}

fn service_section(text: &str, service: &str, file: &Path) -> Result<Option<Settings>, Problem> {
    let mut found: Option<Settings> = None;
    for (number, line) in text.lines().map(str::trim).enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line.starts_with('[') {
            if found.is_some() {
                break;
            }
            let name = line.trim_start_matches('[').trim_end_matches(']');
            found = (name == service).then(Settings::new);
        } else if let Some(settings) = &mut found {
            let Some((key, value)) = line.split_once('=') else {
                return Err(invalid(format!("{}:{}: not key=value", file.display(), number + 1)));
            };
            settings.insert(key.trim().to_owned(), value.trim().to_owned());
        }
    }
    Ok(found)
}

/// What a line of the password file is looked up by.
pub(super) struct PasswordKey<'a> {
    pub host: &'a str,
    pub port: u16,
    pub database: &'a str,
    pub user: &'a str,
}

/// The password file's path: the parameter, else `~/.pgpass`.
pub(super) fn password_file(passfile: Option<&str>, around: &Surroundings) -> Option<PathBuf> {
    passfile.map(PathBuf::from).or_else(|| Some(around.home.as_ref()?.join(".pgpass")))
}

/// Reads the password file. As in libpq, a file that others may read is not used; the message
/// says so, because the login then fails for a reason that nobody sees.
pub(super) fn read_password_file(file: &Path) -> Result<Option<String>, String> {
    let Ok(metadata) = fs::metadata(file) else { return Ok(None) };
    if !metadata.is_file() {
        return Ok(None);
    }
    if is_open_to_others(&metadata) {
        return Err(format!(
            "the password file {0} was ignored, others may read it: chmod 600 {0}",
            file.display()
        ));
    }
    fs::read_to_string(file)
        .map(Some)
        .map_err(|error| format!("the password file {} could not be read: {error}", file.display()))
}

#[cfg(unix)]
fn is_open_to_others(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn is_open_to_others(_metadata: &fs::Metadata) -> bool {
    false
}

/// The password of the first line that fits.
pub(super) fn find_password(text: &str, key: &PasswordKey<'_>) -> Option<String> {
    let port = key.port.to_string();
    let wanted = [key.host, &port, key.database, key.user];
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let fields = split_fields(line);
        let fits = fields.len() >= 5
            && wanted.iter().zip(&fields).all(|(want, field)| field == "*" || field == want);
        fits.then(|| fields[4..].join(":"))
    })
}

/// Splits at `:`; a backslash takes the next character as it is.
fn split_fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            ':' => fields.push(String::new()),
            '\\' => push_last(&mut fields, chars.next()),
            c => push_last(&mut fields, Some(c)),
        }
    }
    fields
}

fn push_last(fields: &mut [String], c: Option<char>) {
    if let Some(field) = fields.last_mut() {
        field.extend(c);
    }
}
