//! The logs of commands that are no runs of migrations: what was found or done stays under
//! `.pgfleet/runs/`, failures included.

use std::path::PathBuf;

use pgfleet_core::diagnose::ExitCode;
use pgfleet_core::report::{CommandReport, ReportTable};
use pgfleet_engine::fleet::Begun;
use pgfleet_engine::project::Project;
use pgfleet_engine::report::{command_folder, write_command};

use super::Command;
use super::context::Context;
use super::outcome::{CommandError, CommandResult, exit_of};
use super::written::report_unwritten;

/// The folder of all logs, below the project's.
const RUNS: &str = ".pgfleet/runs";

/// A command's name in its log; none for commands that keep none, because they write reports of
/// their own (migrations, rollouts) or look at nothing that passes.
pub(super) fn name_of(command: &Command) -> Option<&'static str> {
    match command {
        Command::Audit(command) => command.looks().then_some("audit"),
        Command::Backup(command) => command.log_name(),
        Command::Restore(_) => Some("restore"),
        Command::Clean(_) => Some("clean"),
        Command::Maintain(_) => Some("maintain"),
        Command::Monitor(_) => Some("monitor"),
        Command::Split(command) => command.log_name(),
        Command::Integrity(_) => Some("integrity"),
        Command::Tenant(command) => command.log_name(),
        _ => None,
    }
}

/// Keeps what a command gave. Where it was not understood (a flag, the configuration), there is
/// nothing to keep.
pub(super) fn keep(
    context: &Context,
    command: &str,
    result: &mut Result<CommandResult, CommandError>,
) {
    let Ok(project) = context.project() else { return };
    let Some(report) = report(command, &context.begun, result) else { return };
    let runs = project.root.join(RUNS);
    let written = write_command(&runs, &report, project.settings.apply.keep_runs);
    let Err(error) = written else { return };
    match result {
        Ok(result) => result.problems.push(report_unwritten(&error)),
        Err(found) => found.problems.push(report_unwritten(&error)),
    }
}

/// Where a further file of a command's log will be.
pub(super) fn place_of(context: &Context, project: &Project, command: &str, file: &str) -> PathBuf {
    project.root.join(RUNS).join(command_folder(&context.begun.run_id, command)).join(file)
}

fn report(
    command: &str,
    begun: &Begun,
    result: &Result<CommandResult, CommandError>,
) -> Option<CommandReport> {
    let (exit, problems) = match result {
        Ok(result) if result.reported => return None,
        Ok(result) => (result.exit.unwrap_or(ExitCode::Done), &result.problems),
        Err(error) => (exit_of(&error.problems), &error.problems),
    };
    if exit == ExitCode::Usage {
        return None;
    }
    let done = result.as_ref().ok();
    let targets = done.iter().flat_map(|result| &result.targets);
    Some(CommandReport {
        version: 1,
        run_id: begun.run_id.clone(),
        command: command.to_owned(),
        started_at: begun.started_at.clone(),
        elapsed_ms: begun.elapsed_ms(),
        exit: exit as u8,
        targets: targets.filter_map(|entry| serde_json::to_value(entry).ok()).collect(),
        problems: problems.clone(),
        text: done.map(|result| plain(&result.text)).unwrap_or_default(),
        tables: done.map(tables).unwrap_or_default(),
        files: done.map(|result| result.files.clone()).unwrap_or_default(),
    })
}

/// Those of the command; of many targets, what became of each.
fn tables(result: &CommandResult) -> Vec<ReportTable> {
    let Some(fleet) = &result.fleet else { return result.tables.clone() };
    let mut table = ReportTable::new("Targets", &["target", "group", "server", "verdict"]);
    for target in &fleet.targets {
        let cells = [&target.target, &target.group, &target.server, &target.headline];
        table.row(Some(target.ok), cells.map(Clone::clone));
    }
    vec![table]
}

/// Without the colours of a terminal.
fn plain(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.split_once('m').map_or(part, |(_, rest)| rest));
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn colours_are_left_out() {
        assert_eq!(plain("\x1b[1;32mok\x1b[0m: 3 m\n"), "ok: 3 m\n");
    }
}
