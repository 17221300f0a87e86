//! `pgfleet lint`

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use pgfleet_core::diagnose::{ExitCode, Problem, Severity};
use pgfleet_core::lint::{Finding, Rule, unknown_rule};
use pgfleet_engine::conduct::Target;
use pgfleet_engine::fleet::{Group, open_groups};
use pgfleet_engine::lint::{LintOutcome, LintSelection, lint_files, lint_folder, lint_target};
use pgfleet_engine::project::Project;

use super::context::Context;
use super::everywhere::{folders_of, misplaced};
use super::outcome::{CommandError, CommandResult};
use crate::render::{self, TargetEntry};

/// Find what locks, rewrites, loses data or breaks running code, before it is applied
#[derive(Debug, Args)]
#[command(after_help = "\
With a database (--url, or one that is configured) only what is pending is looked at, and its tables'
sizes, indexes and rows decide how much a finding weighs. Without one, all of the folder is. With --group
the folder of the group is looked at, or with --only, --except or --label what is pending on those targets.

Examples:
  pgfleet lint                               what is pending
  pgfleet lint --offline --since 20250101120000
  pgfleet lint migrations/0042_orders.sql
  pgfleet lint --output github --deny warnings
  pgfleet lint --group tenants --only acme
  pgfleet lint --explain require-concurrent-index-creation

Exits with 1 when there is an error, or what --deny names.")]
pub struct Lint {
    /// Look at these files only, or at those below a directory
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Look at the migrations after this one
    #[arg(long, value_name = "VERSION")]
    since: Option<String>,
    /// Look at what is applied too
    #[arg(long)]
    all: bool,
    /// Ask no database, even if one is configured
    #[arg(long)]
    offline: bool,
    /// Fail on these too
    #[arg(long, value_enum, value_name = "SEVERITY")]
    deny: Option<Deny>,
    /// Show every rule
    #[arg(long)]
    rules: bool,
    /// Explain a rule
    #[arg(long, value_name = "RULE")]
    explain: Option<String>,
}

/// What else is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Deny {
    /// Warnings.
    Warnings,
    /// Warnings and notes.
    Notes,
}

impl Lint {
    pub async fn run(self, context: &Context) -> Result<CommandResult, CommandError> {
        if let Some(name) = &self.explain {
            let rule = Rule::named(name).ok_or_else(|| unknown_rule(name))?;
            return Ok(CommandResult::text(rule.page));
        }
        if self.rules {
            return rules(context);
        }
        let (global, mut whole) = (&context.global, CommandResult::default());
        let choosy = !global.group.is_empty() && !global.selected().choice.is_all();
        let looks = match choosy && !self.offline {
            true => on_targets(context).await?,
            false => folders_of(context)?.into_iter().map(|project| (project, None)).collect(),
        };
        for (project, target) in looks {
            let target = match target {
                None if global.group.is_empty() => self.target(&project)?,
                target => target,
            };
            let (looked_at, outcome) = self.look(&project, target).await?;
            let one = self.shown(context, &looked_at, outcome)?;
            whole.text.push_str(&one.text);
            whole.targets.extend(one.targets);
            whole.problems.extend(one.problems);
            whole.findings.extend(one.findings);
            whole.exit = whole.exit.or(one.exit);
        }
        Ok(whole)
    }

    async fn look(
        &self,
        project: &Project,
        target: Option<Target>,
    ) -> Result<(String, LintOutcome), CommandError> {
        let opened = project.open_folder();
        let folder = match opened {
            Ok(folder) if self.are_of(project, &folder.set) => folder,
            _ if !self.files.is_empty() => {
                let named: Vec<_> = self.files.iter().map(|f| f.display().to_string()).collect();
                return Ok((named.join(", "), lint_files(project, &self.files)?));
            }
            Ok(folder) => folder,
            Err(problem) => return Err(problem.into()),
        };
        let (files, since, all) = (self.files.clone(), self.since.clone(), self.all);
        let selection = LintSelection { files, since, all };
        let root = folder.tree.root.clone();
        let outcome = match target {
            Some(target) => {
                let outcome = lint_target(project, &target, folder, &selection).await;
                outcome.map_err(|error| without_database(error.into()))?
            }
            None => lint_folder(project, &folder, &selection)?,
        };
        Ok((root, outcome))
    }

