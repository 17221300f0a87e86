//! Splits for people: what both sides hold, what a rollback would meet.

use pgfleet_engine::integrity::ReferenceResult;
use pgfleet_engine::split::{RollbackReport, SplitReport, SplitStatus};

use super::style::{Role, Style};
use super::text::{clean_line, counted, duration, grouped, pad, width_of};

pub(super) fn number(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

/// What both sides of every table hold.
pub fn split_report(out: &mut String, style: &Style, report: &SplitReport) {
    let width = report.tables.iter().map(|table| width_of(&table.table)).max().unwrap_or(0);
    for table in &report.tables {
        let (glyph, role) = mark(style, table.ok);
        let rows = match table.ok {
            true => counted(number(u64::try_from(table.here.rows).unwrap_or(0)), "row"),
            false => format!("source {} rows, here {}", table.source.rows, table.here.rows),
        };
        let line = format!("{glyph} {}  {rows}", pad(&clean_line(&table.table), width));
        out.push_str(&style.paint(role, &line));
        out.push('\n');
    }
    references(out, style, &report.references);
    let rows: i64 = report.tables.iter().map(|table| table.here.rows).sum();
    let verdict = match report.problems.is_empty() {
        true => "all rows arrived, counted and summed on both sides",
        false => "not everything is as it should be",
    };
    out.push_str(&format!(
        "\n{} in {}, {}: {verdict}.\n",
        counted(number(u64::try_from(rows).unwrap_or(0)), "row"),
        counted(report.tables.len(), "table"),
        duration(report.elapsed_ms),
    ));
    if report.problems.is_empty() {
        out.push_str(
            "The source is as it was. Next: point the application at the new databases, then\n",
        );
        out.push_str("pgfleet split finish, or pgfleet split rollback.\n");
    }
}

fn mark(style: &Style, ok: bool) -> (&'static str, Role) {
    match ok {
        true => (style.glyph("✔", "ok"), Role::Good),
        false => (style.glyph("✘", "differs"), Role::Bad),
    }
}

/// References between databases.
pub fn references(out: &mut String, style: &Style, results: &[ReferenceResult]) {
    for result in results {
        let (glyph, role) = mark(style, result.orphans == 0);
        let line = format!(
            "{glyph} {} -> {}: {}, {} without a partner",
            clean_line(&result.from),
            clean_line(&result.to),
            counted(number(result.values), "value"),
            grouped(number(result.orphans)),
        );
        out.push_str(&style.paint(role, &line));
        out.push('\n');
    }
}

/// How far a split is.
pub fn split_status(out: &mut String, status: &SplitStatus) {
    let (Some(id), Some(state)) = (&status.split_id, &status.state) else {
        out.push_str("No split of this source is under way.\n");
        return;
    };
    out.push_str(&format!("Split {}: {}\n", clean_line(id), clean_line(state)));
    for table in &status.tables {
        let rows = counted(number(table.rows), "row");
        let (done, parts) = (table.done, table.parts);
        out.push_str(&format!("  {}: {done} of {parts} parts, {rows}\n", clean_line(&table.table)));
    }
}

/// What a rollback met, and what it dropped.
pub fn split_rollback(out: &mut String, style: &Style, report: &RollbackReport, verb: &str) {
    for condition in &report.conditions {
        let (glyph, role) = mark(style, condition.ok);
        let line =
            format!("{glyph} {}: {}", clean_line(&condition.what), clean_line(&condition.found));
        out.push_str(&style.paint(role, &line));
        out.push('\n');
    }
    for database in &report.databases {
        out.push_str(&format!("{} {verb}\n", clean_line(database)));
    }
    if verb == "dropped" {
        out.push_str("The source is writable, and as it was.\n");
    }
}
