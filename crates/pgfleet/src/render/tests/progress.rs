use std::io::Write;
use std::sync::{Arc, Mutex};

use insta::assert_snapshot;
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::report::{Event, Progress as Step};
use pgfleet_engine::execute::EventSink;

use super::both;
use crate::render::{Progress, ProgressMode, Style};

/// A stream that can be read afterwards.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Sink {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn step(done: u64) -> Event {
    Event::StatementProgress(Step {
        migration: "002_index".into(),
        command: "CREATE INDEX".into(),
        phase: "building index: scanning table".into(),
        done,
        total: 1000,
    })
}

fn events() -> Vec<Event> {
    let done = |migration: &str, elapsed_ms| Event::MigrationDone {
        migration: migration.into(),
        elapsed_ms,
        statements: 2,
    };
    let begin = |migration: &str, position| Event::MigrationStarted {
        migration: migration.into(),
        position,
        statements: 2,
    };
    vec![
        Event::RunStarted {
            run_id: "r".into(),
            target: "local".into(),
            command: "apply".into(),
            migrations: 3,
        },
        Event::LockWaiting {
            lock: "the migration lock".into(),
            holders: vec!["pid 4711, user app".into()],
            waited_ms: 2000,
        },
        begin("001_init", 1),
        done("001_init", 12.3),
        begin("002_index", 2),
        step(10),
        step(20),
        step(510),
        Event::Retrying {
            migration: "002_index".into(),
            attempt: 2,
            pause_ms: 1500,
            reason: "a lock could not be had in time".into(),
            blockers: vec!["pid 1, user x".into(), "pid 2, user y".into()],
        },
        Event::Notice { migration: None, severity: "NOTICE".into(), message: "skipping".into() },
        Event::Notice { migration: None, severity: "WARNING".into(), message: "careful".into() },
        done("002_index", 2345.0),
        begin("003_bad", 3),
        Event::MigrationFailed {
            migration: "003_bad".into(),
            problem: Box::new(Problem::error(Code::ObjectExists, "relation exists")),
        },
        Event::RunFinished { run_id: "r".into(), done: 2, complete: false, elapsed_ms: 4000.0 },
    ]
}

fn shown(progress: Progress, sink: &Sink) -> String {
    for event in events() {
        progress.send(event);
    }
    progress.finish();
    sink.text()
}

fn lines(style: &Style, verbose: bool) -> String {
    let sink = Sink::default();
    shown(Progress::lines(sink.clone(), *style, verbose), &sink)
}

#[test]
fn lines_say_what_is_worth_knowing() {
    assert_snapshot!(both(|out, style| out.push_str(&lines(style, false))));
}

#[test]
fn verbose_lines_name_every_migration() {
    assert_snapshot!(both(|out, style| out.push_str(&lines(style, true))));
}

#[test]
fn json_has_a_line_per_event() {
    let sink = Sink::default();
    let text = shown(Progress::json(sink.clone()), &sink);
    let names: Vec<_> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["event"].to_string())
        .collect();
    assert_eq!(names.len(), events().len());
    assert_eq!(names[0], "\"run_started\"");
    assert!(text.ends_with('\n'));
}

#[test]
fn the_mode_follows_flags_and_terminal() {
    use ProgressMode::{Bar, Json, Lines, Quiet};
    assert_eq!(ProgressMode::choose(true, false, false, false), Bar { verbose: false });
    assert_eq!(ProgressMode::choose(false, false, true, false), Lines { verbose: true });
    assert_eq!(ProgressMode::choose(true, true, false, false), Quiet);
    assert_eq!(ProgressMode::choose(true, true, false, true), Json);
}
