//! `pgfleet backup`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use pgfleet_core::backup::{BackupKind, BackupState, Verification};
use pgfleet_core::diagnose::{Code, ExitCode, Problem};
use pgfleet_engine::backup::{ArchiveFormat, BackupRequest, Store, StoredBackup, back_up, verify};
use pgfleet_engine::conduct::Target;
use pgfleet_engine::project::Project;

use super::context::Context;
use super::everywhere::PerTarget;
use super::outcome::{CommandError, CommandResult};
use super::site::Site;
use crate::render::{self, TargetEntry};

/// Back up the database by pg_dump, with a manifest that a restore is proven by
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  pgfleet backup --verify            dump, restore into a scratch database, compare
  pgfleet backup --verify --keep 7   and remove what has seven newer good ones
  pgfleet backup list
  pgfleet backup --verify --group tenants
  pgfleet backup verify 20261125T204512Z-full
  pgfleet restore --into shop_restored

A backup is good only when it has been restored and structure, row counts and row checksums were
found again."
)]
pub struct Backup {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    make: Make,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show the target's backups and which of them are good
    #[command(after_help = "Example:\n  pgfleet backup list --output json")]
    List(Place),
    /// Restore a backup into a scratch database and compare everything
    #[command(after_help = "\
Examples:
  pgfleet backup verify                          the newest
  pgfleet backup verify 20261125T204512Z-full
  pgfleet backup verify /mnt/backups/shop/20261125T204512Z-full")]
    Verify(Verify),
}

/// Where backups are and how many connections work on one.
#[derive(Debug, Clone, Args)]
pub struct Place {
    /// The folder of all backups; each target has its own in it [default: .pgfleet/backups]
    #[arg(long, value_name = "DIR")]
    pub backup_dir: Option<PathBuf>,
    /// Connections that dump or restore, and as many that sum rows
    #[arg(long, short, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub jobs: u16,
}

#[derive(Debug, Args)]
struct Verify {
    /// The backup's name or folder [default: the newest]
    backup: Option<String>,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
struct Make {
    #[command(flatten)]
    place: Place,
    /// Structure alone
    #[arg(long, conflicts_with = "data_only")]
    schema_only: bool,
    /// Rows, with the structure beside them so that they can be restored
    #[arg(long)]
    data_only: bool,
    /// One file instead of a folder; dumped over one connection
    #[arg(long)]
    single_file: bool,
    /// The backup's name [default: its time and kind]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Restore it into a scratch database and compare
    #[arg(long)]
    verify: bool,
    /// Remove backups that have N newer good ones
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    keep: Option<u16>,
    /// Leave out roles and tablespaces, which belong to the whole server
    #[arg(long)]
    no_globals: bool,
    /// Write the roles' password hashes too; needs a superuser
    #[arg(long, conflicts_with = "no_globals")]
    role_passwords: bool,
    /// Begin even where the disk has no room for the rows uncompressed
    #[arg(long)]
    skip_space_check: bool,
}

impl Place {
    /// The folder of a target's backups.
    pub fn store(&self, project: &Project, target: &Target) -> Store {
        Store::of(&self.root(project), target)
    }

    /// The folder of all backups.
    pub fn root(&self, project: &Project) -> PathBuf {
        let usual = || project.root.join(".pgfleet").join("backups");
        self.backup_dir.clone().unwrap_or_else(usual)
    }
}

impl Backup {
    /// What its log is called; a list is none.
    pub fn log_name(&self) -> Option<&'static str> {
        match &self.action {
            None => Some("backup"),
            Some(Action::Verify(_)) => Some("backup-verify"),
            Some(Action::List(_)) => None,
        }
    }
}

impl PerTarget for Backup {
    const NAME: &'static str = "backup";
    const CHANGES: bool = false;

    async fn on(&self, context: &Context, site: &Site<'_>) -> Result<CommandResult, CommandError> {
        let target = site.target()?;
        match &self.action {
            None => make(context, site, target, &self.make).await,
            Some(Action::List(place)) => list(context, target, &place.store(site.project, target)),
            Some(Action::Verify(command)) => {
                let store = command.place.store(site.project, target);
                let backup = store.find(command.backup.as_deref())?;
                verify_one(context, site, target, &backup, command.place.jobs).await
            }
        }
    }
}

