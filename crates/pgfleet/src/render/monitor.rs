//! One look at a server, for people.

use pgfleet_core::monitor::{Attention, Growth, LongTransaction, Sample};

use super::style::{Role, Style};
use super::text::{clean_line, cut, duration, grouped, pad, pad_left, size, width_of};

/// The figures, what needs attention first.
pub fn monitor(
    out: &mut String,
    style: &Style,
    now: &Sample,
    grown: &[Growth],
    needs: &[Attention],
    top: usize,
) {
    for one in needs {
        let mark = style.paint(Role::Doubtful, style.glyph("▲", "!"));
        out.push_str(&format!(
            "{mark} {}  {}\n",
            style.paint(Role::Doubtful, &clean_line(&one.what)),
            style.paint(Role::Faint, one.advice)
        ));
    }
    if !needs.is_empty() {
        out.push('\n');
    }
    server(out, style, now);
    memory(out, style, now);
    tables(out, style, now, grown, top);
    transactions(out, style, &now.transactions, top);
    replication(out, style, now);
    statements(out, style, now, top);
}

fn heading(out: &mut String, style: &Style, text: &str) {
    out.push_str(&format!("\n{}\n", style.paint(Role::Strong, text)));
}

fn count(number: u64) -> String {
    grouped(usize::try_from(number).unwrap_or(usize::MAX))
}

fn server(out: &mut String, style: &Style, now: &Sample) {
    let states: Vec<_> =
        now.states.iter().map(|(state, n)| format!("{n} {}", clean_line(state))).collect();
    let limit = now.connections_limit_here.map(|limit| format!(" of {limit}")).unwrap_or_default();
    let hit =
        now.cache_hit.map_or_else(|| "none yet".to_owned(), |hit| format!("{:.1} %", hit * 100.0));
    let lines = [
        (
            "connections",
            format!(
                "{} of {} on the server, {}{limit} here ({})",
                now.connections,
                now.connections_max,
                now.connections_here,
                states.join(", ")
            ),
        ),
        ("cache hit", hit),
        (
            "transactions",
            format!(
                "{} committed, {} rolled back, {} deadlocks since statistics began",
                count(now.commits),
                count(now.rollbacks),
                count(now.deadlocks)
            ),
        ),
        ("temporary files", size(now.temporary_bytes)),
        ("answered in", duration(now.answered_ms)),
    ];
    for (name, text) in lines {
        out.push_str(&format!("{}  {text}\n", style.paint(Role::Faint, &pad(name, 15))));
    }
}

fn memory(out: &mut String, style: &Style, now: &Sample) {
    let settings: Vec<_> = now
        .memory
        .iter()
        .map(|setting| format!("{} {}", setting.name, clean_line(&setting.value)))
        .collect();
    let text = settings.join(", ");
    let width = style.width.saturating_sub(17).max(20);
    for (at, line) in super::text::wrap(&text, width).into_iter().enumerate() {
        let name = if at == 0 { "memory" } else { "" };
        out.push_str(&format!("{}  {line}\n", style.paint(Role::Faint, &pad(name, 15))));
    }
}

fn signed(bytes: i64) -> String {
    let sign = if bytes < 0 { "-" } else { "+" };
    format!("{sign}{}", size(bytes.unsigned_abs()))
}

fn tables(out: &mut String, style: &Style, now: &Sample, grown: &[Growth], top: usize) {
    let since =
        grown.first().map(|first| format!(", growth in {}", duration(first.over_s * 1000.0)));
    heading(out, style, &format!("Size{}", since.unwrap_or_default()));
    let growth_of = |table: Option<&str>| {
        let found = grown.iter().find(|one| one.table.as_deref() == table);
        found.map(|one| signed(one.bytes)).unwrap_or_default()
    };
    let shown: Vec<_> = now.tables.iter().take(top).collect();
    let names = shown.iter().map(|table| width_of(&clean_line(&table.table)));
    let width = names.max().unwrap_or(0).max("database".len());
    let whole = (size(now.database_bytes), growth_of(None));
    let line = format!(
        "  {}  {}  {}",
        pad("database", width),
        pad_left(&whole.0, 10),
        pad_left(&whole.1, 11)
    );
    out.push_str(line.trim_end());
    out.push('\n');
    for table in shown {
        let dead = match table.dead_rows {
            0 => String::new(),
            dead => format!("  {} dead of {} rows", count(dead), count(dead + table.live_rows)),
        };
        let line = format!(
            "  {}  {}  {}{dead}",
            pad(&clean_line(&table.table), width),
            pad_left(&size(table.bytes), 10),
            pad_left(&growth_of(Some(&table.table)), 11),
        );
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

fn transactions(out: &mut String, style: &Style, open: &[LongTransaction], top: usize) {
    if open.is_empty() {
        return;
    }
    heading(out, style, "Open transactions, the oldest first");
    for one in open.iter().take(top) {
        let blocked = match one.blocked_by.as_slice() {
            [] => String::new(),
            by => {
                let by: Vec<_> = by.iter().map(ToString::to_string).collect();
                style.paint(Role::Bad, &format!("  waits for {}", by.join(", ")))
            }
        };
        let query = cut(&clean_line(&one.query), style.width.saturating_sub(4), "…");
        out.push_str(&format!(
            "  {} {} {}  {}, {}{blocked}\n    {}\n",
            one.pid,
            clean_line(&one.user),
            clean_line(&one.application),
            duration(one.age_s * 1000.0),
            clean_line(&one.state),
            style.paint(Role::Faint, &query)
        ));
    }
}

fn replication(out: &mut String, style: &Style, now: &Sample) {
    if now.replicas.is_empty() && now.slots.is_empty() && now.standby_delay_s.is_none() {
        return;
    }
    heading(out, style, "Replication");
    if let Some(delay) = now.standby_delay_s {
        out.push_str(&format!("  this standby is {} behind\n", duration(delay * 1000.0)));
    }
    for replica in &now.replicas {
        let lag = replica.lag_s.map(|lag| format!(", {}", duration(lag * 1000.0)));
        out.push_str(&format!(
            "  {}  {}  {} behind{}\n",
            clean_line(&replica.name),
            clean_line(&replica.state),
            size(replica.lag_bytes),
            lag.unwrap_or_default()
        ));
    }
    for (slot, bytes) in &now.slots {
        out.push_str(&format!("  slot {}  holds back {}\n", clean_line(slot), size(*bytes)));
    }
}

fn statements(out: &mut String, style: &Style, now: &Sample, top: usize) {
    heading(out, style, "Statements that took most time");
    let Some(statements) = &now.statements else {
        let note =
            "not known: CREATE EXTENSION pg_stat_statements, in shared_preload_libraries too";
        out.push_str(&format!("  {}\n", style.paint(Role::Faint, note)));
        return;
    };
    for one in statements.iter().take(top) {
        let query = cut(&clean_line(&one.query), style.width.saturating_sub(4), "…");
        out.push_str(&format!(
            "  {}  {} calls, {} each\n    {}\n",
            pad_left(&duration(one.total_ms), 9),
            count(one.calls),
            duration(one.mean_ms),
            style.paint(Role::Faint, &query)
        ));
    }
}
