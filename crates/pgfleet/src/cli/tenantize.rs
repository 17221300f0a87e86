//! `pgfleet tenantize`

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::folder::compose::{Block, NewMigration, compose};
use pgfleet_core::tenancy::{
    Phase, TenancyPlan, Variant, checks_for_all, default_name, down_for_all, up_for_all,
};
use pgfleet_engine::compose::{current_moment, write_files};
use pgfleet_engine::conduct::{ChangeError, Target, open};
use pgfleet_engine::fleet::{Group, open_groups};
use pgfleet_engine::project::{Folder, Project};
use pgfleet_engine::tenantize::{Needs, Tenantized, add_variant, needs, tenantize};
use serde_json::json;

use super::context::{Context, usable_folder};
use super::outcome::{CommandError, CommandResult};
use super::tenancy_flags::Declared;
use crate::render::TargetEntry;

/// Write the migration that gives every table its tenant column, and the checks for it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pgfleet tenantize --dry-run            the migration, its way back and the checks
  pgfleet tenantize                      write them, then: pgfleet apply && pgfleet verify --checks tenancy.checks.toml
  pgfleet tenantize add_organisation --group tenants
  pgfleet tenantize --column organisation_id --type int --constant 1 --tables users,orders \\
      --via order_lines=order_id --references organisations.id      without [tenancy] in pgfleet.toml

With --group the migration holds what each state of the databases needs, under its condition.

The migration is run on a scratch copy, forth and back, before it is written.")]
pub struct Tenantize {
    /// What the migration is called [default: add_COLUMN]
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Show it and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Where the checks are written
    #[arg(long, value_name = "FILE", default_value = "tenancy.checks.toml")]
    checks: PathBuf,
    #[command(flatten)]
    declared: Declared,
}

/// What there is to write.
struct Writing {
    up: Vec<String>,
    down: Vec<String>,
    checks: String,
    text: String,
    is_empty: bool,
}

impl Tenantize {
    pub async fn run(self, context: &Context) -> Result<CommandResult, CommandError> {
        if !context.global.group.is_empty() {
            return self.run_on_group(context).await;
        }
        let project = self.project(context)?;
        let folder = usable_folder(&project)?;
        let target = Target::of(&project)?;
        let opened = open(&project, &target, folder).await?;
        let made = tenantize(&project, &target, &opened).await?;
        let writing = Writing {
            up: made.up.clone(),
            down: made.down.clone(),
            checks: made.checks.clone(),
            text: described(&made.plan),
            is_empty: made.plan.is_empty(),
        };
        let (text, written) = self.finish(&project, &opened.folder, writing)?;
        let entry = entry(&target.name, &made, &written)?;
        Ok(CommandResult { text, targets: vec![entry], ..CommandResult::default() })
    }

    /// With what the flags say of tenants.
    fn project(&self, context: &Context) -> Result<Project, CommandError> {
        let mut project = context.project()?;
        self.declared.put_into(&mut project)?;
        Ok(project)
    }

    /// One migration for all databases of a group, whatever states they are in.
    async fn run_on_group(&self, context: &Context) -> Result<CommandResult, CommandError> {
        let project = self.project(context)?;
        let groups = open_groups(&project, &context.global.selected()).await?;
        let [group] = groups.as_slice() else { return Err(one_group().into()) };
        let folder = Arc::new(usable_folder(&group.project)?);
        let (mut variants, mut problems, mut tenancy) = (Vec::new(), Vec::new(), None);
        for member in &group.members {
            match read(group, &member.target, &folder, &variants).await {
                Ok(needs) => {
                    add_variant(&mut variants, &needs, &member.target.name);
                    tenancy.get_or_insert(needs.tenancy);
                }
                Err(error) => problems.extend(error.problems),
            }
        }
        if !problems.is_empty() {
            return Err(problems.into());
        }
        let Some(tenancy) = tenancy else { return Ok(CommandResult::text("No target.\n")) };
        variants.sort_by_key(|variant| std::cmp::Reverse(variant.targets.len()));
        let name = self.name.clone().unwrap_or_else(|| default_name(&tenancy));
        let mut text = String::new();
        for variant in &variants {
            let count = variant.targets.len();
            let some: Vec<_> = variant.targets.iter().take(5).map(String::as_str).collect();
            let more = if count > some.len() { ", …" } else { "" };
            text.push_str(&format!(
                "{count} of {}: {}{more}\n",
                group.members.len(),
                some.join(", ")
            ));
            let of_variant = described(&variant.plan);
            text.extend(of_variant.lines().map(|line| format!("  {line}\n")));
        }
        let writing = Writing {
            up: up_for_all(&name, &tenancy, &variants),
            down: down_for_all(&name, &variants),
            checks: checks_for_all(&tenancy, &variants),
            text,
            is_empty: variants.iter().all(|variant| variant.plan.is_empty()),
        };
        let (up, down) = (writing.up.clone(), writing.down.clone());
        let (text, written) = self.finish(&group.project, &folder, writing)?;
        let entry = TargetEntry::new(&group.name)
            .field("variants", &variants.iter().map(|one| &one.targets).collect::<Vec<_>>())?
            .field("up", &up)?
            .field("down", &down)?
            .field("files", &written)?;
        let problems = group.problems.clone();
        Ok(CommandResult { text, targets: vec![entry], problems, ..CommandResult::default() })
    }

