//! The command line: one file per command, each with its arguments and what it does with them.

mod apply;
mod atomic;
mod audit;
mod backup;
mod baseline;
mod check;
mod clean;
mod completions;
mod context;
mod demo;
mod diff;
mod doctor;
mod drift;
mod everywhere;
mod explain;
mod generate;
mod global;
mod init;
mod inspect;
mod integrity;
mod isolation;
mod isolation_queries;
mod lint;
mod log;
mod maintain;
mod missing;
mod monitor;
mod order;
mod outcome;
mod plan;
mod renames;
mod reset;
mod resolve;
mod restore;
mod rollback;
mod rollout;
mod site;
mod split;
mod status;
mod tenancy_flags;
mod tenant;
mod tenantize;
mod verify;
mod written;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use pgfleet_core::diagnose::{Code, ExitCode, Problem};

use context::Context;
use everywhere::everywhere;
use global::Global;
use outcome::{CommandError, CommandResult};

pub use everywhere::TargetResult;

/// Conducts PostgreSQL migrations: finds what is missing, plans, rehearses, applies, verifies and
/// takes back, on the migration folders and history tables that a team already has.
#[derive(Debug, Parser)]
#[command(name = "pgfleet", version, max_term_width = 100, after_help = EXAMPLES)]
struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  pgfleet status --url postgres://user@host/db --dir migrations
  pgfleet plan                   what would be done, with locks and hazards
  pgfleet apply --dry-run        all of it, on a scratch copy
  pgfleet apply
  pgfleet verify                 the checks of pgfleet.toml

Exit codes: 0 done or nothing to do; 1 what was asked for is not so; 2 usage or configuration;
3 could not reach or not allowed; 4 a migration failed; 5 refused; 6 some targets failed; 70 a bug.";

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    Status(status::Status),
    Missing(missing::Missing),
    Generate(generate::Generate),
    Check(check::Check),
    Lint(lint::Lint),
    Plan(plan::Plan),
    Apply(apply::Apply),
    Verify(verify::Verify),
    Inspect(inspect::Inspect),
    Diff(diff::Diff),
    Drift(drift::Drift),
    Rollback(rollback::Rollback),
    Rollout(rollout::Rollout),
    Split(split::Split),
    Integrity(integrity::Integrity),
    Reset(reset::Reset),
    Tenant(tenant::Tenant),
    Tenantize(tenantize::Tenantize),
    Isolation(isolation::Isolation),
    Baseline(baseline::Baseline),
    Resolve(resolve::Resolve),
    Audit(audit::Audit),
    Clean(clean::Clean),
    Maintain(maintain::Maintain),
    Monitor(monitor::Monitor),
    Backup(backup::Backup),
    Restore(restore::Restore),
    Doctor(doctor::Doctor),
    Explain(explain::Explain),
    Demo(demo::Demo),
    Completions(completions::Completions),
}

/// Runs the program and gives its exit code.
pub fn run() -> u8 {
    let arguments = match parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage_exit(&error),
    };
    let context = Context::new(arguments.global);
    let name = name_of(&arguments.command);
    let logged = log::name_of(&arguments.command);
    let mut result = match refuse_groups(&context.global, &arguments.command) {
        Some(problem) => Err(problem.into()),
        None => dispatch(&context, arguments.command),
    };
    if let Some(logged) = logged {
        log::keep(&context, logged, &mut result);
    }
    outcome::show(&context, name, result)
}

fn parse() -> Result<Arguments, clap::Error> {
    let matches = Arguments::command().try_get_matches()?;
    Arguments::from_arg_matches(&matches)
}

/// clap's own exit code for usage errors is ours too; help and version are no errors.
fn usage_exit(error: &clap::Error) -> u8 {
    // A closed standard output is no reason to fail.
    let _ = error.print();
    if error.use_stderr() { ExitCode::Usage as u8 } else { ExitCode::Done as u8 }
}

