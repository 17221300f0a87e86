//! What a command works with, once file, environment and flags are put together.

use std::collections::BTreeMap;

use super::file::{CommitWaitName, ConfigFile, TargetSection};
use super::group::GroupSection;
use crate::audit::AuditRule;
use crate::clean::CleanRule;
use crate::diagnose::{Code, Problem};
use crate::folder::Format;
use crate::lint::LintSettings;
use crate::schema;
use crate::tenancy::TenancySection;
use crate::verify::Check;

/// Environment variables by name.
pub type Variables = BTreeMap<String, String>;

/// Flags that speak of the same things as the configuration, as typed.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--url`.
    pub url: Option<String>,
    /// `--dir`.
    pub dir: Option<String>,
    /// `--format`.
    pub format: Option<String>,
    /// `--target`.
    pub target: Option<String>,
    /// `--environment`.
    pub environment: Option<String>,
    /// `--scratch-url`.
    pub scratch_url: Option<String>,
    /// `--no-cache`.
    pub no_cache: bool,
}

/// Whose settings.
#[derive(Debug, Clone, Copy)]
pub enum Scope<'a> {
    /// Of the target that the flags name, else of `[database]`.
    Target,
    /// Of a group, without any of its targets.
    Group(&'a GroupSection),
    /// Of a target by name.
    Member(&'a str),
}

/// What a command works with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What messages call the target.
    pub target: String,
    /// The connection URL or conninfo as written, see [`Settings::expand`]; none means libpq's
    /// `PG*` variables and defaults.
    pub url: Option<String>,
    /// The schema that unqualified names mean.
    pub schema: Option<String>,
    /// Where throwaway databases may be made, as written.
    pub scratch_url: Option<String>,
    /// What migrations made in a scratch database is kept, and serves until something that decides it
    /// changes.
    pub keeps_replays: bool,
    /// What a platform supplies beforehand.
    pub environment: Option<String>,
    /// True when the environment was given relative to the configuration file.
    pub environment_from_file: bool,
    /// True when the database may be reset without further proof.
    pub development: Option<bool>,
    /// The migration folder.
    pub dir: Option<String>,
    /// True when the folder was given relative to the configuration file, not by a flag.
    pub dir_from_file: bool,
    /// The dialect.
    pub format: FormatChoice,
    /// The history table, when it is not the format's usual one.
    pub history_table: Option<String>,
    /// What the schema shall be, as a side of a comparison.
    pub desired: Option<String>,
    /// A command that prints that schema as SQL; empty for none.
    pub schema_command: Vec<String>,
    /// Which schemas of the database count.
    pub scope: schema::Scope,
    /// Values of `${name}` placeholders.
    pub placeholders: BTreeMap<String, String>,
    /// How migrations are run.
    pub apply: ApplySettings,
    /// How `lint` warns.
    pub lint: LintSettings,
    /// What `verify` expects.
    pub checks: Vec<Check>,
    /// The tenant column, for `tenantize` and `isolation`.
    pub tenancy: Option<TenancySection>,
    /// What `audit` asks besides its own rules.
    pub audit: Vec<AuditRule>,
    /// Rows that `clean` takes away.
    pub clean: Vec<CleanRule>,
    /// Rows that `maintain` takes away time and again.
    pub maintain: Vec<CleanRule>,
    /// Environment and `.env`, for checks and for whatever names a variable.
    pub variables: Variables,
}

/// The dialect, or that it is to be found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormatChoice {
    /// Look at the folder.
    Auto,
    /// As the user says.
    Named(Format),
}

/// How migrations are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApplySettings {
    /// How long a statement may wait for a lock.
    pub lock_timeout_ms: u64,
    /// How often a migration is tried in all.
    pub attempts: u32,
    /// How long a run waits for another run to end.
    pub lock_wait_ms: u64,
    /// How long a statement may run; 0 is without limit.
    pub statement_timeout_ms: u64,
    /// Which commits wait for the disk.
    pub commit_wait: CommitWait,
    /// Whether migrations older than the newest applied one are applied; none leaves it to the
    /// format.
    pub out_of_order: Option<bool>,
    /// How many run reports are kept.
    pub keep_runs: usize,
}

/// Which commits wait until the write-ahead log is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitWait {
    /// Only the last one of a run. The log is written in order, so a crash of the server loses a
    /// suffix of the run's transactions, each whole with its history row, and never one before
    /// another.
    Last,
    /// Every one.
    Each,
}

impl Default for ApplySettings {
    fn default() -> Self {
        Self {
            lock_timeout_ms: 5_000,
            attempts: 5,
            lock_wait_ms: 60_000,
            statement_timeout_ms: 0,
            commit_wait: CommitWait::Last,
            out_of_order: None,
            keep_runs: 50,
        }
    }
}

