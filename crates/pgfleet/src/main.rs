//! The pgfleet binary: reads the command line, calls the engine, shows the result.

mod cli;
mod render;

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(cli::run())
}
