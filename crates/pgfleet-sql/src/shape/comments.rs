//! The comments of a text.

use std::ops::Range;

use crate::lex::{Lexer, TokenKind};

/// A comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Where it stands, its marks included.
    pub range: Range<usize>,
    /// What it says, without `--`, `/*` and `*/`, trimmed.
    pub text: String,
}

/// All comments of a text, in order.
#[must_use]
pub fn comments(text: &str) -> Vec<Comment> {
    let is_comment = |kind| matches!(kind, TokenKind::LineComment | TokenKind::BlockComment);
    let found = Lexer::new(text).filter(|token| is_comment(token.kind));
    found
        .map(|token| Comment {
            range: token.start..token.end,
            text: inside(&text[token.start..token.end]).trim().to_owned(),
        })
        .collect()
}

fn inside(comment: &str) -> &str {
    if let Some(line) = comment.strip_prefix("--") {
        return line.trim_start_matches('-');
    }
    let block = comment.strip_prefix("/*").unwrap_or(comment);
    block.strip_suffix("*/").unwrap_or(block)
}
