//! The HTTP probe as declared, and whether an answer is what it expects.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::fields::{describe, lookup};

/// `http`: what a service answers.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// What a person calls the check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where; `${NAME}` and `${NAME:-default}` take environment variables.
    pub url: String,
    /// GET, POST …; GET when absent, POST when there is a body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Header → value; `env:NAME` takes an environment variable that is never shown.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// A body, sent as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json: Option<Value>,
    /// A body, sent as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The status: a number, a class such as `"2xx"`, or a list of these; `"2xx"` when absent.
    #[serde(default, skip_serializing_if = "StatusExpectation::is_default")]
    pub status: StatusExpectation,
    /// Path in the JSON answer (`user.id`, `items[0].name`) → what stands there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, FieldExpectation>,
    /// Text that the answer's body contains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// How long one request may take; 10 s when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// How long to try again while the answer is not the expected one; one attempt when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_for_ms: Option<u64>,
}

impl Http {
    /// The method, in capitals.
    pub fn method(&self) -> String {
        let has_body = self.json.is_some() || self.body.is_some();
        let default = if has_body { "POST" } else { "GET" };
        self.method.as_deref().unwrap_or(default).to_ascii_uppercase()
    }

    /// The URL without its user information and query, which may hold secrets.
    pub fn shown_url(&self) -> String {
        let url = self.url.split(['?', '#']).next().unwrap_or_default();
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = authority.rsplit('@').next().unwrap_or_default();
        if scheme.is_empty() { format!("{host}{path}") } else { format!("{scheme}://{host}{path}") }
    }

    /// Every deviation of an answer from what is expected, one a line; empty when there is none.
    pub fn deviations(&self, status: u16, body: &str) -> Vec<String> {
        if !self.status.accepts(status) {
            return vec![format!("status {status} instead of {}", self.status)];
        }
        let mut found = self.field_deviations(body);
        if let Some(text) = self.contains.as_deref().filter(|text| !body.contains(*text)) {
            found.push(format!("the body does not contain {text:?}"));
        }
        found
    }

    fn field_deviations(&self, body: &str) -> Vec<String> {
        if self.fields.is_empty() {
            return Vec::new();
        }
        match serde_json::from_str::<Value>(body) {
            Err(error) => vec![format!("the body is not JSON: {error}")],
            Ok(json) => self
                .fields
                .iter()
                .filter_map(|(path, expected)| expected.deviation(path, lookup(&json, path)))
                .collect(),
        }
    }

    /// What is wrong with the declaration.
    pub(super) fn invalid(&self) -> Option<String> {
        if self.json.is_some() && self.body.is_some() {
            return Some("`json` and `body` exclude each other".to_owned());
        }
        let scheme = self.url.starts_with("http://") || self.url.starts_with("https://");
        (!scheme && !self.url.starts_with("${"))
            .then(|| format!("`{}` is not an http:// or https:// URL", self.url))
    }
}

/// The statuses that are expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub struct StatusExpectation(Vec<(u16, u16)>);

impl Default for StatusExpectation {
    fn default() -> Self {
        Self(vec![(200, 299)])
    }
}

impl StatusExpectation {
    /// True when `status` is one of them.
    pub fn accepts(&self, status: u16) -> bool {
        self.0.iter().any(|(first, last)| (*first..=*last).contains(&status))
    }

    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    fn parse(value: &Value) -> Result<Vec<(u16, u16)>, String> {
        match value {
            Value::Array(list) if !list.is_empty() => {
                Ok(list.iter().map(Self::parse).collect::<Result<Vec<_>, _>>()?.concat())
            }
            Value::Number(number) => Self::range(&number.to_string()).map(|range| vec![range]),
            Value::String(text) => Self::range(text).map(|range| vec![range]),
            _ => {
                Err("`status` is a number, a class such as \"2xx\", or a list of these".to_owned())
            }
        }
    }

    fn range(text: &str) -> Result<(u16, u16), String> {
        let wrong = || format!("`{text}` is no HTTP status: write 200, \"2xx\" or [200, 201]");
        if let Some(class) = text.to_ascii_lowercase().strip_suffix("xx") {
            let class: u16 = class.parse().map_err(|_| wrong())?;
            return (1..=5)
                .contains(&class)
                .then(|| (class * 100, class * 100 + 99))
                .ok_or_else(wrong);
        }
        let status: u16 = text.parse().map_err(|_| wrong())?;
        (100..=599).contains(&status).then_some((status, status)).ok_or_else(wrong)
    }
}

impl<'de> Deserialize<'de> for StatusExpectation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::parse(&value).map(Self).map_err(serde::de::Error::custom)
    }
}

impl From<StatusExpectation> for String {
    fn from(status: StatusExpectation) -> Self {
        status.to_string()
    }
}

