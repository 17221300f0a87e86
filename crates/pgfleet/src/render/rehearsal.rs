//! A rehearsal for people: what held others up, what was written anew, and what can be taken back.

use pgfleet_core::plan::Plan;
use pgfleet_core::rehearse::{Proof, Rehearsal, RehearsedStatement, Reversal, Touched, Verdict};

use super::style::{Role, Style};
use super::text::{clean, clean_line, counted, duration, pad, pad_left, width_of, wrap};

/// Statements that take at least this long on the copy are shown, whatever they lock.
const SLOW_MS: f64 = 100.0;

/// What was seen. `all`: statements that hold nobody up, too.
pub fn rehearsal(out: &mut String, style: &Style, rehearsal: &Rehearsal, all: bool) {
    out.push('\n');
    let time = duration(rehearsal.elapsed_ms);
    out.push_str(&style.paint(Role::Strong, &format!("Rehearsed in {time}")));
    out.push_str(&format!("\n{}.\n", clean_line(&rehearsal.copy)));
    if let Some(other) = &rehearsal.stand_in {
        out.push_str(&format!("Of {}, where plan and schema are the same.\n", clean_line(other)));
    }
    let shown: Vec<_> = rehearsal.statements.iter().filter(|one| all || is_notable(one)).collect();
    let width = shown.iter().map(|one| width_of(&head(one))).max().unwrap_or(0);
    for statement in &shown {
        statement_lines(out, style, statement, width);
    }
    totals(out, style, rehearsal, shown.len());
    ways_back(out, style, &rehearsal.reversals);
}

fn is_notable(statement: &RehearsedStatement) -> bool {
    statement.elapsed_ms >= SLOW_MS || statement.touched.iter().any(Touched::matters)
}

fn head(statement: &RehearsedStatement) -> String {
    clean_line(&format!("{}  {}", statement.place, statement.label))
}

fn statement_lines(out: &mut String, style: &Style, seen: &RehearsedStatement, width: usize) {
    let rows = usize::try_from(seen.rows).unwrap_or(usize::MAX);
    let time = pad_left(&duration(seen.elapsed_ms), 9);
    let rows = if rows > 0 { counted(rows, "row") } else { String::new() };
    let line = format!("  {}  {time}  {rows}", pad(&head(seen), width));
    out.push_str(&format!("{}\n", line.trim_end()));
    for touched in &seen.touched {
        let role = if touched.matters() { Role::Doubtful } else { Role::Faint };
        hung(out, style, 6, &consequence(touched), role);
    }
}

/// `ACCESS EXCLUSIVE on public.orders, 12.0 GiB, 40 M rows, rewritten`
fn consequence(touched: &Touched) -> String {
    let mut text = match touched.lock {
        Some(lock) if touched.held_before => {
            format!("under {} on {}, taken before", lock.sql_name(), touched.relation)
        }
        Some(lock) => format!("{} on {}", lock.sql_name(), touched.relation),
        None => format!("{} {}", touched.kind, touched.relation),
    };
    if let Some(size) = touched.size.filter(|size| size.bytes > 0) {
        text.push_str(&format!(", {size}"));
    }
    for (is_so, word) in [
        (touched.rewritten && touched.kind == "index", "built anew"),
        (touched.rewritten && touched.kind != "index", "rewritten"),
        (touched.scanned && !touched.rewritten, "read from end to end"),
    ] {
        if is_so {
            text.push_str(&format!(", {word}"));
        }
    }
    text
}

