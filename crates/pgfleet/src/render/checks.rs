//! Checks for people: a checklist, with what was expected and found where the two differ.

use pgfleet_core::verify::CheckResult;

use super::style::{Role, Style};
use super::text::{clean_line, grouped, wrap};

const INDENT: usize = 5;
const LABEL_WIDTH: usize = 10;

/// The checklist and a line of counts.
pub fn checks(out: &mut String, style: &Style, results: &[CheckResult]) {
    if results.is_empty() {
        out.push_str("No checks are declared; `pgfleet verify --propose` writes some.\n");
        return;
    }
    for result in results {
        check(out, style, result);
    }
    summary(out, style, results);
}

fn check(out: &mut String, style: &Style, result: &CheckResult) {
    let name = clean_line(&result.name);
    if let Some(why) = &result.skipped {
        let line = format!("{} {name}: not made: {}", style.glyph("➖", "[-]"), clean_line(why));
        out.push_str(&style.paint(Role::Faint, &line));
        out.push('\n');
        return;
    }
    if result.ok {
        let found = style.paint(Role::Faint, &clean_line(&result.found));
        out.push_str(&format!("{} {name}: {found}\n", passed(style)));
    } else {
        out.push_str(&format!("{} {}\n", failed(style), style.paint(Role::Bad, &name)));
        labelled(out, style, "expected:", &result.expected);
        labelled(out, style, "found:", &result.found);
    }
    for detail in &result.details {
        labelled(out, style, style.glyph("•", "-"), detail);
    }
}

fn passed(style: &Style) -> String {
    if style.unicode { "✅".to_owned() } else { style.paint(Role::Good, "[x]") }
}

fn failed(style: &Style) -> String {
    if style.unicode { "❌".to_owned() } else { style.paint(Role::Bad, "[ ]") }
}

fn labelled(out: &mut String, style: &Style, label: &str, text: &str) {
    let label_width = if label.ends_with(':') { LABEL_WIDTH } else { 2 };
    let width = style.width.saturating_sub(INDENT + label_width).max(20);
    let mut label = format!("{label:<label_width$}");
    for line in wrap(text, width) {
        out.push_str(format!("{:INDENT$}{label}{line}", "").trim_end());
        out.push('\n');
        label = " ".repeat(label_width);
    }
}

fn summary(out: &mut String, style: &Style, results: &[CheckResult]) {
    let count = |keep: fn(&CheckResult) -> bool| results.iter().filter(|one| keep(one)).count();
    let skipped = count(|one| one.skipped.is_some());
    let failed = count(CheckResult::failed);
    let passed = results.len() - skipped - failed;
    let mut parts = vec![style.paint(Role::Good, &format!("{} passed", grouped(passed)))];
    if failed > 0 {
        parts.push(style.paint(Role::Bad, &format!("{} failed", grouped(failed))));
    }
    if skipped > 0 {
        parts.push(format!("{} not made", grouped(skipped)));
    }
    out.push_str(&format!("\n{}\n", parts.join(", ")));
}
