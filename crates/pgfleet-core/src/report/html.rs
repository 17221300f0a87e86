//! A run as one HTML page.

use maud::{Markup, html as markup};

use super::page::page;
use super::wording::{duration, is_good, outcome, severity, verdict};
use super::{MigrationRun, RunReport};
use crate::diagnose::{Fix, Problem, Snippet};

/// The page.
pub fn html(report: &RunReport) -> String {
    let longest = report.migrations.iter().filter_map(|m| m.elapsed_ms).fold(0.0, f64::max);
    let title = format!("{} of {}: {}", report.command, report.target, verdict(report));
    let content = markup! {
        (heading(report))
        @if !report.problems.is_empty() {
            section { h2 { "Problems" } @for found in &report.problems { (problem(found)) } }
        }
        @if !report.migrations.is_empty() { (migrations(report, longest)) }
    };
    page(&title, content, Some(&format!("run {}", report.run_id)))
}

fn heading(report: &RunReport) -> Markup {
    let mark = if is_good(report) { "good" } else { "bad" };
    markup! {
        header {
            h1 { (report.command) " of " (report.target) }
            p.verdict.(mark) { (verdict(report)) }
            dl {
                dt { "server" } dd { (report.server) }
                dt { "began" } dd { time datetime=(report.started_at) { (report.started_at) } }
                dt { "took" } dd { (duration(report.elapsed_ms)) }
            }
        }
    }
}

fn migrations(report: &RunReport, longest: f64) -> Markup {
    markup! {
        section {
            h2 { "Migrations" }
            table {
                thead { tr {
                    th { "version" } th { "name" } th { "outcome" }
                    th.number { "statements" } th.number { "time" } th.bar { span.unseen { "share" } }
                } }
                tbody { @for migration in &report.migrations { (row(migration, longest)) } }
            }
        }
    }
}

fn row(migration: &MigrationRun, longest: f64) -> Markup {
    let word = outcome(migration.outcome);
    let class = word.replace(' ', "-");
    let share = migration.elapsed_ms.filter(|_| longest > 0.0).map(|ms| 100.0 * ms / longest);
    markup! {
        tr.(class) {
            td { (migration.version) }
            td title=(migration.file) { (migration.name) }
            td.outcome { (word) }
            td.number { (migration.statements) }
            td.number { @if let Some(ms) = migration.elapsed_ms { (duration(ms)) } }
            td.bar { @if let Some(share) = share { div style=(format!("width:{share:.1}%")) {} } }
        }
    }
}

pub(super) fn problem(problem: &Problem) -> Markup {
    let word = severity(problem.severity);
    markup! {
        article.(word) {
            h3 { span.code { (problem.code.id()) } " " (problem.what) }
            p.where {
                @if let Some(place) = &problem.place { code { (place) } " " }
                @if let Some(target) = &problem.target { "in " (target) " " }
                @if let Some(sqlstate) = &problem.sqlstate { "SQLSTATE " (sqlstate) }
            }
            @if let Some(text) = &problem.snippet { (snippet(text)) }
            @if let Some(cause) = &problem.cause { p { b { "Cause: " } (cause) } }
            @if !problem.details.is_empty() {
                ul { @for detail in &problem.details { li { (detail) } } }
            }
            @for found in &problem.fixes { (fix(found)) }
        }
    }
}

fn fix(fix: &Fix) -> Markup {
    markup! {
        p { b { "Fix: " } (fix.text) }
        @if let Some(command) = &fix.command { pre { code { (command) } } }
    }
}

fn snippet(snippet: &Snippet) -> Markup {
    let (before, marked, after) = marked_parts(snippet);
    markup! { pre { code { (before) mark { (marked) } (after) } } }
}

/// The text before, in and after the marked part; columns beyond the line mark nothing.
fn marked_parts(snippet: &Snippet) -> (String, String, String) {
    if snippet.column == 0 {
        return (snippet.line_text.clone(), String::new(), String::new());
    }
    let mut characters = snippet.line_text.chars();
    let before = characters.by_ref().take(snippet.column as usize - 1).collect();
    let marked = characters.by_ref().take(snippet.length as usize).collect();
    (before, marked, characters.collect())
}

#[cfg(test)]
mod tests {
    use super::super::samples::report;
    use super::*;

    #[test]
    fn the_page_is_whole_and_everything_in_it_is_escaped() {
        let page = html(&report());
        assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">") && page.ends_with("</html>"));
        assert!(!page.contains("<script"), "{page}");
        assert!(page.contains("&lt;script&gt;alert(&quot;1 &amp; 2&quot;)"));
        assert!(page.contains("CREATE TABLE <mark>users</mark> (é &lt;id&gt; int);"), "{page}");
        assert!(page.contains("width:100.0%") && page.contains("width:2.5%"));
        for outside in ["http:", "https:", "src=", "url(", "@import", "<link"] {
            assert!(!page.contains(outside), "{outside}");
        }
    }

    #[test]
    fn an_empty_run_is_a_page_too() {
        let mut report = report();
        report.migrations.clear();
        report.problems.clear();
        let page = html(&report);
        assert!(page.contains("nothing to do") && !page.contains("<table"));
    }

    #[test]
    fn marks_beyond_the_line_mark_nothing() {
        let snippet = Snippet { line_text: "ab".to_owned(), column: 9, length: 3 };
        assert_eq!(marked_parts(&snippet), ("ab".to_owned(), String::new(), String::new()));
    }
}
