//! `pgfleet isolation`

use clap::{Args, Subcommand};
use pgfleet_core::diagnose::{Code, ExitCode, Problem};
use pgfleet_core::tenancy::{Attempt, Verdict};
use pgfleet_engine::isolation::{Border, try_border};
use pgfleet_engine::tenantize::{declared, tables_there};

use super::context::Context;
use super::everywhere::{PerTarget, everywhere};
use super::isolation_queries::Queries;
use super::outcome::{CommandError, CommandResult};
use super::site::Site;
use super::tenancy_flags::Bordered;
use crate::render::{Role, Style, TargetEntry};

/// Try, as the application's role in one tenant, to reach the rows of another
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pgfleet isolation --role app
  pgfleet isolation --group tenants --role app
  pgfleet isolation --role app --column organisation_id --tables users,orders     without [tenancy]
  pgfleet isolation queries              statements of pg_stat_statements without the tenant column
  pgfleet isolation queries src/ sql/    the same for the SQL in source files

Everything is tried in transactions that are rolled back.")]
pub struct Isolation {
    #[command(subcommand)]
    command: Option<Part>,
    /// The application's ordinary role [default: role of [tenancy]]
    #[arg(long, value_name = "NAME")]
    role: Option<String>,
    /// The setting that says whose rows a session may see [default: setting of [tenancy]]
    #[arg(long, value_name = "NAME")]
    setting: Option<String>,
    #[command(flatten)]
    bordered: Bordered,
}

#[derive(Debug, Subcommand)]
enum Part {
    Queries(Queries),
}

impl Isolation {
    pub async fn run(mut self, context: &Context) -> Result<CommandResult, CommandError> {
        match self.command.take() {
            Some(Part::Queries(queries)) => everywhere(context, queries).await,
            None => everywhere(context, self).await,
        }
    }
}

impl PerTarget for Isolation {
    const NAME: &'static str = "isolation";
    const CHANGES: bool = false;

    async fn on(&self, context: &Context, site: &Site<'_>) -> Result<CommandResult, CommandError> {
        let target = site.target()?;
        let session = target.connect().await?;
        let tenancy = match self.bordered.tenancy(site.project)? {
            Some(tenancy) => tenancy,
            None => declared(&site.project.settings, target, &session).await?,
        };
        let Some(role) = self.role.clone().or(tenancy.role.clone()) else {
            return Err(no_role().into());
        };
        let there = tables_there(target, &session, &tenancy).await?;
        let border = Border {
            tables: there,
            column: tenancy.column,
            role,
            setting: self.setting.clone().or(tenancy.setting),
        };
        let attempts = try_border(&session, &border).await;
        let attempts = attempts.map_err(|error| target.session_problem(&error))?;
        let reached = attempts.iter().filter(|attempt| attempt.is_reached()).count();
        Ok(CommandResult {
            text: render(&context.out, &attempts, &border.role),
            headline: counts(&attempts),
            targets: vec![TargetEntry::new(&target.name).field("attempts", &attempts)?],
            problems: if reached > 0 { vec![not_isolated(reached, &border)] } else { Vec::new() },
            exit: (reached > 0).then_some(ExitCode::NotSo),
            ..CommandResult::default()
        })
    }
}

fn render(style: &Style, attempts: &[Attempt], role: &str) -> String {
    let mut text = String::new();
    let mut table = "";
    for attempt in attempts {
        if attempt.table != table {
            table = &attempt.table;
            text.push_str(&format!("{}\n", style.paint(Role::Strong, table)));
        }
        let (glyph, word, tone) = match &attempt.verdict {
            Verdict::Isolated { .. } => ("✔", "ok", Role::Good),
            Verdict::Reached { .. } => ("✘", "OPEN", Role::Bad),
            Verdict::NotTried { .. } => ("?", "?", Role::Doubtful),
        };
        let glyph = style.paint(tone, style.glyph(glyph, word));
        let through = attempt.through.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
        let name = attempt.operation.name();
        text.push_str(&format!("  {glyph} {name}{through}: {}\n", attempt.says()));
    }
    text.push_str(&format!("As {role}: {}\n", counts(attempts)));
    text
}

fn counts(attempts: &[Attempt]) -> String {
    let count =
        |wanted: fn(&Verdict) -> bool| attempts.iter().filter(|a| wanted(&a.verdict)).count();
    format!(
        "{} isolated, {} reached, {} not tried",
        count(|v| matches!(v, Verdict::Isolated { .. })),
        count(|v| matches!(v, Verdict::Reached { .. })),
        count(|v| matches!(v, Verdict::NotTried { .. })),
    )
}

fn not_isolated(reached: usize, border: &Border) -> Problem {
    let what = format!("{} reaches rows of other tenants in {reached} ways", border.role);
    Problem::error(Code::TenantsReachable, what)
        .because("no policy of row-level security stops it, or it runs past them")
        .fix("Declare row_security in [tenancy]; views need security_invoker, functions a condition of their own.")
        .fix_with("Where the application restricts its queries itself, look for those that do not:", "pgfleet isolation queries")
}

fn no_role() -> Problem {
    Problem::error(Code::TenancyInvalid, "no role to try the border as")
        .because("a superuser or owner sees all rows, so that nothing would be proven")
        .fix_with("Name the application's ordinary role.", "pgfleet isolation --role app")
}
