//! Walks a statement's tokens, trivia left out.
//!
//! Invariant: no method moves back or beyond the end, and a method that answers "no" has not moved.

use std::ops::Range;

use crate::lex::{Lexer, Token, TokenKind};
use crate::name::QualifiedName;

/// A statement's tokens.
#[derive(Debug, Clone)]
pub(crate) struct Tokens<'text> {
    text: &'text str,
    list: Vec<Token>,
}

impl<'text> Tokens<'text> {
    pub(crate) fn new(text: &'text str) -> Self {
        Self { text, list: Lexer::new(text).filter(|token| !token.is_trivia()).collect() }
    }

    pub(crate) fn cursor(&self) -> Cursor<'_> {
        Cursor { text: self.text, list: &self.list }
    }
}

/// What is left to read of some tokens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'tokens> {
    text: &'tokens str,
    list: &'tokens [Token],
}

impl<'tokens> Cursor<'tokens> {
    pub(crate) fn at_end(&self) -> bool {
        self.list.is_empty()
    }

    fn kind(&self) -> Option<TokenKind> {
        self.list.first().map(|token| token.kind)
    }

    fn text_of(&self, token: &Token) -> &'tokens str {
        &self.text[token.start..token.end]
    }

    /// The next token's text; empty at the end.
    pub(crate) fn text(&self) -> &'tokens str {
        self.list.first().map_or("", |token| self.text_of(token))
    }

    /// The next token's text when it is an unquoted word; else empty.
    pub(crate) fn word(&self) -> &'tokens str {
        if self.kind() == Some(TokenKind::Word) { self.text() } else { "" }
    }

    pub(crate) fn bump(&mut self) {
        self.list = self.list.get(1..).unwrap_or_default();
    }

    /// Whether the next tokens are these words, given in upper case.
    pub(crate) fn is(&self, words: &[&str]) -> bool {
        let mut rest = *self;
        words.iter().all(|word| {
            let same = rest.word().eq_ignore_ascii_case(word);
            rest.bump();
            same
        })
    }

    pub(crate) fn is_any(&self, words: &[&str]) -> bool {
        let next = self.word();
        words.iter().any(|word| next.eq_ignore_ascii_case(word))
    }

    /// Moves over these words when they are next.
    pub(crate) fn eat(&mut self, words: &[&str]) -> bool {
        let found = self.is(words);
        if found {
            self.list = self.list.get(words.len()..).unwrap_or_default();
        }
        found
    }

    pub(crate) fn eat_any(&mut self, words: &[&str]) -> bool {
        let found = self.is_any(words);
        if found {
            self.bump();
        }
        found
    }

    pub(crate) fn is_symbol(&self, symbol: u8) -> bool {
        self.kind() == Some(TokenKind::Symbol(symbol))
    }

    pub(crate) fn eat_symbol(&mut self, symbol: u8) -> bool {
        let found = self.is_symbol(symbol);
        if found {
            self.bump();
        }
        found
    }

    /// The value of a plain string literal, as far as it can be read without a server.
    pub(crate) fn string(&mut self) -> Option<String> {
        let text = self.text();
        let value = match self.kind()? {
            TokenKind::String | TokenKind::EscapeString => {
                let open = text.find('\'')?;
                text.get(open + 1..)?.strip_suffix('\'')?.replace("''", "'")
            }
            TokenKind::DollarString => {
                let tag = text.get(1..)?.find('$')? + 2;
                text.get(tag..text.len().checked_sub(tag)?)?.to_owned()
            }
            _ => return None,
        };
        self.bump();
        Some(value)
    }

    /// Whether the next token can be a name: quoted, or any unquoted word.
    pub(crate) fn is_name(&self) -> bool {
        use TokenKind::{QuotedIdent, UnicodeIdent, Word};
        matches!(self.kind(), Some(Word | QuotedIdent | UnicodeIdent))
    }

    /// An identifier, folded or unquoted.
    pub(crate) fn ident(&mut self) -> Option<String> {
        let token = self.list.first().filter(|token| token.closed)?;
        let text = self.text_of(token);
        let name = match token.kind {
            // PostgreSQL folds ASCII alone in databases with a multi-byte encoding such as UTF-8.
            TokenKind::Word => text.to_ascii_lowercase(),
            TokenKind::QuotedIdent => unquoted(text),
            TokenKind::UnicodeIdent => unescaped(&unquoted(text.get(2..).unwrap_or_default())),
            _ => return None,
        };
        self.bump();
        Some(name)
    }

    /// `name`, `schema.name` or `database.schema.name`.
    pub(crate) fn qualified(&mut self) -> Option<QualifiedName> {
        let mut rest = *self;
        let mut name = QualifiedName { schema: None, name: rest.ident()? };
        while rest.eat_symbol(b'.') {
            let next = rest.ident()?;
            name = QualifiedName { schema: Some(name.name), name: next };
        }
        *self = rest;
        Some(name)
    }

    /// `table.column` or `schema.table.column`: the table and the column.
    pub(crate) fn owner_and_name(&mut self) -> Option<(Option<QualifiedName>, String)> {
        let mut parts = vec![self.ident()?];
        while self.is_symbol(b'.') {
            self.bump();
            parts.push(self.ident()?);
        }
        let name = parts.pop()?;
        let owner = parts.pop().map(|table| QualifiedName { schema: parts.pop(), name: table });
        Some((owner, name))
    }

    /// Names separated by commas.
    pub(crate) fn qualified_list(&mut self) -> Vec<QualifiedName> {
        let mut names = Vec::new();
        while let Some(name) = self.qualified() {
            names.push(name);
            if !self.eat_symbol(b',') {
                break;
            }
        }
        names
    }

    /// The inside of the parentheses that are next, moving after them.
    pub(crate) fn parenthesized(&mut self) -> Option<Cursor<'tokens>> {
        if !self.is_symbol(b'(') {
            return None;
        }
        let mut depth = 0usize;
        let closing = self.list.iter().position(|token| {
            match token.kind {
                TokenKind::Symbol(b'(') => depth += 1,
                TokenKind::Symbol(b')') => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        let end = closing.unwrap_or(self.list.len());
        let inside = Cursor { text: self.text, list: self.list.get(1..end).unwrap_or_default() };
        self.list = self.list.get(end + 1..).unwrap_or_default();
        Some(inside)
    }

    /// Moves over one token, or over a whole parenthesis.
    pub(crate) fn skip(&mut self) {
        if self.parenthesized().is_none() {
            self.bump();
        }
    }

    /// The parts between the commas that are not inside parentheses or brackets.
    pub(crate) fn items(self) -> Vec<Cursor<'tokens>> {
        let (mut items, mut depth, mut start) = (Vec::new(), 0usize, 0);
        for (at, token) in self.list.iter().enumerate() {
            match token.kind {
                TokenKind::Symbol(b'(' | b'[') => depth += 1,
                TokenKind::Symbol(b')' | b']') => depth = depth.saturating_sub(1),
                TokenKind::Symbol(b',') if depth == 0 => {
                    items.push(Cursor { text: self.text, list: &self.list[start..at] });
                    start = at + 1;
                }
                _ => {}
            }
        }
        if start < self.list.len() {
            items.push(Cursor { text: self.text, list: &self.list[start..] });
        }
        items
    }

    /// Whether these words stand next to each other somewhere outside parentheses.
    pub(crate) fn has(&self, words: &[&str]) -> bool {
        self.find(words).is_some()
    }

    /// After the first such place.
    pub(crate) fn find(&self, words: &[&str]) -> Option<Cursor<'tokens>> {
        let mut rest = *self;
        while !rest.at_end() {
            if rest.eat(words) {
                return Some(rest);
            }
            rest.skip();
        }
        None
    }

    /// Whether a word stands anywhere, inside parentheses too.
    pub(crate) fn has_deep(&self, word: &str) -> bool {
        let mut words = self.list.iter().filter(|token| token.kind == TokenKind::Word);
        words.any(|token| self.text_of(token).eq_ignore_ascii_case(word))
    }

    /// The text from here to where `end` stands, blanks and comments reduced to one space where
    /// there were any.
    pub(crate) fn text_until(&self, end: &Cursor<'_>) -> String {
        let count = self.list.len().saturating_sub(end.list.len());
        let mut text = String::new();
        let mut previous = None;
        for token in self.list.iter().take(count) {
            if previous.is_some_and(|end| end < token.start) {
                text.push(' ');
            }
            text.push_str(self.text_of(token));
            previous = Some(token.end);
        }
        text
    }

    /// The end of what is left.
    pub(crate) fn end(&self) -> Cursor<'tokens> {
        Cursor { text: self.text, list: self.list.get(self.list.len()..).unwrap_or_default() }
    }

    /// Where the next token begins; the end of the text when there is none.
    pub(crate) fn offset(&self) -> usize {
        self.list.first().map_or(self.text.len(), |token| token.start)
    }

    /// Where the last token before `rest` ends, which comes from here.
    pub(crate) fn end_before(&self, rest: &Cursor<'_>) -> usize {
        let count = self.list.len().saturating_sub(rest.list.len());
        let last = count.checked_sub(1).and_then(|last| self.list.get(last));
        last.map_or_else(|| self.offset(), |token| token.end)
    }

    /// All the rest, as [`Cursor::text_until`] writes it.
    pub(crate) fn rest_text(&self) -> String {
        self.text_until(&Cursor { text: self.text, list: &[] })
    }

    /// How many tokens are left.
    pub(crate) fn list_len(&self) -> usize {
        self.list.len()
    }

    /// Where the tokens from here to where `end` stands are.
    pub(crate) fn range_until(&self, end: &Cursor<'_>) -> Range<usize> {
        let count = self.list.len().saturating_sub(end.list.len());
        let start = self.list.first().map_or(self.text.len(), |token| token.start);
        let last = count.checked_sub(1).and_then(|last| self.list.get(last));
        start..last.map_or(start, |token| token.end)
    }

    /// Where all the rest is.
    pub(crate) fn range(&self) -> Range<usize> {
        self.range_until(&Cursor { text: self.text, list: &[] })
    }

    /// The same without the semicolon at its end.
    pub(crate) fn without_semicolon(mut self) -> Self {
        if let [rest @ .., last] = self.list
            && last.kind == TokenKind::Symbol(b';')
        {
            self.list = rest;
        }
        self
    }

    /// The parts between semicolons.
    pub(crate) fn statements(self) -> impl Iterator<Item = Cursor<'tokens>> {
        let parts = self.list.split(|token| token.kind == TokenKind::Symbol(b';'));
        parts.map(move |list| Cursor { text: self.text, list })
    }
}

/// The inside of `"…"`.
fn unquoted(text: &str) -> String {
    let inner = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    inner.replace("\"\"", "\"")
}

/// Resolves `\XXXX` and `\+XXXXXX`; an escape that is not one stays as it is.
fn unescaped(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        result.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let (skip, digits) = if rest.starts_with('+') { (1, 6) } else { (0, 4) };
        let code = rest.get(skip..skip + digits).and_then(|hex| u32::from_str_radix(hex, 16).ok());
        if let Some(character) = code.and_then(char::from_u32) {
            result.push(character);
            rest = &rest[skip + digits..];
        } else {
            result.push('\\');
            rest = rest.strip_prefix('\\').unwrap_or(rest);
        }
    }
    result.push_str(rest);
    result
}