fn totals(out: &mut String, style: &Style, rehearsal: &Rehearsal, shown: usize) {
    let total = rehearsal.statements.len();
    let ms: f64 = rehearsal.statements.iter().map(|one| one.elapsed_ms).sum();
    let hidden = match total - shown {
        0 => String::new(),
        _ if shown == 0 => {
            ", none of which locks out readers or writers of what is there".to_owned()
        }
        rest => format!(", {rest} of which hold nobody up"),
    };
    let end = if rehearsal.complete { "" } else { "; the next one failed" };
    let text = format!("{}, {}{hidden}{end}", counted(total, "statement"), duration(ms));
    out.push_str(&format!("{text}.\n"));
    let watched = rehearsal.statements.iter().any(|one| one.watched);
    let mut note = rehearsal.statistics.clone();
    if watched {
        note.push_str(
            "; statements outside a transaction were watched from a second session, which may miss \
             what they hold for a moment",
        );
    }
    if !note.is_empty() {
        hung(out, style, 0, &format!("{note}."), Role::Faint);
    }
}

fn ways_back(out: &mut String, style: &Style, reversals: &[Reversal]) {
    if reversals.is_empty() {
        return;
    }
    out.push('\n');
    out.push_str(&style.paint(Role::Strong, "Ways back"));
    out.push('\n');
    let width = reversals.iter().map(|one| width_of(&clean_line(&one.migration))).max();
    for reversal in reversals {
        let (role, verdict, details) = in_words(reversal);
        let name = pad(&clean_line(&reversal.migration), width.unwrap_or(0));
        out.push_str(&format!("  {name}  {}\n", style.paint(role, &verdict)));
        for detail in details {
            hung(out, style, 6, detail, Role::Faint);
        }
    }
}

fn in_words(reversal: &Reversal) -> (Role, String, &[String]) {
    let by = reversal.by.words();
    match &reversal.verdict {
        Verdict::Proven => (Role::Good, format!("proven reversible by {by}"), &[]),
        Verdict::ProvenWithLoss { loses } => {
            (Role::Doubtful, format!("reversible by {by}, except for:"), loses)
        }
        Verdict::NotReversible { why, differences } => {
            (Role::Bad, format!("not reversible by {by}: {}", clean_line(why)), differences)
        }
        Verdict::NotTried { why } => {
            (Role::Doubtful, format!("not tried: {}", clean_line(why)), &[])
        }
    }
}

/// What the try of a rollback showed.
pub fn proof(out: &mut String, style: &Style, proof: &Proof, derived: &[String]) {
    let way = match derived {
        [] => "The way back",
        _ => "The way back, derived where none was written,",
    };
    let (role, text) = match proof {
        Proof::Proven => (
            Role::Good,
            format!("{way} was proven on a scratch copy: the schema is what it was before."),
        ),
        Proof::RoundTrip { why } => (
            Role::Doubtful,
            format!(
                "{way} was proven on a scratch copy by a round trip only: back and forth again gave \
                 the same schema. What was there before is not known: {}.",
                clean_line(why)
            ),
        ),
        Proof::Unproven { why, .. } => {
            (Role::Bad, format!("{way} was not proven: {}.", clean_line(why)))
        }
    };
    hung(out, style, 0, &text, role);
}

/// Statements that nobody wrote.
pub fn derived(out: &mut String, style: &Style, plan: &Plan, derived: &[String]) {
    for step in plan.sql_steps().filter(|step| derived.contains(&step.label)) {
        let heading = format!("{} has no down part; derived:", clean_line(&step.label));
        out.push_str(&format!("\n{}\n", style.paint(Role::Strong, &heading)));
        let statements = step.units.iter().flat_map(|unit| unit.statements());
        for statement in statements.filter(|statement| statement.label != "SET") {
            for line in clean(&statement.sql).lines() {
                out.push_str(&format!("  {line}\n"));
            }
        }
    }
    out.push('\n');
}

fn hung(out: &mut String, style: &Style, indent: usize, text: &str, role: Role) {
    let width = style.width.saturating_sub(indent + 2).max(30);
    for (at, line) in wrap(text, width).iter().enumerate() {
        let hang = if at > 0 { 2 } else { 0 };
        out.push_str(&" ".repeat(indent + hang));
        out.push_str(&style.paint(role, line));
        out.push('\n');
    }
}
