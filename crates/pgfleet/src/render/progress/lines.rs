//! Events for people, one line each.

use std::io::Write;

use pgfleet_core::diagnose::Problem;
use pgfleet_core::report::{Event, Progress};

use super::Show;
use super::fleet::FleetPace;
use crate::render::problem;
use crate::render::style::{Role, Style};
use crate::render::text::{clean_line, counted, duration, grouped, size};

/// A migration that took longer than this is named although nobody asked, in milliseconds.
const SLOW_MS: f64 = 1000.0;

/// Writes what is worth knowing as it comes.
pub(super) struct Lines<W> {
    out: W,
    words: Words,
    fleet: FleetPace,
}

impl<W: Write> Lines<W> {
    pub(super) fn new(out: W, style: Style, verbose: bool) -> Self {
        Self { out, words: Words::new(style, verbose), fleet: FleetPace::new(style) }
    }
}

impl<W: Write + Send> Show for Lines<W> {
    fn show(&mut self, event: &Event) {
        let mut text = match event {
            Event::StatementProgress(progress) => self.words.progress_step(progress),
            _ => self.words.of(event),
        };
        if let Some(line) = self.fleet.tell(event) {
            text = Some(text.unwrap_or_default() + &line);
        }
        if let Some(text) = text {
            // A closed standard error must not stop a run.
            let _ = self.out.write_all(text.as_bytes());
        }
    }

    fn finish(&mut self) {
        let _ = self.out.flush();
    }
}

/// Turns events into text; remembers how far the run is.
pub(super) struct Words {
    style: Style,
    verbose: bool,
    total: usize,
    position: usize,
    /// The phase and the tenth of it that was last reported.
    reported: Option<(String, u64)>,
}

impl Words {
    pub(super) fn new(style: Style, verbose: bool) -> Self {
        Self { style, verbose, total: 0, position: 0, reported: None }
    }

    /// The text of an event, with a line feed; none when it is not worth a line.
    pub(super) fn of(&mut self, event: &Event) -> Option<String> {
        match event {
            Event::RunStarted { target, migrations, command, .. } => {
                self.total = *migrations;
                self.verbose.then(|| self.started(command, target))
            }
            Event::MigrationStarted { position, .. } => {
                self.position = *position;
                None
            }
            Event::MigrationDone { migration, elapsed_ms, statements } => (self.verbose
                || *elapsed_ms >= SLOW_MS)
                .then(|| self.done(migration, *elapsed_ms, *statements)),
            Event::MigrationFailed { migration, problem } => Some(self.failed(migration, problem)),
            Event::Warned { problem } => Some(self.problem(problem)),
            Event::LockWaiting { lock, holders, waited_ms } => {
                Some(self.waiting(lock, holders, *waited_ms))
            }
            Event::Retrying { migration, attempt, pause_ms, reason, blockers } => {
                let head = format!(
                    "{}: {}; attempt {attempt} in {}",
                    clean_line(migration),
                    clean_line(reason),
                    duration(*pause_ms as f64)
                );
                Some(self.with_list("retry", &head, "blocked by", blockers))
            }
            Event::Notice { severity, message, .. } => self.notice(severity, message),
            Event::PhaseStarted { phase } => Some(format!("{}\n", clean_line(phase))),
            Event::RowsMoved { table, rows, bytes, elapsed_ms } => (self.verbose
                || *elapsed_ms >= SLOW_MS)
                .then(|| self.moved(table, *rows, *bytes, *elapsed_ms)),
            Event::OfTarget { target, of } if self.verbose => self.of_target(target, of),
            Event::FleetStarted { .. }
            | Event::StageStarted { .. }
            | Event::TargetStarted { .. }
            | Event::TargetFinished { .. }
            | Event::OfTarget { .. }
            | Event::StatementProgress(_)
            | Event::RunFinished { .. } => None,
        }
    }

    /// What happened in one target of many, when everything is to be told.
    fn of_target(&mut self, target: &str, of: &Event) -> Option<String> {
        let text = match of {
            Event::StatementProgress(progress) => self.progress_step(progress),
            Event::RunStarted { .. } => None,
            _ => self.of(of),
        };
        text.map(|text| format!("{}: {text}", clean_line(target)))
    }

