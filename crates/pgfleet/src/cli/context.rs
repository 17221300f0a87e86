//! What surrounds a command: flags, working directory, environment, terminals.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use pgfleet_core::diagnose::Problem;
use pgfleet_core::fleet::shell_word;
use pgfleet_engine::execute::StopSignal;
use pgfleet_engine::fleet::Begun;
use pgfleet_engine::project::{Folder, Project, load, without_file};
use tokio::sync::watch;

use super::global::{Global, Output};
use super::outcome::CommandError;
use crate::render::{Progress, ProgressMode, Stream, Style};

/// What surrounds a command.
pub struct Context {
    /// Flags, as typed.
    pub global: Global,
    /// Where the user stands.
    pub working_directory: PathBuf,
    /// The process's environment; variables that are not Unicode are left out.
    pub environment: BTreeMap<String, String>,
    /// When the command began, and the name of its log.
    pub begun: Begun,
    /// How standard output is written to.
    pub out: Style,
    /// How standard error is written to.
    pub err: Style,
    stop: OnceCell<StopSignal>,
}

impl Context {
    /// Looks around.
    pub fn new(global: Global) -> Self {
        let unicode = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self {
            out: Style::detect(Stream::Out, global.no_color),
            err: Style::detect(Stream::Err, global.no_color),
            working_directory: std::env::current_dir().unwrap_or_default(),
            environment: std::env::vars_os().filter_map(unicode).collect(),
            begun: Begun::now(),
            global,
            stop: OnceCell::new(),
        }
    }

    /// Reads configuration and `.env`.
    pub fn project(&self) -> Result<Project, Box<Problem>> {
        let config = self.global.config.as_deref();
        load(&self.working_directory, config, &self.environment, &self.global.flags())
    }

    /// The surroundings without any configuration file.
    pub fn project_without_file(&self) -> Result<Project, Box<Problem>> {
        without_file(&self.working_directory, &self.environment, &self.global.flags())
    }

    /// A path as the shell takes it where the user stands.
    pub fn shell_path(&self, path: &Path) -> String {
        let near = path.strip_prefix(&self.working_directory).unwrap_or(path);
        shell_word(&near.display().to_string())
    }

    /// Shows a run's events on standard error.
    pub fn progress(&self) -> Progress {
        let terminal = std::io::stderr().is_terminal();
        let json = self.global.output == Output::Json;
        let mode = ProgressMode::choose(terminal, self.global.quiet, self.global.verbose, json);
        Progress::start(mode, self.err)
    }

    /// Becomes true with the first Ctrl-C; the second ends the process at once.
    pub fn stop_signal(&self) -> StopSignal {
        self.stop.get_or_init(watch_for_interrupts).clone()
    }
}

fn watch_for_interrupts() -> StopSignal {
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            sender.send_replace(true);
        }
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(130);
        }
    });
    receiver
}

/// The folder, when nothing in it forbids going on; its errors otherwise.
pub fn usable_folder(project: &Project) -> Result<Folder, CommandError> {
    let folder = project.open_folder()?;
    refuse_errors(&folder)?;
    Ok(folder)
}

/// Errors in a folder forbid going on.
pub fn refuse_errors(folder: &Folder) -> Result<(), CommandError> {
    let errors: Vec<_> = folder.set.problems.iter().filter(|p| p.is_error()).cloned().collect();
    if errors.is_empty() { Ok(()) } else { Err(CommandError { problems: errors }) }
}