    /// Whether all files that are named are migrations of the folder.
    fn are_of(&self, project: &Project, set: &pgfleet_core::folder::MigrationSet) -> bool {
        let Ok((root, _)) = project.folder_path() else { return false };
        let canonical = |file: &PathBuf| file.canonicalize().ok();
        let known: Vec<_> =
            set.migrations.iter().filter_map(|m| canonical(&root.join(&m.file))).collect();
        let is_known = |file: PathBuf| known.iter().any(|one| one.starts_with(&file));
        self.files.iter().all(|file| canonical(file).is_some_and(is_known))
    }

    /// The target, unless none is wanted or none is named.
    fn target(&self, project: &Project) -> Result<Option<Target>, CommandError> {
        if self.offline || !project.names_database() {
            return Ok(None);
        }
        Ok(Some(Target::of(project)?))
    }

    fn shown(
        &self,
        context: &Context,
        looked_at: &str,
        outcome: LintOutcome,
    ) -> Result<CommandResult, CommandError> {
        let LintOutcome { report, server, mut problems } = outcome;
        problems.extend(report.problems);
        let found: Vec<_> =
            report.findings.into_iter().map(|Finding { problem, .. }| problem).collect();
        let mut text = String::new();
        render::findings(&mut text, &context.out, &found, context.global.verbose);
        let of = match &server {
            Some(server) => format!("against {server}"),
            None => "without a database".to_owned(),
        };
        text.push_str(&format!(
            "{looked_at} {of}: {}, {} looked at, {}, {} ignored\n",
            render::counted(report.migrations, "migration"),
            render::counted(report.statements, "statement"),
            render::counted(found.len(), "finding"),
            report.ignored,
        ));
        let entry = TargetEntry::new(looked_at)
            .field("server", &server)?
            .field("migrations", &report.migrations)?
            .field("statements", &report.statements)?
            .field("ignored", &report.ignored)?
            .field("findings", &found)?;
        let fails = found.iter().chain(&problems).any(|problem| self.denies(problem));
        Ok(CommandResult {
            text,
            targets: vec![entry],
            problems,
            findings: found,
            exit: fails.then_some(ExitCode::NotSo),
            ..CommandResult::default()
        })
    }

    fn denies(&self, problem: &Problem) -> bool {
        let least = match self.deny {
            None => Severity::Error,
            Some(Deny::Warnings) => Severity::Warning,
            Some(Deny::Notes) => Severity::Note,
        };
        problem.severity >= least
    }
}

/// The targets of groups that were chosen, with their groups' settings.
async fn on_targets(context: &Context) -> Result<Vec<(Project, Option<Target>)>, CommandError> {
    if let Some(flag) = context.global.misplaced_for_groups() {
        return Err(misplaced(flag).into());
    }
    let groups = open_groups(&context.project()?, &context.global.selected()).await?;
    let with_project = |group: Group| {
        let project = Project::clone(&group.project);
        group.members.into_iter().map(move |member| (project.clone(), Some(member.target)))
    };
    Ok(groups.into_iter().flat_map(with_project).collect())
}

/// A database that does not answer is no reason to look at nothing.
fn without_database(mut error: CommandError) -> CommandError {
    for problem in &mut error.problems {
        if problem.code.exit() == ExitCode::Unreachable {
            let with = problem.clone();
            *problem = with.fix_with("Or look without a database.", "pgfleet lint --offline");
        }
    }
    error
}

fn rules(context: &Context) -> Result<CommandResult, CommandError> {
    let mut text = String::new();
    render::rules(&mut text, &context.out);
    let all: Vec<_> = Rule::all().iter().map(Rule::summary).collect();
    let entry = TargetEntry::new("lint").field("rules", &all)?;
    Ok(CommandResult { text, targets: vec![entry], ..CommandResult::default() })
}
