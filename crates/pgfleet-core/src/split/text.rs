//! Environment variables in names.

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
