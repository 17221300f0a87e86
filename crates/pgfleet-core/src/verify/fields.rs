//! Places in a JSON document: `user.id`, `items[0].name`, `items.0.name`.

use serde_json::Value;

/// Characters of a value that a message shows.
const SHOWN_CHARS: usize = 80;

/// The value at a path; the empty path is the document itself.
pub(super) fn lookup<'json>(json: &'json Value, path: &str) -> Option<&'json Value> {
    let path = path.strip_prefix("$.").unwrap_or(path);
    path.split(['.', '[', ']']).filter(|step| !step.is_empty()).try_fold(json, |value, step| {
        match value {
            Value::Array(items) => items.get(step.parse::<usize>().ok()?),
            other => other.get(step),
        }
    })
}

/// A value as a message shows it: JSON, shortened.
pub(super) fn describe(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_go_through_objects_and_arrays() {
        let json = json!({"items": [{"name": "a"}, {"name": "b"}], "n": null});
        assert_eq!(lookup(&json, "items[1].name"), Some(&json!("b")));
        assert_eq!(lookup(&json, "$.items.0.name"), Some(&json!("a")));
        assert_eq!(lookup(&json, "n"), Some(&Value::Null));
        assert_eq!(lookup(&json, "items[2].name"), None);
        assert_eq!(lookup(&json, "items.name"), None);
        assert_eq!(lookup(&json, ""), Some(&json));
    }

    #[test]
    fn long_values_are_shortened_between_characters() {
        assert_eq!(describe(&json!("é".repeat(200))).chars().count(), SHOWN_CHARS + 1);
    }
}
