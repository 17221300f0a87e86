//! Audits for people.

use pgfleet_core::audit::{AuditCategory, AuditReport, Finding, RULES};
use pgfleet_core::diagnose::Severity;

use super::style::{Role, Style};
use super::text::{clean, clean_line, counted, grouped, pad, wrap};

const INDENT: usize = 4;

/// Findings by category, the heaviest first, and a line of counts. What is found by one rule stands together,
/// with what to do about it once.
pub fn audit(out: &mut String, style: &Style, report: &AuditReport) {
    let mut categories: Vec<AuditCategory> = Vec::new();
    for finding in &report.findings {
        if !categories.contains(&finding.category) {
            categories.push(finding.category);
        }
    }
    for category in categories {
        out.push_str(&format!("{}\n", style.paint(Role::Strong, category.title())));
        let found: Vec<_> = report.findings.iter().filter(|one| one.category == category).collect();
        for alike in by_advice(&found) {
            alike.iter().for_each(|finding| one(out, style, finding));
            advice(out, style, alike[0]);
        }
        out.push('\n');
    }
    summary(out, style, report);
}

/// Findings of the same rule and advice, in the order in which the first of each comes.
fn by_advice<'f>(found: &[&'f Finding]) -> Vec<Vec<&'f Finding>> {
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    for finding in found {
        let same = |group: &&mut Vec<&Finding>| {
            (&group[0].rule, &group[0].recommendation) == (&finding.rule, &finding.recommendation)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    groups
}

fn one(out: &mut String, style: &Style, finding: &Finding) {
    let count = finding
        .count
        .map(|count| format!("{} ", grouped(usize::try_from(count).unwrap_or(usize::MAX))));
    let (mark, role) = mark(style, finding.severity);
    out.push_str(&format!(
        "  {} {}  {}{}\n",
        style.paint(role, mark),
        style.paint(role, &clean_line(&finding.object)),
        count.unwrap_or_default(),
        clean_line(&finding.what),
    ));
    if !finding.samples.is_empty() {
        faint(out, style, &format!("some of them: {}", finding.samples.join(", ")));
    }
}

fn advice(out: &mut String, style: &Style, finding: &Finding) {
    faint(out, style, &format!("{}: {}", finding.rule, finding.recommendation));
}

fn faint(out: &mut String, style: &Style, text: &str) {
    let width = style.width.saturating_sub(INDENT).max(20);
    for line in wrap(&clean(text), width) {
        out.push_str(&format!("{:INDENT$}{}\n", "", style.paint(Role::Faint, &line)));
    }
}

fn mark(style: &Style, severity: Severity) -> (&'static str, Role) {
    match severity {
        Severity::Error => (style.glyph("✗", "E"), Role::Bad),
        Severity::Warning => (style.glyph("!", "W"), Role::Doubtful),
        Severity::Note => (style.glyph("·", "-"), Role::Note),
    }
}

fn summary(out: &mut String, style: &Style, report: &AuditReport) {
    let looked = format!(
        "{}, {} asked",
        counted(report.tables, "table"),
        counted(report.questions, "question")
    );
    if report.findings.is_empty() {
        let line = format!("Nothing found ({looked})");
        out.push_str(&format!("{}\n", style.paint(Role::Good, &line)));
        return;
    }
    let part = |severity, noun, role| {
        let count = report.count(severity);
        let text = counted(count, noun);
        if count > 0 { style.paint(role, &text) } else { text }
    };
    out.push_str(&format!(
        "{}, {}, {} ({looked})\n",
        part(Severity::Error, "error", Role::Bad),
        part(Severity::Warning, "warning", Role::Doubtful),
        part(Severity::Note, "note", Role::Note),
    ));
}

/// The built-in rules.
pub fn audit_rules(out: &mut String, style: &Style) {
    let width = RULES.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, what) in RULES {
        out.push_str(&format!("{}  {what}\n", style.paint(Role::Strong, &pad(name, width))));
    }
}
