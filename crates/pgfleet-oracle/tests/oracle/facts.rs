//! Facts and syntax.
