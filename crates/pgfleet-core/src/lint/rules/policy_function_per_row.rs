//! Functions that a policy calls for every row.

use pgfleet_sql::shape::words_range;

use super::prelude::*;

pub(in crate::lint) static RULE: Definition = Definition::statement(
    "a policy calls a function for every row",
    RuleLevel::Warning,
    look,
);

/// Functions whose result is the same for the whole statement.
const PER_STATEMENT: &[&[&str]] = &[
    &["AUTH", ".", "UID", "("],
    &["AUTH", ".", "JWT", "("],
    &["AUTH", ".", "ROLE", "("],
    &["AUTH", ".", "EMAIL", "("],
    &["CURRENT_SETTING", "("],
];

fn look(scene: &Scene<'_>) -> Vec<Finding> {
    let Shape::Policy(policy) = scene.shape() else { return Vec::new() };
    let found = policy.expressions.iter().filter_map(|expression| {
        let text = &scene.sql()[expression.clone()];
        let (start, name) = PER_STATEMENT.iter().find_map(|words| bare_call(text, words))?;
        let range = expression.start + start..expression.start + start + name.len();
        Some(
            scene
                .finding(&range, format!("{name}() is called for every row of {}", scene.model.shown(&policy.table)))
                .because("inside (SELECT …) it is called once, and an index on the other side can be used")
                .fix_with("Wrap it:", format!("(SELECT {name}(…))")),
        )
    });
    found.collect()
}

/// Where the function is called outside a sub-select, and its name as written.
fn bare_call<'t>(text: &'t str, words: &[&str]) -> Option<(usize, &'t str)> {
    let mut from = 0;
    while let Some(found) = call_range(&text[from..], words) {
        let (start, end) = (from + found.start, from + found.end);
        let before = text[..start].trim_end();
        let wrapped = before.len() >= 6
            && before.is_char_boundary(before.len() - 6)
            && before[before.len() - 6..].eq_ignore_ascii_case("select");
        if !wrapped {
            return Some((start, text[start..end].trim_end_matches('(').trim_end()));
        }
        from = end;
    }
    None
}

fn call_range(text: &str, words: &[&str]) -> Option<std::ops::Range<usize>> {
    let names: Vec<_> = words.iter().copied().filter(|word| word.chars().all(|c| c.is_alphanumeric() || c == '_')).collect();
    let first = words_range(text, &names[..1])?;
    let rest = &text[first.start..];
    let length: usize = {
        let mut matched = 0;
        for word in words {
            let trimmed = rest[matched..].trim_start();
            matched = rest.len() - trimmed.len();
            let head = trimmed.get(..word.len())?;
            if !head.eq_ignore_ascii_case(word) {
                let next = call_range(&text[first.end..], words)?;
                return Some(first.end + next.start..first.end + next.end);
            }
            matched += word.len();
        }
        matched
    };
    Some(first.start..first.start + length)
}
