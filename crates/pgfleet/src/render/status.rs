//! `status` for people: one line a migration, long stretches of applied ones folded.

use pgfleet_core::history::{MigrationStatus, Verdict};

use super::style::{Role, Style};
use super::text::{clean_line, counted, cut, grouped, pad, width_of, wrap};

/// A stretch of applied migrations is folded when it is longer than this.
const RUN_MAX: usize = 10;
/// What of a folded stretch is shown at its beginning and at its end.
const RUN_EDGE: usize = 3;
/// `2026-01-01 12:00:00`, without fractions of a second and zone.
const TIME_WIDTH: usize = 19;
/// Columns of a name, at most.
const NAME_MAX: usize = 60;

/// What is shown of a status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StatusOptions {
    /// Every migration, however many.
    pub all: bool,
}

/// The table and a line of counts.
pub fn status(
    out: &mut String,
    style: &Style,
    statuses: &[MigrationStatus],
    options: StatusOptions,
) {
    if statuses.is_empty() {
        out.push_str("No migrations, neither in the folder nor in the history.\n");
        return;
    }
    let columns = Columns::of(style, statuses);
    columns.heading(out, style);
    for line in lines_of(statuses, options) {
        match line {
            Line::One(status) => columns.row(out, style, status),
            Line::Folded(count) => columns.folded(out, style, count),
        }
    }
    summary(out, style, statuses);
}

enum Line<'a> {
    One(&'a MigrationStatus),
    Folded(usize),
}

fn lines_of(statuses: &[MigrationStatus], options: StatusOptions) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    for run in statuses.chunk_by(|a, b| is_quiet(a) && is_quiet(b)) {
        if options.all || run.len() <= RUN_MAX {
            lines.extend(run.iter().map(Line::One));
            continue;
        }
        lines.extend(run[..RUN_EDGE].iter().map(Line::One));
        lines.push(Line::Folded(run.len() - 2 * RUN_EDGE));
        lines.extend(run[run.len() - RUN_EDGE..].iter().map(Line::One));
    }
    lines
}

/// Applied, and nothing to say about it.
fn is_quiet(status: &MigrationStatus) -> bool {
    status.verdict == Verdict::Applied && status.note.is_none()
}

struct Columns {
    version: usize,
    name: usize,
    verdict: usize,
}

impl Columns {
    fn of(style: &Style, statuses: &[MigrationStatus]) -> Self {
        let widest = |text: fn(&MigrationStatus) -> String, least: usize| {
            statuses.iter().map(|one| width_of(&text(one))).max().unwrap_or(0).max(least)
        };
        let verdict = "out of order".len() + 2;
        let version = widest(|one| clean_line(&one.version), "version".len()).min(NAME_MAX);
        let left = style.width.saturating_sub(version + verdict + TIME_WIDTH + 6).max(12);
        let name = widest(|one| clean_line(&one.name), "name".len()).min(NAME_MAX).min(left);
        Self { version, name, verdict }
    }

    fn heading(&self, out: &mut String, style: &Style) {
        let line = format!(
            "{}  {}  {}  applied at",
            pad("version", self.version),
            pad("name", self.name),
            pad("verdict", self.verdict)
        );
        out.push_str(&style.paint(Role::Faint, &line));
        out.push('\n');
    }

    fn row(&self, out: &mut String, style: &Style, status: &MigrationStatus) {
        let mark = style.glyph("…", "...");
        let (glyph, word, role) = verdict(style, status.verdict);
        let time: String =
            status.applied_at.iter().flat_map(|t| t.chars()).take(TIME_WIDTH).collect();
        let line = format!(
            "{}  {}  {}  {}",
            pad(&cut(&clean_line(&status.version), self.version, mark), self.version),
            pad(&cut(&clean_line(&status.name), self.name, mark), self.name),
            style.paint(role, &pad(&format!("{glyph} {word}"), self.verdict)),
            clean_line(&time),
        );
        out.push_str(line.trim_end());
        out.push('\n');
        self.note(out, style, status);
    }

    fn note(&self, out: &mut String, style: &Style, status: &MigrationStatus) {
        let indent = self.version + 2;
        let width = style.width.saturating_sub(indent).max(20);
        for line in status.note.iter().flat_map(|note| wrap(note, width)) {
            out.push_str(&" ".repeat(indent));
            out.push_str(&style.paint(Role::Faint, &line));
            out.push('\n');
        }
    }

    fn folded(&self, out: &mut String, style: &Style, count: usize) {
        let mark = style.glyph("⋮", ":");
        let text = format!("{} {} more applied", pad(mark, self.version + 1), grouped(count));
        out.push_str(&style.paint(Role::Faint, &text));
        out.push('\n');
    }
}

pub(super) fn verdict(style: &Style, verdict: Verdict) -> (&'static str, &'static str, Role) {
    let glyph = |unicode, ascii| if style.unicode { unicode } else { ascii };
    match verdict {
        Verdict::Applied => (glyph("✔", "+"), "applied", Role::Good),
        Verdict::Pending => (glyph("○", "-"), "pending", Role::Note),
        Verdict::Failed => (glyph("✘", "x"), "failed", Role::Bad),
        Verdict::Changed => (glyph("≠", "*"), "changed", Role::Doubtful),
        Verdict::MissingFile => (glyph("?", "?"), "missing file", Role::Doubtful),
        Verdict::OutOfOrder => (glyph("↕", "<"), "out of order", Role::Doubtful),
    }
}

/// `3 applied, 1 pending`
fn summary(out: &mut String, style: &Style, statuses: &[MigrationStatus]) {
    const ORDER: [Verdict; 6] = [
        Verdict::Applied,
        Verdict::Pending,
        Verdict::Failed,
        Verdict::Changed,
        Verdict::MissingFile,
        Verdict::OutOfOrder,
    ];
    let mut parts = Vec::new();
    for wanted in ORDER {
        let count = statuses.iter().filter(|one| one.verdict == wanted).count();
        if count > 0 {
            let (_, word, role) = verdict(style, wanted);
            parts.push(style.paint(role, &format!("{} {word}", grouped(count))));
        }
    }
    out.push_str(&format!("\n{}: {}\n", counted(statuses.len(), "migration"), parts.join(", ")));
}
