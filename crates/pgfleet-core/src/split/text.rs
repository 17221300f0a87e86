//! Environment variables in names, and the declaration's own variables in SQL.

use std::collections::BTreeMap;

use pgfleet_sql::{Item, Problem, read_script_with};

use crate::config::Variables;

/// Replaces `env:NAME` (the whole text) and every `${NAME}`.
///
/// # Errors
/// The name of a variable that is not set or empty.
pub fn expand_variables(text: &str, variables: &Variables) -> Result<String, String> {
    let value = |name: &str| {
        variables.get(name).filter(|value| !value.is_empty()).ok_or_else(|| name.to_owned())
    };
    if let Some(name) = text.strip_prefix("env:") {
        return value(name).cloned();
    }
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, behind)) = after.split_once('}') else { break };
        out.push_str(before);
        out.push_str(value(name)?);
        rest = behind;
    }
    out.push_str(rest);
    Ok(out)
}

/// Replaces `:'name'`, `:"name"` and `:name` as psql does, quoted by the same rules.
///
/// # Errors
/// What is wrong with a reference: no such variable, or a value that would change where the
/// statement ends.
pub fn substitute(sql: &str, variables: &BTreeMap<String, String>) -> Result<String, String> {
    let script = read_script_with(sql, variables.clone());
    if let Some(problem) = script.problems.first() {
        return Err(wrong(problem));
    }
    let mut out = String::with_capacity(sql.len());
    let mut at = 0;
    for item in script.items {
        let Item::Statement { range, substituted: Some(substituted) } = item else { continue };
        out.push_str(&sql[at..range.start]);
        out.push_str(&substituted.text);
        at = range.end;
    }
    out.push_str(&sql[at..]);
    Ok(out)
}

fn wrong(problem: &Problem) -> String {
    match problem {
        Problem::UnsetVariable { name, .. } => format!("no variable is called {name:?}"),
        Problem::UnsafeVariable { name, .. } => {
            format!("the value of {name:?} would change where the statement ends")
        }
        Problem::Unterminated { .. } => "a quote or comment in it is never closed".to_owned(),
        _ => "it is not SQL alone".to_owned(),
    }
}
