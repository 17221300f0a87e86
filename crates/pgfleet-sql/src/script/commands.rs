//! What psql's commands mean to pgfleet.
//!
//! Invariant: a command either has no effect on any database, or is carried out, or is refused with
//! the reason; none is dropped in silence.

use super::Variables;
use crate::split::Meta;

/// What to do about a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    Nothing,
    Set(String, String),
    Unset(String),
    Include { path: String, relative: bool },
    Refuse { reason: &'static str, fix: &'static str },
}

/// Commands that only change what psql prints or how it behaves. `\restrict` and `\unrestrict`
/// enclose the dumps of pg_dump since 13.22, 14.19, 15.14, 16.10 and 17.6.
const WITHOUT_EFFECT: &[&str] = &[
    "?",
    "C",
    "H",
    "T",
    "a",
    "conninfo",
    "copyright",
    "crosstabview",
    "echo",
    "errverbose",
    "f",
    "g",
    "gx",
    "h",
    "help",
    "html",
    "l",
    "l+",
    "list",
    "p",
    "print",
    "pset",
    "qecho",
    "restrict",
    "s",
    "setenv",
    "t",
    "timing",
    "unrestrict",
    "warn",
    "x",
    "z",
    ";",
    "\\",
    ":",
];

pub(super) fn effect(meta: &Meta<'_>, variables: &Variables, inside_statement: bool) -> Effect {
    let mut arguments = arguments(meta.arguments, variables).into_iter();
    let first = arguments.next();
    match (meta.command, first) {
        ("i" | "include" | "ir" | "include_relative", Some(path)) if !inside_statement => {
            Effect::Include { path, relative: matches!(meta.command, "ir" | "include_relative") }
        }
        ("set", Some(name)) => Effect::Set(name, arguments.collect()),
        ("unset", Some(name)) => Effect::Unset(name),
        ("set" | "o" | "out", None) => Effect::Nothing,
        ("encoding", charset) if charset.as_deref().is_none_or(is_utf8) => Effect::Nothing,
        ("g" | "gx", Some(_)) => refuse("g"),
        (command, _) if WITHOUT_EFFECT.contains(&command) => Effect::Nothing,
        (command, _) if command.starts_with('d') => Effect::Nothing,
        (command, _) => refuse(command),
    }
}

fn is_utf8(charset: &str) -> bool {
    matches!(charset.to_ascii_lowercase().as_str(), "utf8" | "utf-8" | "unicode")
}

fn refuse(command: &str) -> Effect {
    let (reason, fix) = match command {
        "c" | "connect" => (
            "it would leave the target that was chosen and locked",
            "put what follows into a migration set of the other database",
        ),
        "!" | "copy" | "o" | "out" | "w" | "write" | "s" | "lo_import" | "lo_export" => (
            "it runs a program or touches files on the machine of the client",
            "do it outside the migration; load rows with COPY … FROM stdin and its data in the file",
        ),
        "g" => {
            ("it writes the result to a file or a program", "end the statement with a semicolon")
        }
        "gexec" | "gset" | "gdesc" | "if" | "elif" | "else" | "endif" => (
            "what it runs depends on a query's result and cannot be planned",
            "write the condition as a DO block",
        ),
        "i" | "include" | "ir" | "include_relative" => (
            "it names no file or stands inside a statement",
            "put it on its own line, with a file name, between two statements",
        ),
        "encoding" => ("the file is read as UTF-8 or UTF-16", "convert the file to UTF-8"),
        "prompt" | "password" | "getenv" => (
            "it needs a person or the environment of psql",
            "write the value into the migration, or use a placeholder of its format",
        ),
        "watch" => ("it repeats a statement for ever", "end the statement with a semicolon"),
        "q" | "quit" => ("what follows it would never run", "delete it and what follows"),
        "r" | "reset" | "e" | "edit" | "ef" | "ev" => {
            ("it changes the statement being typed", "delete it")
        }
        "cd" => ("it changes where included files are looked for", "use \\ir with a relative path"),
        "lo_unlink" | "lo_list" => ("it works on large objects", "call the server's lo_ functions"),
        "bind" | "bind_named" | "parse" | "close" | "close_prepared" | "startpipeline"
        | "endpipeline" | "sendpipeline" | "syncpipeline" | "flush" | "flushrequest"
        | "getresults" => ("it drives the protocol itself", "write the statement with its values"),
        _ => ("it is not a command that pgfleet knows", "remove it"),
    };
    Effect::Refuse { reason, fix }
}

/// A command's arguments: separated by blanks, with psql's quotes and variables.
fn arguments(text: &str, variables: &Variables) -> Vec<String> {
    let mut list = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (argument, after) = argument(rest, variables);
        list.push(argument);
        rest = after.trim_start();
    }
    list
}

/// One argument, and what follows it.
fn argument<'text>(text: &'text str, variables: &Variables) -> (String, &'text str) {
    let mut value = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next().filter(|first| !first.is_whitespace()) {
        let (part, after) = match first {
            '\'' | '"' => quoted(&rest[1..], first),
            ':' => match reference(&rest[1..], variables) {
                Some((part, after)) => (part, after),
                None => (":".to_owned(), &rest[1..]),
            },
            other => (other.to_string(), &rest[other.len_utf8()..]),
        };
        value.push_str(&part);
        rest = after;
    }
    (value, rest)
}

/// The inside of a quoted argument whose opening quote is already read.
fn quoted(text: &str, quote: char) -> (String, &str) {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        let after = &text[at + character.len_utf8()..];
        if character == '\\' && quote == '\'' {
            value.extend(characters.next().map(|(_, escaped)| unescaped(escaped)));
        } else if character != quote {
            value.push(character);
        } else if after.starts_with(quote) {
            value.push(quote);
            characters.next();
        } else {
            return (value, after);
        }
    }
    (value, "")
}

fn unescaped(character: char) -> char {
    match character {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'b' => '\u{8}',
        'f' => '\u{c}',
        other => other,
    }
}

/// The value of `:NAME`, `:'NAME'` or `:"NAME"` after its colon, when the variable is set.
fn reference<'text>(text: &'text str, variables: &Variables) -> Option<(String, &'text str)> {
    let quote = text.chars().next().filter(|first| matches!(first, '\'' | '"'));
    let body = if quote.is_some() { &text[1..] } else { text };
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii();
    let length = body.find(|c| !is_part(c)).unwrap_or(body.len());
    let (name, after) = body.split_at(length);
    let value = variables.get(name)?;
    match quote {
        None => Some((value.clone(), after)),
        Some('\'') => Some((crate::name::quote_literal(value).ok()?, after.strip_prefix('\'')?)),
        Some(_) => Some((crate::name::quote_ident(value), after.strip_prefix('"')?)),
    }
}
