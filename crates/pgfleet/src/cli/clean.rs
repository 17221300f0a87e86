//! `pgfleet clean`

use std::path::{Path, PathBuf};

use clap::Args;
use pgfleet_core::backup::{BackupKind, BackupState};
use pgfleet_core::clean::{CleanRule, Effect, ResolvedRule, parse_clean_rules};
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_engine::backup::{ArchiveFormat, BackupRequest, back_up, verify};
use pgfleet_engine::clean::{
    CleanOutcome, CleanRun, Preview, execute, interrupted_run, preview, refuse_blocked,
};
use pgfleet_engine::conduct::Target;

use super::backup::{Place, notes};
use super::context::Context;
use super::everywhere::PerTarget;
use super::outcome::{CommandError, CommandResult};
use super::site::Site;
use crate::render::{self, TargetEntry};

/// How old a named backup may be.
const BACKUP_AGE_MAX_S: i64 = 24 * 60 * 60;

/// Take rows away by declared rules: shows what would go, cascades included, until --execute
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pgfleet clean                                          what would go, as a tree
  pgfleet clean --rules clean.toml --output json
  pgfleet clean --execute --allow-data-loss              after a backup that is made and verified
  pgfleet clean --execute --allow-data-loss --backup 20261125T204512Z-full

A rule in pgfleet.toml:
  [[clean]]
  name = \"test users\"
  table = \"users\"
  where = \"t.email LIKE '%@example.com'\"
  reason = \"left from the pilot\"

An interrupted run is continued by running the same command again.")]
pub struct Clean {
    /// Read rules from this file, instead of pgfleet.toml
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Delete the rows
    #[arg(long)]
    execute: bool,
    /// A good backup of the last 24 hours, instead of making one
    #[arg(long, value_name = "NAME", requires = "execute")]
    backup: Option<String>,
    #[command(flatten)]
    place: Place,
}

impl PerTarget for Clean {
    const NAME: &'static str = "clean";
    const CHANGES: bool = true;

    async fn on(&self, context: &Context, site: &Site<'_>) -> Result<CommandResult, CommandError> {
        let target = site.target()?;
        let rules = rules(&site.project.settings.clean, self.rules.as_deref(), "clean")?;
        let previews = preview(target, &rules).await?;
        if !self.execute {
            return shown(context, target, &previews, "clean");
        }
        consent(context, target, &previews, "clean")?;
        let resolved = resolved(&previews);
        let backup = match interrupted_run(target, &resolved, "clean").await? {
            Some(_) => None,
            None if nothing(&previews) => return shown(context, target, &previews, "clean"),
            None => Some(self.proven_backup(context, site, target).await?),
        };
        let run = CleanRun { command: "clean", backup };
        let outcome = execute(target, &resolved, &run, &notes(context, site)).await?;
        done(context, target, &previews, &outcome, run.backup.as_deref())
    }

    fn check_many(&self) -> Result<(), CommandError> {
        match &self.backup {
            None => Ok(()),
            Some(_) => {
                Err(Problem::error(Code::GroupNotPossible, "--backup names one target's backup")
                    .fix("Leave it out: each target gets a backup of its own first.")
                    .into())
            }
        }
    }
}

impl Clean {
    /// The named backup, or one that is made and proven now.
    async fn proven_backup(
        &self,
        context: &Context,
        site: &Site<'_>,
        target: &Target,
    ) -> Result<String, CommandError> {
        let store = self.place.store(site.project, target);
        if let Some(name) = &self.backup {
            let backup = store.find(Some(name))?;
            let manifest = backup.manifest()?;
            let age_s = pgfleet_engine::backup::age_s(manifest);
            let same = manifest.database == target.spec.database;
            let fresh = age_s.is_some_and(|age_s| age_s <= BACKUP_AGE_MAX_S);
            let full = manifest.kind == BackupKind::Full;
            return match backup.state == BackupState::Good && same && fresh && full {
                true => Ok(backup.id),
                false => Err(unproven(target, &backup.id, backup.state, same, fresh, full).into()),
            };
        }
        let request = BackupRequest {
            kind: BackupKind::Full,
            format: ArchiveFormat::Directory,
            jobs: usize::from(self.place.jobs),
            name: None,
            globals: false,
            role_passwords: false,
            check_space: true,
        };
        let note = notes(context, site);
        store.sweep()?;
        let backup = back_up(target, &store, &request, &note).await?;
        let found = verify(site.project, target, &backup, request.jobs, &note).await?;
        match found.differences.is_empty() {
            true => Ok(backup.id),
            false => Err(unproven(target, &backup.id, BackupState::Bad, true, true, true).into()),
        }
    }
}

