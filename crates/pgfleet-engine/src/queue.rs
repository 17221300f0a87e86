//! Work that is shared out: whoever is free takes the next piece.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Pieces that nobody took yet, the first to be taken first.
#[derive(Debug)]
pub(crate) struct Queue<T>(Mutex<VecDeque<T>>);

impl<T> FromIterator<T> for Queue<T> {
    fn from_iter<I: IntoIterator<Item = T>>(pieces: I) -> Self {
        Self(Mutex::new(pieces.into_iter().collect()))
    }
}

impl<T> Queue<T> {
    /// The next piece; none when all are taken.
    pub(crate) fn take(&self) -> Option<T> {
        self.pieces().pop_front()
    }

    /// The next piece that is wanted; those before it are left out.
    pub(crate) fn take_first(&self, is_wanted: impl Fn(&T) -> bool) -> Option<T> {
        let mut pieces = self.pieces();
        std::iter::from_fn(|| pieces.pop_front()).find(is_wanted)
    }

    /// Nobody gets another piece.
    pub(crate) fn clear(&self) {
        self.pieces().clear();
    }

    /// How many pieces nobody took yet.
    pub(crate) fn len(&self) -> usize {
        self.pieces().len()
    }

    /// A worker that panicked left the pieces whole.
    fn pieces(&self) -> MutexGuard<'_, VecDeque<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
