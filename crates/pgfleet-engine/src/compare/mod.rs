//! Compares schemas, wherever they come from, and proves what turns one into the other.

mod script;

pub use script::{PREAMBLE, ScriptError, run_script, transactions};
