//! Tenants for people.

use pgfleet_core::verify::CheckResult;
use pgfleet_engine::tenant::{Created, Removed, TenantRow, TenantState};

use super::style::{Role, Style};
use super::text::{clean_line, counted, cut, duration, pad, size, width_of};

/// What was made of a new tenant.
pub fn tenant_created(out: &mut String, style: &Style, created: &Created) {
    let good = style.paint(Role::Good, style.glyph("✔", "ok"));
    let code = style.paint(Role::Strong, &clean_line(&created.code));
    let begun = if created.continued { ", which an earlier run had begun" } else { "" };
    out.push_str(&format!(
        "{good} {code} is created{begun}: {} {}, {}\n",
        created.kind,
        clean_line(&created.home),
        duration(created.elapsed_ms)
    ));
    let hold = created.checks.iter().filter(|check| check.ok).count();
    let skipped = created.checks.iter().filter(|check| check.skipped.is_some()).count();
    let mut facts = vec![
        format!("{} applied", counted(created.migrations, "migration")),
        counted(created.seeds.len(), "seed"),
    ];
    if !created.checks.is_empty() {
        facts.push(format!("{} passed", counted(hold, "check")));
    }
    if skipped > 0 {
        facts.push(format!("{skipped} not made"));
    }
    out.push_str(&format!("  {}\n", facts.join(", ")));
    for check in &created.checks {
        not_made(out, style, check);
    }
    if let Some(why) = &created.inactive {
        let line = format!("  the registry has it, and it is not active: {why}");
        out.push_str(&style.paint(Role::Doubtful, &clean_line(&line)));
        out.push('\n');
    }
}

fn not_made(out: &mut String, style: &Style, check: &CheckResult) {
    if let Some(why) = &check.skipped {
        let line = format!("  not made: {}: {why}", check.name);
        out.push_str(&style.paint(Role::Faint, &clean_line(&line)));
        out.push('\n');
    }
}

/// What became of a tenant that was dropped, and where its backup is.
pub fn tenant_dropped(out: &mut String, style: &Style, removed: &Removed) {
    let good = style.paint(Role::Good, style.glyph("✔", "ok"));
    let code = style.paint(Role::Strong, &clean_line(&removed.code));
    out.push_str(&format!(
        "{good} {code} is dropped: {} {}\n",
        removed.kind,
        clean_line(&removed.home)
    ));
    match &removed.backup {
        Some(folder) => out.push_str(&format!("  proven backup: {}\n", clean_line(folder))),
        None => {
            let line = format!("  its {} was gone before; nothing was backed up\n", removed.kind);
            out.push_str(&line);
        }
    }
}

/// A line for each tenant, and counts.
pub fn tenants(out: &mut String, style: &Style, group: &str, rows: &[TenantRow]) {
    if rows.is_empty() {
        out.push_str(&format!("The group {} has no tenants.\n", clean_line(group)));
        return;
    }
    let has_schemas = rows.iter().any(|row| row.schema.is_some());
    let home = if has_schemas { "SCHEMA" } else { "DATABASE" };
    let heads = ["TENANT", "STATE", home, "SIZE", "HISTORY"].map(str::to_owned);
    let lines: Vec<_> = rows.iter().map(cells).collect();
    let width = |at: usize| {
        let widths = lines.iter().chain([&heads]).map(|cells| width_of(&cells[at]));
        widths.max().unwrap_or(0).min(40)
    };
    let widths: Vec<_> = (0..heads.len()).map(width).collect();
    let mark = style.glyph("…", "...");
    let cell = |text: &str, at: usize| pad(&cut(text, widths[at], mark), widths[at]);
    let line = |cells: &[String; 5]| {
        let cells: Vec<_> = cells.iter().enumerate().map(|(at, text)| cell(text, at)).collect();
        cells.join("  ")
    };
    out.push_str(&style.paint(Role::Faint, line(&heads).trim_end()));
    out.push('\n');
    for (row, cells) in rows.iter().zip(&lines) {
        out.push_str(&style.paint(role(row.state), line(cells).trim_end()));
        if !row.note.is_empty() {
            out.push_str(&style.paint(Role::Faint, &format!("  {}", clean_line(&row.note))));
        }
        out.push('\n');
    }
    let active = rows.iter().filter(|row| row.state == TenantState::Active).count();
    let others = rows.len() - active;
    let others = if others > 0 { format!(", {others} otherwise") } else { String::new() };
    out.push_str(&format!("\n{}: {active} active{others}\n", counted(rows.len(), "tenant")));
}

fn cells(row: &TenantRow) -> [String; 5] {
    let history = match (&row.head, row.pending) {
        (head, Some(0)) => head.clone().unwrap_or_else(|| "none".to_owned()),
        (Some(head), Some(lacks)) => format!("{head}, {lacks} pending"),
        (None, Some(lacks)) => format!("none, {lacks} pending"),
        (_, None) => "-".to_owned(),
    };
    [
        clean_line(&row.code),
        word(row.state).to_owned(),
        row.schema
            .as_ref()
            .or(row.database.as_ref())
            .map_or_else(|| "-".to_owned(), |n| clean_line(n)),
        row.bytes.map_or_else(|| "-".to_owned(), size),
        clean_line(&history),
    ]
}

fn word(state: TenantState) -> &'static str {
    match state {
        TenantState::Active => "active",
        TenantState::Inactive => "inactive",
        TenantState::Dangling => "dangling",
        TenantState::Duplicate => "duplicate",
        TenantState::Unreachable => "unreachable",
        TenantState::HalfCreated => "half created",
        TenantState::HalfDropped => "half dropped",
    }
}

fn role(state: TenantState) -> Role {
    match state {
        TenantState::Active => Role::Good,
        TenantState::Inactive => Role::Faint,
        TenantState::Unreachable => Role::Bad,
        _ => Role::Doubtful,
    }
}
