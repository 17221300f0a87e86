//! Rows that would go, and rows that went.

use pgfleet_core::clean::{Effect, Victims};
use pgfleet_engine::clean::{CleanOutcome, Preview};

use super::style::{Role, Style};
use super::text::{clean_line, grouped};

/// A tree for each rule, and what to do next.
pub fn previews(out: &mut String, style: &Style, previews: &[Preview], command: &str) {
    let mut deleted = 0;
    for preview in previews {
        out.push_str(&format!(
            "{}  {}\n",
            style.paint(Role::Strong, &clean_line(&preview.rule.name)),
            style.paint(Role::Faint, &clean_line(&preview.rule.reason)),
        ));
        tree(out, style, &preview.victims, "  ", None);
        out.push('\n');
        deleted += preview.victims.total(Effect::Deleted);
    }
    if deleted == 0 {
        out.push_str("Nothing to do: no row satisfies a rule.\n");
        return;
    }
    out.push_str(&format!("{} rows would be deleted. Nothing was changed.\n", number(deleted)));
    if previews.iter().any(|preview| !preview.victims.blocking().is_empty()) {
        out.push_str(
            "Keys forbid it until rules for the rows that refer to them are there, too.\n",
        );
        return;
    }
    let next = format!("pgfleet {command} --execute --allow-data-loss");
    out.push_str(&format!("Do it: {}\n", style.paint(Role::Command, &next)));
}

/// `branch` is what a further line of the same node begins with; `last` whether it is its parent's
/// last child.
fn tree(out: &mut String, style: &Style, victims: &Victims, before: &str, last: Option<bool>) {
    let (arm, below) = match last {
        None => ("", ""),
        Some(true) => (style.glyph("└─ ", "`- "), "   "),
        Some(false) => (style.glyph("├─ ", "|- "), style.glyph("│  ", "|  ")),
    };
    let (what, role) = match victims.effect {
        Effect::Deleted => ("deleted", Role::Bad),
        Effect::Changed => ("set to NULL or default", Role::Doubtful),
        Effect::Blocking => ("forbid it", Role::Bad),
    };
    let key = victims.foreign_key.as_ref().map(|key| format!("by {}", clean_line(key)));
    let line = format!(
        "{before}{arm}{}  {}  {}",
        clean_line(&victims.table),
        style.paint(role, &format!("{} {what}", number(victims.rows))),
        style.paint(Role::Faint, &key.unwrap_or_default()),
    );
    out.push_str(line.trim_end());
    out.push('\n');
    let count = victims.children.len();
    for (at, child) in victims.children.iter().enumerate() {
        tree(out, style, child, &format!("{before}{below}"), Some(at + 1 == count));
    }
}

/// What went, by rule and table.
pub fn cleaned(out: &mut String, style: &Style, outcome: &CleanOutcome, backup: Option<&str>) {
    let mut rule = None;
    let mut deleted = 0;
    for count in &outcome.tables {
        if rule != Some(&count.rule) {
            rule = Some(&count.rule);
            let name = clean_line(&count.rule);
            out.push_str(&format!("{}\n", style.paint(Role::Strong, &name)));
        }
        deleted += count.deleted;
        let mut parts = Vec::new();
        if count.deleted > 0 {
            parts.push(format!("{} deleted", number(count.deleted)));
        }
        if count.changed > 0 {
            parts.push(format!("{} changed", number(count.changed)));
        }
        out.push_str(&format!("  {}  {}\n", clean_line(&count.table), parts.join(", ")));
    }
    let continued = if outcome.continued { ", with those of the interrupted run" } else { "" };
    out.push_str(&format!(
        "\n{} rows deleted{continued}. Run {}\n",
        number(deleted),
        outcome.run_id
    ));
    if let Some(backup) = backup {
        out.push_str(&format!("They are in the backup {}\n", clean_line(backup)));
    }
}

fn number(count: u64) -> String {
    grouped(usize::try_from(count).unwrap_or(usize::MAX))
}
