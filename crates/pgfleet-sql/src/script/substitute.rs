//! psql's variables in statements, and commands in the middle of them.
//!
//! Invariant: a substituted value never changes where the statement ends; one that would is a
//! problem instead. The forms are those of "SQL Interpolation" in psql's documentation.

use std::ops::Range;

use super::{IDENTIFIERS, Problem, Script, Substitution};
use crate::lex::{Lexer, Token, TokenKind};
use crate::split::{PieceKind, read_meta, split};

/// Something in a statement that is not SQL; ranges count from the statement's start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// A reference to a variable.
    Variable { name: String, form: Form, range: Range<usize>, in_brackets: bool },
    /// A psql command, or the backslash of `\:`.
    Command(Range<usize>),
    /// The backslash of `\:`, a colon that begins no reference.
    Escape(Range<usize>),
}

/// How a reference writes the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `:NAME`, as it is.
    Raw,
    /// `:'NAME'`, as a literal.
    Literal,
    /// `:"NAME"`, as an identifier.
    Identifier,
}

impl Found {
    /// What to blank so that a parser without variables can read the statement.
    pub(super) fn blanked(&self) -> (usize, usize) {
        match self {
            Self::Variable { range, in_brackets: true, .. } => (range.start, range.start),
            Self::Variable { range, .. } => (range.start, range.start + 1),
            Self::Command(range) | Self::Escape(range) => (range.start, range.end),
        }
    }
}

/// Everything in a statement that psql would replace or carry out, in order.
pub(super) fn find(statement: &str) -> Vec<Found> {
    let mut found = Vec::new();
    // Most statements have neither, and looking for the bytes is much faster than scanning.
    if !statement.bytes().any(|byte| matches!(byte, b':' | b'\\')) {
        return found;
    }
    let mut lexer = Lexer::new(statement);
    let mut brackets = 0usize;
    while let Some(token) = lexer.next() {
        match token.kind {
            TokenKind::Symbol(b'[') => brackets += 1,
            TokenKind::Symbol(b']') => brackets = brackets.saturating_sub(1),
            TokenKind::Symbol(b':') => {
                let next = lexer.clone().next();
                let reference =
                    next.and_then(|next| variable(statement, token, next, brackets > 0));
                if let Some(Found::Variable { range, .. }) = &reference {
                    lexer.seek(range.end);
                }
                found.extend(reference);
            }
            TokenKind::Backslash => {
                let meta = read_meta(statement, token.start);
                let escape = meta.command == ":";
                lexer.seek(if escape { token.end + 1 } else { meta.end });
                let end = if escape { token.end } else { meta.end };
                let range = token.start..end;
                found.push(if escape { Found::Escape(range) } else { Found::Command(range) });
            }
            _ => {}
        }
    }
    found
}

/// The reference that a colon and the token after it make.
fn variable(text: &str, colon: Token, next: Token, in_brackets: bool) -> Option<Found> {
    let body = &text[next.start..next.end];
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii();
    let (name, form, length) = match next.kind {
        TokenKind::Word | TokenKind::Number => {
            let length = body.find(|c| !is_part(c)).unwrap_or(body.len());
            (body.get(..length)?, Form::Raw, length)
        }
        TokenKind::String if body.starts_with('\'') => {
            (body.get(1..body.len().checked_sub(1)?)?, Form::Literal, body.len())
        }
        TokenKind::QuotedIdent => {
            (body.get(1..body.len().checked_sub(1)?)?, Form::Identifier, body.len())
        }
        _ => return None,
    };
    let range = colon.start..next.start + length;
    let valid = !name.is_empty() && name.chars().all(is_part);
    valid.then(|| Found::Variable { name: name.to_owned(), form, range, in_brackets })
}

/// Replaces what was found in the statement at `range` of the script's text; problems go to the
/// script. `None` when nothing is replaced.
pub(super) fn apply(
    text: &str,
    range: Range<usize>,
    places: &[Found],
    script: &mut Script,
) -> Option<Substitution> {
    let mut result = Substitution { text: String::new(), replaced: Vec::new(), start: range.start };
    let mut at = range.start;
    for place in places {
        let Some((old, value)) = replacement(place, range.start, script) else { continue };
        result.text.push_str(&text[at..old.start]);
        let start = result.text.len();
        result.text.push_str(&value);
        result.replaced.push((start..result.text.len(), old.clone()));
        at = old.end;
    }
    result.text.push_str(&text[at..range.end]);
    (!result.replaced.is_empty()).then_some(result)
}

fn replacement(place: &Found, base: usize, script: &mut Script) -> Option<(Range<usize>, String)> {
    let shifted = |range: &Range<usize>| base + range.start..base + range.end;
    let (name, form, range, in_brackets) = match place {
        Found::Command(range) | Found::Escape(range) => {
            return Some((shifted(range), String::new()));
        }
        Found::Variable { name, form, range, in_brackets } => {
            (name, form, shifted(range), in_brackets)
        }
    };
    let given = script.given.get(name).filter(|_| !script.variables.contains_key(name));
    let Some(value) = script.variables.get(name).or(given) else {
        if *form != Form::Raw && !in_brackets {
            script.problems.push(Problem::UnsetVariable { name: name.clone(), range });
        }
        return None;
    };
    let written = match form {
        Form::Raw if given.is_some() => write_given(name, value),
        Form::Raw => is_self_contained(value).then(|| value.clone()),
        Form::Literal => crate::name::quote_literal(value).ok(),
        Form::Identifier => Some(crate::name::quote_ident(value)),
    };
    if written.is_none() {
        let problem = Problem::UnsafeVariable { name: name.clone(), range: range.clone() };
        script.problems.push(problem);
    }
    Some((range, written?))
}

/// A value that is not trusted, as one token; `None` when no quoting can carry it.
fn write_given(name: &str, value: &str) -> Option<String> {
    if IDENTIFIERS.contains(&name) {
        return Some(crate::name::quote_ident(value));
    }
    let digits = value.strip_prefix('-').unwrap_or(value);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    match (is_number, value.len() == digits.len()) {
        (true, true) => Some(value.to_owned()),
        // A minus may be taken for half of a comment.
        (true, false) => Some(format!("({value})")),
        (false, _) => crate::name::quote_literal(value).ok(),
    }
}

/// Whether a value neither ends a statement nor leaves anything open behind it.
fn is_self_contained(value: &str) -> bool {
    let mut pieces = split(value).into_iter();
    let harmless = pieces.all(|piece| match piece.kind {
        PieceKind::Trivia => true,
        PieceKind::Statement => !value[piece.range].ends_with(';'),
        PieceKind::Meta | PieceKind::CopyData | PieceKind::Unterminated(_) => false,
    });
    let last = Lexer::new(value).last().map(|token| token.kind);
    harmless && !value.contains(';') && last != Some(TokenKind::LineComment)
}
