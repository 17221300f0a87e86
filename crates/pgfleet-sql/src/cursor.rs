//! Walks a statement's tokens.
//!
//! Invariant: stub.

use crate::name::QualifiedName;

pub(crate) struct Cursor<'text> {
    text: &'text str,
}

impl<'text> Cursor<'text> {
    pub(crate) fn new(text: &'text str) -> Self {
        Self { text }
    }
    pub(crate) fn qualified(&mut self) -> Option<QualifiedName> {
        let _ = self.text;
        None
    }
    pub(crate) fn at_end(&self) -> bool {
        true
    }
}