/// Puts file, environment, `.env` and flags together.
///
/// # Errors
/// When a name is unknown or a variable that is referred to is not set.
pub fn resolve(
    file: &ConfigFile,
    environment: &Variables,
    dotenv: &Variables,
    flags: &Flags,
    scope: Scope<'_>,
) -> Result<Settings, Box<Problem>> {
    let mut variables = environment.clone();
    variables.extend(dotenv.iter().map(|(name, value)| (name.clone(), value.clone())));
    let (section, group) = match scope {
        Scope::Target => (target_section(file, flags.target.as_deref())?, None),
        Scope::Member(name) => (target_section(file, Some(name))?, None),
        Scope::Group(group) => (group_section(group), Some(group)),
    };
    let sources = Sources { file, target: section, group, variables: &variables, flags };
    let (dir, dir_from_file) = sources.dir();
    let (environment, environment_from_file) = sources.environment();
    let migrations = &file.migrations;
    Ok(Settings {
        target: match scope {
            Scope::Member(name) => name.to_owned(),
            _ => flags.target.clone().unwrap_or_else(|| "database".to_owned()),
        },
        url: sources.url(),
        schema: sources.target.schema.clone().or_else(|| file.database.schema.clone()),
        scratch_url: sources.scratch_url(),
        keeps_replays: !flags.no_cache,
        scope: schema_scope(file, environment.as_deref()),
        environment,
        environment_from_file,
        development: sources.target.development.or(file.database.development),
        dir,
        dir_from_file,
        format: sources.format()?,
        history_table: sources.history_table(),
        desired: desired(file),
        schema_command: file.schema.command.clone(),
        placeholders: migrations.placeholders.clone(),
        apply: apply_settings(file),
        lint: LintSettings::of(&file.lint)?,
        checks: sources.checks(),
        tenancy: file.tenancy.clone(),
        audit: file.audit.clone(),
        clean: file.clean.clone(),
        maintain: file.maintain.clone(),
        variables,
    })
}

fn schema_scope(file: &ConfigFile, environment: Option<&str>) -> schema::Scope {
    let is_supabase = environment.is_some_and(|name| name.eq_ignore_ascii_case("supabase"));
    schema::Scope {
        include: file.schema.include.clone(),
        exclude: file.schema.exclude.clone(),
        platform: is_supabase.then_some(schema::Platform::Supabase),
    }
}

/// A command alone is what prints the desired schema.
fn desired(file: &ConfigFile) -> Option<String> {
    let printed = (!file.schema.command.is_empty()).then(|| "command".to_owned());
    file.schema.desired.clone().or(printed)
}

fn target_section(file: &ConfigFile, name: Option<&str>) -> Result<TargetSection, Box<Problem>> {
    let Some(name) = name else { return Ok(TargetSection::default()) };
    file.targets.get(name).cloned().ok_or_else(|| {
        let known: Vec<_> = file.targets.keys().map(String::as_str).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Box::new(
            Problem::error(Code::TargetUnknown, format!("no target is called {name:?}"))
                .detail(format!("targets in the configuration: {known}"))
                .fix(format!("Add [targets.{name}] with a url to pgfleet.toml.")),
        )
    })
}

/// What a group says of all its targets.
fn group_section(group: &GroupSection) -> TargetSection {
    let (environment, dir) = (group.environment.clone(), group.dir.clone());
    TargetSection { environment, dir, ..TargetSection::default() }
}

struct Sources<'a> {
    file: &'a ConfigFile,
    target: TargetSection,
    group: Option<&'a GroupSection>,
    variables: &'a Variables,
    flags: &'a Flags,
}