/// Commands that know no groups would work on another database than the ones that were named.
fn refuse_groups(global: &Global, command: &Command) -> Option<Problem> {
    use Command::{Diff, Doctor, Generate, Init, Integrity, Reset, Split};
    let knows_none = matches!(
        command,
        Diff(_) | Doctor(_) | Generate(_) | Init(_) | Integrity(_) | Reset(_) | Split(_)
    );
    let names_one = !global.group.is_empty() || global.misplaced_for_groups().is_some();
    (knows_none && names_one).then(|| {
        let what = format!("{} works on one database, and knows no groups", name_of(command));
        Problem::error(Code::GroupNotPossible, what)
            .fix("Name the database: --target NAME of pgfleet.toml, or --url URL.")
    })
}

fn dispatch(context: &Context, command: Command) -> Result<CommandResult, CommandError> {
    match command {
        Command::Init(command) => command.run(context),
        Command::Status(command) => block_on(everywhere(context, command)),
        Command::Missing(command) => block_on(everywhere(context, command)),
        Command::Generate(command) => block_on(command.run(context)),
        Command::Check(command) => command.run(context),
        Command::Lint(command) => block_on(command.run(context)),
        Command::Plan(command) => block_on(everywhere(context, command)),
        Command::Apply(command) => block_on(command.run(context)),
        Command::Verify(command) => block_on(everywhere(context, command)),
        Command::Inspect(command) => block_on(everywhere(context, command)),
        Command::Diff(command) => block_on(command.run(context)),
        Command::Drift(command) => block_on(everywhere(context, command)),
        Command::Rollback(command) => block_on(everywhere(context, command)),
        Command::Rollout(command) => block_on(command.run(context)),
        Command::Split(command) => block_on(command.run(context)),
        Command::Integrity(command) => block_on(command.run(context)),
        Command::Reset(command) => block_on(command.run(context)),
        Command::Isolation(command) => block_on(command.run(context)),
        Command::Tenant(command) => block_on(command.run(context)),
        Command::Tenantize(command) => block_on(command.run(context)),
        Command::Baseline(command) => block_on(everywhere(context, command)),
        Command::Resolve(command) => block_on(everywhere(context, command)),
        Command::Audit(command) => block_on(everywhere(context, command)),
        Command::Clean(command) => block_on(everywhere(context, command)),
        Command::Monitor(command) => block_on(monitor::run(context, command)),
        Command::Maintain(command) => block_on(everywhere(context, command)),
        Command::Backup(command) => block_on(everywhere(context, command)),
        Command::Restore(command) => block_on(everywhere(context, command)),
        Command::Doctor(command) => block_on(command.run(context)),
        Command::Explain(command) => command.run(),
        Command::Demo(command) => command.run(context),
        Command::Completions(command) => command.run(&mut Arguments::command()),
    }
}

fn name_of(command: &Command) -> &'static str {
    match command {
        Command::Init(_) => "init",
        Command::Status(_) => "status",
        Command::Missing(_) => "missing",
        Command::Generate(_) => "generate",
        Command::Check(_) => "check",
        Command::Lint(_) => "lint",
        Command::Plan(_) => "plan",
        Command::Apply(_) => "apply",
        Command::Verify(_) => "verify",
        Command::Inspect(_) => "inspect",
        Command::Diff(_) => "diff",
        Command::Drift(_) => "drift",
        Command::Rollback(_) => "rollback",
        Command::Rollout(_) => "rollout",
        Command::Split(_) => "split",
        Command::Integrity(_) => "integrity",
        Command::Reset(_) => "reset",
        Command::Isolation(_) => "isolation",
        Command::Tenant(_) => "tenant",
        Command::Tenantize(_) => "tenantize",
        Command::Baseline(_) => "baseline",
        Command::Resolve(_) => "resolve",
        Command::Audit(_) => "audit",
        Command::Clean(_) => "clean",
        Command::Monitor(_) => "monitor",
        Command::Maintain(_) => "maintain",
        Command::Backup(_) => "backup",
        Command::Restore(_) => "restore",
        Command::Doctor(_) => "doctor",
        Command::Explain(_) => "explain",
        Command::Demo(_) => "demo",
        Command::Completions(_) => "completions",
    }
}

/// One thread is enough: the work is the server's.
fn block_on<T>(future: impl Future<Output = Result<T, CommandError>>) -> Result<T, CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| {
        CommandError::from(
            Problem::error(Code::Bug, "the runtime could not be started")
                .because(error.to_string()),
        )
    })?;
    runtime.block_on(future)
}
