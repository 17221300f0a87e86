//! Cuts SQL into tokens as PostgreSQL's scanner does (src/backend/parser/scan.l), with
//! `standard_conforming_strings` on.
//!
//! Invariant: tokens follow each other without gaps, each is at least one byte long and begins and
//! ends at a character boundary; what is never closed runs to the end of the text.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Blank,
    LineComment,
    BlockComment,
    /// A keyword or an unquoted identifier.
    Word,
    /// `"…"`
    QuotedIdent,
    /// `U&"…"`
    UnicodeIdent,
    /// `'…'`, and `B''`, `X''`, `N''`, `U&''`, which end as it does.
    String,
    /// `E'…'`
    EscapeString,
    /// `$tag$…$tag$`
    DollarString,
    Number,
    /// `$1`
    Param,
    /// A run of operator characters, `::` or `:=`.
    Operator,
    /// One of `( ) [ ] , ; . : $` or a byte that SQL does not know.
    Symbol(u8),
    /// `\`, where psql's commands begin.
    Backslash,
}

/// A token of a text: its kind and its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub kind: TokenKind,
    pub start: usize,
    pub end: usize,
    /// False when the text ends before the token's closing.
    pub closed: bool,
}

impl Token {
    pub(crate) fn is_trivia(&self) -> bool {
        matches!(self.kind, TokenKind::Blank | TokenKind::LineComment | TokenKind::BlockComment)
    }
}

/// The tokens of a text, from any of their boundaries on.
#[derive(Debug, Clone)]
pub(crate) struct Lexer<'text> {
    text: &'text str,
    at: usize,
}

impl<'text> Lexer<'text> {
    pub(crate) fn new(text: &'text str) -> Self {
        Self { text, at: 0 }
    }

    /// Where the next token begins.
    pub(crate) fn offset(&self) -> usize {
        self.at
    }

    /// Continues at another boundary.
    pub(crate) fn seek(&mut self, offset: usize) {
        self.at = offset;
    }

    fn byte(&self, offset: usize) -> u8 {
        self.text.as_bytes().get(offset).copied().unwrap_or(0)
    }

    /// The first offset from `from` on whose byte does not fit.
    fn skip(&self, from: usize, fits: impl Fn(u8) -> bool) -> usize {
        let rest = self.text.as_bytes().get(from..).unwrap_or_default();
        from + rest.iter().position(|byte| !fits(*byte)).unwrap_or(rest.len())
    }

    /// Kind, end and whether it is closed, of the token that begins at `self.at` with `first`.
    fn measure(&self, first: u8) -> (TokenKind, usize, bool) {
        let at = self.at;
        let open = |(end, closed), kind| (kind, end, closed);
        match first {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c => {
                (TokenKind::Blank, self.skip(at, is_blank), true)
            }
            b'-' if self.byte(at + 1) == b'-' => {
                (TokenKind::LineComment, self.skip(at, |byte| !is_newline(byte)), true)
            }
            b'/' if self.byte(at + 1) == b'*' => {
                open(self.block_comment(), TokenKind::BlockComment)
            }
            b'\'' => open(self.quoted(at + 1, b'\''), TokenKind::String),
            b'"' => open(self.quoted(at + 1, b'"'), TokenKind::QuotedIdent),
            b'$' => self.dollar(),
            b'0'..=b'9' => (TokenKind::Number, self.number_end(at), true),
            b'.' if self.byte(at + 1).is_ascii_digit() => {
                (TokenKind::Number, self.number_end(at), true)
            }
            b'\\' => (TokenKind::Backslash, at + 1, true),
            b':' if matches!(self.byte(at + 1), b':' | b'=') => (TokenKind::Operator, at + 2, true),
            _ if is_word_start(first) => self.word(first),
            _ if is_operator(first) => (TokenKind::Operator, self.operator_end(), true),
            _ => (TokenKind::Symbol(first), at + 1, true),
        }
    }

    /// A word, or a string whose prefix looks like one.
    fn word(&self, first: u8) -> (TokenKind, usize, bool) {
        let at = self.at;
        let open = |(end, closed), kind| (kind, end, closed);
        match (first | 0x20, self.byte(at + 1), self.byte(at + 2)) {
            (b'e', b'\'', _) => open(self.escape_string(at + 2), TokenKind::EscapeString),
            (b'b' | b'x' | b'n', b'\'', _) => open(self.quoted(at + 2, b'\''), TokenKind::String),
            (b'u', b'&', b'\'') => open(self.quoted(at + 3, b'\''), TokenKind::String),
            (b'u', b'&', b'"') => open(self.quoted(at + 3, b'"'), TokenKind::UnicodeIdent),
            _ => (TokenKind::Word, self.skip(at + 1, is_word_part), true),
        }
    }

    /// The end of what began before `from` and ends at an undoubled `quote`.
    fn quoted(&self, from: usize, quote: u8) -> (usize, bool) {
        let mut at = from;
        loop {
            at = self.skip(at, |byte| byte != quote);
            if at >= self.text.len() {
                return (self.text.len(), false);
            }
            if self.byte(at + 1) != quote {
                return (at + 1, true);
            }
            at += 2;
        }
    }

    /// `E'…'`; goes on in the next line when that begins with a quote, where escapes still count.
    fn escape_string(&self, from: usize) -> (usize, bool) {
        let mut at = from;
        loop {
            at = self.skip(at, |byte| byte != b'\'' && byte != b'\\');
            if at >= self.text.len() {
                return (self.text.len(), false);
            }
            if self.byte(at) == b'\\' {
                at = self.after_character(at + 1);
            } else if self.byte(at + 1) == b'\'' {
                at += 2;
            } else if let Some(next) = self.continuation(at + 1) {
                at = next;
            } else {
                return (at + 1, true);
            }
        }
    }

