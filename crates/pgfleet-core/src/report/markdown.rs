//! A run as Markdown, for pull requests and chat.

use std::fmt::Write;

use super::RunReport;
use super::wording::{duration, outcome, severity, verdict};
use crate::diagnose::Problem;

/// The report of a run; nothing in it can break out of the place it stands in.
pub fn markdown(report: &RunReport) -> String {
    let mut text = format!("# {} of {}\n\n", inline(&report.command), inline(&report.target));
    let _ = writeln!(text, "**{}**\n", inline(&verdict(report)));
    let _ = writeln!(text, "- server: {}", inline(&report.server));
    let _ = writeln!(text, "- began: {}", inline(&report.started_at));
    let _ = writeln!(text, "- run: {}", inline(&report.run_id));
    if !report.migrations.is_empty() {
        push_migrations(&mut text, report);
    }
    if !report.problems.is_empty() {
        text.push_str("\n## Problems\n");
        report.problems.iter().for_each(|problem| push_problem(&mut text, problem));
    }
    text
}

fn push_migrations(text: &mut String, report: &RunReport) {
    text.push_str("\n## Migrations\n\n| version | name | outcome | statements | time |\n");
    text.push_str("| --- | --- | --- | ---: | ---: |\n");
    for migration in &report.migrations {
        let time = migration.elapsed_ms.map(duration).unwrap_or_default();
        let (version, name) = (inline(&migration.version), inline(&migration.name));
        let outcome = outcome(migration.outcome);
        let _ = writeln!(
            text,
            "| {version} | {name} | {outcome} | {} | {time} |",
            migration.statements
        );
    }
}

fn push_problem(text: &mut String, problem: &Problem) {
    let title = format!("{} {}", problem.code, severity(problem.severity));
    let _ = writeln!(text, "\n### {title}: {}\n", inline(&problem.what));
    if let Some(place) = &problem.place {
        let _ = writeln!(text, "at {}\n", inline(&place.to_string()));
    }
    if let Some(snippet) = &problem.snippet {
        push_code(text, "sql", &snippet.line_text);
    }
    if let Some(cause) = &problem.cause {
        let _ = writeln!(text, "Cause: {}\n", inline(cause));
    }
    for detail in &problem.details {
        let _ = writeln!(text, "- {}", inline(detail));
    }
    for fix in &problem.fixes {
        let _ = writeln!(text, "\nFix: {}", inline(&fix.text));
        if let Some(command) = &fix.command {
            text.push('\n');
            push_code(text, "sh", command);
        }
    }
}

/// A block whose fence is longer than any run of backticks in it.
fn push_code(text: &mut String, language: &str, code: &str) {
    let longest = code.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    let _ = writeln!(text, "{fence}{language}\n{code}\n{fence}\n");
}

/// Text on one line in which no character is taken for Markdown or HTML.
fn inline(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' => escaped.extend(['\\', character]),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            control if control.is_control() => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::samples::report;
    use super::*;

    #[test]
    fn a_report_reads_well() {
        insta::assert_snapshot!(markdown(&report()));
    }

    #[test]
    fn nothing_breaks_out_of_a_table_or_a_fence() {
        let mut report = report();
        report.problems[0].fixes[0].command = Some("a ```` b".to_owned());
        let text = markdown(&report);
        assert!(!text.contains("<script>"));
        assert!(text.contains("`````sh\na ```` b\n`````"));
        let row = text.lines().find(|line| line.starts_with("| 002")).unwrap();
        assert_eq!(row.replace("\\|", "").matches('|').count(), 6, "{row}");
    }
}
