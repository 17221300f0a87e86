//! An audit as one HTML page.

use maud::{Markup, html};

use super::finding::{AuditReport, Finding};
use crate::diagnose::Severity;
use crate::report::page::page;

/// The page.
pub fn audit_html(report: &AuditReport) -> String {
    let content = html! {
        (heading(report))
        @if !report.findings.is_empty() { (table(report)) (details(report)) }
    };
    page(&format!("Audit of {}", report.target), content, None)
}

fn heading(report: &AuditReport) -> Markup {
    let errors = report.count(Severity::Error);
    let mark = if errors == 0 { "good" } else { "bad" };
    html! {
        header {
            h1 { "Audit of " (report.target) }
            p.verdict.(mark) {
                (errors) " errors, " (report.count(Severity::Warning)) " warnings, "
                (report.count(Severity::Note)) " notes"
            }
            dl {
                dt { "server" } dd { (report.server) }
                dt { "looked at" } dd { time datetime=(report.looked_at) { (report.looked_at) } }
                dt { "tables" } dd { (report.tables) }
                dt { "questions" } dd { (report.questions) }
            }
        }
    }
}

fn table(report: &AuditReport) -> Markup {
    html! {
        section {
            h2 { "Findings" }
            table {
                thead { tr { th { "weight" } th { "category" } th { "rule" } th { "object" } th.number { "rows" } } }
                tbody { @for (at, finding) in report.findings.iter().enumerate() {
                    tr.(word(finding.severity)) {
                        td.outcome { (word(finding.severity)) }
                        td { (finding.category.title()) }
                        td { a href=(format!("#f{at}")) { (finding.rule) } }
                        td { code { (finding.object) } }
                        td.number { @if let Some(count) = finding.count { (count) } }
                    }
                } }
            }
        }
    }
}

fn details(report: &AuditReport) -> Markup {
    html! {
        section {
            h2 { "Details" }
            @for (at, finding) in report.findings.iter().enumerate() { (detail(at, finding)) }
        }
    }
}

fn detail(at: usize, finding: &Finding) -> Markup {
    html! {
        article.(word(finding.severity)) id=(format!("f{at}")) {
            h3 { span.code { (finding.rule) } " " (finding.object) }
            p { @if let Some(count) = finding.count { (count) " " } (finding.what) }
            @if !finding.samples.is_empty() {
                p { b { "Some of them: " } code { (finding.samples.join(" · ")) } }
            }
            @if !finding.recommendation.is_empty() { p { b { "What to do: " } (finding.recommendation) } }
            @if let Some(sql) = &finding.sql { pre { code { (sql) } } }
        }
    }
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::AuditCategory;

    #[test]
    fn the_page_is_whole_and_everything_in_it_is_escaped() {
        let finding = Finding {
            rule: "orphan".into(),
            category: AuditCategory::References,
            severity: Severity::Error,
            object: "a.\"<b>\"".into(),
            what: "rows refer to nothing".into(),
            count: Some(3),
            samples: vec!["<script>alert(1)</script>".into()],
            recommendation: "Delete & go".into(),
            sql: Some("SELECT 1 < 2".into()),
        };
        let report = AuditReport {
            target: "t".into(),
            server: "s".into(),
            looked_at: "2026-01-01T00:00:00Z".into(),
            tables: 1,
            questions: 1,
            findings: vec![finding],
        };
        let page = audit_html(&report);
        assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>"));
        assert!(page.contains("&lt;script&gt;") && !page.contains("<script"));
        assert!(page.contains("a.&quot;&lt;b&gt;&quot;") && page.contains("Delete &amp; go"));
        for outside in ["http:", "https:", "src=", "url(", "@import", "<link"] {
            assert!(!page.contains(outside), "{outside}");
        }
    }
}
