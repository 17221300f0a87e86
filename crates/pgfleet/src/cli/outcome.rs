//! What commands give back, and how it is shown: result to standard output, problems to standard
//! error, and the exit code.

use std::io::{IsTerminal, Write};

use pgfleet_core::diagnose::{ExitCode, Problem};
use pgfleet_core::history::MigrationStatus;
use pgfleet_core::report::{FleetReport, ReportTable, RunReport};
use pgfleet_core::verify::CheckResult;
use pgfleet_engine::conduct::ChangeError;

use super::context::Context;
use super::global::Output;
use crate::render::{self, Envelope, TargetEntry};

/// What a command found or did.
#[derive(Debug, Default)]
pub struct CommandResult {
    /// For people.
    pub text: String,
    /// In a few words, for one target of many.
    pub headline: String,
    /// What is behind it, one thing a line, for one target of many.
    pub details: Vec<String>,
    /// Of the target's schema or plan, where the command is about that: equal for targets that are alike.
    pub fingerprint: Option<String>,
    /// Each migration's verdict, where the command is about that.
    pub statuses: Vec<MigrationStatus>,
    /// For scripts.
    pub targets: Vec<TargetEntry>,
    /// Warnings and errors along the way; they decide nothing about the exit code.
    pub problems: Vec<Problem>,
    /// What was looked for and found. For people it is part of the text, in JSON of a target; in
    /// the other forms it stands beside the problems.
    pub findings: Vec<Problem>,
    /// How the process ends; none is [`ExitCode::Done`].
    pub exit: Option<ExitCode>,
    /// Verdicts, for JUnit.
    pub checks: Vec<CheckResult>,
    /// The run, for JUnit.
    pub run: Option<RunReport>,
    /// What became of many targets, for JUnit.
    pub fleet: Option<FleetReport>,
    /// For the page of the command's log.
    pub tables: Vec<ReportTable>,
    /// Further files of the command's log: name and text.
    pub files: Vec<(&'static str, String)>,
    /// Its report is on disk already.
    pub reported: bool,
}

/// Why a command did nothing.
#[derive(Debug)]
pub struct CommandError {
    /// Everything that stands in the way, at least one.
    pub problems: Vec<Problem>,
}

impl From<Problem> for CommandError {
    fn from(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }
}

impl From<Box<Problem>> for CommandError {
    fn from(problem: Box<Problem>) -> Self {
        (*problem).into()
    }
}

impl From<Vec<Problem>> for CommandError {
    fn from(problems: Vec<Problem>) -> Self {
        Self { problems }
    }
}

impl From<ChangeError> for CommandError {
    fn from(error: ChangeError) -> Self {
        Self { problems: error.problems }
    }
}

impl CommandResult {
    /// A result that is only for people.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}

/// Shows a result and gives the exit code.
pub fn show(context: &Context, command: &str, result: Result<CommandResult, CommandError>) -> u8 {
    let (result, exit) = match result {
        Ok(result) => {
            let exit = result.exit.unwrap_or(ExitCode::Done);
            (result, exit)
        }
        Err(error) => {
            let exit = exit_of(&error.problems);
            (CommandResult { problems: error.problems, ..CommandResult::default() }, exit)
        }
    };
    let written = match context.global.output {
        Output::Human => human(context, &result),
        Output::Json => json(command, &result),
        Output::Junit => print(&junit(command, &result)),
        Output::Sarif => print(&pgfleet_core::report::sarif(&everything(&result))),
        Output::Github => print(&pgfleet_core::report::github_annotations(&everything(&result))),
    };
    // A reader that went away (`| head`) is no failure of the command.
    let _ = written;
    exit as u8
}

/// Shows one of many looks. A terminal is cleared first, so that figures stay in their places.
pub fn show_look(context: &Context, command: &str, result: CommandResult) {
    if context.global.output == Output::Human && std::io::stdout().is_terminal() {
        // A terminal that went away ends the process by its own signal.
        let _ = print("\x1b[H\x1b[2J");
    }
    let _ = show(context, command, Ok(result));
}

/// The exit code of the first error; errors of a kind come together.
pub fn exit_of(problems: &[Problem]) -> ExitCode {
    problems.iter().find(|problem| problem.is_error()).map_or(ExitCode::Bug, |p| p.code.exit())
}

fn human(context: &Context, result: &CommandResult) -> std::io::Result<()> {
    print(&result.text)?;
    let shown = |problem: &&Problem| problem.is_error() || !context.global.quiet;
    let problems: Vec<_> = result.problems.iter().filter(shown).cloned().collect();
    let chosen = context.global.chosen_by();
    let problems = render::merged(problems, result.fleet.as_ref(), &chosen);
    let mut text = String::new();
    render::problems(&mut text, &context.err, &problems);
    std::io::stderr().write_all(text.as_bytes())
}

fn json(command: &str, result: &CommandResult) -> std::io::Result<()> {
    let mut envelope = Envelope::new(command).errors(result.problems.iter().cloned());
    for target in &result.targets {
        envelope = envelope.target(target.clone());
    }
    print(&envelope.to_text().map_err(std::io::Error::other)?)
}

fn junit(command: &str, result: &CommandResult) -> String {
    if let Some(fleet) = &result.fleet {
        return pgfleet_core::report::fleet_junit(fleet);
    }
    let found = everything(result);
    match &result.run {
        Some(run) => pgfleet_core::report::run_junit(run),
        None if result.checks.is_empty() && !found.is_empty() => {
            pgfleet_core::report::problem_junit(command, &found)
        }
        None => pgfleet_core::report::check_junit(command, &result.checks),
    }
}

/// The errors along the way first, then what was found.
fn everything(result: &CommandResult) -> Vec<Problem> {
    result.problems.iter().chain(&result.findings).cloned().collect()
}

fn print(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

impl From<serde_json::Error> for CommandError {
    fn from(error: serde_json::Error) -> Self {
        Problem::error(pgfleet_core::diagnose::Code::Bug, "a result could not be written as JSON")
            .because(error.to_string())
            .into()
    }
}
