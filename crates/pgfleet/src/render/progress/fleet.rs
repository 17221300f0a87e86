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
/// Failed targets that are told one by one; the others are in the summary.
const FAILED_TOLD: usize = 20;

/// How far it is.
pub(super) struct FleetPace {
    style: Style,
    command: String,
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

    /// `2 failed, 4 running, 52/s, longest tenant_7 3.1 s`
    pub(super) fn words(&self) -> String {
        let mut parts = Vec::new();
        if self.failed > 0 {
            let failed = format!("{} failed", grouped(self.failed));
            parts.push(self.style.paint(Role::Bad, &failed));
        }
        parts.push(format!("{} running", self.running.len()));
        let seconds = self.begun.elapsed().as_secs_f64();
        if seconds > 0.5 && self.done > 0 {
            parts.push(format!("{:.0}/s", self.done as f64 / seconds));
        }
        let longest = self.running.iter().min_by_key(|(_, since)| **since);
        if let Some((target, since)) = longest.filter(|(_, since)| since.elapsed() >= LONG) {
            let time = duration(since.elapsed().as_secs_f64() * 1000.0);
            parts.push(format!("longest {} {time}", clean_line(target)));
        }
        parts.join(", ")
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
}