async fn make(
    context: &Context,
    site: &Site<'_>,
    target: &Target,
    command: &Make,
) -> Result<CommandResult, CommandError> {
    let store = command.place.store(site.project, target);
    let note = notes(context, site);
    let mut removed = store.sweep()?;
    let backup = back_up(target, &store, &request(command), &note).await?;
    let mut result = match command.verify {
        true => verify_one(context, site, target, &backup, command.place.jobs).await?,
        false => made(context, target, &backup)?,
    };
    if let Some(keep) = command.keep {
        removed.extend(store.retain(usize::from(keep))?);
    }
    render::removed_backups(&mut result.text, &removed);
    Ok(result)
}

fn request(command: &Make) -> BackupRequest {
    BackupRequest {
        kind: match (command.schema_only, command.data_only) {
            (true, _) => BackupKind::SchemaOnly,
            (_, true) => BackupKind::DataOnly,
            _ => BackupKind::Full,
        },
        format: match command.single_file {
            true => ArchiveFormat::Custom,
            false => ArchiveFormat::Directory,
        },
        jobs: usize::from(command.place.jobs),
        name: command.name.clone(),
        globals: !command.no_globals,
        role_passwords: command.role_passwords,
        check_space: !command.skip_space_check,
    }
}

fn made(
    context: &Context,
    target: &Target,
    backup: &StoredBackup,
) -> Result<CommandResult, CommandError> {
    let mut text = String::new();
    render::backup(&mut text, &context.out, backup);
    let targets = vec![entry(target, backup)?];
    let headline = format!("{}: {}", backup.id, backup.state.name());
    Ok(CommandResult { text, headline, targets, ..CommandResult::default() })
}

async fn verify_one(
    context: &Context,
    site: &Site<'_>,
    target: &Target,
    backup: &StoredBackup,
    jobs: u16,
) -> Result<CommandResult, CommandError> {
    let verification =
        verify(site.project, target, backup, usize::from(jobs), &notes(context, site)).await?;
    let good = verification.differences.is_empty();
    let backup = StoredBackup {
        state: if good { BackupState::Good } else { BackupState::Bad },
        verification: Some(verification.clone()),
        ..backup.clone()
    };
    let mut result = made(context, target, &backup)?;
    if !good {
        result.problems.push(differs(target, &backup, &verification));
        result.exit = Some(ExitCode::NotSo);
    }
    Ok(result)
}

fn differs(target: &Target, backup: &StoredBackup, verification: &Verification) -> Problem {
    let what = format!("what was restored from {} is not what was backed up", backup.id);
    let mut problem = Problem::error(Code::BackupDiffers, what).in_target(&target.name);
    for one in verification.differences.iter().take(20) {
        problem =
            problem.detail(format!("{}: expected {}, found {}", one.of, one.expected, one.found));
    }
    problem.fix_with("Make another.", "pgfleet backup --verify")
}

fn list(context: &Context, target: &Target, store: &Store) -> Result<CommandResult, CommandError> {
    let backups = store.list()?;
    let mut text = String::new();
    render::backups(&mut text, &context.out, &store.dir().display().to_string(), &backups);
    let shown: Result<Vec<_>, _> = backups.iter().map(render::backup_json).collect();
    let entry =
        TargetEntry::new(&target.name).field("folder", &store.dir())?.field("backups", &shown?)?;
    let good = backups.iter().filter(|backup| backup.state == BackupState::Good).count();
    let headline = format!("{} backups, {good} good", backups.len());
    Ok(CommandResult { text, headline, targets: vec![entry], ..CommandResult::default() })
}

fn entry(target: &Target, backup: &StoredBackup) -> Result<TargetEntry, serde_json::Error> {
    TargetEntry::new(&target.name).field("backup", &render::backup_json(backup)?)
}

/// Lines on standard error that say what is being done; none for one target of many.
pub fn notes(context: &Context, site: &Site<'_>) -> impl Fn(&str) + Sync + use<> {
    let quiet = context.global.quiet || site.is_one_of_many();
    move |line: &str| {
        if !quiet {
            eprintln!("{line} …");
        }
    }
}
