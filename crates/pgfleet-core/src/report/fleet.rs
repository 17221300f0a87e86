//! What became of a group's targets, whole: a verdict for each, as data, as a page and as JUnit.

use std::collections::BTreeMap;

use maud::{Markup, html as markup};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde::Serialize;

use super::html::problem as problem_article;
use super::junit::{elapsed, failure};
use super::page::page;
use super::wording::duration;
use crate::diagnose::Problem;
use crate::fleet::alike;

/// A command on the targets of one group or several.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FleetReport {
    /// Layout version of this object.
    pub version: u32,
    /// Identifies it on disk.
    pub run_id: String,
    /// The command: apply, status, …
    pub command: String,
    /// When it began, RFC 3339 in UTC.
    pub started_at: String,
    /// How long it took.
    pub elapsed_ms: f64,
    /// Every target, in the order of groups and sources.
    pub targets: Vec<TargetVerdict>,
    /// What was said of the groups themselves: entries that were left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
}

/// What became of one target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TargetVerdict {
    /// Its group.
    pub group: String,
    /// Its name.
    pub target: String,
    /// Where it is, without secrets.
    pub server: String,
    /// Everything was done, or is as it should be.
    pub ok: bool,
    /// False when its turn never came.
    pub tried: bool,
    /// The exit code that the command alone on this target would have.
    pub exit: u8,
    /// In a few words.
    pub headline: String,
    /// What is behind it, one thing a line: checks that fail, objects that differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
    /// Time it took.
    pub elapsed_ms: f64,
    /// What was said, errors included.
    pub problems: Vec<Problem>,
}

impl FleetReport {
    /// Targets that failed or are not as they should be.
    pub fn failed(&self) -> impl Iterator<Item = &TargetVerdict> {
        self.targets.iter().filter(|target| !target.ok && target.tried)
    }

    /// How many targets' turn never came.
    pub fn untried(&self) -> usize {
        self.targets.iter().filter(|target| !target.tried).count()
    }
}

/// A suite for each group, a test case for each target.
pub fn fleet_junit(report: &FleetReport) -> String {
    let mut suites: BTreeMap<&str, TestSuite> = BTreeMap::new();
    for target in &report.targets {
        let suite = suites.entry(&target.group).or_insert_with(|| TestSuite::new(&*target.group));
        suite.add_test_case(case(&report.command, target));
    }
    let mut junit = Report::new("pgfleet");
    junit.set_time(elapsed(report.elapsed_ms));
    junit.add_test_suites(suites.into_values());
    // Writing to memory cannot fail.
    junit.to_string().unwrap_or_default()
}

fn case(command: &str, target: &TargetVerdict) -> TestCase {
    let errors: Vec<_> = target.problems.iter().filter(|problem| problem.is_error()).collect();
    let status = match (target.ok, errors.is_empty()) {
        _ if !target.tried => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(target.headline.as_str());
            status
        }
        (true, _) => TestCaseStatus::success(),
        (false, true) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(target.headline.as_str());
            if !target.details.is_empty() {
                status.set_description(target.details.join("\n"));
            }
            status
        }
        (false, false) => failure(NonSuccessKind::Error, errors.into_iter()),
    };
    let mut case = TestCase::new(target.target.as_str(), status);
    case.set_classname(command).set_time(elapsed(target.elapsed_ms));
    case
}

