//! What is missing, for people: the table of models, then columns, enums, and tables too many.

use pgfleet_core::missing::{MissingReport, ModelRow};

use super::style::{Role, Style};
use super::text::{clean_line, counted, pad, width_of, wrap};

const HEADINGS: [&str; 3] = ["Model", "Expected table", "Exists"];

/// What is shown of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MissingOptions {
    /// Tables that are there too.
    pub all: bool,
}

/// The table of models, further sections, and a line of counts.
pub fn missing(out: &mut String, style: &Style, report: &MissingReport, options: MissingOptions) {
    let shown: Vec<_> = report.models.iter().filter(|row| options.all || !row.exists).collect();
    if !shown.is_empty() {
        out.push('\n');
        models(out, style, &shown);
    }
    columns(out, style, report);
    enums(out, style, report);
    extra_tables(out, style, report);
    summary(out, style, report);
}

fn models(out: &mut String, style: &Style, rows: &[&ModelRow]) {
    let width = |text: fn(&ModelRow) -> &str, heading: &str| {
        let widths = rows.iter().map(|row| width_of(&clean_line(text(row))));
        widths.max().unwrap_or(0).max(heading.len())
    };
    let model = width(|row| &row.model, HEADINGS[0]);
    let table = width(|row| &row.table, HEADINGS[1]);
    let [first, second, third] = HEADINGS;
    let heading = format!("{}  {}  {third}  Migration", pad(first, model), pad(second, table));
    out.push_str(&style.paint(Role::Faint, &heading));
    out.push('\n');
    for row in rows {
        let line = format!(
            "{}  {}  {}  {}",
            pad(&clean_line(&row.model), model),
            pad(&clean_line(&row.table), table),
            exists(style, row.exists),
            if row.exists {
                String::new()
            } else {
                migration(style, row.migration.as_deref(), row.made_by.as_deref())
            },
        );
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

fn exists(style: &Style, exists: bool) -> String {
    let (word, role) = if exists { ("yes", Role::Good) } else { ("no", Role::Bad) };
    style.paint(role, &pad(word, HEADINGS[2].len()))
}

fn migration(style: &Style, migration: Option<&str>, made_by: Option<&str>) -> String {
    match (migration, made_by) {
        (None, Some(name)) => {
            let text = format!("{} gone; {} made it", style.glyph("❌", "[ ]"), clean_line(name));
            style.paint(Role::Bad, &text)
        }
        (Some(name), _) => {
            let text = format!("{} has migration {}", style.glyph("✅", "[x]"), clean_line(name));
            style.paint(Role::Note, &text)
        }
        (None, None) => style.paint(Role::Bad, &format!("{} needs one", style.glyph("❌", "[ ]"))),
    }
}

fn section(out: &mut String, style: &Style, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    out.push_str(&format!("\n{}\n", style.paint(Role::Strong, title)));
    for line in lines {
        out.push_str(&format!("  {line}\n"));
    }
}

fn columns(out: &mut String, style: &Style, report: &MissingReport) {
    let line = |row: &pgfleet_core::missing::ColumnRow| {
        let column = clean_line(&format!("{}.{}", row.table, row.column));
        format!("{column}  {}", migration(style, row.migration.as_deref(), row.made_by.as_deref()))
    };
    let lines: Vec<_> = report.columns.iter().map(line).collect();
    section(out, style, "Columns that existing tables lack", &lines);
}

fn enums(out: &mut String, style: &Style, report: &MissingReport) {
    let line = |row: &pgfleet_core::missing::EnumRow| {
        let what = match &row.value {
            Some(value) => format!("{} lacks {value:?}", row.name),
            None => format!("{} does not exist", row.name),
        };
        format!(
            "{}  {}",
            clean_line(&what),
            migration(style, row.migration.as_deref(), row.made_by.as_deref())
        )
    };
    let lines: Vec<_> = report.enums.iter().map(line).collect();
    section(out, style, "Enums", &lines);
}

fn extra_tables(out: &mut String, style: &Style, report: &MissingReport) {
    let width = style.width.saturating_sub(2).max(20);
    let lines = wrap(&report.extra_tables.join(", "), width);
    let lines: Vec<_> = lines.into_iter().filter(|line| !line.is_empty()).collect();
    section(out, style, "Tables that nothing expects", &lines);
}

fn summary(out: &mut String, style: &Style, report: &MissingReport) {
    let total = counted(report.models.len(), "table");
    let missing: Vec<_> = report.missing_models().collect();
    if report.complete() {
        let line = format!("{total} expected, all there");
        out.push_str(&format!("\n{}\n", style.paint(Role::Good, &line)));
        return;
    }
    let has = missing.iter().filter(|row| row.migration.is_some()).count();
    out.push_str(&format!(
        "\n{total} expected, {}: {has} with a migration, {} without\n",
        style.paint(Role::Bad, &format!("{} missing", missing.len())),
        missing.len() - has
    ));
}
