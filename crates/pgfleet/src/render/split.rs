//! Splits for people: the plan's checklist, what both sides hold, what a rollback would meet.

use pgfleet_core::split::{Declare, Finding, Level, SplitPlan, declarations};
use pgfleet_engine::integrity::ReferenceResult;
use pgfleet_engine::split::{RollbackReport, SplitReport, SplitStatus};

use super::style::{Role, Style};
use super::text::{clean_line, counted, duration, grouped, pad, width_of, wrap};

/// From so many tables on, the same finding is shown once.
const TOGETHER_MIN: usize = 3;

/// The databases and the findings; successes only when `all` are wanted.
pub fn split_plan(out: &mut String, style: &Style, plan: &SplitPlan, all: bool) {
    out.push_str(&format!("Split of {}\n", clean_line(&plan.source)));
    for database in &plan.databases {
        out.push_str(&format!(
            "  {} -> {}: {}, {}\n",
            clean_line(&database.family),
            clean_line(&database.database),
            counted(database.migrations, "migration"),
            counted(number(database.rows), "row"),
        ));
    }
    out.push('\n');
    let shown = plan.findings.iter().filter(|f| all || f.level != Level::Success);
    for alike in shown.collect::<Vec<_>>().chunk_by(|a, b| a.what == b.what) {
        let behind: Vec<_> = alike.iter().filter_map(|one| left_behind(one)).collect();
        match behind.len() == alike.len() && alike.len() >= TOGETHER_MIN {
            true => together(out, style, alike[0], &behind),
            false => alike.iter().for_each(|one| finding(out, style, one)),
        }
    }
    to_declare(out, style, plan);
    let count = |level| plan.count(level);
    out.push_str(&format!(
        "\n{}, {}, {}\n",
        style.paint(Role::Good, &format!("{} as it should be", count(Level::Success))),
        style.paint(Role::Doubtful, &counted(count(Level::Warning), "warning")),
        style.paint(Role::Bad, &counted(count(Level::Error), "error")),
    ));
    out.push_str(match plan.is_refused() {
        true => "Nothing is moved before the errors are settled.\n",
        false => "Ready: pgfleet split run\n",
    });
}

fn finding(out: &mut String, style: &Style, finding: &Finding) {
    let (label, role) = match finding.level {
        Level::Success => ("SUCCESS", Role::Good),
        Level::Warning => ("WARNING", Role::Doubtful),
        Level::Error => ("ERROR", Role::Bad),
    };
    let subject = clean_line(&finding.subject);
    let label = style.paint(role, &pad(label, 7));
    out.push_str(&format!("{label} {subject}: {}\n", clean_line(&finding.what)));
    for sample in &finding.samples {
        out.push_str(&format!("        {} {}\n", style.glyph("•", "-"), clean_line(sample)));
    }
    if let Some(fix) = &finding.fix {
        out.push_str(&style.paint(Role::Faint, &format!("        fix: {}", clean_line(fix))));
        out.push('\n');
    }
}

fn left_behind(finding: &Finding) -> Option<&str> {
    match &finding.declare {
        Some(Declare::LeftBehind(table)) => Some(table),
        _ => None,
    }
}

/// What was found of several tables alike.
fn together(out: &mut String, style: &Style, first: &Finding, tables: &[&str]) {
    let names = wrap(&tables.join(", "), style.width.saturating_sub(10).max(30));
    let subject = format!("source, {} tables", tables.len());
    finding(out, style, &Finding { subject, samples: names, ..first.clone() });
}

/// What can be copied to `split.toml`, of all findings at once.
fn to_declare(out: &mut String, style: &Style, plan: &SplitPlan) {
    let text = declarations(plan.findings.iter().filter_map(|one| one.declare.as_ref()));
    if text.is_empty() {
        return;
    }
    out.push_str("\nWhere it is meant, split.toml may say:\n\n");
    for line in text.lines() {
        out.push_str(&style.paint(Role::Command, &clean_line(line)));
        out.push('\n');
    }
}

fn number(value: u64) -> usize {
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
