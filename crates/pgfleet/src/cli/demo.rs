//! `pgfleet demo`

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_engine::server::{ClusterOptions, Installation, ThrowawayCluster};

use super::context::Context;
use super::outcome::{CommandError, CommandResult};
use crate::render::Role;

/// Run the main job on a throwaway cluster: plan, apply, verify, a failure with diagnosis, rollback
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  pgfleet demo

Starts a PostgreSQL server of its own in a temporary folder and removes it afterwards.")]
pub struct Demo {}

/// One command of the demonstration.
struct Act {
    says: &'static str,
    arguments: &'static [&'static str],
    /// The database that it is about.
    database: &'static str,
    /// The exit code that it ends with.
    exit: i32,
}

const ACTS: &[Act] = &[
    Act {
        says: "What is there? 17 files, none applied.",
        arguments: &["status"],
        database: "postgres",
        exit: 0,
    },
    Act {
        says: "What would be done, in which order, with which locks?",
        arguments: &["plan"],
        database: "postgres",
        exit: 0,
    },
    Act {
        says: "All of it on a scratch copy first.",
        arguments: &["apply", "--dry-run"],
        database: "postgres",
        exit: 0,
    },
    Act {
        says: "For real: one transaction per file, recorded with checksums.",
        arguments: &["apply"],
        database: "postgres",
        exit: 0,
    },
    Act { says: "Again: nothing to do.", arguments: &["apply"], database: "postgres", exit: 0 },
    Act {
        says: "Is everything there that should be?",
        arguments: &["verify", "--no-probes"],
        database: "postgres",
        exit: 0,
    },
    Act {
        says: "A migration that existing rows break: what happened, where, why, and what to do.",
        arguments: &["apply", "--dir", "broken"],
        database: "teams",
        exit: 4,
    },
    Act {
        says: "The last migration back; losing its data needs consent.",
        arguments: &["rollback", "--allow-data-loss"],
        database: "postgres",
        exit: 0,
    },
    Act { says: "And where it stands now.", arguments: &["status"], database: "postgres", exit: 0 },
];

impl Demo {
    pub fn run(self, context: &Context) -> Result<CommandResult, CommandError> {
        let installation = Installation::find().map_err(no_server)?;
        let cluster = ThrowawayCluster::start(&installation, &ClusterOptions::default());
        let cluster = cluster.map_err(no_server)?;
        let folder = tempfile::tempdir().map_err(no_folder)?;
        write_example(folder.path()).map_err(no_folder)?;
        let stage = Stage { context, folder: folder.path().to_owned(), cluster: &cluster };
        stage.say(&format!("A throwaway PostgreSQL {} is running.", installation.version));
        stage.supply_platform()?;
        for act in ACTS {
            stage.play(act)?;
        }
        Ok(CommandResult::text("\nThat was the main job. Your own: pgfleet init\n"))
    }
}

struct Stage<'a> {
    context: &'a Context,
    folder: PathBuf,
    cluster: &'a ThrowawayCluster,
}

impl Stage<'_> {
    fn say(&self, words: &str) {
        let style = &self.context.out;
        // The demonstration goes on without a reader.
        let _ =
            writeln!(std::io::stdout(), "\n{}", style.paint(Role::Strong, &format!("# {words}")));
    }

    /// What Supabase has in every database, the plain server is given once.
    fn supply_platform(&self) -> Result<(), CommandError> {
        let prelude = pgfleet_engine::environment::prelude("supabase")?;
        super::block_on(async {
            let around = pgfleet_engine::connect::Surroundings::default();
            let spec = pgfleet_engine::connect::ConnectSpec::parse(
                &self.cluster.url("postgres"),
                &around,
            )?;
            let patience = std::time::Duration::from_secs(10);
            let session = pgfleet_engine::connect::connect(&spec, "pgfleet demo", patience).await?;
            let done = session.batch(&prelude).await;
            let done = done.and(session.batch("CREATE DATABASE teams").await);
            session.close().await;
            done.map_err(|error| failed("the platform's schemas", &error.to_string()).into())
        })
    }

    fn play(&self, act: &Act) -> Result<(), CommandError> {
        self.say(act.says);
        let style = &self.context.out;
        let shown = format!("$ pgfleet {}", act.arguments.join(" "));
        let _ = writeln!(std::io::stdout(), "{}", style.paint(Role::Command, &shown));
        let status = self.command(act).status();
        match status {
            Ok(status) if status.code() == Some(act.exit) => Ok(()),
            other => Err(failed(&shown, &format!("{other:?}")).into()),
        }
    }

    fn command(&self, act: &Act) -> Command {
        let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("pgfleet"));
        let mut command = Command::new(program);
        command.args(act.arguments).current_dir(&self.folder);
        command.env("DATABASE_URL", self.cluster.url(act.database));
        for name in ["SUPABASE_URL", "SUPABASE_ANON_KEY", "SUPABASE_SERVICE_ROLE_KEY"] {
            command.env(name, "set-for-the-demonstration");
        }
        if !self.context.out.colour {
            command.arg("--no-color");
        }
        command
    }
}

/// The example project that the binary carries.
fn write_example(folder: &Path) -> std::io::Result<()> {
    for (path, contents) in EXAMPLE {
        let file = folder.join(path);
        if let Some(parent) = file.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(file, contents)?;
    }
    Ok(())
}

include!(concat!(env!("OUT_DIR"), "/example.rs"));

fn no_server(error: pgfleet_engine::server::ServerError) -> CommandError {
    Problem::error(Code::ServerBinariesMissing, "the demonstration needs a PostgreSQL server")
        .because(error.to_string())
        .fix_with("Install one.", "apt-get install postgresql")
        .into()
}

fn no_folder(error: std::io::Error) -> CommandError {
    Problem::error(Code::Usage, "no temporary folder could be made")
        .because(error.to_string())
        .into()
}

fn failed(what: &str, how: &str) -> Problem {
    Problem::error(Code::Bug, format!("the demonstration went wrong at {what}"))
        .because(how.to_owned())
}
