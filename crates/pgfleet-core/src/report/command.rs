//! What a command found or did that is no run of migrations (a backup, a split, an audit …), whole:
//! written to `.pgfleet/runs/<id>-<command>/`.

use maud::{Markup, html as markup};
use serde::Serialize;
use serde_json::Value;

use super::html::problem as problem_article;
use super::page::page;
use super::wording::duration;
use crate::diagnose::Problem;

/// A command's log.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CommandReport {
    /// Layout version of this object.
    pub version: u32,
    /// Identifies it on disk.
    pub run_id: String,
    /// The command with its action: `backup`, `split-run` …
    pub command: String,
    /// When it began, RFC 3339 in UTC.
    pub started_at: String,
    /// How long it took.
    pub elapsed_ms: f64,
    /// The exit code.
    pub exit: u8,
    /// What `--output json` says of each target.
    pub targets: Vec<Value>,
    /// Whatever was said on the way, errors included.
    pub problems: Vec<Problem>,
    /// What people saw.
    #[serde(skip)]
    pub text: String,
    /// The same as tables, for the page; the text stands there when there are none.
    #[serde(skip)]
    pub tables: Vec<ReportTable>,
    /// Further files beside it: name and text.
    #[serde(skip)]
    pub files: Vec<(&'static str, String)>,
}

/// A table of the page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportTable {
    /// What it shows.
    pub title: String,
    /// Names of the columns.
    pub columns: Vec<&'static str>,
    /// Its rows.
    pub rows: Vec<ReportRow>,
}

/// A row of such a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportRow {
    /// Whether what it says is as it should be; none where that is no question.
    pub ok: Option<bool>,
    /// A text for each column.
    pub cells: Vec<String>,
}

impl ReportTable {
    /// An empty table.
    pub fn new(title: impl Into<String>, columns: &[&'static str]) -> Self {
        Self { title: title.into(), columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, ok: Option<bool>, cells: impl IntoIterator<Item = String>) {
        self.rows.push(ReportRow { ok, cells: cells.into_iter().collect() });
    }
}

/// The log as one HTML page: nothing is loaded from elsewhere.
pub fn command_html(report: &CommandReport) -> String {
    let title = report.command.replace('-', " ");
    let verdict = match report.exit {
        0 => format!("done in {}", duration(report.elapsed_ms)),
        code => format!("ended with exit code {code} after {}", duration(report.elapsed_ms)),
    };
    let content = markup! {
        header {
            h1 { (title) }
            p.verdict.(if report.exit == 0 { "good" } else { "bad" }) { (verdict) }
            dl { dt { "began" } dd { time datetime=(report.started_at) { (report.started_at) } } }
        }
        @if !report.problems.is_empty() {
            section { h2 { "Problems" } @for found in &report.problems { (problem_article(found)) } }
        }
        @for one in &report.tables { (table(one)) }
        @if report.tables.is_empty() && !report.text.is_empty() {
            section { pre { code { (report.text) } } }
        }
    };
    let origin = format!("run {}", report.run_id);
    page(&format!("{title}: {verdict}"), content, Some(&origin))
}

fn table(table: &ReportTable) -> Markup {
    markup! {
        section {
            h2 { (table.title) }
            table {
                thead { tr { @for column in &table.columns { th { (column) } } } }
                tbody { @for row in &table.rows {
                    tr.(match row.ok { Some(true) => "done", Some(false) => "failed", None => "" }) {
                        @for (at, cell) in row.cells.iter().enumerate() {
                            td.(if at == 0 { "outcome" } else { "" }) { (cell) }
                        }
                    }
                } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::Code;

    fn report() -> CommandReport {
        let mut rows = ReportTable::new("Rows", &["table", "rows"]);
        rows.row(Some(false), ["<b>".to_owned(), "3".to_owned()]);
        CommandReport {
            version: 1,
            run_id: "r".to_owned(),
            command: "split-run".to_owned(),
            started_at: "2026-01-02T03:04:05Z".to_owned(),
            elapsed_ms: 1200.0,
            exit: 4,
            targets: Vec::new(),
            problems: vec![Problem::error(Code::SplitDiffers, "<differs>")],
            text: "as & text".to_owned(),
            tables: vec![rows],
            files: Vec::new(),
        }
    }

    #[test]
    fn the_page_is_whole_and_everything_in_it_is_escaped() {
        let page = command_html(&report());
        assert!(page.contains("<h1>split run</h1>") && page.contains("exit code 4"), "{page}");
        assert!(page.contains("<tr class=\"failed\">") && page.contains("&lt;b&gt;"), "{page}");
        assert!(page.contains("&lt;differs&gt;") && !page.contains("as &amp; text"), "{page}");
        for outside in ["http:", "https:", "src=", "url(", "@import", "<link", "<script"] {
            assert!(!page.contains(outside), "{outside}");
        }
    }

    #[test]
    fn without_tables_the_text_stands_on_the_page() {
        let page = command_html(&CommandReport { tables: Vec::new(), ..report() });
        assert!(page.contains("as &amp; text"), "{page}");
    }
}
