//! Problems as GitHub's workflow commands, which become annotations of a pull request.
//!
//! Source: GitHub's documentation, "Workflow commands for GitHub Actions": `%`, CR and LF are
//! escaped in a message, and `:` and `,` in a property too.

use super::wording::more_lines;
use crate::diagnose::{Problem, Severity};

/// One line for each problem, ended by a line break.
pub fn github_annotations(problems: &[Problem]) -> String {
    problems.iter().map(annotation).collect()
}

fn annotation(problem: &Problem) -> String {
    let command = match problem.severity {
        Severity::Note => "notice",
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    let mut properties = Vec::new();
    if let Some(place) = &problem.place {
        properties.push(format!("file={}", property(&place.file)));
        if place.line > 0 {
            properties.push(format!("line={}", place.line));
        }
        if place.line > 0 && place.column > 0 {
            properties.push(format!("col={}", place.column));
        }
    }
    let title = match problem.rule {
        Some(rule) => rule.to_owned(),
        None => format!("{} {}", problem.code, problem.code.title()),
    };
    properties.push(format!("title={}", property(&title)));
    let target = problem.target.as_ref().map(|target| format!("{target}: ")).unwrap_or_default();
    let mut message = format!("{target}{}", problem.what);
    for line in more_lines(problem) {
        message.push('\n');
        message.push_str(&line);
    }
    format!("::{command} {}::{}\n", properties.join(","), escaped(&message))
}

fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    escaped(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::super::samples::report;
    use super::*;

    #[test]
    fn each_problem_is_one_line_whatever_it_says() {
        let text = github_annotations(&report().problems);
        assert_eq!(text.lines().count(), 2);
        let first = text.lines().next().unwrap();
        assert!(first.starts_with(
            "::error file=migrations/002_a%2Cb%3Ac.sql,line=3,col=14,title=PF301 the object exists already::shop: "
        ));
        assert!(first.contains("%0A::error%3A") || first.contains("%0A::error::x"), "{first}");
        assert!(first.ends_with("%0Afix: Drop it if nothing is in it."), "{first}");
        assert!(text.lines().nth(1).unwrap().starts_with("::warning title=PF116 "));
    }
}
