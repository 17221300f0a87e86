//! The words of a statement, without what may hold any text.
//!
//! Invariant: no character of a string, comment or quoted name comes out.

use crate::lex::{Lexer, TokenKind};

/// The tokens of a text in order: words in upper case, signs and numbers as they are; strings
/// stand as `'`, bodies between dollar quotes as `$`, quoted names as `"`. Comments are left out.
#[must_use]
pub fn bare_words(text: &str) -> Vec<String> {
    Lexer::new(text)
        .filter(|token| !token.is_trivia())
        .map(|token| match token.kind {
            TokenKind::Word => text[token.start..token.end].to_ascii_uppercase(),
            TokenKind::QuotedIdent | TokenKind::UnicodeIdent => "\"".to_owned(),
            TokenKind::String | TokenKind::EscapeString => "'".to_owned(),
            TokenKind::DollarString => "$".to_owned(),
            _ => text[token.start..token.end].to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_inside_quotes_or_comments_comes_out() {
        let words = bare_words("Select 'if' || \"If\" -- if\n/* if */ $$ if $$, 1");
        assert_eq!(words, ["SELECT", "'", "||", "\"", "$", ",", "1"]);
    }
}
