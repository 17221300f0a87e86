//! The form of `pgfleet.toml`.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;

use super::group::{Groups, order_problem};
use super::rollout::RolloutSection;
use crate::audit::AuditRule;
use crate::clean::CleanRule;
use crate::diagnose::{Code, Problem, Snippet};
use crate::lint::{LintSection, LintSettings};
use crate::place::Place;
use crate::program;
use crate::split::ReferenceSection;
use crate::tenancy::TenancySection;
use crate::verify::{Check, declaration_problems};

/// `pgfleet.toml`, as written.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigFile {
    /// The database to act on when no target is named.
    #[serde(default)]
    pub database: DatabaseSection,
    /// The migration folder.
    #[serde(default)]
    pub migrations: MigrationsSection,
    /// How migrations are run.
    #[serde(default)]
    pub apply: ApplySection,
    /// What the code expects.
    #[serde(default)]
    pub schema: SchemaSection,
    /// Further databases, by name; what they leave out is taken from `[database]`.
    #[serde(default)]
    pub targets: BTreeMap<String, TargetSection>,
    /// The tenant column, for `tenantize` and `isolation`.
    pub tenancy: Option<TenancySection>,
    /// How `lint` warns.
    #[serde(default)]
    pub lint: LintSection,
    /// Sets of targets that share one migration set, by name.
    #[serde(default)]
    pub groups: Groups,
    /// How rollouts go.
    #[serde(default)]
    pub rollout: RolloutSection,
    /// What `verify` expects.
    #[serde(default)]
    pub check: Vec<Check>,
    /// Rows of one database that name rows of another, for `integrity`.
    #[serde(default)]
    pub reference: Vec<ReferenceSection>,
    /// What `audit` asks besides its own rules.
    #[serde(default)]
    pub audit: Vec<AuditRule>,
    /// Rows that `clean` takes away.
    #[serde(default)]
    pub clean: Vec<CleanRule>,
    /// Rows that `maintain` takes away time and again.
    #[serde(default)]
    pub maintain: Vec<CleanRule>,
}

/// `[database]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSection {
    /// A connection URL, or `env:NAME`.
    pub url: Option<String>,
    /// The schema that unqualified names mean.
    pub schema: Option<String>,
    /// Where throwaway databases may be made: a URL, or `env:NAME`.
    pub scratch_url: Option<String>,
    /// What a platform supplies beforehand: `supabase`, or an SQL file.
    pub environment: Option<String>,
    /// True when the database may be reset.
    pub development: Option<bool>,
}

/// `[migrations]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MigrationsSection {
    /// The folder, relative to the configuration file.
    pub dir: Option<String>,
    /// The dialect, or `auto`.
    pub format: Option<String>,
    /// The history table, when it is not the format's usual one.
    pub history_table: Option<String>,
    /// Values of `${name}` placeholders, for formats that have them.
    #[serde(default)]
    pub placeholders: BTreeMap<String, String>,
}

/// `[schema]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchemaSection {
    /// What the schema shall be, as a side of `diff`: `schema.sql`, `prisma`, `command` …
    pub desired: Option<String>,
    /// A command that prints the schema as SQL.
    #[serde(default)]
    pub command: Vec<String>,
    /// The schemas of the database that count; all when none is named.
    #[serde(default)]
    pub include: Vec<String>,
    /// Schemas of the database that do not count.
    #[serde(default)]
    pub exclude: Vec<String>,
}

/// `[apply]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplySection {
    /// How long a statement may wait for a lock.
    pub lock_timeout_ms: Option<u64>,
    /// How often a migration is tried again after a lock timeout or deadlock.
    pub attempts: Option<u32>,
    /// How long a run waits for another run to end.
    pub lock_wait_ms: Option<u64>,
    /// How long a statement may run; 0 is without limit.
    pub statement_timeout_ms: Option<u64>,
    /// Which commits wait for the disk: `last` or `each`.
    pub commit_wait: Option<CommitWaitName>,
    /// Whether migrations older than the newest applied one are applied.
    pub out_of_order: Option<bool>,
    /// How many run reports are kept.
    pub keep_runs: Option<usize>,
}

/// `commit_wait`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommitWaitName {
    /// Only the run's last commit.
    Last,
    /// Every commit.
    Each,
}

/// `[targets.NAME]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetSection {
    /// A connection URL, or `env:NAME`.
    pub url: Option<String>,
    /// The schema that unqualified names mean.
    pub schema: Option<String>,
    /// What a platform supplies beforehand.
    pub environment: Option<String>,
    /// True when the database may be reset.
    pub development: Option<bool>,
    /// The migration folder, when the target has its own.
    pub dir: Option<String>,
    /// Words to choose targets by.
    #[serde(default)]
    pub labels: Vec<String>,
}

/// Reads `pgfleet.toml`.
///
/// # Errors
/// A problem with line, column and the offending line when it is not TOML, holds an unknown key,
/// or a value of the wrong type.
pub fn parse(text: &str, file: &str) -> Result<ConfigFile, Box<Problem>> {
    let parsed: ConfigFile = toml::from_str(text)
        .map_err(|error| Box::new(toml_problem(text, file, Code::ConfigInvalid, &error)))?;
    if let Err(unknown) = LintSettings::of(&parsed.lint) {
        return Err(Box::new(at_name(text, file, *unknown)));
    }
    if let Some((span, message)) = order_problem(&parsed.groups) {
        return Err(Box::new(problem_at(text, file, Code::ConfigInvalid, span, &message)));
    }
    let checks = parsed.groups.values().map(|group| &group.check);
    let checks = checks.chain([&parsed.check, &parsed.rollout.check]);
    if let Some(problem) = checks.flat_map(|checks| declaration_problems(checks, file)).next() {
        return Err(Box::new(problem));
    }
    Ok(parsed)
}

/// At the first place where the name stands that a problem's message quotes.
fn at_name(text: &str, file: &str, problem: Problem) -> Problem {
    let name = problem.what.split('"').nth(1).unwrap_or_default().to_owned();
    let Some(offset) = text.find(&name) else { return problem.at(Place::file(file)) };
    let length = u32::try_from(name.chars().count()).unwrap_or(1);
    let mut problem = problem.at(program::place_in(text, &Place::at(file, 1, 1), true, offset));
    problem.snippet = Some(program::snippet_at(text, offset, length));
    problem
}

/// Why a TOML file was not understood, with line, column and the offending line.
pub(crate) fn toml_problem(text: &str, file: &str, code: Code, error: &toml::de::Error) -> Problem {
    let message = error.message().lines().collect::<Vec<_>>().join(" ");
    problem_at(text, file, code, error.span().unwrap_or(0..0), &message)
}

fn problem_at(text: &str, file: &str, code: Code, span: Range<usize>, message: &str) -> Problem {
    let start = Place::at(file, 1, 1);
    let mut problem = Problem::error(code, format!("{file} is not valid: {message}"))
        .at(program::place_in(text, &start, true, span.start))
        .fix_with("See what may stand there.", format!("pgfleet explain {}", code.id()));
    let length = u32::try_from(span.len()).unwrap_or(1);
    problem.snippet = Some(Snippet { length, ..program::snippet_at(text, span.start, length) });
    problem
}
