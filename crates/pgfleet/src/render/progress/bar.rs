//! A bar at the bottom of the terminal, with lines above it for what is worth knowing.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use pgfleet_core::report::Event;

use super::Show;
use super::fleet::FleetPace;
use super::lines::{Words, progress_words};
use crate::render::style::Style;
use crate::render::text::{clean_line, cut, duration};

/// Redraws in a second, at most: a thousand small migrations must not wait for the terminal.
const DRAWS_PER_SECOND: u8 = 15;
/// A rate is not told before this much time, as the first migrations say little.
const RATE_AFTER: Duration = Duration::from_millis(500);
/// Columns of the bar of one run.
const RUN_BAR: usize = 20;
/// Of many targets there is more to say.
const FLEET_BAR: usize = 10;

/// The bar and what it says.
pub(super) struct Bar {
    bar: ProgressBar,
    words: Words,
    style: Style,
    started: Instant,
    done: u64,
    current: String,
    fleet: FleetPace,
}

impl Bar {
    pub(super) fn new(style: Style, verbose: bool) -> Self {
        let target = ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND);
        Self::on(target, style, verbose)
    }

    fn on(target: ProgressDrawTarget, style: Style, verbose: bool) -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), target);
        bar.set_style(look(&style, RUN_BAR));
        let words = Words::new(style, verbose);
        let current = String::new();
        let fleet = FleetPace::new(style);
        Self { bar, words, style, started: Instant::now(), done: 0, current, fleet }
    }

    fn say(&self, activity: &str) {
        let room = self.style.width.saturating_sub(40).max(20);
        let activity = cut(activity, room, self.style.glyph("…", "..."));
        self.bar.set_message(format!("{activity}{}", self.pace()));
    }

    /// ` 312/s, 2.10 s left`
    fn pace(&self) -> String {
        let elapsed = self.started.elapsed();
        let left = self.bar.length().unwrap_or(0).saturating_sub(self.done);
        pace(elapsed, self.done, left)
    }
}

impl Show for Bar {
    fn show(&mut self, event: &Event) {
        if let Some(text) = self.words.of(event) {
            self.bar.println(text.trim_end());
        }
        if let Some(failed) = self.fleet.failed_line(event) {
            self.bar.println(failed.trim_end());
        }
        self.fleet.count(event);
        match event {
            Event::FleetStarted { targets, .. } => {
                self.bar.set_style(look(&self.style, FLEET_BAR));
                self.bar.set_length(*targets as u64);
            }
            Event::StageStarted { targets, .. } => {
                if let Some(targets) = targets {
                    self.bar.set_position(0);
                    self.bar.set_length(*targets as u64);
                }
                self.bar.set_message(self.fleet.words());
            }
            Event::TargetStarted { .. } => self.bar.set_message(self.fleet.words()),
            Event::TargetFinished { .. } => {
                self.bar.inc(1);
                self.bar.set_message(self.fleet.words());
            }
            Event::RunStarted { migrations, .. } => self.bar.set_length(*migrations as u64),
            Event::MigrationStarted { migration, .. } => {
                self.current = clean_line(migration);
                self.say(&self.current);
            }
            Event::StatementProgress(progress) => {
                self.say(&format!("{} {}", self.current, progress_words(progress)));
            }
            Event::MigrationDone { .. } => {
                self.done += 1;
                self.bar.set_position(self.done);
            }
            _ => {}
        }
    }

    fn tick(&mut self) {
        self.bar.tick();
    }

    fn finish(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn pace(elapsed: Duration, done: u64, left: u64) -> String {
    if elapsed < RATE_AFTER || done == 0 || left == 0 {
        return String::new();
    }
    let each_ms = elapsed.as_secs_f64() * 1000.0 / done as f64;
    format!("  {:.0}/s, {} left", 1000.0 / each_ms, duration(each_ms * left as f64))
}

fn look(style: &Style, bar: usize) -> ProgressStyle {
    let template = if style.colour {
        format!("{{spinner:.cyan}} [{{bar:{bar}.green}}] {{pos}}/{{len}} {{msg}}")
    } else {
        format!("{{spinner}} [{{bar:{bar}}}] {{pos}}/{{len}} {{msg}}")
    };
    let plain = ProgressStyle::default_bar();
    let look = ProgressStyle::with_template(&template).unwrap_or(plain);
    if style.unicode {
        look.progress_chars("━╸ ").tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ")
    } else {
        look.progress_chars("=> ").tick_chars("|/-\\ ")
    }
}
