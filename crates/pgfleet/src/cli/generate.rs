//! `pgfleet generate`

mod change;

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::folder::Format;
use pgfleet_engine::compare::Side;
use pgfleet_engine::compose::finish_files;
use pgfleet_engine::conduct::{Opened, Target, open};
use pgfleet_engine::generate::{Generated, empty_directories, generate, silent_run, write};
use pgfleet_engine::project::Project;

use self::change::ChangeFlags;
use super::context::Context;
use super::outcome::{CommandError, CommandResult};
use super::renames::RenameFlags;
use crate::render::TargetEntry;

/// Write the next migration, in the folder's own format, that makes the desired schema
#[derive(Debug, Args)]
#[command(after_help = "\
In a Prisma folder the desired schema is schema.prisma; what it has no word for (functions, triggers,
checks, partial indexes) stays. Elsewhere it is --to, or `desired` under [schema] in pgfleet.toml: a side
as `pgfleet diff` takes it.

Examples:
  pgfleet generate add_missing_tables                 Prisma: what schema.prisma has and migrations lack
  pgfleet generate add_missing_tables --missing-only --remove-empty
  pgfleet generate add_orders --to schema.sql --dry-run
  pgfleet generate keep_hotfix --to target            what was changed by hand, as a migration
  pgfleet generate email --rename customers.mail=email

The migration is run on a scratch copy, after all others, before it is written; so is its down part.")]
pub struct Generate {
    /// What the migration is called
    #[arg(value_name = "NAME")]
    name: String,
    /// The Prisma schema, a file or a folder [default: beside the migrations, or as package.json says]
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// What the schema shall be, as a side of `pgfleet diff` [default: `desired` in pgfleet.toml]
    #[arg(long, value_name = "SIDE", conflicts_with = "schema")]
    to: Option<Side>,
    /// Show the migration without writing it
    #[arg(long)]
    dry_run: bool,
    /// Keep existing tables usable (indexes concurrently and so on) [default: where the format can]
    #[arg(long, conflicts_with = "no_online")]
    online: bool,
    /// Write plain statements in one transaction
    #[arg(long)]
    no_online: bool,
    /// Prisma: write missing tables and enums alone; how existing ones differ is listed
    #[arg(long)]
    missing_only: bool,
    /// Remove empty migration directories, which Prisma refuses
    #[arg(long)]
    remove_empty: bool,
    #[command(flatten)]
    renames: RenameFlags,
}

impl Generate {
    pub async fn run(self, context: &Context) -> Result<CommandResult, CommandError> {
        let project = context.project()?;
        let finished = self.finish(&project)?;
        let removed = self.remove_empty_directories(&project)?;
        if let Some(mut result) = self.compose(context, &project).await? {
            result.text.insert_str(0, &finished);
            return Ok(result);
        }
        let folder = change::folder(&project).map_err(offer_removal)?;
        let target = Target::of(&project)?;
        let opened = open(&project, &target, folder).await?;
        let run = silent_run(context.stop_signal());
        let generated = generate(&project, &target, &opened, self.schema.as_deref(), run).await?;
        if !self.missing_only && !generated.not_covered.is_empty() {
            opened.session.close().await;
            let mut result = self.whole_change(context, &project).await?;
            result.text.insert_str(0, &format!("{finished}{removed}"));
            return Ok(result);
        }
        let file = self.write(&project, &opened, &generated)?;
        let mut result = shown(&target, &generated, file.as_deref())?;
        result.text.insert_str(0, &format!("{finished}{removed}"));
        Ok(result)
    }

    /// For every folder but Prisma's, and for Prisma's when a side is named.
    async fn compose(
        &self,
        context: &Context,
        project: &Project,
    ) -> Result<Option<CommandResult>, CommandError> {
        let folder = change::folder(project).map_err(offer_removal)?;
        let to = match (&self.to, folder.set.format) {
            (None, Format::Prisma) if self.renames.is_empty() => return Ok(None),
            (None, Format::Prisma) => Some(Side::Prisma(self.schema.clone())),
            (to, _) => to.clone(),
        };
        let flags = self.change_flags(to);
        change::run(context, project, folder, flags).await.map(Some)
    }

