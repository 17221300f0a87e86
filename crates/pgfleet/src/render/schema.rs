//! Schemas and their differences for people.

use std::collections::BTreeMap;

use pgfleet_core::schema::diff::{Action, Change, Statement};
use pgfleet_core::schema::{Kind, Schema};

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
    out.push_str(&format!("\nfingerprint {}\n", schema.fingerprint()));
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

/// A script, ready to be run.
pub fn statements(out: &mut String, statements: &[Statement]) {
    for statement in statements {
        out.push_str(&format!("{};\n", clean(&statement.sql)));
        if statement.commit_after {
            out.push_str("-- The statement above must be committed before those below.\n");
        }
    }
}
