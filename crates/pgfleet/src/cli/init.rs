//! `pgfleet init`

use std::path::Path;

use clap::Args;
use pgfleet_core::config::FormatChoice;
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::folder::{Format, assumed};
use pgfleet_engine::project::{CONFIG_NAME, Folder};

use super::context::Context;
use super::outcome::{CommandError, CommandResult};

/// Find the migration folder and its format, and write pgfleet.toml with comments
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pgfleet init
  pgfleet init --dir db/migrations --format dbmate")]
pub struct Init {
    /// Replace an existing pgfleet.toml
    #[arg(long)]
    force: bool,
}

impl Init {
    pub fn run(self, context: &Context) -> Result<CommandResult, CommandError> {
        let file = context.working_directory.join(CONFIG_NAME);
        if file.exists() && !self.force {
            return Err(exists(&file).into());
        }
        let project = context.project_without_file()?;
        let folder = project.open_folder()?;
        let text = configuration(&folder, context.global.environment.as_deref());
        std::fs::write(&file, text).map_err(|error| {
            CommandError::from(
                Problem::error(Code::ConfigMissing, format!("{CONFIG_NAME} cannot be written"))
                    .because(error.to_string()),
            )
        })?;
        let set = &folder.set;
        let mut problems = set.problems.clone();
        if project.settings.format == FormatChoice::Auto {
            problems.extend(assumed(&folder.tree, &folder.formats));
        }
        let text = format!(
            "Wrote {CONFIG_NAME}: {} migrations in {} ({}).\nNext: export DATABASE_URL=postgres://… && pgfleet status\n",
            set.migrations.len(),
            folder.tree.root,
            set.format
        );
        Ok(CommandResult { text, problems, ..CommandResult::default() })
    }
}

fn exists(file: &Path) -> Problem {
    Problem::error(Code::Usage, format!("{} exists already", file.display()))
        .fix_with("Replace it.", "pgfleet init --force")
}

fn configuration(folder: &Folder, environment: Option<&str>) -> String {
    let format = folder.set.format;
    let supabase = format == Format::Supabase || environment == Some("supabase");
    let environment = match environment {
        Some(name) => format!("environment = {}", toml_string(name)),
        None if supabase => "environment = \"supabase\"".to_owned(),
        None => "# environment = \"supabase\"      # or an SQL file".to_owned(),
    };
    format!(
        "# What pgfleet works on. Weaker than environment variables, .env and flags, in that order.\n\
         \n\
         [database]\n\
         url = \"env:DATABASE_URL\"\n\
         # The schema that unqualified names mean.\n\
         # schema = \"public\"\n\
         # What a platform supplies beforehand; scratch databases are given the same.\n\
         {environment}\n\
         # A server where throwaway databases may be made; by default the target's own, if it may.\n\
         # scratch_url = \"env:SCRATCH_URL\"\n\
         # `pgfleet reset` needs this, unless the database is on this machine.\n\
         # development = true\n\
         \n\
         [migrations]\n\
         dir = {}\n\
         format = \"{format}\"\n\
         \n\
         [apply]\n\
         # lock_timeout_ms = 5000          # how long a statement may wait for a lock\n\
         # attempts = 5                    # tries in all after lock timeouts and deadlocks\n\
         # lock_wait_ms = 60000            # how long a run waits for another run\n\
         # statement_timeout_ms = 0        # 0 is without limit\n\
         # commit_wait = \"last\"            # which commits wait for the disk: last or each\n\
         # out_of_order = true             # apply migrations older than the newest applied one\n\
         \n\
         # What `pgfleet verify` expects; `pgfleet verify --propose` writes more of them.\n\
         # [[check]]\n\
         # kind = \"tables\"\n\
         # at_least = 1\n",
        toml_string(&folder.tree.root)
    )
}

/// JSON's strings are TOML's basic strings.
fn toml_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
