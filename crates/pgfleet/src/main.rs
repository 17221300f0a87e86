//! The pgfleet binary.

fn main() {}
