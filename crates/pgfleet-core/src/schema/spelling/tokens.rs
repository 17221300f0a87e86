//! Definitions as PostgreSQL writes them, in pieces.

/// Words, quoted names, strings, numbers, operators; brackets, points and commas by themselves.
pub(super) fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' | '"' => quoted_length(rest, first),
            _ if first.is_ascii_digit() => number_length(rest),
            _ if is_word(first) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            _ if is_operator(first) => rest.find(|c| !is_operator(c)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    tokens
}

fn is_word(character: char) -> bool {
    character == '_' || character == '$' || character.is_alphanumeric()
}

fn is_operator(character: char) -> bool {
    "+-*/<>=~!@#%^&|`?:".contains(character)
}

/// Quotes inside are doubled.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut at = 1;
    while let Some(found) = text[at..].find(quote) {
        at += found + 1;
        match text[at..].starts_with(quote) {
            true => at += 1,
            false => return at,
        }
    }
    text.len()
}

fn number_length(text: &str) -> usize {
    let end = |c: char| !(c.is_ascii_alphanumeric() || c == '.');
    text.find(end).unwrap_or(text.len())
}

/// `'a'`; one with escapes has an `E` before it, which is a word of its own.
pub(super) fn is_string(token: &str) -> bool {
    token.len() >= 2 && token.starts_with('\'') && token.ends_with('\'')
}

/// A name, quoted or not, or a keyword.
pub(super) fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c == '"' || c == '_' || c.is_alphabetic())
}

/// Digits alone.
pub(super) fn is_integer(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::tokens;

    #[test]
    fn texts_are_cut_as_postgresql_writes_them() {
        let text = "((a)::text ~~ 'it''s ::'::text) AND (\"X y\".b>=1.5)";
        let wanted = [
            "(",
            "(",
            "a",
            ")",
            "::",
            "text",
            "~~",
            "'it''s ::'",
            "::",
            "text",
            ")",
            "AND",
            "(",
            "\"X y\"",
            ".",
            "b",
            ">=",
            "1.5",
            ")",
        ];
        assert_eq!(tokens(text), wanted);
    }
}
