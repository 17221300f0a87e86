//! Splits a schema into tokens. Comments vanish; line ends stay, as they end fields.

use super::SchemaError;
use super::syntax::Position;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// Letters, digits, `_` and `-`, not beginning with the last two but for `_`.
    Word(String),
    Number(String),
    Text(String),
    /// `@` or `@@`.
    At,
    AtAt,
    Symbol(char),
    LineEnd,
}

/// The tokens of a file, each with its place. Ends with a line end.
///
/// # Errors
/// The first character that begins no token, or a text or comment that does not end.
pub(super) fn tokens(text: &str, file: usize) -> Result<Vec<(Token, Position)>, SchemaError> {
    let mut lexer = Lexer::new(text, file);
    let mut tokens = Vec::new();
    while let Some(next) = lexer.next_token()? {
        tokens.push(next);
    }
    tokens.push((Token::LineEnd, lexer.position()));
    Ok(tokens)
}

struct Lexer<'a> {
    rest: &'a str,
    at: Position,
}

impl<'a> Lexer<'a> {
    fn new(text: &'a str, file: usize) -> Self {
        let rest = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self { rest, at: Position { file, line: 1, column: 1 } }
    }

    fn position(&self) -> Position {
        self.at
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn take(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.rest = &self.rest[next.len_utf8()..];
        if next == '\n' {
            self.at.line += 1;
            self.at.column = 1;
        } else {
            self.at.column += 1;
        }
        Some(next)
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> String {
        let mut taken = String::new();
        while let Some(next) = self.peek().filter(|next| keep(*next)) {
            taken.push(next);
            self.take();
        }
        taken
    }

    fn next_token(&mut self) -> Result<Option<(Token, Position)>, SchemaError> {
        self.skip_blanks()?;
        let at = self.at;
        let Some(next) = self.peek() else { return Ok(None) };
        let token = match next {
            '\n' => self.single(Token::LineEnd),
            '"' => Token::Text(self.text()?),
            '@' => self.at_signs(),
            '-' => Token::Number(self.number()),
            '_' => Token::Word(self.word()),
            c if c.is_ascii_digit() => self.number_or_word(),
            c if c.is_alphanumeric() => Token::Word(self.word()),
            c if "{}()[],:=.?!".contains(c) => self.single(Token::Symbol(c)),
            c => return Err(SchemaError::new(format!("{c:?} has no meaning here"), at)),
        };
        Ok(Some((token, at)))
    }

    fn single(&mut self, token: Token) -> Token {
        self.take();
        token
    }

    fn skip_blanks(&mut self) -> Result<(), SchemaError> {
        loop {
            self.take_while(|c| c != '\n' && c.is_whitespace());
            if self.rest.starts_with("//") {
                self.take_while(|c| c != '\n');
            } else if self.rest.starts_with("/*") {
                self.skip_block_comment()?;
            } else {
                return Ok(());
            }
        }
    }

    fn skip_block_comment(&mut self) -> Result<(), SchemaError> {
        let at = self.at;
        while !self.rest.starts_with("*/") {
            if self.take().is_none() {
                return Err(SchemaError::new("this comment does not end", at));
            }
        }
        self.take();
        self.take();
        Ok(())
    }

    fn at_signs(&mut self) -> Token {
        self.take();
        if self.peek() == Some('@') { self.single(Token::AtAt) } else { Token::At }
    }

    fn word(&mut self) -> String {
        self.take_while(|c| c.is_alphanumeric() || c == '_' || c == '-')
    }

    fn number(&mut self) -> String {
        let mut number = String::new();
        if self.peek() == Some('-') {
            self.take();
            number.push('-');
        }
        number.push_str(&self.take_while(|c| c.is_ascii_digit()));
        let after_dot = self.rest.strip_prefix('.').and_then(|rest| rest.chars().next());
        if after_dot.is_some_and(|c| c.is_ascii_digit()) {
            self.take();
            number.push('.');
            number.push_str(&self.take_while(|c| c.is_ascii_digit()));
        }
        number
    }

    /// Names of enum values may begin with a digit.
    fn number_or_word(&mut self) -> Token {
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let after = self.rest[end..].chars().next();
        if after.is_some_and(|c| c.is_alphabetic() || c == '_') {
            Token::Word(self.word())
        } else {
            Token::Number(self.number())
        }
    }

    /// Texts have the escapes of JSON.
    fn text(&mut self) -> Result<String, SchemaError> {
        let at = self.at;
        self.take();
        let mut text = String::new();
        loop {
            match self.take() {
                Some('"') => return Ok(text),
                Some('\\') => text.push(self.escape()?),
                Some('\n') | None => return Err(SchemaError::new("this text does not end", at)),
                Some(next) => text.push(next),
            }
        }
    }

    fn escape(&mut self) -> Result<char, SchemaError> {
        let at = self.at;
        let unknown =
            || SchemaError::new("this escape is unknown; a backslash itself is written \\\\", at);
        Ok(match self.take().ok_or_else(unknown)? {
            c @ ('"' | '\\' | '/') => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => self.code_point().ok_or_else(unknown)?,
            _ => return Err(unknown()),
        })
    }

    /// Four hexadecimal digits, or two such groups that are a surrogate pair.
    fn code_point(&mut self) -> Option<char> {
        let first = self.hexadecimal()?;
        if let Some(single) = char::from_u32(u32::from(first)) {
            return Some(single);
        }
        self.rest.starts_with("\\u").then(|| (self.take(), self.take()))?;
        let second = self.hexadecimal()?;
        char::decode_utf16([first, second]).next()?.ok()
    }

    fn hexadecimal(&mut self) -> Option<u16> {
        let digits: String = (0..4).map_while(|_| self.take()).collect();
        u16::from_str_radix(&digits, 16).ok()
    }
}
