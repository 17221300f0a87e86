//! `host=localhost dbname='my db'`: libpq's key/value connection strings.

use pgfleet_core::diagnose::Problem;

use super::settings::{Settings, invalid};

/// Takes a key/value string apart.
pub(super) fn parse(text: &str) -> Result<Settings, Problem> {
    let mut settings = Settings::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let Some((key, after)) = rest.split_once('=') else { return Err(no_value(rest)) };
        let key = key.trim_end();
        if key.is_empty() || key.contains(char::is_whitespace) {
            return Err(no_value(key));
        }
        let (value, after) = take_value(after.trim_start(), key)?;
        settings.insert(key.to_owned(), value);
        rest = after.trim_start();
    }
    Ok(settings)
}

fn no_value(text: &str) -> Problem {
    let word = text.split_whitespace().next().unwrap_or_default();
    invalid(format!("`{word}` in the connection string has no = after it"))
        .because("a connection string is a URL or a list of key=value")
        .fix_with("write a URL", "postgres://USER@HOST:5432/DATABASE")
}

fn take_value<'a>(text: &'a str, key: &str) -> Result<(String, &'a str), Problem> {
    let quoted = text.starts_with('\'');
    let mut value = String::new();
    let mut chars = text.char_indices().skip(usize::from(quoted));
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            '\'' if quoted => return Ok((value, &text[at + 1..])),
            c if !quoted && c.is_whitespace() => return Ok((value, &text[at..])),
            c => value.push(c),
        }
    }
    if quoted {
        return Err(invalid(format!("the value of `{key}` has no closing quote")));
    }
    Ok((value, ""))
}
