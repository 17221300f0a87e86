//! What the binary is made of, as far as it can be tested without a process.

pub mod render;
