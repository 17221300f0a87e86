//! `$1`, `$2` … of a query with parameters, replaced by literals.
//!
//! Invariant: a literal without a type, as the driver sends its parameters, so that PostgreSQL
//! finds the same types.

use pgfleet_sql::quote_literal;

use super::value::Value;

/// A query with the texts of its parameters in place, as the driver would send them; no text is
/// NULL. `None` when a parameter is missing.
pub fn fill_texts(sql: &str, texts: &[Option<String>]) -> Option<String> {
    let value = |text: &Option<String>| text.clone().map_or(Value::Nothing, Value::Text);
    fill(sql, &texts.iter().map(value).collect::<Vec<_>>())
}

/// The query with its parameters in place; `None` when one is missing or has no simple text.
pub(super) fn fill(sql: &str, values: &[Value]) -> Option<String> {
    let mut filled = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(at) = rest.find(['$', '\'', '"', '-', '/']) {
        let (before, tail) = rest.split_at(at);
        filled.push_str(before);
        let attached = filled.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
        rest = match parameter(tail).filter(|_| !attached) {
            Some((index, after)) => {
                filled.push_str(&literal(values.get(index.checked_sub(1)?)?)?);
                after
            }
            None => {
                let (kept, after) = tail.split_at(end_of_quoted(tail));
                filled.push_str(kept);
                after
            }
        };
    }
    filled.push_str(rest);
    Some(filled)
}

/// `(number, rest)` of a parameter.
fn parameter(text: &str) -> Option<(usize, &str)> {
    let digits = text.strip_prefix('$')?;
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let number = digits[..end].parse().ok()?;
    Some((number, &digits[end..]))
}

/// Where a comment, quoted string, name or dollar body ends; 1 when the character opens none.
fn end_of_quoted(text: &str) -> usize {
    for (opens, closes) in [("--", "\n"), ("/*", "*/")] {
        if text.starts_with(opens) {
            return text.find(closes).map_or(text.len(), |at| at + closes.len());
        }
    }
    let quote = &text[..1];
    if matches!(quote, "-" | "/") {
        return 1;
    }
    if quote != "$" {
        return text[1..].find(quote).map_or(text.len(), |at| at + 2);
    }
    let Some(tag_end) = text[1..].find('$').map(|at| at + 2) else { return 1 };
    let tag = &text[..tag_end];
    if !tag[1..tag_end - 1].chars().all(|c| c.is_alphanumeric() || c == '_') {
        return 1;
    }
    text[tag_end..].find(tag).map_or(text.len(), |at| tag_end + at + tag.len())
}

fn literal(value: &Value) -> Option<String> {
    match value {
        Value::Nothing => Some("NULL".to_owned()),
        Value::Boolean(_) | Value::Number(_) | Value::Text(_) => quote_literal(&value.text()?).ok(),
        Value::List(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_become_literals_outside_of_quotes() {
        let values = [Value::Text("it's".into()), Value::Number("5".into()), Value::Nothing];
        for (sql, filled) in [
            ("select $1, $2,$3", Some("select 'it''s', '5',NULL")),
            (
                "select '$1', \"$2\", $$ $1 $$, $a$ $2 $a$, a$1",
                Some("select '$1', \"$2\", $$ $1 $$, $a$ $2 $a$, a$1"),
            ),
            (
                "select 5-$2/$2 -- it's $1\n, $2 /* $9 ' */",
                Some("select 5-'5'/'5' -- it's $1\n, '5' /* $9 ' */"),
            ),
            ("select $4", None),
            ("select $0", None),
            ("select '$1", Some("select '$1")),
        ] {
            assert_eq!(fill(sql, &values).as_deref(), filled);
        }
        assert_eq!(fill("select $1", &[Value::List(Vec::new())]), None);
    }
}