    fn moved(&self, table: &str, rows: u64, bytes: u64, elapsed_ms: f64) -> String {
        let rows = counted(usize::try_from(rows).unwrap_or(usize::MAX), "row");
        let (size, time) = (size(bytes), duration(elapsed_ms));
        format!("  {}: {rows}, {size} in {time}\n", clean_line(table))
    }

    fn started(&self, command: &str, target: &str) -> String {
        let (command, target) = (clean_line(command), clean_line(target));
        format!("{command} on {target}: {}\n", counted(self.total, "migration"))
    }

    fn done(&self, migration: &str, elapsed_ms: f64, statements: usize) -> String {
        let glyph = self.style.paint(Role::Good, self.style.glyph("✔", "ok"));
        format!(
            "{glyph} [{}/{}] {} ({}, {})\n",
            self.position,
            self.total,
            clean_line(migration),
            duration(elapsed_ms),
            counted(statements, "statement")
        )
    }

    /// The problem itself is shown whole at the end of the run.
    fn failed(&self, migration: &str, problem: &Problem) -> String {
        let glyph = self.style.paint(Role::Bad, self.style.glyph("✘", "failed"));
        let named = format!("{migration}: ");
        let what = problem.what.strip_prefix(&named).unwrap_or(&problem.what);
        format!(
            "{glyph} [{}/{}] {}: {}\n",
            self.position,
            self.total,
            clean_line(migration),
            clean_line(what)
        )
    }

    fn problem(&self, what: &Problem) -> String {
        let mut text = String::new();
        problem::problem(&mut text, &self.style, what);
        text
    }

    fn waiting(&self, lock: &str, holders: &[String], waited_ms: u64) -> String {
        let waited = duration(waited_ms as f64);
        let head = format!("for {} since {waited}", clean_line(lock));
        self.with_list("waiting", &head, "held by", holders)
    }

    fn with_list(&self, word: &str, head: &str, label: &str, list: &[String]) -> String {
        let mut text = format!("{} {head}\n", self.style.paint(Role::Doubtful, word));
        for one in list {
            text.push_str(&format!("    {label} {}\n", clean_line(one)));
        }
        text
    }

    /// `NOTICE` says what went as asked (`… already exists, skipping`), so it is for `--verbose`.
    fn notice(&self, severity: &str, message: &str) -> Option<String> {
        let role = if severity == "WARNING" { Role::Doubtful } else { Role::Faint };
        let word = self.style.paint(role, &clean_line(&severity.to_lowercase()));
        (self.verbose || severity == "WARNING").then(|| format!("{word} {}\n", clean_line(message)))
    }

    /// A line per phase and per tenth of it, so that a log does not fill up.
    pub(super) fn progress_step(&mut self, progress: &Progress) -> Option<String> {
        let step = (progress.phase.clone(), percent(progress).unwrap_or(0) / 10);
        if self.reported.as_ref() == Some(&step) {
            return None;
        }
        self.reported = Some(step);
        Some(format!("{}: {}\n", clean_line(&progress.migration), progress_words(progress)))
    }
}

/// Whole percents; none when the server does not know how much there is.
fn percent(progress: &Progress) -> Option<u64> {
    let (done, total) = (u128::from(progress.done), u128::from(progress.total));
    (total > 0).then(|| u64::try_from(done.min(total) * 100 / total).unwrap_or(100))
}

/// `CREATE INDEX CONCURRENTLY: building index: scanning table 42%`
pub(super) fn progress_words(progress: &Progress) -> String {
    let how_far = match percent(progress) {
        Some(percent) => format!(" {percent}%"),
        None if progress.done == 0 => String::new(),
        None => {
            usize::try_from(progress.done).map(|n| format!(" {}", grouped(n))).unwrap_or_default()
        }
    };
    format!("{}: {}{how_far}", clean_line(&progress.command), clean_line(&progress.phase))
}
