//! Names and literals: read as PostgreSQL reads them, written so that PostgreSQL reads them back.
//!
//! Invariant: this is the only module that quotes. Whatever text goes in, what comes out is one
//! identifier or one literal and never ends early; text that no quoting can carry is an error.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

use crate::keyword::is_keyword_to_quote;

/// The name of something in a database, as PostgreSQL stores it: folded and without quotes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QualifiedName {
    /// The schema, when the text names one.
    pub schema: Option<String>,
    /// The object's own name.
    pub name: String,
}

impl QualifiedName {
    /// A name without a schema.
    pub fn bare(name: impl Into<String>) -> Self {
        Self { schema: None, name: name.into() }
    }

    /// A name in a schema.
    pub fn new(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self { schema: Some(schema.into()), name: name.into() }
    }
}

/// Writes the name as SQL, quoted only where PostgreSQL needs it.
impl Display for QualifiedName {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(formatter, "{}.", quote_ident(schema))?;
        }
        formatter.write_str(&quote_ident(&self.name))
    }
}

/// Text that cannot be a literal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuoteError {
    /// PostgreSQL cannot store the character NUL.
    #[error("a literal cannot contain a NUL character (at byte {offset})")]
    Nul {
        /// Byte offset of the NUL in the value.
        offset: usize,
    },
}

/// Writes an identifier, quoted when it would otherwise be folded, misread or taken for a keyword
/// (PostgreSQL's `quote_identifier`). NUL characters, which no identifier can hold, are left out.
#[must_use]
pub fn quote_ident(name: &str) -> String {
    if is_plain(name) && !is_keyword_to_quote(name) {
        return name.to_owned();
    }
    quote_ident_always(name)
}

/// Writes an identifier in quotes, needed or not, as tools write it that quote every name. NUL
/// characters are left out.
#[must_use]
pub fn quote_ident_always(name: &str) -> String {
    let inner = name.replace('\0', "").replace('"', "\"\"");
    format!("\"{inner}\"")
}

/// Whether a lower-case word is a keyword that PostgreSQL's `quote_identifier` quotes: without
/// quotes it may not stand where a name stands.
#[must_use]
pub fn is_keyword(word: &str) -> bool {
    is_keyword_to_quote(word)
}

fn is_plain(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| matches!(first, b'a'..=b'z' | b'_'))
        && bytes.all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

/// Writes a string literal that reads the same whatever `standard_conforming_strings` says
/// (PostgreSQL's `quote_literal`): text with a backslash becomes an `E''` literal.
///
/// # Errors
/// [`QuoteError::Nul`] when the value has a NUL character.
pub fn quote_literal(value: &str) -> Result<String, QuoteError> {
    if let Some(offset) = value.find('\0') {
        return Err(QuoteError::Nul { offset });
    }
    let doubled = value.replace('\'', "''");
    Ok(if doubled.contains('\\') {
        format!("E'{}'", doubled.replace('\\', "\\\\"))
    } else {
        format!("'{doubled}'")
    })
}

/// Writes any text as a string literal, like [`quote_literal`]; NUL characters, which PostgreSQL
/// cannot store, become U+FFFD, so that the value that is stored or looked for shows that it is
/// another.
#[must_use]
pub fn quote_text(value: &str) -> String {
    quote_literal(&value.replace('\0', "\u{fffd}")).unwrap_or_else(|_| "''".to_owned())
}

/// Writes a string literal as tools write it that rely on `standard_conforming_strings`: quotes
/// are doubled and backslashes stand for themselves. For files that such a tool also writes; for
/// everything else there is [`quote_literal`]. NUL characters are left out.
#[must_use]
pub fn quote_literal_standard(value: &str) -> String {
    format!("'{}'", value.replace('\0', "").replace('\'', "''"))
}

/// Reads `name` or `schema.name` (of three parts, the last two), folding and unquoting as PostgreSQL
/// does. `None` when the text is anything else.
#[must_use]
pub fn parse_qualified(text: &str) -> Option<QualifiedName> {
    let tokens = crate::cursor::Tokens::new(text);
    let mut cursor = tokens.cursor();
    let name = cursor.qualified()?;
    cursor.at_end().then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_quoted_only_when_needed() {
        for (name, quoted) in [
            ("users", "users"),
            ("_a1", "_a1"),
            ("Users", "\"Users\""),
            ("1a", "\"1a\""),
            ("a b", "\"a b\""),
            ("", "\"\""),
            ("é", "\"é\""),
            ("a$b", "\"a$b\""),
            ("select", "\"select\""),
            ("timestamp", "\"timestamp\""),
            ("left", "\"left\""),
            ("name", "name"),
            ("x\"; DROP TABLE y; --", "\"x\"\"; DROP TABLE y; --\""),
            ("a\0b", "\"ab\""),
        ] {
            assert_eq!(quote_ident(name), quoted);
        }
    }

    #[test]
    fn literals_carry_quotes_and_backslashes() {
        assert_eq!(quote_literal("it's").unwrap(), "'it''s'");
        assert_eq!(quote_literal("a\\'b").unwrap(), "E'a\\\\''b'");
        assert_eq!(quote_literal_standard("a\\'b"), "'a\\''b'");
        assert_eq!(quote_ident_always("name"), "\"name\"");
        assert_eq!(quote_literal("a\0"), Err(QuoteError::Nul { offset: 1 }));
        assert_eq!(quote_text("it's\0"), "'it''s\u{fffd}'");
    }

    #[test]
    fn names_are_folded_and_unquoted() {
        for (text, schema, name) in [
            ("Users", None, "users"),
            ("public.\"Us\"\"ers\"", Some("public"), "Us\"ers"),
            (" db . S . T ", Some("s"), "t"),
            ("U&\"d\\0061t\\+000061\"", None, "data"),
            ("É", None, "É"),
        ] {
            let expected =
                QualifiedName { schema: schema.map(str::to_owned), name: name.to_owned() };
            assert_eq!(parse_qualified(text), Some(expected), "{text}");
        }
        for text in ["", "a.", "a b", "a;", "'a'", "\"open", "1a"] {
            assert_eq!(parse_qualified(text), None, "{text}");
        }
    }

    #[test]
    fn a_displayed_name_reads_back() {
        let name = QualifiedName::new("My Schema", "order");
        assert_eq!(name.to_string(), "\"My Schema\".\"order\"");
        assert_eq!(parse_qualified(&name.to_string()), Some(name));
    }
}
