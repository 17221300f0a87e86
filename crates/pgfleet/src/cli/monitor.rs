//! `pgfleet monitor`

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use pgfleet_core::diagnose::{Code, ExitCode, Problem};
use pgfleet_core::monitor::{Limits, Sample, attention, growth};
use pgfleet_engine::conduct::Target;
use pgfleet_engine::connect::Session;
use pgfleet_engine::fleet::open_groups;
use pgfleet_engine::monitor::{keep_look, last_look, last_look_file, sample, serve};
use pgfleet_engine::project::Project;
use tokio::net::TcpListener;

use super::context::Context;
use super::everywhere::{PerTarget, everywhere};
use super::outcome::{CommandError, CommandResult, show_look};
use super::site::Site;
use crate::render::{self, TargetEntry};

/// Look at the server: connections, long transactions and who blocks whom, sizes and growth, lag
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  pgfleet monitor
  pgfleet monitor --watch 5                  again every 5 seconds, until Ctrl-C
  pgfleet monitor --output json --exit-code  1 when something needs attention
  pgfleet monitor --listen 127.0.0.1:9188    for Prometheus, at /metrics
  pgfleet monitor --group tenants

Growth is since the last `pgfleet monitor` here. Slowest statements need pg_stat_statements.")]
pub struct Monitor {
    /// Look again every so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "listen")]
    watch: Option<u32>,
    /// Answer Prometheus at this address
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<SocketAddr>,
    /// Tables, statements and transactions to show
    #[arg(long, value_name = "N", default_value_t = 5)]
    top: usize,
    /// End with 1 when something needs attention
    #[arg(long)]
    exit_code: bool,
}

/// Looks once, again and again, or whenever Prometheus asks.
pub async fn run(context: &Context, command: Monitor) -> Result<CommandResult, CommandError> {
    match (command.listen, command.watch) {
        (None, None) => everywhere(context, command).await,
        (Some(address), _) => listen(context, address).await,
        (None, Some(every_s)) => command.watch(context, every_s).await,
    }
}

impl PerTarget for Monitor {
    const NAME: &'static str = "monitor";
    const CHANGES: bool = false;

    async fn on(&self, context: &Context, site: &Site<'_>) -> Result<CommandResult, CommandError> {
        let target = site.target()?;
        let session = target.connect().await?;
        self.look(context, site.project, target, &session).await
    }
}

impl Monitor {
    async fn look(
        &self,
        context: &Context,
        project: &Project,
        target: &Target,
        session: &Session,
    ) -> Result<CommandResult, CommandError> {
        let now = sample(target, session).await?;
        let file = last_look_file(&project.root, target);
        let grown = last_look(&file).map(|then| growth(&then, &now)).unwrap_or_default();
        let mut result = self.shown(context, target, &now, &grown)?;
        if let Err(error) = keep_look(&file, &now) {
            let what = format!("the look cannot be kept in {}", file.display());
            result.problems.push(Problem::warning(Code::Usage, what).because(error.to_string()));
        }
        Ok(result)
    }

    fn shown(
        &self,
        context: &Context,
        target: &Target,
        now: &Sample,
        grown: &[pgfleet_core::monitor::Growth],
    ) -> Result<CommandResult, CommandError> {
        let needs = attention(now, &Limits::default());
        let mut text = String::new();
        render::monitor(&mut text, &context.out, now, grown, &needs, self.top);
        let entry = TargetEntry::new(&target.name)
            .field("sample", now)?
            .field("growth", &grown)?
            .field("attention", &needs)?;
        let exit = (self.exit_code && !needs.is_empty()).then_some(ExitCode::NotSo);
        let headline = match needs.first() {
            None => "nothing needs attention".to_owned(),
            Some(first) => format!("{} need attention: {}", needs.len(), first.what),
        };
        Ok(CommandResult { text, headline, targets: vec![entry], exit, ..CommandResult::default() })
    }

    /// Shows looks until Ctrl-C; the last one is the result.
    async fn watch(&self, context: &Context, every_s: u32) -> Result<CommandResult, CommandError> {
        let every = Duration::from_secs(u64::from(every_s));
        let again = || Monitor { watch: None, ..self.clone() };
        let mut stop = context.stop_signal();
        loop {
            let result = everywhere(context, again()).await?;
            tokio::select! {
                _ = stop.changed() => return Ok(result),
                () = tokio::time::sleep(every) => show_look(context, Self::NAME, result),
            }
        }
    }
}

/// What `--listen` answers for.
async fn targets(context: &Context) -> Result<Vec<Target>, CommandError> {
    let project = context.project()?;
    if context.global.group.is_empty() {
        return Ok(vec![Target::of(&project)?]);
    }
    let groups = open_groups(&project, &context.global.selected()).await?;
    let members = groups.iter().flat_map(|group| &group.members);
    Ok(members.map(|member| member.target.clone()).collect())
}

async fn listen(context: &Context, address: SocketAddr) -> Result<CommandResult, CommandError> {
    let unable = |error: std::io::Error| {
        let what = format!("nobody can be answered at {address}");
        CommandError::from(Problem::error(Code::Usage, what).because(error.to_string()))
    };
    let targets = targets(context).await?;
    let mut stop = context.stop_signal();
    let listener = TcpListener::bind(address).await.map_err(unable)?;
    let bound = listener.local_addr().map_err(unable)?;
    if !context.global.quiet {
        eprintln!("http://{bound}/metrics, until Ctrl-C");
    }
    tokio::select! {
        _ = stop.changed() => Ok(CommandResult::default()),
        served = serve(listener, &targets) => served.map(|()| CommandResult::default()).map_err(unable),
    }
}
