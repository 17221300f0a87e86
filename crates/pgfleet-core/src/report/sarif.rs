//! Problems as SARIF 2.1.0, which code hosts and editors read.
//!
//! Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0".

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::wording::{more_lines, severity};
use crate::diagnose::Problem;
use crate::lint::Rule;

/// A SARIF log with one run; each problem's code is a rule.
pub fn sarif(problems: &[Problem]) -> String {
    let rules: BTreeMap<&str, Value> =
        problems.iter().map(|problem| (problem.id(), rule(problem))).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "pgfleet",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.into_values().collect::<Vec<_>>(),
            }},
            // Columns are counted in characters.
            "columnKind": "unicodeCodePoints",
            "results": problems.iter().map(result).collect::<Vec<_>>(),
        }],
    });
    format!("{log:#}\n")
}

fn rule(problem: &Problem) -> Value {
    let (title, page) = match problem.rule.and_then(Rule::named) {
        Some(rule) => (rule.title(), rule.page),
        None => (problem.code.title(), problem.code.page()),
    };
    json!({
        "id": problem.id(),
        "shortDescription": { "text": title },
        "help": { "text": page, "markdown": page },
    })
}

fn result(problem: &Problem) -> Value {
    let mut lines = vec![problem.what.clone()];
    lines.extend(more_lines(problem));
    let mut result = json!({
        "ruleId": problem.id(),
        "level": severity(problem.severity),
        "message": { "text": lines.join("\n") },
    });
    if let Some(place) = &problem.place {
        let mut location = json!({ "artifactLocation": { "uri": uri(&place.file) } });
        if place.line > 0 {
            location["region"] = json!({ "startLine": place.line });
            if place.column > 0 {
                location["region"]["startColumn"] = json!(place.column);
            }
        }
        result["locations"] = json!([{ "physicalLocation": location }]);
    }
    if let Some(target) = &problem.target {
        result["properties"] = json!({ "target": target });
    }
    result
}

/// A path as a relative URI reference: what RFC 3986 does not allow in a path is escaped.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.replace('\\', "/").bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => {
                uri.push(char::from(byte));
            }
            other => uri.push_str(&format!("%{other:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::super::samples::{HOSTILE, report};
    use super::*;
    use crate::diagnose::Code;
    use crate::place::Place;

    #[test]
    fn a_log_has_rules_levels_and_places() {
        let log: Value = serde_json::from_str(&sarif(&report().problems)).unwrap();
        let run = &log["runs"][0];
        assert_eq!(run["tool"]["driver"]["rules"][0]["id"], "PF116");
        let first = &run["results"][0];
        assert_eq!((&first["ruleId"], &first["level"]), (&json!("PF301"), &json!("error")));
        let physical = &first["locations"][0]["physicalLocation"];
        assert_eq!(physical["artifactLocation"]["uri"], "migrations/002_a%2Cb%3Ac.sql");
        assert_eq!(physical["region"], json!({"startLine": 3, "startColumn": 14}));
        assert!(first["message"]["text"].as_str().unwrap().contains(HOSTILE));
        assert_eq!(run["results"][1].get("locations"), None);
    }

    #[test]
    fn a_place_without_a_line_has_no_region() {
        let problem = Problem::error(Code::FolderEmpty, "x").at(Place::file("a b"));
        let log: Value = serde_json::from_str(&sarif(&[problem])).unwrap();
        let physical = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
        assert_eq!(physical, &json!({"artifactLocation": {"uri": "a%20b"}}));
    }
}
