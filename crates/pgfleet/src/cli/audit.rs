//! `pgfleet audit`

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use pgfleet_core::audit::{
    AuditReport, AuditRule, RULES, audit_html, declared_questions, parse_audit_rules,
};
use pgfleet_core::diagnose::{Code, ExitCode, Problem, Severity};
use pgfleet_engine::audit::{AuditOptions, Wanted, audit};
use pgfleet_engine::project::Project;

use super::context::Context;
use super::everywhere::PerTarget;
use super::global::Output;
use super::outcome::{CommandError, CommandResult};
use super::site::Site;
use super::written::write_file;
use crate::render::{self, TargetEntry};

/// Look for what is wrong with the rows and the schema: orphans, duplicates, empty values, stale rows
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pgfleet audit
  pgfleet audit --html audit.html --output json > audit.json
  pgfleet audit --rules audit.toml --fail-on warning
  pgfleet audit --rule orphan --rule orphan-likely
  pgfleet audit --group tenants
  pgfleet audit --list-rules

Exit code 1 when a finding weighs as much as --fail-on says.")]
pub struct Audit {
    /// Read declared rules from this file, besides those of pgfleet.toml
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Only this rule; may be given several times
    #[arg(long, value_name = "RULE")]
    rule: Vec<String>,
    /// Without this rule; may be given several times
    #[arg(long, value_name = "RULE")]
    skip: Vec<String>,
    /// Show the built-in rules and do nothing else
    #[arg(long)]
    list_rules: bool,
    /// Write a report that a browser shows
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// What ends with exit code 1
    #[arg(long, value_enum, default_value_t = FailOn::Error, value_name = "WEIGHT")]
    fail_on: FailOn,
    /// How long one question may take; 0: no limit
    #[arg(long, value_name = "MS", default_value_t = 60_000)]
    timeout_ms: u64,
    /// Connections that ask
    #[arg(long, short, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=32))]
    jobs: u16,
}

/// What ends with exit code 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    /// Errors.
    Error,
    /// Errors and warnings.
    Warning,
    /// Any finding.
    Note,
    /// Nothing.
    Never,
}

impl PerTarget for Audit {
    const NAME: &'static str = "audit";
    const CHANGES: bool = false;

    async fn on(&self, context: &Context, site: &Site<'_>) -> Result<CommandResult, CommandError> {
        if self.list_rules {
            let mut text = String::new();
            render::audit_rules(&mut text, &context.out);
            return Ok(CommandResult::text(text));
        }
        let options = self.options(site.project)?;
        let report = audit(site.target()?, &options).await?;
        if let Some(file) = &self.html {
            write_file(file, "the report", &audit_html(&report))?;
        }
        self.shown(context, &report)
    }

    fn check_many(&self) -> Result<(), CommandError> {
        match (&self.html, self.list_rules) {
            (None, false) => Ok(()),
            _ => Err(Problem::error(
                Code::GroupNotPossible,
                "--html and --list-rules are for one target",
            )
            .fix("Leave --group out, and name a --target or --url.")
            .into()),
        }
    }
}

impl Audit {
    /// Whether it asks a database at all.
    pub fn looks(&self) -> bool {
        !self.list_rules
    }

    fn shown(
        &self,
        context: &Context,
        report: &AuditReport,
    ) -> Result<CommandResult, CommandError> {
        let mut text = String::new();
        render::audit(&mut text, &context.out, report);
        let entry = TargetEntry::new(&report.target).field("audit", report)?;
        let as_problems = matches!(context.global.output, Output::Sarif | Output::Github);
        let problems = if as_problems { problems(report) } else { Vec::new() };
        let heaviest = report.findings.iter().map(|finding| finding.severity).max();
        let exit = self.fails(heaviest).then_some(ExitCode::NotSo);
        let headline = headline(report);
        let targets = vec![entry];
        Ok(CommandResult { text, headline, targets, problems, exit, ..CommandResult::default() })
    }

    fn fails(&self, heaviest: Option<Severity>) -> bool {
        let Some(heaviest) = heaviest else { return false };
        match self.fail_on {
            FailOn::Error => heaviest >= Severity::Error,
            FailOn::Warning => heaviest >= Severity::Warning,
            FailOn::Note => true,
            FailOn::Never => false,
        }
    }

    fn options(&self, project: &Project) -> Result<AuditOptions, CommandError> {
        let mut rules = project.settings.audit.clone();
        let mut file = "pgfleet.toml".to_owned();
        let mut declared = declared_questions(&rules, &file)?;
        if let Some(path) = &self.rules {
            file = path.display().to_string();
            let further = parse_audit_rules(&read(path)?, &file)?;
            declared.extend(declared_questions(&further, &file)?);
            rules.extend(further);
        }
        let skip = |rule: &AuditRule| Some((rule.skip.clone()?, rule.tables.clone()));
        let mut skip: Vec<_> = rules.iter().filter_map(skip).collect();
        skip.extend(self.skip.iter().map(|rule| (rule.clone(), Vec::new())));
        let names = declared.iter().map(|question| question.finding.rule.as_str());
        let known: Vec<_> = RULES.iter().map(|(name, _)| *name).chain(names).collect();
        let mut named = skip.iter().map(|(rule, _)| rule).chain(&self.rule);
        if let Some(rule) = named.find(|rule| !known.contains(&rule.as_str())) {
            return Err(unknown(rule).into());
        }
        Ok(AuditOptions {
            declared,
            wanted: Wanted { only: self.rule.clone(), skip },
            timeout_ms: self.timeout_ms,
            jobs: usize::from(self.jobs),
        })
    }
}

fn headline(report: &AuditReport) -> String {
    let counts = [Severity::Error, Severity::Warning, Severity::Note].map(|s| report.count(s));
    format!("{} errors, {} warnings, {} notes", counts[0], counts[1], counts[2])
}

fn unknown(rule: &str) -> Problem {
    Problem::error(Code::RuleInvalid, format!("no audit rule is called {rule:?}"))
        .fix_with("See their names.", "pgfleet audit --list-rules")
}

fn problems(report: &AuditReport) -> Vec<Problem> {
    let problem = |finding: &pgfleet_core::audit::Finding| {
        let count = finding.count.map(|count| format!("{count} ")).unwrap_or_default();
        let what = format!("{}: {}: {count}{}", finding.rule, finding.object, finding.what);
        let mut problem = Problem::error(Code::AuditFinding, what).in_target(&report.target);
        problem.severity = finding.severity;
        if !finding.samples.is_empty() {
            problem = problem.detail(format!("some of them: {}", finding.samples.join(", ")));
        }
        problem.fix(finding.recommendation.clone())
    };
    report.findings.iter().map(problem).collect()
}

fn read(file: &Path) -> Result<String, CommandError> {
    std::fs::read_to_string(file).map_err(|error| {
        let what = format!("the file of rules {} cannot be read", file.display());
        Problem::error(Code::RuleInvalid, what).because(error.to_string()).into()
    })
}