impl Sources<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).filter(|value| !value.is_empty()).cloned()
    }

    fn url(&self) -> Option<String> {
        let chosen = self.flags.url.clone().or_else(|| self.target.url.clone());
        chosen
            .or_else(|| self.variable("PGFLEET_URL"))
            .or_else(|| self.file.database.url.clone())
            .or_else(|| self.variable("DATABASE_URL"))
    }

    fn scratch_url(&self) -> Option<String> {
        let named = self.flags.scratch_url.clone();
        named
            .or_else(|| self.variable("PGFLEET_SCRATCH_URL"))
            .or_else(|| self.file.database.scratch_url.clone())
    }

    fn environment(&self) -> (Option<String>, bool) {
        if let Some(name) = &self.flags.environment {
            return (Some(name.clone()), false);
        }
        if let Some(name) = &self.target.environment {
            return (Some(name.clone()), true);
        }
        match self.variable("PGFLEET_ENVIRONMENT") {
            Some(name) => (Some(name), false),
            None => (self.file.database.environment.clone(), true),
        }
    }

    fn history_table(&self) -> Option<String> {
        let of_group = self.group.and_then(|group| group.history_table.clone());
        of_group.or_else(|| self.file.migrations.history_table.clone())
    }

    fn checks(&self) -> Vec<Check> {
        let mut checks = match self.group {
            Some(group) if !group.check.is_empty() => group.check.clone(),
            _ => self.file.check.clone(),
        };
        place_references(self.file, &mut checks);
        checks
    }

    fn dir(&self) -> (Option<String>, bool) {
        if let Some(dir) = &self.flags.dir {
            return (Some(dir.clone()), false);
        }
        if let Some(dir) = &self.target.dir {
            return (Some(dir.clone()), true);
        }
        match self.variable("PGFLEET_DIR") {
            Some(dir) => (Some(dir), false),
            None => (self.file.migrations.dir.clone(), true),
        }
    }

    fn format(&self) -> Result<FormatChoice, Box<Problem>> {
        let sources = [
            (self.flags.format.clone(), "--format"),
            (self.variable("PGFLEET_FORMAT"), "the environment variable PGFLEET_FORMAT"),
            (self.group.and_then(|group| group.format.clone()), "`format` of the group"),
            (
                self.file.migrations.format.clone(),
                "`format` under [migrations] in the configuration",
            ),
        ];
        let named = sources.into_iter().find_map(|(name, by)| Some((name?, by)));
        match named.as_ref().map(|(name, by)| (name.as_str(), by)) {
            None | Some(("auto", _)) => Ok(FormatChoice::Auto),
            Some((name, by)) => name
                .parse()
                .map(FormatChoice::Named)
                .map_err(|_| Box::new(unknown_format(name).because(format!("{by} says so")))),
        }
    }
}

impl Settings {
    /// A URL's text: `env:NAME` and `${NAME}` are the value of the variable. Done when the URL is
    /// needed, so that commands without a database do without the variable.
    ///
    /// # Errors
    /// When the variable is not set.
    pub fn expand(&self, text: &str) -> Result<String, Box<Problem>> {
        expand_url(text, &self.variables)
    }
}

/// [`Settings::expand`] with these variables.
///
/// # Errors
/// When the variable is not set.
pub fn expand_url(text: &str, variables: &Variables) -> Result<String, Box<Problem>> {
    let braced = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    let Some(name) = text.strip_prefix("env:").or(braced) else { return Ok(text.to_owned()) };
    let value = variables.get(name).filter(|value| !value.is_empty()).cloned();
    value.ok_or_else(|| Box::new(variable_missing(name)))
}

/// Where a check names another database by its target, that target's URL stands in its place.
pub fn place_references(file: &ConfigFile, checks: &mut [Check]) {
    for check in checks {
        let Check::Reference(reference) = check else { continue };
        let target = file.targets.get(&reference.database);
        if let Some(url) = target.and_then(|target| target.url.clone()) {
            reference.database = url;
        }
    }
}

fn variable_missing(name: &str) -> Problem {
    Problem::error(Code::VariableMissing, format!("the environment variable {name} is not set"))
        .because("the configuration takes the database's URL from it")
        .fix_with(
            "Set it, in the shell or in .env.",
            format!("export {name}=postgres://user:password@host:5432/database"),
        )
}

fn unknown_format(name: &str) -> Problem {
    let known: Vec<_> = Format::ALL.iter().map(|format| format.name()).collect();
    Problem::error(Code::Usage, format!("no format is called {name:?}"))
        .detail(format!("formats: auto, {}", known.join(", ")))
}

fn apply_settings(file: &ConfigFile) -> ApplySettings {
    let (section, usual) = (&file.apply, ApplySettings::default());
    ApplySettings {
        lock_timeout_ms: section.lock_timeout_ms.unwrap_or(usual.lock_timeout_ms),
        attempts: section.attempts.unwrap_or(usual.attempts).max(1),
        lock_wait_ms: section.lock_wait_ms.unwrap_or(usual.lock_wait_ms),
        statement_timeout_ms: section.statement_timeout_ms.unwrap_or(usual.statement_timeout_ms),
        commit_wait: match section.commit_wait {
            Some(CommitWaitName::Each) => CommitWait::Each,
            Some(CommitWaitName::Last) | None => CommitWait::Last,
        },
        out_of_order: section.out_of_order,
        keep_runs: section.keep_runs.unwrap_or(usual.keep_runs),
    }
}