/// The rules of a file, or else of the configuration.
pub fn rules(
    configured: &[CleanRule],
    file: Option<&Path>,
    section: &str,
) -> Result<Vec<CleanRule>, CommandError> {
    let rules = match file {
        None => configured.to_vec(),
        Some(path) => {
            let shown = path.display().to_string();
            let text = std::fs::read_to_string(path).map_err(|error| {
                let what = format!("the file of rules {shown} cannot be read");
                CommandError::from(
                    Problem::error(Code::RuleInvalid, what).because(error.to_string()),
                )
            })?;
            parse_clean_rules(&text, &shown, section == "maintain")?
        }
    };
    if rules.is_empty() {
        let what = format!("no [[{section}]] rules are declared");
        let example = format!("pgfleet {section} --help");
        return Err(Problem::error(Code::RuleInvalid, what)
            .fix_with("See how one is written.", example)
            .into());
    }
    Ok(rules)
}

/// What would go.
pub fn shown(
    context: &Context,
    target: &Target,
    previews: &[Preview],
    command: &str,
) -> Result<CommandResult, CommandError> {
    let mut text = String::new();
    render::previews(&mut text, &context.out, previews, command);
    let mut problems = Vec::new();
    if let Err(problem) = refuse_blocked(target, previews) {
        problems.push(Problem { severity: pgfleet_core::diagnose::Severity::Warning, ..*problem });
    }
    let entry =
        TargetEntry::new(&target.name).field("executed", &false)?.field("rules", &previews)?;
    let rows: u64 = previews.iter().map(|one| one.victims.total(Effect::Deleted)).sum();
    let headline = format!("{rows} rows would be deleted");
    let targets = vec![entry];
    Ok(CommandResult { text, headline, targets, problems, ..CommandResult::default() })
}

/// What went.
pub fn done(
    context: &Context,
    target: &Target,
    previews: &[Preview],
    outcome: &CleanOutcome,
    backup: Option<&str>,
) -> Result<CommandResult, CommandError> {
    let mut text = String::new();
    render::cleaned(&mut text, &context.out, outcome, backup);
    let entry = TargetEntry::new(&target.name)
        .field("executed", &true)?
        .field("rules", &previews)?
        .field("backup", &backup)?
        .field("outcome", outcome)?;
    let rows: u64 = outcome.tables.iter().map(|table| table.deleted).sum();
    let headline = format!("{rows} rows deleted");
    Ok(CommandResult { text, headline, targets: vec![entry], ..CommandResult::default() })
}

/// The rules as they will be executed.
pub fn resolved(previews: &[Preview]) -> Vec<ResolvedRule> {
    previews.iter().map(|preview| preview.rule.clone()).collect()
}

/// True when no rule finds a row.
pub fn nothing(previews: &[Preview]) -> bool {
    previews.iter().all(|preview| preview.victims.rows == 0)
}

/// Refuses what is forbidden by keys or not allowed by the user.
pub fn consent(
    context: &Context,
    target: &Target,
    previews: &[Preview],
    command: &str,
) -> Result<(), CommandError> {
    refuse_blocked(target, previews)?;
    if context.global.allow_data_loss || nothing(previews) {
        return Ok(());
    }
    let rows: u64 = previews.iter().map(|one| one.victims.total(Effect::Deleted)).sum();
    let what = format!("{rows} rows would be deleted, and that was not allowed");
    Err(Problem::error(Code::ConsentMissing, what)
        .in_target(&target.name)
        .fix_with("Look at them …", format!("pgfleet {command}"))
        .fix_with("… and allow it.", format!("pgfleet {command} --execute --allow-data-loss"))
        .into())
}

fn unproven(
    target: &Target,
    id: &str,
    state: BackupState,
    same: bool,
    fresh: bool,
    full: bool,
) -> Problem {
    let why = match (state, same, fresh, full) {
        (BackupState::Good, false, ..) => "it is of another database",
        (BackupState::Good, _, false, _) => "it is older than 24 hours",
        (BackupState::Good, _, _, false) => "it does not hold both structure and rows",
        (BackupState::Unverified, ..) => "it was never restored",
        _ => "it is not good",
    };
    Problem::error(Code::BackupUnproven, format!("the backup {id} is not enough to go on"))
        .in_target(&target.name)
        .because(why)
        .fix("Leave --backup out: one is made and verified then.")
        .fix_with("Or prove it.", format!("pgfleet backup verify {id}"))
}
