//! Schemas and their differences for people.

use std::collections::{BTreeMap, BTreeSet};

use pgfleet_core::schema::diff::{Action, Change, Statement, compare, units};
use pgfleet_core::schema::hazard::{StatementHazard, StatementHazardKind};
use pgfleet_core::schema::rename::RenameStep;
use pgfleet_core::schema::{Body, Kind, Schema, parts};

use super::style::{Role, Style};
use super::text::{clean, clean_line, counted, width_of};

/// Counts of each kind, the tables, what is not modelled, and the fingerprint.
pub fn schema(out: &mut String, style: &Style, schema: &Schema) {
    let mut counts: BTreeMap<Kind, usize> = BTreeMap::new();
    for object in &schema.objects {
        *counts.entry(object.id.kind).or_default() += 1;
    }
    let counts: Vec<_> = counts.iter().map(|(kind, count)| counted(*count, kind.name())).collect();
    out.push_str(&format!(
        "{}\n",
        if counts.is_empty() { "nothing".to_owned() } else { counts.join(", ") }
    ));
    tables(out, style, schema);
    for name in &schema.unmodelled {
        let line = format!("not modelled: {}", clean_line(name));
        out.push_str(&format!("{}\n", style.paint(Role::Doubtful, &line)));
    }
    left_out(out, schema);
    out.push_str(&format!("\nfingerprint {}\n", schema.fingerprint()));
}

/// The schemas that do not count, in a line of their own.
pub fn left_out(out: &mut String, schema: &Schema) {
    if !schema.left_out.is_empty() {
        let names: Vec<_> = schema.left_out.iter().map(|name| clean_line(name)).collect();
        out.push_str(&format!("left out: schema {}\n", names.join(", ")));
    }
}

fn tables(out: &mut String, style: &Style, schema: &Schema) {
    let tables: Vec<_> = schema
        .objects
        .iter()
        .filter_map(|object| Some((clean_line(&object.id.sql_name()), object.table()?)))
        .collect();
    let Some(width) = tables.iter().map(|(name, _)| width_of(name)).max() else { return };
    out.push('\n');
    for (name, table) in tables {
        let padding = " ".repeat(width - width_of(&name));
        let columns = style.paint(Role::Faint, &counted(table.columns.len(), "column"));
        out.push_str(&format!("  {name}{padding}  {columns}\n"));
    }
}

/// One line for each object that differs.
pub fn changes(out: &mut String, style: &Style, changes: &[Change]) {
    for change in changes {
        let (sign, role) = match change.action {
            Action::Create => ("+", Role::Good),
            Action::Drop => ("-", Role::Bad),
            Action::Alter => ("~", Role::Doubtful),
            Action::Replace => ("±", Role::Doubtful),
        };
        let sign = if style.unicode || sign != "±" { sign } else { "!" };
        let line = format!("{sign} {}", clean_line(&change.object.to_string()));
        out.push_str(&format!("{}\n", style.paint(role, &line)));
    }
}

/// The same for two schemas, and below an object what of it differs. A table that comes or goes stands
/// for its indexes, constraints and triggers.
pub fn differences(out: &mut String, style: &Style, from: &Schema, to: &Schema) {
    let all = compare(from, to).changes();
    let holds_parts = |kind| matches!(kind, Kind::Table | Kind::View | Kind::MaterializedView);
    let wholes: BTreeSet<_> = all
        .iter()
        .filter(|change| holds_parts(change.object.kind))
        .map(|change| (change.action, change.object.sql_name()))
        .collect();
    let is_part = |change: &Change| {
        let side = if change.action == Action::Drop { from } else { to };
        let whole = matches!(change.action, Action::Create | Action::Drop);
        whole && wholes.contains(&(change.action, table_of(side, change)))
    };
    for change in all.into_iter().filter(|change| !is_part(change)) {
        changes(out, style, std::slice::from_ref(&change));
        for part in parts(from, to, &change) {
            out.push_str(&style.paint(Role::Faint, &format!("    {}", clean_line(&part))));
            out.push('\n');
        }
    }
}

/// The table that something is of, as SQL; empty, when it is of none.
fn table_of(side: &Schema, change: &Change) -> String {
    match side.get(&change.object).map(|object| &object.body) {
        Some(Body::Index(index)) => index.table.clone(),
        _ if change.object.kind.is_part() => change.object.sql_table(),
        _ => String::new(),
    }
}

/// One line for each rename, in order.
pub fn renames(out: &mut String, style: &Style, steps: &[RenameStep]) {
    let sign = if style.unicode { "→" } else { ">" };
    for step in steps {
        let line = format!("{sign} {}", clean_line(&step.to_string()));
        out.push_str(&format!("{}\n", style.paint(Role::Doubtful, &line)));
    }
}

/// What a script for psql begins with: it ends at the first error, waits for locks for a short time
/// only, takes bodies of functions as they are, and finds nothing by accident.
pub const PSQL_HEAD: &str = "\\set ON_ERROR_STOP on\nSET lock_timeout = '5s';\n\
    SET check_function_bodies = off;\nSET search_path = '';";

/// A script, ready to be run: transactions where statements belong together, hazards as comments
/// above the statement that has them.
pub fn statements(out: &mut String, statements: &[Statement], hazards: &[Vec<StatementHazard>]) {
    let units = units(statements);
    let several = units.len() > 1;
    let mut hazards = hazards.iter();
    for unit in units {
        let framed = !unit.outside && (several || unit.statements.len() > 1);
        out.push_str(if framed { "BEGIN;\n" } else { "" });
        for statement in unit.statements {
            for hazard in hazards.next().into_iter().flatten() {
                out.push_str(&format!("-- {}\n", clean_line(&hazard_line(hazard))));
            }
            out.push_str(&format!("{};\n", clean(&statement.sql)));
        }
        out.push_str(if framed { "COMMIT;\n" } else { "" });
    }
}

/// What to think about, each once.
pub fn hazards(out: &mut String, hazards: &[Vec<StatementHazard>]) {
    let mut lines: Vec<_> =
        hazards.iter().flatten().map(|one| (one.kind, hazard_line(one))).collect();
    lines.sort();
    lines.dedup();
    for (_, line) in lines {
        out.push_str(&format!("  {}\n", clean_line(&line)));
    }
}

/// `lock: ACCESS EXCLUSIVE on public.t: blocks readers and writers`
fn hazard_line(hazard: &StatementHazard) -> String {
    let word = match hazard.kind {
        StatementHazardKind::DataLoss => "DATA LOSS: ",
        StatementHazardKind::PossibleLoss => "possible data loss: ",
        StatementHazardKind::MayFail => "",
        StatementHazardKind::PerhapsRenamed => "perhaps renamed: ",
        StatementHazardKind::BreaksCode => "code: ",
        StatementHazardKind::Rewrite => "rewrite: ",
        StatementHazardKind::Lock => "lock: ",
        StatementHazardKind::IndexBuild => "index: ",
        StatementHazardKind::Work => "rows: ",
        StatementHazardKind::Grants => "grants: ",
    };
    format!("{word}{}", hazard.what)
}
