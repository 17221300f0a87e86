//! `pgfleet explain`

use clap::Args;
use pgfleet_core::diagnose::{Code, Problem};

use super::outcome::{CommandError, CommandResult};

/// Explain an error code
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pgfleet explain PF301
  pgfleet explain             every code")]
pub struct Explain {
    /// The code, as in `error[PF301]`
    code: Option<String>,
}

impl Explain {
    pub fn run(self) -> Result<CommandResult, CommandError> {
        let Some(text) = self.code else {
            let lines = Code::ALL.iter().map(|code| format!("{}  {}\n", code.id(), code.title()));
            return Ok(CommandResult::text(lines.collect::<String>()));
        };
        match Code::parse(&text) {
            Some(code) => Ok(CommandResult::text(code.page())),
            None => Err(Problem::error(Code::Usage, format!("no error has the code {text:?}"))
                .fix_with("See every code.", "pgfleet explain")
                .into()),
        }
    }
}
