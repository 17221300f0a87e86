//! How far work on many targets is: done, failed, running, the pace, and whoever takes longest.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use pgfleet_core::report::Event;

use crate::render::style::{Role, Style};
use crate::render::text::{clean_line, cut, duration, grouped};

/// Lines in a log: not more often than this.
const EVERY: Duration = Duration::from_secs(5);
/// A target that runs longer is named.
const LONG: Duration = Duration::from_secs(2);
/// Columns that the bar takes with what is around it, but for its figures.
const BAR: usize = 18;
/// Columns that the name of a target gets.
const LONGEST_NAME: usize = 20;
/// A rate is not told before this much time.
const RATE_AFTER: Duration = Duration::from_millis(500);
/// Less than this is not worth telling.
const LEFT_TOLD: Duration = Duration::from_secs(5);
/// Failed targets that are told one by one; the others are in the summary.
const FAILED_TOLD: usize = 20;

/// How far it is.
pub(super) struct FleetPace {
    style: Style,
    command: String,
    /// The part of the work that goes on, where it has parts.
    stage: String,
    total: usize,
    done: usize,
    failed: usize,
    running: BTreeMap<String, Instant>,
    begun: Instant,
    told: Instant,
}

impl FleetPace {
    pub(super) fn new(style: Style) -> Self {
        let now = Instant::now();
        Self {
            style,
            command: String::new(),
            stage: String::new(),
            total: 0,
            done: 0,
            failed: 0,
            running: BTreeMap::new(),
            begun: now,
            told: now,
        }
    }

    /// Takes an event in.
    pub(super) fn count(&mut self, event: &Event) {
        match event {
            Event::FleetStarted { command, targets } => {
                self.command.clone_from(command);
                self.total = *targets;
                (self.begun, self.told) = (Instant::now(), Instant::now());
            }
            Event::StageStarted { stage, targets } => {
                self.stage.clone_from(stage);
                if let Some(targets) = targets {
                    (self.total, self.done, self.failed) = (*targets, 0, 0);
                    self.begun = Instant::now();
                }
            }
            Event::TargetStarted { target } => {
                self.running.insert(target.clone(), Instant::now());
            }
            Event::TargetFinished { target, ok, .. } => {
                self.running.remove(target);
                self.done += 1;
                self.failed += usize::from(!ok);
            }
            _ => {}
        }
    }

    /// Takes an event in, and gives what a log should hold of it.
    pub(super) fn tell(&mut self, event: &Event) -> Option<String> {
        let failed = self.failed_line(event);
        self.count(event);
        if let Event::StageStarted { stage, .. } = event {
            let (command, done, total) = (&self.command, self.done, self.total);
            return Some(format!("{command} {done}/{total}: {}\n", clean_line(stage)));
        }
        let is_due = matches!(event, Event::TargetFinished { .. })
            && self.told.elapsed() >= EVERY
            && self.done < self.total;
        let pace = is_due.then(|| {
            self.told = Instant::now();
            format!("{} {}/{}: {}\n", self.command, self.done, self.total, self.words())
        });
        match (failed, pace) {
            (None, None) => None,
            (failed, pace) => Some(failed.unwrap_or_default() + &pace.unwrap_or_default()),
        }
    }

    /// The line of a target that failed.
    pub(super) fn failed_line(&self, event: &Event) -> Option<String> {
        let Event::TargetFinished { target, ok: false, headline, .. } = event else { return None };
        if self.failed > FAILED_TOLD {
            return None;
        }
        if self.failed == FAILED_TOLD {
            return Some("further targets that fail are told at the end\n".to_owned());
        }
        let glyph = self.style.paint(Role::Bad, self.style.glyph("✘", "failed"));
        let mark = self.style.glyph("…", "...");
        let what = cut(&clean_line(headline), self.style.width.saturating_sub(10), mark);
        Some(format!("{glyph} {}: {what}\n", clean_line(target)))
    }

    /// `wave 2/4, 2 failed, 4 running, longest tenant_7 3 s, 52/s, 12 s left`: as much as fits.
    pub(super) fn words(&self) -> String {
        let digits = self.total.to_string().len();
        let room = self.style.width.saturating_sub(BAR + 2 * digits);
        let (mut text, mut used) = (String::new(), 0);
        for (part, role) in self.parts() {
            let between = if text.is_empty() { "" } else { ", " };
            used += between.len() + part.chars().count();
            // A log has no end of a line to fit into; a terminal has at least what is first.
            if used > room && !text.is_empty() {
                break;
            }
            text.push_str(between);
            text.push_str(&role.map_or_else(|| part.clone(), |role| self.style.paint(role, &part)));
        }
        text
    }

