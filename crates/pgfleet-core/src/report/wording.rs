//! Words and figures that all forms of a report share.

use super::{MigrationOutcome, RunReport};
use crate::diagnose::{Problem, Severity};
use crate::plan::is_difference;

/// A time as a person reads it: `0.4 ms`, `12 ms`, `3.42 s`, `2 min 05 s`.
pub(super) fn duration(elapsed_ms: f64) -> String {
    match elapsed_ms {
        ms if ms < 9.95 => format!("{ms:.1} ms"),
        ms if ms < 999.5 => format!("{ms:.0} ms"),
        ms if ms < 59_995.0 => format!("{:.2} s", ms / 1000.0),
        ms => {
            let seconds = (ms / 1000.0).round();
            format!("{} min {:02} s", (seconds / 60.0).floor(), seconds % 60.0)
        }
    }
}

pub(super) fn outcome(outcome: MigrationOutcome) -> &'static str {
    match outcome {
        MigrationOutcome::Done => "done",
        MigrationOutcome::Failed => "failed",
        MigrationOutcome::NotRun => "not run",
    }
}

pub(super) fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

/// The run in one sentence.
pub(super) fn verdict(report: &RunReport) -> String {
    let count = |wanted| report.migrations.iter().filter(|m| m.outcome == wanted).count();
    let (done, all) = (count(MigrationOutcome::Done), report.migrations.len());
    let failed = count(MigrationOutcome::Failed);
    let errors = report.problems.iter().filter(|problem| problem.is_error()).count();
    let time = duration(report.elapsed_ms);
    let is_difference = report.migrations.iter().all(|one| is_difference(&one.version));
    let noun = if is_difference { "difference" } else { "migration" };
    let count = format!("{done} of {all} {noun}{} done in {time}", if all == 1 { "" } else { "s" });
    match (failed, errors) {
        (0, 0) if all == 0 => format!("nothing to do ({time})"),
        (0, 0) if done == all => count,
        (0, 0) => format!("stopped: {count}"),
        _ => format!("failed: {count}"),
    }
}

/// True when there is nothing to be sorry for.
pub(super) fn is_good(report: &RunReport) -> bool {
    report.complete() && !report.problems.iter().any(Problem::is_error)
}

/// Everything a problem says beyond its first sentence, one line each.
pub(super) fn more_lines(problem: &Problem) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(problem.cause.as_ref().map(|cause| format!("cause: {cause}")));
    lines.extend(problem.details.iter().cloned());
    for fix in &problem.fixes {
        lines.push(match &fix.command {
            Some(command) => format!("fix: {} {command}", fix.text),
            None => format!("fix: {}", fix.text),
        });
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well_at_every_size() {
        for (ms, text) in [
            (0.04, "0.0 ms"),
            (9.96, "10 ms"),
            (999.6, "1.00 s"),
            (59_996.0, "1 min 00 s"),
            (125_000.0, "2 min 05 s"),
        ] {
            assert_eq!(duration(ms), text);
        }
    }
}