    /// What a killed run began comes first: what is missing depends on it.
    fn finish(&self, project: &Project) -> Result<String, CommandError> {
        if self.dry_run {
            return Ok(String::new());
        }
        let Ok((path, shown)) = project.folder_path() else { return Ok(String::new()) };
        let files = finish_files(&path)?;
        let line = |file: &String| format!("  {shown}/{file}\n");
        Ok(match files.is_empty() {
            true => String::new(),
            false => format!(
                "Finished what a killed run had begun to write:\n{}",
                files.iter().map(line).collect::<String>()
            ),
        })
    }

    fn remove_empty_directories(&self, project: &Project) -> Result<String, CommandError> {
        if !self.remove_empty {
            return Ok(String::new());
        }
        let (path, shown) = project.folder_path()?;
        let mut text = String::new();
        for name in empty_directories(&path)? {
            std::fs::remove_dir(path.join(&name)).map_err(|error| {
                Problem::error(Code::MigrationEmpty, format!("{shown}/{name} cannot be removed"))
                    .because(error.to_string())
            })?;
            text.push_str(&format!("Removed {shown}/{name}, which was empty.\n"));
        }
        Ok(text)
    }

    /// Existing tables differ, too: all of it is written, in plain DDL.
    async fn whole_change(
        &self,
        context: &Context,
        project: &Project,
    ) -> Result<CommandResult, CommandError> {
        let folder = change::folder(project)?;
        let flags = self.change_flags(Some(Side::Prisma(self.schema.clone())));
        change::run(context, project, folder, flags).await
    }

    fn change_flags(&self, to: Option<Side>) -> ChangeFlags<'_> {
        ChangeFlags {
            name: &self.name,
            to,
            renames: &self.renames,
            dry_run: self.dry_run,
            online: (self.online || self.no_online).then_some(self.online),
        }
    }

    fn write(
        &self,
        project: &Project,
        opened: &Opened,
        generated: &Generated,
    ) -> Result<Option<String>, CommandError> {
        let Some(sql) = generated.sql.as_ref().filter(|_| !self.dry_run) else { return Ok(None) };
        let (path, shown) = project.folder_path()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let name = write(&path, &self.name, now, &opened.folder.set, sql)?;
        Ok(Some(format!("{shown}/{name}/migration.sql")))
    }
}

/// Of the folder's errors, empty directories have a flag of ours.
fn offer_removal(mut error: CommandError) -> CommandError {
    for problem in &mut error.problems {
        if problem.code == Code::MigrationEmpty {
            let fix = "Or have it removed, when it is empty.";
            *problem = problem.clone().fix_with(fix, "pgfleet generate NAME --remove-empty");
        }
    }
    error
}

fn shown(
    target: &Target,
    generated: &Generated,
    file: Option<&str>,
) -> Result<CommandResult, CommandError> {
    let models: Vec<_> = generated.tables.iter().map(|(model, _)| model).collect();
    let entry = TargetEntry::new(&target.name)
        .field("expected_from", &generated.expected_from)?
        .field("file", &file)?
        .field("sql", &generated.sql)?
        .field("models", &models)?
        .field("enums", &generated.enums)?
        .field("not_covered", &generated.not_covered)?;
    let text = match (file, &generated.sql) {
        (Some(file), Some(sql)) => text(generated, Path::new(file), sql),
        (None, Some(sql)) => format!("{sql}\nProven on a scratch copy; not written.\n"),
        _ => "Nothing to generate: every model has its table, or a migration that creates it.\n"
            .to_owned(),
    };
    let warnings = generated.not_covered.iter().map(|difference| {
        let what = format!("{}: {}", difference.object, difference.what);
        Problem::warning(Code::ChangeNotCovered, what)
            .because("existing tables and enums are left as they are")
    });
    Ok(CommandResult {
        text,
        targets: vec![entry],
        problems: warnings.collect(),
        ..CommandResult::default()
    })
}

fn text(generated: &Generated, file: &Path, sql: &str) -> String {
    let mut text =
        format!("{sql}\nWrote {}, proven on a scratch copy. It creates\n", file.display());
    for (model, table) in &generated.tables {
        text.push_str(&format!("  {table} ({model})\n"));
    }
    for name in &generated.enums {
        text.push_str(&format!("  enum {name}\n"));
    }
    text.push_str("Next: pgfleet apply\n");
    text
}
