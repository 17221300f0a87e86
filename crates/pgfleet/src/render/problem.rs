//! Problems for people, in the manner of compilers: what, where, the text, why, what to do.

use std::collections::BTreeSet;

use pgfleet_core::diagnose::{Fix, Problem, Severity, Snippet};

use super::style::{Role, Style};
use super::text::{clean, clean_line, counted, pad_left, width_of, wrap};

/// Where the words after `target:`, `cause:` and `fix:` begin.
const LABEL_WIDTH: usize = 8;
const INDENT: &str = "  ";

/// One problem, with a last line that says how to read more about it.
pub fn problem(out: &mut String, style: &Style, problem: &Problem) {
    body(out, style, problem);
    explain(out, style, &[problem.id()]);
}

/// Several problems in the order given, then how to read more, then how many there were.
pub fn problems(out: &mut String, style: &Style, problems: &[Problem]) {
    for one in problems {
        body(out, style, one);
        out.push('\n');
    }
    let serious = problems.iter().filter(|one| one.severity != Severity::Note);
    let codes: BTreeSet<_> = serious.map(|one| one.id()).collect();
    explain(out, style, &codes.into_iter().collect::<Vec<_>>());
    summary(out, style, problems);
}

/// `2 errors, 1 warning`; nothing when there is none.
pub(super) fn summary(out: &mut String, style: &Style, problems: &[Problem]) {
    let mut parts = Vec::new();
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        let count = problems.iter().filter(|one| one.severity == severity).count();
        if count > 0 {
            parts.push(style.paint(role_of(severity), &counted(count, name_of(severity))));
        }
    }
    if !parts.is_empty() {
        out.push_str(&parts.join(", "));
        out.push('\n');
    }
}

pub(super) fn body(out: &mut String, style: &Style, problem: &Problem) {
    heading(out, style, problem);
    place(out, style, problem);
    if let Some(target) = &problem.target {
        labelled(out, style, "target:", target);
    }
    if let Some(cause) = &problem.cause {
        labelled(out, style, "cause:", cause);
    }
    for detail in &problem.details {
        labelled(out, style, "", detail);
    }
    for fix in &problem.fixes {
        suggestion(out, style, fix);
    }
    if let Some(sqlstate) = &problem.sqlstate {
        let line = format!("{INDENT}sqlstate {}", clean_line(sqlstate));
        out.push_str(&style.paint(Role::Faint, &line));
        out.push('\n');
    }
}

pub(super) fn role_of(severity: Severity) -> Role {
    match severity {
        Severity::Error => Role::Bad,
        Severity::Warning => Role::Doubtful,
        Severity::Note => Role::Note,
    }
}

