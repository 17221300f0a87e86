//! `pgfleet verify`

use std::path::{Path, PathBuf};

use clap::Args;
use pgfleet_core::config::place_references;
use pgfleet_core::diagnose::{Code, ExitCode, Problem};
use pgfleet_core::fleet::shell_word;
use pgfleet_core::verify::{Check, CheckResult, parse_declaration};
use pgfleet_engine::conduct::Target;
use pgfleet_engine::connect::Session;
use pgfleet_engine::verify::{Options, propose, run};

use super::context::Context;
use super::everywhere::PerTarget;
use super::outcome::{CommandError, CommandResult};
use super::site::Site;
use crate::render::{self, TargetEntry};

/// Check that the database is as declared: tables, columns, indexes, triggers, policies, rows, HTTP
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pgfleet verify
  pgfleet verify --checks checks.toml --output junit > verify.xml
  pgfleet verify --propose > checks.toml    a declaration of the database as it is")]
pub struct Verify {
    /// Read the checks from this file, besides those of pgfleet.toml
    #[arg(long, value_name = "FILE")]
    checks: Option<PathBuf>,
    /// Write a declaration that the database as it is satisfies
    #[arg(long)]
    propose: bool,
    /// With --propose: only these schemas [default: all of yours]
    #[arg(long, value_name = "NAME", requires = "propose")]
    schema: Vec<String>,
    /// Leave HTTP probes out
    #[arg(long)]
    no_probes: bool,
}

impl PerTarget for Verify {
    const NAME: &'static str = "verify";
    const CHANGES: bool = false;

    async fn on(&self, context: &Context, site: &Site<'_>) -> Result<CommandResult, CommandError> {
        let project = site.project;
        if self.propose {
            return self.propose(site).await;
        }
        let checks = self.read_checks(site)?;
        let needs_database = checks.iter().any(needs_database);
        let session = match needs_database {
            false => None,
            true => Some(site.target()?.connect().await?),
        };
        let options = Options { probes: !self.no_probes, ..Options::default() };
        let results = run(session.as_ref(), &checks, &project.settings.variables, options).await;
        let name = site.target.as_ref().map_or(&project.settings.target, |target| &target.name);
        let mut text = String::new();
        render::checks(&mut text, &context.out, &results);
        let is_wrong = |result: &&CheckResult| !result.ok && result.skipped.is_none();
        let failed = results.iter().any(|result| is_wrong(&result));
        let headline = headline(results.iter().filter(is_wrong), results.len());
        let found = |one: &CheckResult| {
            format!("{}: expected {}, found {}", one.name, one.expected, one.found)
        };
        Ok(CommandResult {
            text,
            headline,
            details: results.iter().filter(is_wrong).map(found).collect(),
            targets: vec![TargetEntry::new(name).field("checks", &results)?],
            exit: failed.then_some(ExitCode::NotSo),
            checks: results,
            ..CommandResult::default()
        })
    }

    fn check_many(&self) -> Result<(), CommandError> {
        if self.propose {
            let what = "--propose writes the declaration of one target";
            return Err(Problem::error(Code::GroupNotPossible, what)
                .fix("Leave --group out, and name a --target or --url.")
                .into());
        }
        Ok(())
    }
}

impl Verify {
    async fn propose(&self, site: &Site<'_>) -> Result<CommandResult, CommandError> {
        let target = site.target()?;
        let session = target.connect().await?;
        self.refuse_unknown_schema(target, &session).await?;
        let proposal = propose(&session, &self.schema).await;
        let proposal = proposal.map_err(|error| target.session_problem(&error))?;
        Ok(CommandResult::text(proposal))
    }

    async fn refuse_unknown_schema(
        &self,
        target: &Target,
        session: &Session,
    ) -> Result<(), CommandError> {
        let known = session.query_text("SELECT nspname FROM pg_catalog.pg_namespace").await;
        let known = known.map_err(|error| target.session_problem(&error))?;
        let is_known =
            |name: &&String| known.iter().flatten().flatten().any(|known| known == *name);
        let unknown = self.schema.iter().find(|name| !is_known(name));
        unknown.map_or(Ok(()), |name| {
            Err(Problem::error(Code::Usage, format!("the database has no schema {name:?}"))
                .in_target(&target.name)
                .fix("Name a schema of the database, spelled as it is there.")
                .into())
        })
    }

    fn read_checks(&self, site: &Site<'_>) -> Result<Vec<Check>, CommandError> {
        let project = site.project;
        let mut checks = project.settings.checks.clone();
        if let Some(file) = &self.checks {
            let mut further = read_file(file)?;
            place_references(&project.file, &mut further);
            checks.extend(further);
        }
        if checks.is_empty() {
            return Err(none_declared(site).into());
        }
        Ok(checks)
    }
}

/// A proposal is of one database, also where a group is to be verified.
fn none_declared(site: &Site<'_>) -> Problem {
    let (whose, propose) = match (&site.target, site.among) {
        (Ok(target), Some(_)) => {
            let url = shell_word(&target.spec.redacted());
            ("of one database", format!("pgfleet verify --propose --url {url} > checks.toml"))
        }
        _ => ("of the database as it is", "pgfleet verify --propose > checks.toml".to_owned()),
    };
    Problem::error(Code::CheckInvalid, "no checks are declared")
        .fix_with(format!("Have some proposed, {whose}."), propose)
        .fix_with("Then make them.", "pgfleet verify --checks checks.toml")
}

/// `24 checks hold`, or which do not.
fn headline<'r>(wrong: impl Iterator<Item = &'r CheckResult>, all: usize) -> String {
    let wrong: Vec<_> = wrong.map(|result| result.name.as_str()).collect();
    match wrong.as_slice() {
        [] => format!("{all} checks hold"),
        [one] => format!("1 of {all} checks fails: {one}"),
        [first, rest @ ..] => {
            format!("{} of {all} checks fail: {first} and {} more", wrong.len(), rest.len())
        }
    }
}

fn needs_database(check: &Check) -> bool {
    !matches!(check, Check::Env(_) | Check::Http(_))
}

fn read_file(file: &Path) -> Result<Vec<Check>, CommandError> {
    let shown = file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(|error| {
        CommandError::from(
            Problem::error(
                Code::CheckInvalid,
                format!("the file of checks {shown} cannot be read"),
            )
            .because(error.to_string()),
        )
    })?;
    Ok(parse_declaration(&text, &shown)?)
}