impl std::fmt::Display for StatusExpectation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (position, (first, last)) in self.0.iter().enumerate() {
            let separator = if position == 0 { "" } else { " or " };
            if first == last {
                write!(f, "{separator}{first}")?;
            } else {
                write!(f, "{separator}{}xx", first / 100)?;
            }
        }
        Ok(())
    }
}

/// What stands at one place of a JSON answer.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum FieldExpectation {
    /// `{ type = "string" }`: a value of that JSON type: string, number, boolean, array, object, null.
    Type {
        /// The type's name.
        r#type: JsonType,
    },
    /// `{ present = true }`: anything at all, or with `false` nothing.
    Present {
        /// Whether there is to be a value.
        present: bool,
    },
    /// Exactly this value.
    Equals(Value),
}

/// The types that JSON knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)] // they are JSON's own names
pub enum JsonType {
    String,
    Number,
    Boolean,
    Array,
    Object,
    Null,
}

impl JsonType {
    fn of(value: &Value) -> Self {
        match value {
            Value::String(_) => Self::String,
            Value::Number(_) => Self::Number,
            Value::Bool(_) => Self::Boolean,
            Value::Array(_) => Self::Array,
            Value::Object(_) => Self::Object,
            Value::Null => Self::Null,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Array => "array",
            Self::Object => "object",
            Self::Null => "null",
        }
    }
}

impl FieldExpectation {
    fn deviation(&self, path: &str, found: Option<&Value>) -> Option<String> {
        let is = found.map_or_else(|| "absent".to_owned(), describe);
        match (self, found) {
            (Self::Present { present }, found) if *present == found.is_some() => None,
            (Self::Present { present: true }, _) => Some(format!("`{path}` is absent")),
            (Self::Present { .. }, _) => Some(format!("`{path}` is there: {is}")),
            (Self::Type { r#type }, Some(value)) if *r#type == JsonType::of(value) => None,
            (Self::Type { r#type }, _) => {
                Some(format!("`{path}` is {is}, not a {}", r#type.name()))
            }
            (Self::Equals(expected), Some(value)) if expected == value => None,
            (Self::Equals(expected), _) => {
                Some(format!("`{path}` is {is}, not {}", describe(expected)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http(toml: &str) -> Result<Http, String> {
        toml::from_str(toml).map_err(|error| error.to_string())
    }

    #[test]
    fn the_registration_answer_is_judged_field_by_field() {
        let probe = http(
            r#"
            url = "http://localhost:5000/api/auth/register"
            status = [200, 201]
            json = { email = "a@b.c" }
            [fields]
            success = true
            "user.id" = { type = "string" }
            accessToken = { present = true }
            "user.password" = { present = false }
            "#,
        )
        .unwrap();
        assert_eq!(probe.method(), "POST");
        let good = r#"{"success": true, "user": {"id": "x"}, "accessToken": "t"}"#;
        assert_eq!(probe.deviations(201, good), Vec::<String>::new());
        assert_eq!(probe.deviations(500, good), ["status 500 instead of 200 or 201"]);
        let bad = r#"{"success": "true", "user": {"id": 7, "password": "hidden"}}"#;
        let said = probe.deviations(200, bad);
        assert!(said.contains(&"`user.id` is 7, not a string".to_owned()), "{said:?}");
        assert!(said.contains(&"`accessToken` is absent".to_owned()), "{said:?}");
        assert!(said.contains(&"`success` is \"true\", not true".to_owned()), "{said:?}");
        assert_eq!(said.len(), 4);
        assert!(probe.deviations(200, "<html>")[0].starts_with("the body is not JSON"));
    }

    #[test]
    fn a_shown_url_has_no_secrets() {
        for (url, shown) in [
            ("https://u:p@h:1/a?key=p", "https://h:1/a"),
            ("http://h", "http://h"),
            ("${API}/health", "${API}/health"),
        ] {
            assert_eq!(http(&format!("url = \"{url}\"")).unwrap().shown_url(), shown);
        }
    }

    #[test]
    fn statuses_are_numbers_classes_and_lists() {
        for (text, accepted, refused) in
            [("200", 200, 201), ("\"2xx\"", 299, 300), ("[200, \"4xx\"]", 404, 204)]
        {
            let probe = http(&format!("url = \"http://h\"\nstatus = {text}")).unwrap();
            assert!(probe.status.accepts(accepted) && !probe.status.accepts(refused), "{text}");
        }
        for wrong in ["99", "\"9xx\"", "\"ok\"", "[]", "true"] {
            assert!(http(&format!("url = \"http://h\"\nstatus = {wrong}")).is_err(), "{wrong}");
        }
    }
}