pub(super) fn name_of(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// `error[PF301]: relation "users" already exists`
fn heading(out: &mut String, style: &Style, problem: &Problem) {
    let label = format!("{}[{}]", name_of(problem.severity), problem.id());
    let hang = width_of(&label) + 2;
    let lines = wrap(&problem.what, style.width.saturating_sub(hang).max(20));
    out.push_str(&style.paint(role_of(problem.severity), &label));
    out.push_str(": ");
    for (at, line) in lines.iter().enumerate() {
        if at > 0 {
            out.push_str(&" ".repeat(hang));
        }
        out.push_str(&style.paint(Role::Strong, line));
        out.push('\n');
    }
}

fn place(out: &mut String, style: &Style, problem: &Problem) {
    let Some(place) = &problem.place else {
        if let Some(snippet) = &problem.snippet {
            quote(out, style, snippet, None, role_of(problem.severity));
        }
        return;
    };
    let number = (place.line > 0).then(|| place.line.to_string());
    let margin = if problem.snippet.is_some() { number.as_ref().map_or(1, String::len) } else { 1 };
    out.push_str(&" ".repeat(margin));
    out.push_str(&style.paint(Role::Frame, "-->"));
    out.push_str(&format!(" {}\n", clean_line(&place.to_string())));
    if let Some(snippet) = &problem.snippet {
        quote(out, style, snippet, number.as_deref(), role_of(problem.severity));
    }
}

/// The line in its frame, and carets under the marked part.
fn quote(out: &mut String, style: &Style, snippet: &Snippet, number: Option<&str>, role: Role) {
    let number = number.unwrap_or_default();
    let margin = " ".repeat(number.len().max(1));
    let window = Window::of(snippet, style.width.saturating_sub(margin.len() + 3).max(20), style);
    let bar = style.paint(Role::Frame, "|");
    out.push_str(&format!("{margin} {bar}\n"));
    let number = style.paint(Role::Frame, &pad_left(number, margin.len()));
    out.push_str(&format!("{number} {bar} {}\n", window.text));
    if snippet.column > 0 {
        let carets = style.paint(role, &"^".repeat(window.length));
        out.push_str(&format!("{margin} {bar} {}{carets}\n", " ".repeat(window.column)));
    }
    out.push_str(&format!("{margin} {bar}\n"));
}

/// What of a line is shown; positions in columns of the terminal.
struct Window {
    text: String,
    column: usize,
    length: usize,
}

impl Window {
    /// A line that fits is shown whole; of a longer one, the surroundings of the mark.
    fn of(snippet: &Snippet, width: usize, style: &Style) -> Self {
        let mark = style.glyph("…", "...");
        let characters: Vec<char> = snippet.line_text.trim_end().chars().collect();
        let marked = (snippet.column.max(1) as usize - 1).min(characters.len());
        let marked_end = (marked + snippet.length as usize).min(characters.len());

        let (mut from, mut to) = (0, characters.len());
        if width_of(&shown(&characters)) > width {
            from = start_of_window(&characters, marked, width);
            to = end_of_window(&characters, from, width.saturating_sub(2 * width_of(mark)));
        }
        let before = if from > 0 { mark } else { "" };
        let after = if to < characters.len() { mark } else { "" };
        let lead = shown(&characters[from..marked.clamp(from, to)]);
        let length =
            width_of(&shown(&characters[marked.clamp(from, to)..marked_end.clamp(from, to)]));
        Self {
            text: format!("{before}{}{after}", shown(&characters[from..to])),
            column: width_of(before) + width_of(&lead),
            length: length.max(1),
        }
    }
}

fn shown(characters: &[char]) -> String {
    clean(&characters.iter().collect::<String>()).replace('\n', " ")
}

/// A third of the window stands before the mark.
fn start_of_window(characters: &[char], marked: usize, width: usize) -> usize {
    let fits_from_start = width_of(&shown(&characters[..marked]));
    if fits_from_start < width * 2 / 3 { 0 } else { marked.saturating_sub(width / 3) }
}

fn end_of_window(characters: &[char], from: usize, width: usize) -> usize {
    let mut used = 0;
    for at in from..characters.len() {
        used += width_of(&shown(&characters[at..=at]));
        if used > width {
            return at;
        }
    }
    characters.len()
}

/// `  cause:  words words`, wrapped and hung.
fn labelled(out: &mut String, style: &Style, label: &str, text: &str) {
    let hang = INDENT.len() + LABEL_WIDTH;
    let mut label = style.paint(Role::Strong, label) + &" ".repeat(LABEL_WIDTH - label.len());
    for line in wrap(text, style.width.saturating_sub(hang).max(20)) {
        out.push_str(format!("{INDENT}{label}{line}").trim_end());
        out.push('\n');
        label = " ".repeat(LABEL_WIDTH);
    }
}

/// Commands stand on lines of their own and are never wrapped, so that they can be copied.
fn suggestion(out: &mut String, style: &Style, fix: &Fix) {
    labelled(out, style, "fix:", &fix.text);
    let indent = " ".repeat(INDENT.len() + LABEL_WIDTH + 2);
    for line in fix.command.iter().flat_map(|command| command.lines()) {
        out.push_str(&indent);
        out.push_str(&style.paint(Role::Command, &clean(line)));
        out.push('\n');
    }
}

fn explain(out: &mut String, style: &Style, codes: &[&str]) {
    if codes.is_empty() {
        return;
    }
    for code in codes {
        out.push_str(INDENT);
        out.push_str(&style.paint(Role::Faint, &format!("pgfleet explain {code}")));
        out.push('\n');
    }
}
