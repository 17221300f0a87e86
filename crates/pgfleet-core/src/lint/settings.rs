//! `[lint]` of the configuration.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Rule, unknown_rule};
use crate::diagnose::{Problem, Severity};

/// Tables up to this many rows may be locked for a moment. A full scan of so many rows takes
/// milliseconds.
const SMALL_TABLE_ROWS: u64 = 10_000;

/// How much a rule's findings weigh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleLevel {
    /// They are not reported.
    Off,
    /// Worth knowing.
    Note,
    /// Should be looked at.
    Warning,
    /// `pgfleet lint` fails.
    Error,
}

/// `[lint]`, as written.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LintSection {
    /// Tables up to this many rows may be locked for a moment.
    pub small_table_rows: Option<u64>,
    /// Rules that are off.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// Rules that weigh something else than usual.
    #[serde(default)]
    pub severity: BTreeMap<String, RuleLevel>,
    /// The same for some files only.
    #[serde(default)]
    pub path: Vec<PathSection>,
}

/// `[[lint.path]]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathSection {
    /// Files, as a pattern: `*` within a name, `**` across folders.
    pub files: String,
    /// Rules that are off there; empty for all.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// Rules that weigh something else there.
    #[serde(default)]
    pub severity: BTreeMap<String, RuleLevel>,
}

/// How the team wants to be warned.
#[derive(Debug, Clone)]
pub struct LintSettings {
    /// Tables up to this many rows may be locked for a moment.
    pub small_table_rows: u64,
    section: LintSection,
}

impl Default for LintSettings {
    fn default() -> Self {
        Self { small_table_rows: SMALL_TABLE_ROWS, section: LintSection::default() }
    }
}

impl LintSettings {
    /// Reads the section.
    ///
    /// # Errors
    /// When it names a rule that does not exist.
    pub fn of(section: &LintSection) -> Result<Self, Box<Problem>> {
        let paths = section.path.iter();
        let named = section
            .ignore
            .iter()
            .chain(section.severity.keys())
            .chain(paths.flat_map(|path| path.ignore.iter().chain(path.severity.keys())));
        match named.into_iter().find(|name| Rule::named(name).is_none()) {
            Some(unknown) => Err(Box::new(unknown_rule(unknown).because("[lint] names it"))),
            None => Ok(Self {
                small_table_rows: section.small_table_rows.unwrap_or(SMALL_TABLE_ROWS),
                section: section.clone(),
            }),
        }
    }

    /// Whether the team gives a rule a weight of its own anywhere.
    pub(super) fn names(&self, rule: &str) -> bool {
        let paths = self.section.path.iter().map(|path| &path.severity);
        std::iter::once(&self.section.severity).chain(paths).any(|said| said.contains_key(rule))
    }

    /// What the team says about a rule in a file; none leaves it to the rule.
    pub(super) fn level(&self, rule: &str, file: &str) -> Option<RuleLevel> {
        let here = self.section.path.iter().rev().filter(|path| matches_path(&path.files, file));
        let mut said = here.filter_map(|path| path.level(rule));
        let everywhere = || {
            let off = self.section.ignore.iter().any(|name| name == rule);
            off.then_some(RuleLevel::Off).or_else(|| self.section.severity.get(rule).copied())
        };
        said.next().or_else(everywhere)
    }
}

impl PathSection {
    fn level(&self, rule: &str) -> Option<RuleLevel> {
        let all = self.ignore.is_empty() && self.severity.is_empty();
        let off = all || self.ignore.iter().any(|name| name == rule);
        off.then_some(RuleLevel::Off).or_else(|| self.severity.get(rule).copied())
    }
}

impl RuleLevel {
    /// As a problem has it; none when it is off.
    pub fn severity(self) -> Option<Severity> {
        match self {
            Self::Off => None,
            Self::Note => Some(Severity::Note),
            Self::Warning => Some(Severity::Warning),
            Self::Error => Some(Severity::Error),
        }
    }
}

/// Whether a pattern fits a path, or the end of it from the beginning of a name on.
fn matches_path(pattern: &str, path: &str) -> bool {
    let starts = std::iter::once(0).chain(path.match_indices('/').map(|(at, _)| at + 1));
    let (pattern, path) = (pattern.as_bytes(), path.as_bytes());
    starts.into_iter().any(|start| fits(pattern, &path[start..]))
}

fn fits(pattern: &[u8], path: &[u8]) -> bool {
    match pattern {
        [] => path.is_empty(),
        [b'*', b'*', rest @ ..] => {
            let rest = rest.strip_prefix(b"/").unwrap_or(rest);
            (0..=path.len()).any(|at| fits(rest, &path[at..]))
        }
        [b'*', rest @ ..] => {
            let name = path.iter().position(|byte| *byte == b'/').unwrap_or(path.len());
            (0..=name).any(|at| fits(rest, &path[at..]))
        }
        [b'?', rest @ ..] => {
            path.first().is_some_and(|byte| *byte != b'/') && fits(rest, &path[1..])
        }
        [first, rest @ ..] => path.first() == Some(first) && fits(rest, &path[1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_whole_paths_and_their_ends() {
        for (pattern, path, fit) in [
            ("0001_*.sql", "migrations/0001_a.sql", true),
            ("0001_*.sql", "migrations/0002_a.sql", false),
            ("migrations/**", "db/migrations/a/b.sql", true),
            ("legacy/*", "legacy/a/b.sql", false),
            ("**/b.sql", "a/b.sql", true),
            ("a?.sql", "ab.sql", true),
            ("b.sql", "ab.sql", false),
        ] {
            assert_eq!(matches_path(pattern, path), fit, "{pattern} {path}");
        }
    }

    #[test]
    fn paths_are_stronger_than_the_whole() {
        let section: LintSection = toml::from_str(
            "ignore = ['ban-drop-table']\n[severity]\nban-drop-column = 'error'\n\
             [[path]]\nfiles = 'old/**'\n[[path]]\nfiles = 'new/*'\nseverity = { ban-drop-table = 'note' }\n",
        )
        .unwrap();
        let settings = LintSettings::of(&section).unwrap();
        assert_eq!(settings.level("ban-drop-table", "a.sql"), Some(RuleLevel::Off));
        assert_eq!(settings.level("ban-drop-table", "new/a.sql"), Some(RuleLevel::Note));
        assert_eq!(settings.level("ban-drop-column", "a.sql"), Some(RuleLevel::Error));
        assert_eq!(settings.level("prefer-identity", "old/a.sql"), Some(RuleLevel::Off));
        assert_eq!(settings.level("prefer-identity", "a.sql"), None);
        let wrong: LintSection = toml::from_str("ignore = ['ban-drop-tabel']").unwrap();
        let problem = LintSettings::of(&wrong).unwrap_err();
        assert_eq!(problem.details, ["did you mean ban-drop-table?"]);
    }
}
