//! Runs and checks as JUnit XML, which CI systems read: a migration or check is a test case.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::wording::more_lines;
use super::{MigrationOutcome, MigrationRun, RunReport};
use crate::diagnose::{Problem, Severity};
use crate::verify::{CheckResult, Kind};

/// A run: one test case for each migration. Errors that belong to no failed migration are one
/// more, named after the command.
pub fn run_junit(report: &RunReport) -> String {
    let mut suite = TestSuite::new(report.target.as_str());
    suite.set_time(elapsed(report.elapsed_ms));
    let mut errors = report.problems.iter().filter(|problem| problem.is_error()).peekable();
    for migration in &report.migrations {
        let error =
            (migration.outcome == MigrationOutcome::Failed).then(|| errors.next()).flatten();
        suite.add_test_case(migration_case(migration, error));
    }
    if errors.peek().is_some() {
        let mut case =
            TestCase::new(report.command.as_str(), failure(NonSuccessKind::Error, errors));
        case.set_classname("run");
        suite.add_test_case(case);
    }
    serialize(suite)
}

/// Checks of one target: one test case each, its class the check's kind.
pub fn check_junit(target: &str, checks: &[CheckResult]) -> String {
    let mut suite = TestSuite::new(target);
    for check in checks {
        let mut case = TestCase::new(check.name.as_str(), check_status(check));
        case.set_classname(format!("verify.{}", kind(check.kind)));
        suite.add_test_case(case);
    }
    serialize(suite)
}

/// Problems without a run or checks: one test case each, its class the code or lint rule. With none
/// there is one test case that succeeds, named after the command.
pub fn problem_junit(command: &str, problems: &[Problem]) -> String {
    let mut suite = TestSuite::new(command);
    let serious = problems.iter().filter(|problem| problem.severity != Severity::Note);
    for problem in serious {
        let place = problem.place.as_ref().map(ToString::to_string).unwrap_or_default();
        let failed = failure(NonSuccessKind::Failure, std::iter::once(problem));
        let mut case = TestCase::new(place, failed);
        case.set_classname(format!("{command}.{}", problem.id()));
        suite.add_test_case(case);
    }
    if suite.test_cases.is_empty() {
        suite.add_test_case(TestCase::new(command, TestCaseStatus::success()));
    }
    serialize(suite)
}

fn migration_case(migration: &MigrationRun, error: Option<&Problem>) -> TestCase {
    let status = match migration.outcome {
        MigrationOutcome::Done => TestCaseStatus::success(),
        MigrationOutcome::Failed => failure(NonSuccessKind::Failure, error.into_iter()),
        MigrationOutcome::NotRun => TestCaseStatus::skipped(),
    };
    let mut case = TestCase::new(format!("{} {}", migration.version, migration.name), status);
    case.set_classname("migration");
    if let Some(elapsed_ms) = migration.elapsed_ms {
        case.set_time(elapsed(elapsed_ms));
    }
    case
}

pub(super) fn failure<'a>(
    kind: NonSuccessKind,
    problems: impl Iterator<Item = &'a Problem>,
) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    let problems: Vec<&Problem> = problems.collect();
    let Some(first) = problems.first() else { return status };
    status.set_type(first.id()).set_message(first.what.as_str());
    let text: Vec<String> = problems.iter().map(|problem| description(problem)).collect();
    status.set_description(text.join("\n\n"));
    status
}

fn description(problem: &Problem) -> String {
    let place = problem.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
    let mut lines = vec![format!("{} {place}{}", problem.id(), problem.what)];
    lines.extend(problem.snippet.as_ref().map(|snippet| snippet.line_text.clone()));
    lines.extend(more_lines(problem));
    lines.join("\n")
}

fn check_status(check: &CheckResult) -> TestCaseStatus {
    if let Some(why) = &check.skipped {
        let mut status = TestCaseStatus::skipped();
        status.set_message(why.as_str());
        return status;
    }
    if check.ok {
        return TestCaseStatus::success();
    }
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(format!("expected {}, found {}", check.expected, check.found));
    status.set_description(check.details.join("\n"));
    status
}

fn kind(kind: Kind) -> String {
    serde_json::to_value(kind).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

pub(super) fn elapsed(elapsed_ms: f64) -> Duration {
    Duration::try_from_secs_f64(elapsed_ms / 1000.0).unwrap_or_default()
}

fn serialize(suite: TestSuite) -> String {
    let mut report = Report::new("pgfleet");
    report.add_test_suite(suite);
    // Writing to memory cannot fail, and text that XML cannot carry was left out on the way in.
    report.to_string().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::samples::{HOSTILE, report};
    use super::*;
    use crate::diagnose::Code;
    use crate::verify::{Evidence, judge, parse_declaration};

    #[test]
    fn a_run_is_a_suite() {
        insta::assert_snapshot!(run_junit(&report()));
    }

    #[test]
    fn an_error_without_a_migration_is_a_case_of_its_own() {
        let mut report = report();
        report.migrations.clear();
        report.problems = vec![Problem::error(Code::ConnectRefused, "nothing listens")];
        let xml = run_junit(&report);
        assert!(xml.contains("<error message=\"nothing listens\" type=\"PF201\">"), "{xml}");
    }

    #[test]
    fn checks_are_cases() {
        let toml =
            "[[check]]\nkind = 'env'\nvariables = ['A']\n[[check]]\nkind = 'tables'\nat_least = 1";
        let checks = parse_declaration(toml, "c").unwrap();
        let mut results: Vec<CheckResult> =
            checks.iter().map(|check| judge(0, check, &Evidence::default())).collect();
        results[0].details.push(HOSTILE.to_owned());
        insta::assert_snapshot!(check_junit("shop", &results));
    }
}
