//! What is shown while a run goes on: a bar on terminals, lines elsewhere, JSON for scripts.
//!
//! Invariant: taking an event never blocks. Events go through a channel to a thread that alone
//! writes to standard error; dropping the [`Progress`] waits until everything is written.

mod bar;
mod events;
mod fleet;
mod lines;

use std::io::Write;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use pgfleet_core::report::Event;
use pgfleet_engine::execute::EventSink;

use super::style::Style;

/// How often a bar moves while nothing is reported.
const TICK: Duration = Duration::from_millis(120);

/// What is shown of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgressMode {
    /// Nothing.
    Quiet,
    /// A line per thing worth knowing; with `verbose`, one per migration too.
    Lines {
        /// Also what goes as it should.
        verbose: bool,
    },
    /// A bar at the bottom of a terminal, and lines above it for what is worth knowing.
    Bar {
        /// A line per migration too.
        verbose: bool,
    },
    /// One JSON object `{"event":…}` per line.
    Json,
}

/// Takes the events of a run and shows them on standard error.
#[derive(Debug)]
pub struct Progress {
    sender: Option<Sender<Event>>,
    thread: Option<JoinHandle<()>>,
}

/// Shows events, on a thread of its own.
trait Show: Send {
    fn show(&mut self, event: &Event);
    /// Called again and again while nothing happens.
    fn tick(&mut self) {}
    /// Called once, after the last event.
    fn finish(&mut self) {}
}

impl ProgressMode {
    /// The mode that suits a stream: `terminal` says whether standard error is one.
    pub fn choose(terminal: bool, quiet: bool, verbose: bool, json: bool) -> Self {
        match (json, quiet, terminal) {
            (true, _, _) => Self::Json,
            (_, true, _) => Self::Quiet,
            (_, _, true) => Self::Bar { verbose },
            _ => Self::Lines { verbose },
        }
    }
}

impl Progress {
    /// Begins to show a run on standard error.
    pub fn start(mode: ProgressMode, style: Style) -> Self {
        match mode {
            ProgressMode::Quiet => Self { sender: None, thread: None },
            ProgressMode::Lines { verbose } => {
                Self::spawn(move || Box::new(lines::Lines::new(std::io::stderr(), style, verbose)))
            }
            ProgressMode::Bar { verbose } => {
                Self::spawn(move || Box::new(bar::Bar::new(style, verbose)))
            }
            ProgressMode::Json => Self::json(std::io::stderr()),
        }
    }

    /// Writes every event as a line of JSON.
    pub fn json(out: impl Write + Send + 'static) -> Self {
        Self::spawn(move || Box::new(events::JsonLines::new(out)))
    }

    /// Writes lines for people, to where a test can read them.
    #[cfg(test)]
    pub fn lines(out: impl Write + Send + 'static, style: Style, verbose: bool) -> Self {
        Self::spawn(move || Box::new(lines::Lines::new(out, style, verbose)))
    }

    /// Waits until everything is written; the same as dropping it.
    pub fn finish(self) {
        drop(self);
    }

    fn spawn(make: impl FnOnce() -> Box<dyn Show> + Send + 'static) -> Self {
        let (sender, receiver) = channel();
        let thread = std::thread::Builder::new()
            .name("progress".to_owned())
            .spawn(move || follow(&receiver, make()))
            .ok();
        Self { sender: thread.is_some().then_some(sender), thread }
    }
}

impl EventSink for Progress {
    fn send(&self, event: Event) {
        if let Some(sender) = &self.sender {
            // The receiver lives as long as the thread; when that is gone there is nobody to tell.
            let _ = sender.send(event);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn follow(events: &Receiver<Event>, mut show: Box<dyn Show>) {
    loop {
        match events.recv_timeout(TICK) {
            Ok(event) => show.show(&event),
            Err(RecvTimeoutError::Timeout) => show.tick(),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    show.finish();
}
