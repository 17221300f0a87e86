//! A plan for people: what will run, in which order, what it creates and what to think about.

use std::collections::BTreeMap;

use pgfleet_core::plan::{Direction, Hazard, HazardKind, Plan, SqlStep, Unit, needs_consent};

use pgfleet_engine::conduct::BatchEstimate;

use super::style::{Role, Style};
use super::text::{clean_line, counted, pad, pad_left, plural, size, width_of, wrap};

/// Objects of one kind are named up to this many; above, they are counted.
const NAMED_MAX: usize = 8;
/// Characters of a fingerprint that are shown; all are in the plan file.
const FINGERPRINT_SHOWN: usize = 12;
/// Kinds that are worth naming; others come in such numbers that a count says more.
const NAMED_KINDS: &[&str] = &[
    "schema",
    "extension",
    "type",
    "domain",
    "table",
    "foreign table",
    "view",
    "materialized view",
    "function",
    "procedure",
    "role",
    "sequence",
    "publication",
];
/// Kinds of two words, as a step's `creates` writes them.
const TWO_WORDS: &[&str] = &[
    "access method",
    "event trigger",
    "foreign data wrapper",
    "foreign table",
    "large object",
    "materialized view",
    "operator class",
    "operator family",
    "property graph",
    "text search configuration",
    "text search dictionary",
    "text search parser",
    "text search template",
    "user mapping",
];

/// The ordered list, hazards under the migration that holds them, and a summary.
pub fn plan(out: &mut String, style: &Style, plan: &Plan) {
    if plan.is_empty() {
        out.push_str(&style.paint(Role::Good, "Nothing to do: every migration is applied."));
        out.push('\n');
        return;
    }
    heading(out, style, plan);
    let columns = Columns::of(plan);
    for (at, step) in plan.sql_steps().enumerate() {
        step_lines(out, style, &columns, at + 1, step);
        for hazard in plan.hazards.iter().filter(|hazard| hazard.migration == step.label) {
            hazard_lines(out, style, &columns, hazard);
        }
    }
    out.push('\n');
    summary(out, style, plan);
}

/// How much there is to do in batches.
pub fn estimates(out: &mut String, style: &Style, estimates: &[BatchEstimate]) {
    for estimate in estimates {
        let amount = match (estimate.rows, estimate.batches) {
            (Some(rows), Some(batches)) => {
                let batches = usize::try_from(batches).unwrap_or(usize::MAX);
                let rows = usize::try_from(rows).unwrap_or(usize::MAX);
                format!("about {} in {}", counted(rows, "row"), counted(batches, "batch"))
            }
            _ => "an unknown number of rows; ANALYZE tells".to_owned(),
        };
        let table = clean_line(&estimate.table);
        let text = format!("In batches: {table}, {amount} ({})", clean_line(&estimate.migration));
        out.push_str(&style.paint(Role::Note, &text));
        out.push('\n');
    }
}

fn heading(out: &mut String, style: &Style, plan: &Plan) {
    let verb = match plan.sql_steps().next().map(|step| step.direction) {
        Some(Direction::Down) => "To take back",
        _ => "To apply",
    };
    let steps = counted(plan.steps.len(), "migration");
    out.push_str(&style.paint(Role::Strong, &format!("{verb}: {steps}")));
    let Some(history) = plan.history() else { return out.push('\n') };
    let table = clean_line(&history.history_table);
    out.push_str(&format!(" ({}, recorded in {table}", history.format));
    out.push_str(if plan.setup.is_empty() { ")\n" } else { ", which is created first)\n" });
}

/// Widths of the list's columns.
struct Columns {
    number: usize,
    file: usize,
    size: usize,
    statements: usize,
}

impl Columns {
    fn of(plan: &Plan) -> Self {
        let widest = |text: &dyn Fn(&SqlStep) -> String| {
            plan.sql_steps().map(|step| width_of(&text(step))).max().unwrap_or(0)
        };
        Self {
            number: plan.steps.len().to_string().len(),
            file: widest(&|step| clean_line(&step.file)),
            size: widest(&|step| size(step.size_bytes)),
            statements: widest(&statements),
        }
    }

    /// Where what belongs to a migration begins.
    fn indent(&self) -> usize {
        self.number + 6
    }
}

fn statements(step: &SqlStep) -> String {
    counted(step.statement_count(), "statement")
}

fn step_lines(out: &mut String, style: &Style, columns: &Columns, number: usize, step: &SqlStep) {
    let number = pad_left(&number.to_string(), columns.number);
    out.push_str(&format!(
        "  {}  {}  {}  {}  {}\n",
        style.paint(Role::Faint, &number),
        style.paint(Role::Strong, &pad(&clean_line(&step.file), columns.file)),
        pad_left(&size(step.size_bytes), columns.size),
        pad_left(&statements(step), columns.statements),
        transaction(style, step),
    ));
    if !step.creates.is_empty() {
        let text = format!("creates {}", created(&step.creates));
        hung(out, style, columns, &text, Role::Good);
    }
}

fn transaction(style: &Style, step: &SqlStep) -> String {
    if step.is_one_transaction() {
        return style.paint(Role::Faint, "one transaction");
    }
    let count = |wanted: fn(&Unit) -> bool| step.units.iter().filter(|unit| wanted(unit)).count();
    let alone = count(|unit| matches!(unit, Unit::Alone { .. }));
    let batched = count(|unit| matches!(unit, Unit::Batched { .. }));
    let mut text = counted(step.units.len(), "unit");
    if alone > 0 {
        text.push_str(&format!(", {alone} outside a transaction"));
    }
    if batched > 0 {
        text.push_str(&format!(", {batched} in batches"));
    }
    style.paint(Role::Doubtful, &text)
}