    fn finish(
        &self,
        project: &Project,
        folder: &Folder,
        made: Writing,
    ) -> Result<(String, Vec<String>), CommandError> {
        let mut text = made.text.clone();
        let shown = self.checks.display();
        if made.is_empty {
            text.push_str("Nothing to do: every table is as declared.\n");
            return Ok((text, Vec::new()));
        }
        if self.dry_run {
            let (up, down) = (script(&made.up), script(&made.down));
            text.push_str(&format!(
                "\n{up}\n-- The way back:\n\n{down}\n# {shown}\n{}",
                made.checks
            ));
            return Ok((text, Vec::new()));
        }
        let written = self.write(project, folder, &made)?;
        for file in &written {
            text.push_str(&format!("Wrote {file}\n"));
        }
        if !folder.set.format.takes_back(&folder.tree) {
            text.push_str("The format has no place for the way back; see it by --dry-run.\n");
        }
        text.push_str(&format!(
            "Proven on a scratch copy, forth and back.\n\
             Next: pgfleet plan, then pgfleet apply, then pgfleet verify --checks {shown}\n"
        ));
        Ok((text, written))
    }

    fn write(
        &self,
        project: &Project,
        folder: &Folder,
        made: &Writing,
    ) -> Result<Vec<String>, CommandError> {
        let name = match (&self.name, &project.settings.tenancy) {
            (Some(name), _) => name.clone(),
            (None, Some(tenancy)) => format!("add_{}", slug(&tenancy.column)),
            (None, None) => "tenantize".to_owned(),
        };
        // One block, so that one file holds all of it, with its own transactions.
        let block =
            |statements: &[String]| Block { statements: statements.to_vec(), outside: true };
        let down = match folder.set.format.takes_back(&folder.tree) {
            true => vec![block(&made.down)],
            false => Vec::new(),
        };
        let migration =
            NewMigration { name, up: vec![block(&made.up)], down, ..NewMigration::default() };
        let files = compose(&folder.set, &folder.tree, &migration, &current_moment());
        let (path, shown) = project.folder_path()?;
        write_files(&path, &files)?;
        let checks = project.root.join(&self.checks);
        fs::write(&checks, &made.checks).map_err(|error| unwritable(&checks, &error))?;
        let written = files.iter().map(|file| format!("{shown}/{}", file.path));
        Ok(written.chain([self.checks.display().to_string()]).collect())
    }
}

async fn read(
    group: &Group,
    target: &Target,
    folder: &Arc<Folder>,
    proven: &[Variant],
) -> Result<Needs, ChangeError> {
    let opened = open(&group.project, target, folder.clone()).await?;
    let needs = needs(&group.project, target, &opened, proven).await;
    opened.session.close().await;
    needs
}

fn slug(column: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    column.chars().map(plain).collect()
}

fn one_group() -> Problem {
    Problem::error(Code::Usage, "tenantize writes for one group at a time")
        .because("each group has its own migration folder")
        .fix_with("Name it.", "pgfleet tenantize --group tenants")
}

fn unwritable(path: &Path, error: &std::io::Error) -> CommandError {
    let what = format!("{} cannot be written", path.display());
    Problem::error(Code::FileUnreadable, what).because(error.to_string()).into()
}

fn script(statements: &[String]) -> String {
    statements.iter().map(|statement| format!("{statement};\n")).collect()
}

fn described(plan: &TenancyPlan) -> String {
    let mut text = String::new();
    for table in &plan.tables {
        text.push_str(&format!("{} ({})\n", table.table, table.state));
        for section in table.sections.iter().filter(|section| !section.what.is_empty()) {
            let what =
                section.what.split_once(": ").map_or(section.what.as_str(), |(_, what)| what);
            let when = if section.phase == Phase::Last { ", at the end" } else { "" };
            text.push_str(&format!("  {what}{when}\n"));
        }
    }
    for name in &plan.absent {
        text.push_str(&format!("{name} is not there and is left out\n"));
    }
    if plan.tables.iter().any(|table| table.sections.iter().any(|s| s.what.contains(" becomes "))) {
        text.push_str(
            "Statements of the application with ON CONFLICT on such a key must name the tenant too.\n",
        );
    }
    text
}

fn entry(target: &str, made: &Tenantized, written: &[String]) -> Result<TargetEntry, CommandError> {
    let tables: Vec<_> = made
        .plan
        .tables
        .iter()
        .map(|table| {
            let sections = table.sections.iter().filter(|section| !section.what.is_empty());
            let changes: Vec<_> = sections.map(|section| section.what.clone()).collect();
            json!({ "table": table.table.to_string(), "state": table.state, "changes": changes })
        })
        .collect();
    let absent: Vec<_> = made.plan.absent.iter().map(ToString::to_string).collect();
    Ok(TargetEntry::new(target)
        .field("tables", &tables)?
        .field("absent", &absent)?
        .field("up", &made.up)?
        .field("down", &made.down)?
        .field("checks", &made.checks)?
        .field("files", &written)?)
}
