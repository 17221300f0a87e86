//! `pgfleet restore`

use std::path::Path;

use clap::Args;
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_engine::backup::{RestoreRequest, RestoreSource, Restored, Store, restore};

use super::backup::{Place, notes};
use super::context::Context;
use super::everywhere::PerTarget;
use super::outcome::{CommandError, CommandResult};
use super::site::Site;
use crate::render::TargetEntry;

/// Restore a backup into a new database, or replace one after the restored copy was compared
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pgfleet restore --into shop_restored                       the newest backup, beside the database
  pgfleet restore 20261125T204512Z-full --allow-data-loss    in place of the database
  pgfleet restore old.dump --into old                        a dump without a manifest

The backup is restored into a side database and compared with its manifest there; then the names
are changed in one transaction. The database that was there is kept as NAME_before_TIME unless
--drop-prior is given.")]
pub struct Restore {
    /// The backup's name or folder, or a dump by pg_dump [default: the newest backup]
    backup: Option<String>,
    /// The database that it becomes [default: the one that was backed up]
    #[arg(long, value_name = "NAME")]
    into: Option<String>,
    /// Drop the database that was there instead of keeping it
    #[arg(long)]
    drop_prior: bool,
    #[command(flatten)]
    place: Place,
}

impl PerTarget for Restore {
    const NAME: &'static str = "restore";
    const CHANGES: bool = true;

    async fn on(&self, context: &Context, site: &Site<'_>) -> Result<CommandResult, CommandError> {
        let target = site.target()?;
        let store = self.place.store(site.project, target);
        let source = source(&store, self.backup.as_deref())?;
        let request = RestoreRequest {
            into: self.into.clone().unwrap_or_else(|| target.spec.database.clone()),
            allow_data_loss: context.global.allow_data_loss,
            drop_prior: self.drop_prior,
            jobs: usize::from(self.place.jobs),
        };
        let restored = restore(target, &source, &request, &notes(context, site)).await?;
        let entry = TargetEntry::new(&target.name)
            .field("database", &restored.database)?
            .field("prior", &restored.prior)?
            .field("compared", &restored.compared)?;
        let text = told(&restored, &source);
        let headline = format!("restored into {}", restored.database);
        Ok(CommandResult { text, headline, targets: vec![entry], ..CommandResult::default() })
    }

    fn check_many(&self) -> Result<(), CommandError> {
        if self.backup.is_none() && self.into.is_none() {
            return Ok(());
        }
        let what = "a backup's name and --into are for one target";
        Err(Problem::error(Code::GroupNotPossible, what)
            .fix("Leave them out: each target's newest backup takes the place of its database.")
            .into())
    }
}

/// A path with a manifest in it is a backup, any other file or folder a dump.
fn source(store: &Store, name: Option<&str>) -> Result<RestoreSource, CommandError> {
    if let Some(name) = name {
        let path = Path::new(name);
        let is_backup = path.join("manifest.json").is_file() || store.dir().join(name).is_dir();
        if path.exists() && !is_backup {
            return Ok(RestoreSource::archive(path)?);
        }
    }
    Ok(RestoreSource::Backup(Box::new(store.find(name)?)))
}

fn told(restored: &Restored, source: &RestoreSource) -> String {
    let name = match source {
        RestoreSource::Backup(backup) => backup.id.clone(),
        RestoreSource::Archive(path) => path.display().to_string(),
    };
    let mut text = format!("Restored {name} into {}", restored.database);
    text.push_str(match restored.compared {
        true => "; structure, row counts and checksums are those of the backup.\n",
        false => "; there was no manifest to compare it with.\n",
    });
    if let Some(prior) = &restored.prior {
        text.push_str(&format!("The database that was there is now {prior}.\n"));
    }
    text
}
