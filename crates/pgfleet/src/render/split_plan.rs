//! The plan of a split for people: databases, the checklist, and what `split.toml` may say.
//!
//! Invariant: a plan of any size can be read: what is alike stands together, and of what is long the
//! first stand here and all of it in a file.

use pgfleet_core::split::{Declare, Finding, Level, SplitPlan, declarations};

use super::split::number;
use super::style::{Role, Style};
use super::text::{clean_line, counted, grouped, pad, wrap};

/// From so many tables or keys on, the same finding is shown once.
const TOGETHER_MIN: usize = 3;
/// Tables that such a finding names.
const TABLES_MAX: usize = 30;
/// Keys that it names.
const KEYS_MAX: usize = 8;
/// Tables and keys whose declarations are shown; those of more stand in a file.
const DECLARED_MAX: usize = 12;
/// Those that are shown of such a file.
const SHOWN_MAX: usize = 3;

/// How much of a plan is shown.
#[derive(Debug, Clone, Copy)]
pub struct PlanShown<'a> {
    /// What is as it should be too, and nothing shortened.
    pub all: bool,
    /// The declaration has a section `left_behind`.
    pub says_behind: bool,
    /// The declaration, as a shell takes it.
    pub declaration: &'a str,
    /// Where [`to_declare`] is written to, as a shell takes it.
    pub file: &'a str,
}

/// The databases and the findings.
pub fn split_plan(out: &mut String, style: &Style, plan: &SplitPlan, shown: PlanShown<'_>) {
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
    let worth = plan.findings.iter().filter(|f| shown.all || f.level != Level::Success);
    for alike in worth.collect::<Vec<_>>().chunk_by(|a, b| is_alike(a, b)) {
        match alike.len() >= TOGETHER_MIN && !shown.all && alike[0].declare.is_some() {
            true => together(out, style, alike),
            false => alike.iter().for_each(|one| finding(out, style, one)),
        }
    }
    to_be_declared(out, style, plan, shown);
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

/// What `split.toml` may say of the findings, where that is too long to be shown.
pub fn to_declare(plan: &SplitPlan, shown: PlanShown<'_>) -> Option<String> {
    let declared: Vec<_> = declared(plan).collect();
    let text = declarations(declared.iter().copied(), shown.says_behind);
    let head = format!(
        "\n# What `pgfleet split plan` found of {}. Keep what is meant; it can be appended to the\n\
         # declaration.\n",
        found(&declared)
    );
    is_long(&declared, shown).then(|| head + &text)
}

fn declared(plan: &SplitPlan) -> impl Iterator<Item = &Declare> {
    plan.findings.iter().filter_map(|one| one.declare.as_ref())
}

fn is_long(declared: &[&Declare], shown: PlanShown<'_>) -> bool {
    declared.len() > DECLARED_MAX && !shown.all
}

/// `221 tables that no database gets and 144 foreign keys that are cut`
fn found(declared: &[&Declare]) -> String {
    let tables = declared.iter().filter(|one| matches!(one, Declare::LeftBehind(_))).count();
    let keys = declared.len() - tables;
    let tables = (tables > 0).then(|| {
        let verb = if tables == 1 { "goes" } else { "go" };
        format!("{} that {verb} nowhere", counted(tables, "table"))
    });
    let keys = (keys > 0).then(|| {
        let verb = if keys == 1 { "is" } else { "are" };
        format!("{} that {verb} cut", counted(keys, "foreign key"))
    });
    tables.into_iter().chain(keys).collect::<Vec<_>>().join(" and ")
}

/// Tables that go nowhere are alike, and so are keys that are cut.
fn is_alike(a: &Finding, b: &Finding) -> bool {
    match (&a.declare, &b.declare) {
        (Some(Declare::LeftBehind(_)), Some(Declare::LeftBehind(_))) => a.what == b.what,
        (Some(Declare::Reference { .. }), Some(Declare::Reference { .. })) => true,
        _ => false,
    }
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

/// What was found of several tables or keys alike.
fn together(out: &mut String, style: &Style, alike: &[&Finding]) {
    let names: Vec<_> = alike.iter().filter_map(|one| one.declare.as_ref()).map(name).collect();
    let count = grouped(alike.len());
    let is_key = matches!(alike[0].declare, Some(Declare::Reference { .. }));
    let most = if is_key { KEYS_MAX } else { TABLES_MAX };
    let named = &names[..names.len().min(most)];
    let (subject, what, mut samples) = match is_key {
        true => {
            let what = "are cut, and nothing is declared that checks their values instead";
            (format!("source, {count} foreign keys"), what.to_owned(), named.to_vec())
        }
        false => {
            let lines = wrap(&named.join(", "), style.width.saturating_sub(10).max(30));
            (format!("source, {count} tables"), alike[0].what.clone(), lines)
        }
    };
    let rest = names.len() - named.len();
    samples.extend((rest > 0).then(|| format!("and {} more", grouped(rest))));
    finding(out, style, &Finding { subject, what, samples, ..alike[0].clone() });
}

fn name(declare: &Declare) -> String {
    match declare {
        Declare::LeftBehind(table) => table.clone(),
        Declare::Reference { from, to } => format!("{from} -> {to}"),
    }
}

/// What can be copied to the declaration, of all findings at once, or the first of it.
fn to_be_declared(out: &mut String, style: &Style, plan: &SplitPlan, shown: PlanShown<'_>) {
    let declared: Vec<_> = declared(plan).collect();
    if declared.is_empty() {
        return;
    }
    if !is_long(&declared, shown) {
        out.push_str("\nWhere it is meant, split.toml may say:\n\n");
        lines(out, style, &declarations(declared.into_iter(), shown.says_behind));
        return;
    }
    let found = found(&declared);
    out.push_str(&format!("\nWhere it is meant, split.toml may say of {found}:\n\n"));
    let mut first = declared;
    first.sort_by_key(|one| matches!(one, Declare::LeftBehind(_)));
    lines(out, style, &declarations(first.into_iter().take(SHOWN_MAX), shown.says_behind));
    out.push_str(
        "\nand so on; all of it is in a file. Keep in it what is meant, then append it:\n\n",
    );
    lines(out, style, &format!("cat {} >> {}", shown.file, shown.declaration));
}

fn lines(out: &mut String, style: &Style, text: &str) {
    for line in text.lines() {
        out.push_str(&style.paint(Role::Command, &clean_line(line)));
        out.push('\n');
    }
}
