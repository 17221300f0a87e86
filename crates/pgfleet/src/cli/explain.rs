//! `pgfleet explain`

use clap::Args;
use pgfleet_core::diagnose::{Code, Problem, closest_name};
use pgfleet_core::lint::Rule;

use super::outcome::{CommandError, CommandResult};

/// Explain an error code or a lint rule
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pgfleet explain PF301
  pgfleet explain ban-drop-column
  pgfleet explain             every code")]
pub struct Explain {
    /// The code or rule, as in `error[PF301]`
    code: Option<String>,
}

impl Explain {
    pub fn run(self) -> Result<CommandResult, CommandError> {
        let Some(text) = self.code else {
            let lines = Code::ALL.iter().map(|code| format!("{}  {}\n", code.id(), code.title()));
            return Ok(CommandResult::text(lines.collect::<String>()));
        };
        if let Some(code) = Code::parse(&text) {
            return Ok(CommandResult::text(code.page()));
        }
        match Rule::named(&text) {
            Some(rule) => Ok(CommandResult::text(rule.page)),
            None => Err(unknown(&text).into()),
        }
    }
}

fn unknown(text: &str) -> Problem {
    let what = format!("no error has the code {text:?}, and no lint rule is called so");
    let problem = Problem::error(Code::Usage, what);
    let problem = match closest_name(text, Rule::all().iter().map(|rule| rule.name)) {
        Some(near) => problem.detail(format!("did you mean {near}?")),
        None => problem,
    };
    problem
        .fix_with("See every code.", "pgfleet explain")
        .fix_with("See every rule.", "pgfleet lint --rules")
}