/// `tables users, organizations; 17 indexes; 10 triggers`
fn created(creates: &[String]) -> String {
    let mut groups: Vec<&str> = Vec::new();
    let mut names: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for object in creates {
        let (kind, name) = split_kind(object);
        if !names.contains_key(kind) {
            groups.push(kind);
        }
        names.entry(kind).or_default().push(name);
    }
    let of_group = |kind: &&str| names.get(kind).map(|names| group(kind, names));
    groups.iter().filter_map(of_group).collect::<Vec<_>>().join("; ")
}

fn split_kind(object: &str) -> (&str, &str) {
    let longer = TWO_WORDS.iter().find_map(|kind| {
        let name = object.strip_prefix(kind)?.strip_prefix(' ')?;
        Some((*kind, name))
    });
    longer.or_else(|| object.split_once(' ')).unwrap_or((object, ""))
}

fn group(kind: &str, names: &[&str]) -> String {
    let total = names.len();
    if total == 1 {
        return format!("{kind} {}", clean_line(names[0]));
    }
    if !NAMED_KINDS.contains(&kind) {
        return counted(total, kind);
    }
    let shown: Vec<_> = names.iter().take(NAMED_MAX).map(|name| clean_line(name)).collect();
    let rest = match total - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{} {}{rest}", plural(kind), shown.join(", "))
}

fn hazard_lines(out: &mut String, style: &Style, columns: &Columns, hazard: &Hazard) {
    let (word, role) = match hazard.kind {
        HazardKind::DataLoss => ("loses data", Role::Bad),
        HazardKind::PossibleLoss => ("may lose data", Role::Bad),
        HazardKind::Rewrite => ("rewrite", Role::Doubtful),
        HazardKind::Lock => ("lock", Role::Doubtful),
        HazardKind::MayFail => ("may fail", Role::Doubtful),
        HazardKind::BreaksCode => ("breaks code", Role::Doubtful),
        HazardKind::NoTransaction => ("not one transaction", Role::Doubtful),
        HazardKind::Opaque => ("opaque", Role::Note),
    };
    let consent = match hazard.kind {
        HazardKind::DataLoss | HazardKind::PossibleLoss => "; needs --allow-data-loss",
        _ => "",
    };
    let glyph = style.glyph("⚠", "!");
    let text = format!("{glyph} {word}: {} ({}){consent}", hazard.what, hazard.place);
    hung(out, style, columns, &text, role);
}

fn hung(out: &mut String, style: &Style, columns: &Columns, text: &str, role: Role) {
    let indent = " ".repeat(columns.indent());
    let width = style.width.saturating_sub(columns.indent() + 2).max(30);
    for (at, line) in wrap(text, width).iter().enumerate() {
        out.push_str(&indent);
        out.push_str(if at > 0 { "  " } else { "" });
        out.push_str(&style.paint(role, line));
        out.push('\n');
    }
}

fn summary(out: &mut String, style: &Style, plan: &Plan) {
    let statements = plan.sql_steps().map(SqlStep::statement_count).sum();
    let bytes = plan.sql_steps().map(|step| step.size_bytes).sum();
    out.push_str(&format!(
        "{}, {}, {}; plan {}\n",
        counted(plan.steps.len(), "migration"),
        counted(statements, "statement"),
        size(bytes),
        plan.fingerprint.chars().take(FINGERPRINT_SHOWN).collect::<String>(),
    ));
    let hazards = hazard_counts(plan);
    if !hazards.is_empty() {
        out.push_str(&style.paint(Role::Doubtful, &format!("Look at: {}", hazards.join(", "))));
        out.push('\n');
    }
    if needs_consent(&plan.hazards) {
        let text = "This plan can lose data: apply refuses it without --allow-data-loss.";
        out.push_str(&style.paint(Role::Bad, text));
        out.push('\n');
    }
}

fn hazard_counts(plan: &Plan) -> Vec<String> {
    let mut counts: BTreeMap<HazardKind, usize> = BTreeMap::new();
    for hazard in &plan.hazards {
        *counts.entry(hazard.kind).or_default() += 1;
    }
    let told = |(kind, count): (HazardKind, usize)| {
        let (one, many) = hazard_nouns(kind);
        format!("{count} {}", if count == 1 { one } else { many })
    };
    counts.into_iter().map(told).collect()
}

/// One, and several.
fn hazard_nouns(kind: HazardKind) -> (&'static str, &'static str) {
    match kind {
        HazardKind::DataLoss => ("loss of data", "losses of data"),
        HazardKind::PossibleLoss => ("possible loss of data", "possible losses of data"),
        HazardKind::Rewrite => ("table rewrite", "table rewrites"),
        HazardKind::Lock => ("blocking lock", "blocking locks"),
        HazardKind::MayFail => ("demand on rows", "demands on rows"),
        HazardKind::BreaksCode => ("name that goes", "names that go"),
        HazardKind::NoTransaction => ("migration in parts", "migrations in parts"),
        HazardKind::Opaque => ("opaque statement", "opaque statements"),
    }
}
