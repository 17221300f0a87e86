//! `pgfleet completions`

use clap::{Args, Command};
use clap_complete::Shell;

use super::outcome::{CommandError, CommandResult};

/// Print completions for a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  pgfleet completions bash > /etc/bash_completion.d/pgfleet")]
pub struct Completions {
    /// bash, elvish, fish, powershell or zsh
    shell: Shell,
}

impl Completions {
    pub fn run(self, command: &mut Command) -> Result<CommandResult, CommandError> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, command, "pgfleet", &mut text);
        Ok(CommandResult::text(String::from_utf8_lossy(&text)))
    }
}