    /// What there is to say, the most telling first.
    fn parts(&self) -> Vec<(String, Option<Role>)> {
        let mut parts = Vec::new();
        if !self.stage.is_empty() {
            parts.push((clean_line(&self.stage), None));
        }
        if self.failed > 0 {
            parts.push((format!("{} failed", grouped(self.failed)), Some(Role::Bad)));
        }
        parts.push((format!("{} running", self.running.len()), None));
        let longest = self.running.iter().min_by_key(|(_, since)| **since);
        if let Some((target, since)) = longest.filter(|(_, since)| since.elapsed() >= LONG) {
            let name = cut(&clean_line(target), LONGEST_NAME, self.style.glyph("…", "..."));
            parts.push((format!("longest {name} {}", about(since.elapsed())), None));
        }
        let elapsed = self.begun.elapsed();
        if elapsed >= RATE_AFTER && self.done > 0 {
            let each = elapsed.div_f64(self.done as f64);
            parts.push((rate(each), None));
            let left = each.mul_f64(self.total.saturating_sub(self.done) as f64);
            if left >= LEFT_TOLD {
                parts.push((format!("{} left", about(left)), None));
            }
        }
        parts
    }
}

/// `52/s`, or of slow ones `7/min`.
fn rate(each: Duration) -> String {
    match each.as_secs_f64() {
        seconds if seconds <= 1.0 => format!("{:.0}/s", 1.0 / seconds),
        seconds => format!("{:.0}/min", 60.0 / seconds),
    }
}

/// Whole seconds below a minute.
fn about(time: Duration) -> String {
    match time.as_secs_f64().round() {
        seconds if seconds < 60.0 => format!("{seconds:.0} s"),
        seconds => duration(seconds * 1000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finished(target: &str, ok: bool) -> Event {
        let (target, headline) = (target.to_owned(), "why\u{1b}[2J".to_owned());
        Event::TargetFinished { target, ok, headline, elapsed_ms: 1.0 }
    }

    #[test]
    fn a_log_holds_failures_and_no_line_for_each_target() {
        let mut pace = FleetPace::new(Style::plain(80));
        pace.tell(&Event::FleetStarted { command: "apply".to_owned(), targets: 100 });
        let told: Vec<_> =
            (0..50).filter_map(|at| pace.tell(&finished(&format!("t{at}"), at % 2 == 0))).collect();
        assert_eq!(told.len(), FAILED_TOLD + 1, "{told:?}");
        assert!(told[0].starts_with("failed t1: why") && !told[0].contains('\u{1b}'), "{told:?}");
        assert!(pace.words().starts_with("25 failed, 0 running"), "{}", pace.words());
    }

    #[test]
    fn a_stage_is_told_and_may_count_anew() {
        let mut pace = FleetPace::new(Style::plain(80));
        pace.tell(&Event::FleetStarted { command: "rollout".to_owned(), targets: 20 });
        let stage = |stage: &str, targets| Event::StageStarted { stage: stage.to_owned(), targets };
        assert_eq!(
            pace.tell(&stage("wave 1/2", None)).as_deref(),
            Some("rollout 0/20: wave 1/2\n")
        );
        pace.tell(&finished("t1", true));
        let told = pace.tell(&stage("taking back", Some(1)));
        assert_eq!(told.as_deref(), Some("rollout 0/1: taking back\n"));
        assert_eq!(pace.words(), "taking back, 0 running");
    }

    /// Whatever there is to say, the line does not wrap.
    #[test]
    fn a_line_fits_the_terminal() {
        let mut pace = FleetPace::new(Style::plain(80));
        pace.tell(&Event::FleetStarted { command: "rollout".to_owned(), targets: 1000 });
        let stage = Event::StageStarted { stage: "wave 12/20".to_owned(), targets: None };
        pace.tell(&stage);
        pace.tell(&Event::TargetStarted { target: "a_tenant_of_a_very_long_name".repeat(3) });
        for at in 0..300 {
            pace.tell(&finished(&format!("t{at}"), at % 2 == 0));
        }
        let earlier = Instant::now().checked_sub(Duration::from_secs(100)).unwrap();
        pace.begun = earlier;
        pace.running.values_mut().for_each(|since| *since = earlier);
        let words = pace.words();
        let most = 80 - "| [==========] 1000/1000 ".len();
        assert!(words.chars().count() <= most, "{words:?}");
        assert!(words.starts_with("wave 12/20, 150 failed, 1 running"), "{words:?}");
        assert_eq!(
            (rate(Duration::from_secs(12)), about(Duration::from_secs(125))),
            ("5/min".to_owned(), "2 min 05 s".to_owned())
        );
    }
}