    fn after_character(&self, at: usize) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        at + rest.chars().next().map_or(0, char::len_utf8)
    }

    /// After the quote of a string's next part, when only blanks with a line end lie between.
    fn continuation(&self, from: usize) -> Option<usize> {
        let mut at = from;
        let mut newline = false;
        loop {
            match self.byte(at) {
                b'\'' if newline => return Some(at + 1),
                b'-' if self.byte(at + 1) == b'-' => at = self.skip(at, |byte| !is_newline(byte)),
                byte if is_blank(byte) => {
                    newline |= is_newline(byte);
                    at += 1;
                }
                _ => return None,
            }
        }
    }

    fn block_comment(&self) -> (usize, bool) {
        let (mut at, mut depth) = (self.at + 2, 1u32);
        loop {
            at = self.skip(at, |byte| byte != b'*' && byte != b'/');
            match (self.byte(at), self.byte(at + 1)) {
                _ if at >= self.text.len() => return (self.text.len(), false),
                (b'*', b'/') if depth == 1 => return (at + 2, true),
                (b'*', b'/') => (at, depth) = (at + 2, depth - 1),
                (b'/', b'*') => (at, depth) = (at + 2, depth.saturating_add(1)),
                _ => at += 1,
            }
        }
    }

    fn dollar(&self) -> (TokenKind, usize, bool) {
        let after = self.byte(self.at + 1);
        if after.is_ascii_digit() {
            return (TokenKind::Param, self.skip(self.at + 1, is_word_part), true);
        }
        let tag_end = match after {
            first if is_word_start(first) => self.skip(self.at + 1, is_tag_part),
            _ => self.at + 1,
        };
        if self.byte(tag_end) != b'$' {
            return (TokenKind::Symbol(b'$'), self.at + 1, true);
        }
        let delimiter = &self.text[self.at..=tag_end];
        let body = &self.text[tag_end + 1..];
        match body.find(delimiter) {
            Some(length) => (TokenKind::DollarString, tag_end + 1 + length + delimiter.len(), true),
            None => (TokenKind::DollarString, self.text.len(), false),
        }
    }

    fn number_end(&self, from: usize) -> usize {
        let mut at = self.skip(from, is_word_part);
        if self.byte(at) == b'.' && self.byte(at + 1) != b'.' {
            at = self.skip(at + 1, is_word_part);
        }
        let hexadecimal = self.byte(from) == b'0' && self.byte(from + 1) | 0x20 == b'x';
        let exponent = at > from && self.byte(at - 1) | 0x20 == b'e' && !hexadecimal;
        let signed = matches!(self.byte(at), b'+' | b'-') && self.byte(at + 1).is_ascii_digit();
        if exponent && signed { self.skip(at + 1, is_word_part) } else { at }
    }

    /// An operator ends where a comment begins.
    fn operator_end(&self) -> usize {
        let mut at = self.at + 1;
        while is_operator(self.byte(at))
            && !matches!((self.byte(at), self.byte(at + 1)), (b'-', b'-') | (b'/', b'*'))
        {
            at += 1;
        }
        at
    }
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let first = *self.text.as_bytes().get(self.at)?;
        let start = self.at;
        let (kind, end, closed) = self.measure(first);
        self.at = end;
        Some(Token { kind, start, end, closed })
    }
}

pub(crate) fn is_newline(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

fn is_word_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn is_word_part(byte: u8) -> bool {
    is_tag_part(byte) || byte == b'$'
}

fn is_tag_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn is_operator(byte: u8) -> bool {
    matches!(
        byte,
        b'~' | b'!'
            | b'@'
            | b'#'
            | b'^'
            | b'&'
            | b'|'
            | b'`'
            | b'?'
            | b'+'
            | b'-'
            | b'*'
            | b'/'
            | b'%'
            | b'<'
            | b'>'
            | b'='
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(TokenKind, &str)> {
        let tokens = Lexer::new(text).filter(|token| token.kind != TokenKind::Blank);
        tokens.map(|token| (token.kind, &text[token.start..token.end])).collect()
    }

    #[test]
    fn strings_end_where_postgres_ends_them() {
        assert_eq!(
            kinds(r"E'a\'b' 'c\'"),
            [(TokenKind::EscapeString, r"E'a\'b'"), (TokenKind::String, r"'c\'"),]
        );
        assert_eq!(kinds("E'a' -- x\n 'b\\'c'").len(), 1);
        assert_eq!(kinds("E'a' 'b'").len(), 2);
        assert_eq!(kinds("$a$ $b$ $a$"), [(TokenKind::DollarString, "$a$ $b$ $a$")]);
        assert_eq!(kinds("a$b$c"), [(TokenKind::Word, "a$b$c")]);
        assert_eq!(kinds("$1 $"), [(TokenKind::Param, "$1"), (TokenKind::Symbol(b'$'), "$")]);
        assert_eq!(kinds("U&\"a\"\"b\""), [(TokenKind::UnicodeIdent, "U&\"a\"\"b\"")]);
    }

    #[test]
    fn comments_nest_and_cut_operators() {
        assert_eq!(
            kinds("/* a /* b */ c */+--x"),
            [
                (TokenKind::BlockComment, "/* a /* b */ c */"),
                (TokenKind::Operator, "+"),
                (TokenKind::LineComment, "--x"),
            ]
        );
    }

    #[test]
    fn numbers_keep_their_signs_only_in_exponents() {
        assert_eq!(kinds("1.5e-3"), [(TokenKind::Number, "1.5e-3")]);
        assert_eq!(kinds("0xE-1").len(), 3);
        assert_eq!(kinds("1..2").len(), 3);
    }
}
