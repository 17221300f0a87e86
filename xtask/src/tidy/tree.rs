//! What belongs together: codes and their pages, corpus folders and their runners, commands and
//! their examples.

use std::{collections::BTreeSet, fs};

use super::{Finding, Source};
use crate::checkout;

const CODES: &str = "crates/pgfleet-core/src/diagnose/code.rs";
const COMMANDS: &str = "crates/pgfleet/src/cli/";

/// Files beside the commands that are none themselves.
const NOT_COMMANDS: &[&str] = &[
    "mod.rs",
    "atomic.rs",
    "context.rs",
    "everywhere.rs",
    "order.rs",
    "global.rs",
    "log.rs",
    "outcome.rs",
    "renames.rs",
    "site.rs",
    "tenancy_flags.rs",
    "written.rs",
];

pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    let mut findings = pages();
    findings.extend(corpus(sources));
    findings.extend(
        sources
            .iter()
            .filter(|source| lacks_example(source))
            .map(|source| source.finding(0, "a command without an example in its after_help")),
    );
    findings
}

fn pages() -> Vec<Finding> {
    let text = checkout::text(&checkout::root().join(CODES));
    let in_code: BTreeSet<_> = text.split('"').filter(|word| is_code(word)).collect();
    let pages = entries("docs/errors");
    let with_page: BTreeSet<_> =
        pages.iter().map(|page| page.strip_suffix(".md").unwrap_or(page)).collect();
    let missing = in_code.difference(&with_page).map(|code| (CODES.to_owned(), *code));
    let left = with_page.difference(&in_code).map(|code| (format!("docs/errors/{code}.md"), *code));
    let finding = |(file, code)| Finding {
        file,
        line: 0,
        what: format!("{code} needs both a code and a page"),
    };
    missing.chain(left).map(finding).collect()
}

fn is_code(word: &str) -> bool {
    word.strip_prefix("PF")
        .is_some_and(|digits| digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A runner is a test that names the folder.
fn corpus(sources: &[Source]) -> Vec<Finding> {
    let runs = |folder: &str| {
        let name = format!("corpus/{folder}");
        let tests = sources.iter().filter(|source| source.file.contains("/tests/"));
        tests.into_iter().any(|source| source.code.iter().any(|line| line.contains(&name)))
    };
    let forgotten = entries("corpus").into_iter().filter(|folder| !runs(folder));
    let finding = |folder| Finding {
        file: format!("corpus/{folder}"),
        line: 0,
        what: "a corpus folder that no test names".to_owned(),
    };
    forgotten.map(finding).collect()
}

fn entries(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(checkout::root().join(folder)).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn lacks_example(source: &Source) -> bool {
    let Some(name) = source.file.strip_prefix(COMMANDS) else { return false };
    let is_command = !name.contains('/') && !NOT_COMMANDS.contains(&name);
    is_command && !source.code.iter().any(|line| line.starts_with("Example"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_shows_how_it_is_used() {
        let with = "#[command(after_help = \"\\\nExamples:\n  pgfleet a\n\")]\n";
        assert!(!lacks_example(&Source::parse("crates/pgfleet/src/cli/a.rs", with)));
        assert!(lacks_example(&Source::parse("crates/pgfleet/src/cli/a.rs", "struct A;\n")));
        assert!(!lacks_example(&Source::parse("crates/pgfleet/src/cli/mod.rs", "struct A;\n")));
    }

    #[test]
    fn codes_are_told_from_words() {
        assert!(is_code("PF100") && !is_code("PF1000") && !is_code("PFabc"));
    }
}
