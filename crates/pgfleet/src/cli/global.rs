//! Flags that every command takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use pgfleet_core::config::Flags;
use pgfleet_core::fleet::{Choice, Pattern, chosen_by};
use pgfleet_engine::fleet::Selected;

/// Flags that every command takes, as typed.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Configuration file [default: pgfleet.toml, looked for from here upwards]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The database, as libpq's URL or conninfo; needs no configuration
    #[arg(long, global = true, value_name = "URL")]
    pub url: Option<String>,
    /// The migration folder
    #[arg(long, global = true, value_name = "DIR")]
    pub dir: Option<String>,
    /// The folder's dialect: auto, plain, supabase, prisma, typeorm, flyway, dbmate, sqlx, diesel,
    /// goose, golang-migrate, drizzle, refinery
    #[arg(long, global = true, value_name = "NAME")]
    pub format: Option<String>,
    /// A target of the configuration
    #[arg(long, global = true, value_name = "NAME")]
    pub target: Option<String>,
    /// All targets of a group of the configuration, or of `all`; may be given again
    #[arg(long, global = true, value_name = "NAME")]
    pub group: Vec<String>,
    /// With --group: only targets or databases of this name or pattern (`tenant_*`)
    #[arg(long, global = true, value_name = "NAME")]
    pub only: Vec<String>,
    /// With --group: not these
    #[arg(long, global = true, value_name = "NAME")]
    pub except: Vec<String>,
    /// With --group: only targets with this label
    #[arg(long, global = true, value_name = "WORD")]
    pub label: Vec<String>,
    /// With --group: targets of one server at the same time [default: 4, more of a far one, or as configured]
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub concurrency: Option<u16>,
    /// What a platform supplies beforehand: supabase, or an SQL file
    #[arg(long, global = true, value_name = "NAME|FILE")]
    pub environment: Option<String>,
    /// A server where throwaway databases may be made
    #[arg(long, global = true, value_name = "URL")]
    pub scratch_url: Option<String>,
    /// Replay migrations anew, whatever they made the last time, and keep nothing of it
    #[arg(long, global = true)]
    pub no_cache: bool,
    /// How results are written to standard output
    #[arg(long, global = true, value_enum, default_value_t = Output::Human, value_name = "FORMAT")]
    pub output: Output,
    /// Answer questions with yes; never consents to losing data
    #[arg(long, global = true)]
    pub yes: bool,
    /// Consent to steps that can lose data
    #[arg(long, global = true)]
    pub allow_data_loss: bool,
    /// Show results and errors only
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Show every migration as it is done
    #[arg(long, short, global = true)]
    pub verbose: bool,
    /// No colours
    #[arg(long, global = true)]
    pub no_color: bool,
}

/// Forms of output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    Human,
    /// One versioned object.
    Json,
    /// JUnit XML, for the reports of CI systems.
    Junit,
    /// SARIF, for code scanning.
    Sarif,
    /// GitHub's annotations.
    Github,
}

impl Global {
    /// Which groups and which of their targets are meant.
    pub fn selected(&self) -> Selected {
        let patterns = |texts: &[String]| texts.iter().map(Pattern::new).collect();
        let (only, except) = (patterns(&self.only), patterns(&self.except));
        Selected {
            groups: self.group.clone(),
            choice: Choice { only, except, labels: self.label.clone() },
            concurrency: self.concurrency.map(usize::from),
        }
    }

    /// The flags that choose among a group's targets, to be typed again.
    pub fn chosen_by(&self) -> String {
        chosen_by(&self.only, &self.except, &self.label)
    }

    /// The first flag that makes no sense beside, or without, `--group`.
    pub fn misplaced_for_groups(&self) -> Option<&'static str> {
        let with_group = !self.group.is_empty();
        let flags = [
            (with_group && self.url.is_some(), "--url"),
            (with_group && self.target.is_some(), "--target"),
            (!with_group && !self.only.is_empty(), "--only"),
            (!with_group && !self.except.is_empty(), "--except"),
            (!with_group && !self.label.is_empty(), "--label"),
            (!with_group && self.concurrency.is_some(), "--concurrency"),
        ];
        flags.into_iter().find_map(|(misplaced, flag)| misplaced.then_some(flag))
    }

    /// The flags that speak of the same things as the configuration.
    pub fn flags(&self) -> Flags {
        Flags {
            url: self.url.clone(),
            dir: self.dir.clone(),
            format: self.format.clone(),
            target: self.target.clone(),
            environment: self.environment.clone(),
            scratch_url: self.scratch_url.clone(),
            no_cache: self.no_cache,
        }
    }
}

/// A number of which none would be nothing to do: that is no success, but a slip.
pub fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("it must be at least 1".to_owned()),
        Ok(number) => Ok(number),
        Err(error) => Err(format!("{error}")),
    }
}
