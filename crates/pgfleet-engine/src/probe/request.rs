//! A probe's request with its variables filled in, and the texts that must stay hidden.
//!
//! Invariant: what an attempt says of an answer goes through [`Prepared::hide`].

use std::collections::BTreeMap;
use std::time::Duration;

use pgfleet_core::verify::Http;
use serde_json::Value;
use ureq::http::Uri;

use super::DEFAULT_TIMEOUT_MS;

/// Shorter values are no secrets, and hiding each `2` would make a message unreadable.
const SHORTEST_SECRET: usize = 4;

/// What is sent.
#[derive(Clone)]
pub(super) struct Prepared {
    pub(super) method: String,
    pub(super) url: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<String>,
    pub(super) timeout: Duration,
    /// Values of variables, longest first, so that no part of one remains.
    hidden: Vec<String>,
}

impl Prepared {
    /// Fills in the variables.
    ///
    /// # Errors
    /// In words, when a variable is not set.
    pub(super) fn new(http: &Http, variables: &BTreeMap<String, String>) -> Result<Self, String> {
        let mut filler = Filler { variables, hidden: Vec::new() };
        let url = filler.expand(&http.url)?;
        // Messages name the host, wherever it came from.
        let place = place(&url);
        filler.hidden.retain(|value| !place.contains(value.as_str()));
        let mut headers = Vec::new();
        for (name, value) in &http.headers {
            headers.push((name.clone(), filler.value(value)?));
        }
        let body = match &http.json {
            Some(json) => Some(filler.json(json)?.to_string()),
            None => http.body.as_deref().map(|body| filler.expand(body)).transpose()?,
        };
        if http.json.is_some()
            && !http.headers.keys().any(|k| k.eq_ignore_ascii_case("content-type"))
        {
            headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
        }
        let mut hidden = filler.hidden;
        hidden.retain(|value| value.chars().count() >= SHORTEST_SECRET);
        hidden.sort_by_key(|text| std::cmp::Reverse(text.len()));
        let timeout = Duration::from_millis(http.timeout_ms.unwrap_or(DEFAULT_TIMEOUT_MS));
        Ok(Self { method: http.method(), url, headers, body, timeout, hidden })
    }

    /// The text without the values of variables.
    pub(super) fn hide(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.hidden {
            text = text.replace(secret.as_str(), "[hidden]");
        }
        text
    }
}

struct Filler<'a> {
    variables: &'a BTreeMap<String, String>,
    hidden: Vec<String>,
}

impl Filler<'_> {
    /// `env:NAME`, or a text with `${NAME}` in it.
    fn value(&mut self, text: &str) -> Result<String, String> {
        match text.strip_prefix("env:") {
            Some(name) => self.variable(name.trim(), None),
            None => self.expand(text),
        }
    }

    fn json(&mut self, json: &Value) -> Result<Value, String> {
        Ok(match json {
            Value::String(text) if text.starts_with("env:") => Value::String(self.value(text)?),
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.json(item)).collect::<Result<_, _>>()?)
            }
            Value::Object(fields) => {
                let filled =
                    fields.iter().map(|(name, value)| Ok((name.clone(), self.json(value)?)));
                Value::Object(filled.collect::<Result<_, String>>()?)
            }
            other => other.clone(),
        })
    }

    fn expand(&mut self, text: &str) -> Result<String, String> {
        let mut expanded = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((inside, tail)) = after.split_once('}') else { break };
            let (name, default) = match inside.split_once(":-") {
                Some((name, default)) => (name, Some(default)),
                None => (inside, None),
            };
            expanded.push_str(before);
            expanded.push_str(&self.variable(name, default)?);
            rest = tail;
        }
        Ok(expanded + rest)
    }

    fn variable(&mut self, name: &str, default: Option<&str>) -> Result<String, String> {
        match self.variables.get(name).filter(|value| !value.is_empty()) {
            Some(value) => {
                self.hidden.push(value.clone());
                Ok(value.clone())
            }
            None => default
                .map(str::to_owned)
                .ok_or_else(|| format!("the environment variable {name} is not set")),
        }
    }
}

/// Host and port, for messages: never the user information or the query of a URL.
pub(super) fn place(url: &str) -> String {
    let uri: Option<Uri> = url.parse().ok();
    let host = uri.as_ref().and_then(Uri::host).unwrap_or("the URL's host").to_owned();
    let scheme_port = if url.starts_with("https:") { 443 } else { 80 };
    let port = uri.as_ref().and_then(Uri::port_u16).unwrap_or(scheme_port);
    format!("{host}:{port}")
}
