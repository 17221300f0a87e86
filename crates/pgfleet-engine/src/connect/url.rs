//! `postgres://user:password@host:port,host:port/database?parameter=value`.
//!
//! Follows "Connection URIs" of libpq's documentation, and takes the schemes of SQLAlchemy
//! (`postgresql+psycopg://`) and JDBC (`jdbc:postgresql://`) for what they mean.

use pgfleet_core::diagnose::Problem;

use super::settings::{Settings, invalid};

/// True when the text is a URL of some kind rather than `key=value` pairs.
pub(super) fn is_url(text: &str) -> bool {
    let scheme = text.split("://").next().unwrap_or_default();
    scheme.len() < text.len()
        && !scheme.is_empty()
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+.-:_".contains(&b))
}

/// Takes a URL apart. Values are percent-decoded.
pub(super) fn parse(text: &str) -> Result<Settings, Problem> {
    let rest = strip_scheme(text)?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut settings = Settings::new();
    let hosts = take_user(authority, &mut settings)?;
    take_hosts(hosts, &mut settings)?;
    insert(&mut settings, "dbname", &decode(path, "the database name")?);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        take_parameter(pair, &mut settings)?;
    }
    Ok(settings)
}

fn strip_scheme(text: &str) -> Result<&str, Problem> {
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let plain = scheme.strip_prefix("jdbc:").unwrap_or(scheme);
    let base = plain.split('+').next().unwrap_or_default().to_ascii_lowercase();
    match base.as_str() {
        "postgres" | "postgresql" => Ok(rest),
        "http" | "https" => Err(web_address(rest)),
        "prisma" | "prisma+postgres" => Err(invalid("a prisma:// URL leads to Prisma's proxy")
            .because("the proxy runs queries of the Prisma client only, never migrations")
            .fix("use the direct URL of the database (Prisma's `directUrl`)")),
        _ => Err(invalid(format!("{scheme}:// is not a scheme for PostgreSQL"))
            .fix_with("begin the URL with postgres://", "postgres://USER@HOST:5432/DATABASE")),
    }
}

/// What to say about `https://…`; `rest` is what follows the scheme.
fn web_address(rest: &str) -> Problem {
    let problem = invalid("a web address is not a database URL");
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match host.strip_suffix(".supabase.co") {
        Some(project) => problem
            .because("this is the address of the Supabase API, not of its database")
            .fix_with(
                "take the connection string from the dashboard: Connect, Session pooler or Direct",
                format!("postgres://postgres:PASSWORD@db.{project}.supabase.co:5432/postgres"),
            ),
        None => {
            problem.fix_with("use the URL of the database", "postgres://USER@HOST:5432/DATABASE")
        }
    }
}

fn take_user<'a>(authority: &'a str, settings: &mut Settings) -> Result<&'a str, Problem> {
    // libpq ends the user part at the first @; people forget to encode one in a password.
    let Some((userinfo, hosts)) = authority.split_once('@') else { return Ok(authority) };
    if hosts.contains('@') {
        return Err(invalid("the URL has more than one @ before the host")
            .because("a password with an @ must be percent-encoded")
            .fix("write %40 for each @ of the user or password"));
    }
    let (user, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    insert(settings, "user", &decode(user, "the user")?);
    insert(settings, "password", &decode(password, "the password")?);
    Ok(hosts)
}

fn take_hosts(hosts: &str, settings: &mut Settings) -> Result<(), Problem> {
    let (mut names, mut ports) = (Vec::new(), Vec::new());
    for host in hosts.split(',') {
        let (name, port) = split_port(host)?;
        names.push(decode(name, "the host")?);
        ports.push(port.to_owned());
    }
    if names.iter().any(|name| !name.is_empty()) {
        settings.insert("host".to_owned(), names.join(","));
    }
    if ports.iter().any(|port| !port.is_empty()) {
        settings.insert("port".to_owned(), ports.join(","));
    }
    Ok(())
}

fn split_port(host: &str) -> Result<(&str, &str), Problem> {
    if let Some(inner) = host.strip_prefix('[') {
        let Some((address, after)) = inner.split_once(']') else {
            return Err(invalid("the URL has an IPv6 address without its closing ]"));
        };
        return match after.strip_prefix(':') {
            Some(port) => Ok((address, port)),
            None if after.is_empty() => Ok((address, "")),
            None => Err(invalid("after the ] of an IPv6 address only :PORT may follow")),
        };
    }
    match host.split_once(':') {
        Some((_, port)) if port.contains(':') => {
            Err(invalid("an IPv6 address in a URL must stand in [ ]"))
        }
        Some(parts) => Ok(parts),
        None => Ok((host, "")),
    }
}

fn take_parameter(pair: &str, settings: &mut Settings) -> Result<(), Problem> {
    let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
    let name = decode(name, "a parameter's name")?;
    let value = decode(value, &format!("the parameter `{name}`"))?;
    insert(settings, &name, &value);
    Ok(())
}

fn insert(settings: &mut Settings, name: &str, value: &str) {
    if !value.is_empty() {
        settings.insert(name.to_owned(), value.to_owned());
    }
}

/// Percent-decodes; `what` names the part for the message, as the value may be secret.
pub(super) fn decode(text: &str, what: &str) -> Result<String, Problem> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = (rest.next().and_then(hex_digit), rest.next().and_then(hex_digit));
        match digits {
            (Some(high), Some(low)) if high + low > 0 => bytes.push(high * 16 + low),
            _ => return Err(bad_encoding(what)),
        }
    }
    String::from_utf8(bytes).map_err(|_| bad_encoding(what))
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn bad_encoding(what: &str) -> Problem {
    invalid(format!("{what} is not percent-encoded as a URL needs it"))
        .because("% must be followed by two hexadecimal digits that give UTF-8 text, not %00")
        .fix("write %25 for each % that stands for itself")
}