/// The report as one HTML page.
pub fn fleet_html(report: &FleetReport) -> String {
    let (all, failed) = (report.targets.len(), report.failed().count());
    let untried = report.untried();
    let left = if untried == 0 { String::new() } else { format!(", {untried} not tried") };
    let time = duration(report.elapsed_ms);
    let verdict = match failed {
        0 => format!("{all} targets{left} in {time}"),
        _ => format!("{failed} of {all} targets failed{left}, in {time}"),
    };
    let content = markup! {
        header {
            h1 { (report.command) }
            p.verdict.(if failed + untried == 0 { "good" } else { "bad" }) { (verdict) }
            dl { dt { "began" } dd { time datetime=(report.started_at) { (report.started_at) } } }
        }
        (said(report))
        @if failed > 0 { section { h2 { "Failed" } @for target in report.failed() { (failed_target(target)) } } }
        (table(report))
        @if !report.problems.is_empty() {
            section { h2 { "Besides" } @for one in &report.problems { (problem_article(one)) } }
        }
    };
    page(
        &format!("{}: {verdict}", report.command),
        content,
        Some(&format!("run {}", report.run_id)),
    )
}

/// What is said of how many.
fn said(report: &FleetReport) -> Markup {
    let headlines = report.targets.iter().enumerate();
    let groups = alike(headlines.map(|(at, target)| (at, target.headline.as_str())));
    markup! {
        section {
            h2 { "Alike" }
            table { tbody { @for group in groups {
                tr { td.number { (group.targets.len()) } td { (group.what) } }
            } } }
        }
    }
}

fn failed_target(target: &TargetVerdict) -> Markup {
    markup! {
        h3 { (target.group) " / " (target.target) }
        p { (target.headline) }
        @if !target.details.is_empty() { ul { @for detail in &target.details { li { (detail) } } } }
        @for problem in &target.problems { (problem_article(problem)) }
    }
}

fn table(report: &FleetReport) -> Markup {
    markup! {
        section {
            h2 { "Targets" }
            table {
                thead { tr {
                    th { "group" } th { "target" } th { "server" } th { "verdict" }
                    th.number { "time" }
                } }
                tbody { @for target in &report.targets {
                    tr.(if target.ok { "done" } else { "failed" }) {
                        td { (target.group) } td { (target.target) } td { (target.server) }
                        td.outcome { (target.headline) }
                        td.number { (duration(target.elapsed_ms)) }
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

    fn report() -> FleetReport {
        let target = |name: &str, ok: bool| TargetVerdict {
            group: "tenants".to_owned(),
            target: name.to_owned(),
            server: "postgres://u@h:5432/x".to_owned(),
            ok,
            tried: true,
            exit: u8::from(!ok) * 4,
            headline: if ok { "1 applied".to_owned() } else { "boom".to_owned() },
            details: if ok { Vec::new() } else { vec!["rows of <i>: none".to_owned()] },
            elapsed_ms: 5.0,
            problems: if ok {
                Vec::new()
            } else {
                vec![Problem::error(Code::StatementFailed, "<boom>")]
            },
        };
        FleetReport {
            version: 1,
            run_id: "r".to_owned(),
            command: "apply".to_owned(),
            started_at: "2026-01-02T03:04:05Z".to_owned(),
            elapsed_ms: 10.0,
            targets: vec![
                target("a\"; DROP DATABASE x; --", true),
                target("<b>", false),
                TargetVerdict { tried: false, ok: false, ..target("late", true) },
            ],
            problems: vec![Problem::note(Code::EntryInactive, "one entry is left out")],
        }
    }

    #[test]
    fn a_group_is_a_suite_and_a_target_a_case() {
        let xml = fleet_junit(&report());
        assert!(xml.contains("<testsuite name=\"tenants\" tests=\"3\""), "{xml}");
        assert!(xml.contains("<skipped message=\"1 applied\"/>"), "{xml}");
        assert!(xml.contains("type=\"PF300\"") && xml.contains("&lt;b&gt;"), "{xml}");
    }

    #[test]
    fn the_page_tells_how_many_failed_and_escapes_names() {
        let page = fleet_html(&report());
        assert!(page.contains("1 of 3 targets failed, 1 not tried, in"), "{page}");
        assert!(page.contains("&lt;boom&gt;") && !page.contains("<b>"), "{page}");
        assert!(page.contains("one entry is left out"), "{page}");
        assert!(page.contains("<li>rows of &lt;i&gt;: none</li>"), "{page}");
    }
}
