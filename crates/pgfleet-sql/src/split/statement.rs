//! The state of one statement while it is being read: may a semicolon end it?
//!
//! Invariant: a semicolon ends a statement unless it is inside parentheses (`CREATE RULE … DO
//! (a; b)`) or inside the `BEGIN ATOMIC … END` of a `CREATE FUNCTION` or `CREATE PROCEDURE`.

use super::{Construct, Unterminated};
use crate::lex::{Token, TokenKind};

/// What the statement's first words have made of it so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Head {
    Start,
    Create,
    CreateOr,
    CreateOrReplace,
    Routine,
    /// `BEGIN` was read in a routine; `ATOMIC` makes it a body.
    RoutineBegin(usize),
    Copy,
    CopyFrom,
    CopyIn,
    Other,
}

/// A statement that has begun.
#[derive(Debug)]
pub(super) struct Open {
    start: usize,
    end: usize,
    head: Head,
    parentheses: Vec<usize>,
    blocks: Vec<usize>,
    /// The last token makes a keyword an ordinary name: `AS` or a dot.
    name_follows: bool,
}

impl Open {
    pub(super) fn new(start: usize) -> Self {
        Self {
            start,
            end: start,
            head: Head::Start,
            parentheses: Vec::new(),
            blocks: Vec::new(),
            name_follows: false,
        }
    }

    pub(super) fn start(&self) -> usize {
        self.start
    }

    /// The end of the last token that is not trivia.
    pub(super) fn end(&self) -> usize {
        self.end
    }

    pub(super) fn is_nested(&self) -> bool {
        !self.parentheses.is_empty() || !self.blocks.is_empty()
    }

    pub(super) fn is_copy_in(&self) -> bool {
        self.head == Head::CopyIn
    }

    /// Includes text that is not SQL.
    pub(super) fn pass(&mut self, end: usize) {
        self.end = end;
    }

    pub(super) fn take(&mut self, text: &str, token: Token) {
        self.end = token.end;
        match token.kind {
            TokenKind::Word => return self.take_word(&text[token.start..token.end], token.start),
            TokenKind::Symbol(b'(') => self.parentheses.push(token.start),
            TokenKind::Symbol(b')') => drop(self.parentheses.pop()),
            _ => {}
        }
        self.name_follows = token.kind == TokenKind::Symbol(b'.');
        self.head = match self.head {
            Head::RoutineBegin(_) => Head::Routine,
            Head::CopyFrom => Head::Copy,
            Head::Start if token.kind != TokenKind::Symbol(b'(') => Head::Other,
            head => head,
        };
    }

    fn take_word(&mut self, word: &str, at: usize) {
        if !self.blocks.is_empty() {
            self.take_body_word(word, at);
        } else if self.head != Head::Other && self.parentheses.is_empty() {
            self.take_head_word(word, at);
        }
        self.name_follows = word.eq_ignore_ascii_case("as");
    }

    fn take_body_word(&mut self, word: &str, at: usize) {
        if self.name_follows {
            return;
        }
        if word.eq_ignore_ascii_case("case") {
            self.blocks.push(at);
        } else if word.eq_ignore_ascii_case("end") {
            self.blocks.pop();
        }
    }

    fn take_head_word(&mut self, word: &str, at: usize) {
        let is = |keyword: &str| word.eq_ignore_ascii_case(keyword);
        self.head = match self.head {
            Head::Start if is("create") => Head::Create,
            Head::Start if is("copy") => Head::Copy,
            Head::Create if is("or") => Head::CreateOr,
            Head::CreateOr if is("replace") => Head::CreateOrReplace,
            Head::Create | Head::CreateOrReplace if is("function") || is("procedure") => {
                Head::Routine
            }
            Head::Routine if is("begin") && !self.name_follows => Head::RoutineBegin(at),
            Head::RoutineBegin(begin) if is("atomic") => {
                self.blocks.push(begin);
                Head::Routine
            }
            Head::Routine | Head::RoutineBegin(_) => Head::Routine,
            // The grammar takes STDOUT for STDIN here (copy_file_name in gram.y).
            Head::CopyFrom if is("stdin") || is("stdout") => Head::CopyIn,
            Head::Copy | Head::CopyFrom if is("from") => Head::CopyFrom,
            Head::CopyFrom => Head::Copy,
            head @ (Head::Copy | Head::CopyIn) => head,
            _ => Head::Other,
        };
    }

    /// What is still open, the outermost.
    pub(super) fn unclosed(&self) -> Option<Unterminated> {
        let parenthesis = self.parentheses.first().map(|at| (Construct::Parenthesis, *at));
        let block = self.blocks.first().map(|at| (Construct::AtomicBody, *at));
        let outermost = [parenthesis, block].into_iter().flatten().min_by_key(|(_, at)| *at)?;
        Some(Unterminated { construct: outermost.0, opened_at: outermost.1 })
    }
}
