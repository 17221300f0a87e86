//! What a run did, in a few lines at its end.

use pgfleet_core::diagnose::Severity;
use pgfleet_core::plan::is_difference;
use pgfleet_core::report::{MigrationOutcome, MigrationRun, RunReport};

use super::style::{Role, Style};
use super::text::{clean_line, counted, duration};

/// Migrations that took longest are named, up to this many …
const SLOWEST_SHOWN: usize = 3;
/// … when they took at least this long, in milliseconds.
const SLOW_MS: f64 = 1000.0;

/// What was done, how long it took, where it stopped, and, if it is `written`, where the report lies.
pub fn run_summary(out: &mut String, style: &Style, report: &RunReport, written: bool) {
    verdict(out, style, report);
    stopped(out, style, report);
    slowest(out, style, report);
    let warnings = report.problems.iter().filter(|one| one.severity == Severity::Warning).count();
    if warnings > 0 {
        let text = format!("  {}", counted(warnings, "warning"));
        out.push_str(&style.paint(Role::Doubtful, &text));
        out.push('\n');
    }
    if written && !report.migrations.is_empty() {
        let line = format!("  report: .pgfleet/runs/{}/", clean_line(&report.run_id));
        out.push_str(&style.paint(Role::Faint, &line));
        out.push('\n');
    }
}

fn verdict(out: &mut String, style: &Style, report: &RunReport) {
    let place = format!("{} ({})", clean_line(&report.target), clean_line(&report.server));
    if report.migrations.is_empty() {
        let text = format!("{} Nothing to do", style.glyph("✔", "ok:"));
        out.push_str(&format!("{} on {place}\n", style.paint(Role::Good, &text)));
        return;
    }
    let total = report.migrations.len();
    let done = with_outcome(report, MigrationOutcome::Done).count();
    let verb = if report.command == "rollback" { "taken back" } else { "applied" };
    let time = duration(report.elapsed_ms);
    let one = match report.migrations.iter().all(|one| is_difference(&one.version)) {
        true => "difference",
        false => "migration",
    };
    if report.complete() {
        let text = format!("{} {} {verb}", style.glyph("✔", "ok:"), counted(total, one));
        out.push_str(&format!("{} on {place} in {time}\n", style.paint(Role::Good, &text)));
    } else {
        let glyph = style.glyph("✘", "stopped:");
        let text = format!("{glyph} {done} of {} {verb}", counted(total, one));
        out.push_str(&format!("{} on {place} in {time}\n", style.paint(Role::Bad, &text)));
    }
}

fn with_outcome(
    report: &RunReport,
    outcome: MigrationOutcome,
) -> impl Iterator<Item = &MigrationRun> {
    report.migrations.iter().filter(move |run| run.outcome == outcome)
}

fn stopped(out: &mut String, style: &Style, report: &RunReport) {
    for run in with_outcome(report, MigrationOutcome::Failed) {
        out.push_str(&format!(
            "  {}: {}\n",
            style.paint(Role::Bad, "failed"),
            clean_line(&run.file)
        ));
    }
    let mut not_run = with_outcome(report, MigrationOutcome::NotRun);
    if let Some(first) = not_run.next() {
        let count = counted(not_run.count() + 1, "migration");
        out.push_str(&format!("  not run: {count}, from {}\n", clean_line(&first.file)));
    }
}

fn slowest(out: &mut String, style: &Style, report: &RunReport) {
    let mut slow: Vec<_> = report
        .migrations
        .iter()
        .filter_map(|run| Some((run.elapsed_ms.filter(|ms| *ms >= SLOW_MS)?, &run.file)))
        .collect();
    slow.sort_by(|a, b| b.0.total_cmp(&a.0));
    let named: Vec<_> = slow
        .iter()
        .take(SLOWEST_SHOWN)
        .map(|(ms, file)| format!("{} ({})", clean_line(file), duration(*ms)))
        .collect();
    if !named.is_empty() {
        out.push_str(&style.paint(Role::Faint, &format!("  slowest: {}", named.join(", "))));
        out.push('\n');
    }
}
