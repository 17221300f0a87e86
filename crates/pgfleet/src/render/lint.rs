//! What lint found, for people: errors and warnings in full, alike ones of a file folded, notes
//! counted by rule.

use std::collections::BTreeMap;

use pgfleet_core::diagnose::{Problem, Severity};
use pgfleet_core::lint::{Rule, RuleLevel};

use super::problem::{body, name_of, role_of, summary};
use super::style::{Role, Style};
use super::text::{counted, pad};

/// Findings of one rule in one file that are shown; more are counted.
const SHOWN_MAX: usize = 3;
/// Notes up to this many are shown in full.
const NOTES_MAX: usize = 5;

/// The findings in the order given, then how to read more, then how many there were. `all` folds
/// nothing.
pub fn findings(out: &mut String, style: &Style, findings: &[Problem], all: bool) {
    let (notes, serious): (Vec<_>, Vec<_>) =
        findings.iter().partition(|one| one.severity == Severity::Note);
    let mut seen: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for finding in serious {
        let count = seen.entry((file_of(finding), finding.id())).or_default();
        *count += 1;
        if all || *count <= SHOWN_MAX {
            body(out, style, finding);
            out.push('\n');
        }
    }
    if !all {
        folded(out, style, &seen);
    }
    if all || notes.len() <= NOTES_MAX {
        for note in notes {
            body(out, style, note);
            out.push('\n');
        }
    } else {
        counted_notes(out, style, &notes);
    }
    if !findings.is_empty() {
        let line = "  pgfleet explain RULE says why, and what to write instead";
        out.push_str(&style.paint(Role::Faint, line));
        out.push('\n');
        summary(out, style, findings);
    }
}

fn file_of(problem: &Problem) -> &str {
    problem.place.as_ref().map_or("", |place| place.file.as_str())
}

fn folded(out: &mut String, style: &Style, seen: &BTreeMap<(&str, &str), usize>) {
    let more: Vec<_> = seen.iter().filter(|(_, count)| **count > SHOWN_MAX).collect();
    for ((file, rule), count) in &more {
        let line = format!("{} more of {rule} in {file}", **count - SHOWN_MAX);
        out.push_str(&style.paint(Role::Doubtful, &line));
        out.push('\n');
    }
    if !more.is_empty() {
        out.push_str("(--verbose shows them)\n\n");
    }
}

/// `note[prefer-text-field]: 118 times, the first at a.sql:3:5`
fn counted_notes(out: &mut String, style: &Style, notes: &[&Problem]) {
    let mut rules: BTreeMap<&str, Vec<&Problem>> = BTreeMap::new();
    for note in notes {
        rules.entry(note.id()).or_default().push(note);
    }
    for (rule, of_rule) in rules {
        let label = format!("{}[{rule}]", name_of(Severity::Note));
        out.push_str(&style.paint(role_of(Severity::Note), &label));
        let first = of_rule.first().and_then(|note| note.place.as_ref());
        let first = first.map(|place| format!(", the first at {place}")).unwrap_or_default();
        out.push_str(&format!(": {}{first}\n", counted(of_rule.len(), "time")));
    }
    out.push_str("(--verbose shows them)\n\n");
}

/// Every rule with what it finds and how much that weighs.
pub fn rules(out: &mut String, style: &Style) {
    let widest = Rule::all().iter().map(|rule| rule.name.len()).max().unwrap_or_default();
    for rule in Rule::all().iter().map(Rule::summary) {
        let (word, role) = match rule.level {
            RuleLevel::Off => ("off", Role::Faint),
            RuleLevel::Note => ("note", Role::Note),
            RuleLevel::Warning => ("warning", Role::Doubtful),
            RuleLevel::Error => ("error", Role::Bad),
        };
        let level = style.paint(role, &pad(word, 7));
        let name = style.paint(Role::Strong, &pad(rule.name, widest));
        out.push_str(&format!("{name}  {level}  {}\n", rule.title));
    }
}
