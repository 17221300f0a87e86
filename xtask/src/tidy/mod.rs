//! `cargo xtask tidy`: the tree's own rules, which no compiler knows.
//!
//! Invariant: a rule looks at files and says what is wrong with where; it changes nothing.

mod layers;
mod sizes;
mod tree;
mod words;

use std::{
    fmt,
    path::{Path, PathBuf},
    process::ExitCode,
};

use crate::checkout;

/// One broken rule.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    file: String,
    /// From 1; 0 for the file as a whole.
    line: usize,
    what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.what),
            line => write!(f, "{}:{line}: {}", self.file, self.what),
        }
    }
}

/// A Rust file, split where its tests begin.
struct Source {
    /// From the checkout's root.
    file: String,
    /// The lines, without the tests at the end.
    code: Vec<String>,
    /// All of it is tests.
    only_tests: bool,
}

/// Checks every rule and prints what is broken.
pub(crate) fn run() -> ExitCode {
    let findings = check();
    for finding in &findings {
        eprintln!("{finding}");
    }
    eprintln!("tidy: {} findings", findings.len());
    if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn check() -> Vec<Finding> {
    let sources = sources();
    let mut findings = Vec::new();
    for source in &sources {
        findings.extend(sizes::check(source));
        findings.extend(layers::check(source));
        findings.extend(words::check(source));
    }
    findings.extend(words::check_paths());
    findings.extend(tree::check(&sources));
    findings
}

fn sources() -> Vec<Source> {
    let files = ["crates", "xtask", "fuzz"].into_iter().flat_map(checkout::files_below);
    let is_rust = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "rs");
    files.filter(is_rust).map(|path| Source::of(&checkout::shown(&path), &path)).collect()
}

impl Source {
    fn of(file: &str, path: &Path) -> Self {
        Self::parse(file, &checkout::text(path))
    }

    fn parse(file: &str, text: &str) -> Self {
        let lines: Vec<_> = text.lines().map(str::to_owned).collect();
        let tests_at = lines.windows(2).position(|pair| {
            pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod ") && pair[1].ends_with('{')
        });
        let code = lines.into_iter().take(tests_at.unwrap_or(usize::MAX)).collect();
        let in_tests = ["/tests/", "/examples/"].iter().any(|folder| file.contains(folder));
        let only_tests = in_tests
            || file.ends_with("/tests.rs")
            || file.starts_with("crates/pgfleet-testkit/")
            || file.starts_with("crates/pgfleet-oracle/");
        Self { file: file.to_owned(), code, only_tests }
    }

    /// The lines of code with their numbers.
    fn numbered(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.code.iter().map(String::as_str))
    }

    fn finding(&self, line: usize, what: impl Into<String>) -> Finding {
        Finding { file: self.file.clone(), line, what: what.into() }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_tree_keeps_its_rules() {
        let findings = super::check();
        let shown: Vec<_> = findings.iter().map(ToString::to_string).collect();
        assert!(findings.is_empty(), "{}", shown.join("\n"));
    }
}
