//! `pgfleet tenant`

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use pgfleet_core::diagnose::{Code, ExitCode, Problem};
use pgfleet_engine::conduct::Consent;
use pgfleet_engine::fleet::Selected;
use pgfleet_engine::project::Project;
use pgfleet_engine::tenant::{
    Created, Removal, Removed, TenantRow, TenantState, Tenants, Work, create, give_up, keep, list,
    remove,
};

use super::backup::Place;
use super::context::Context;
use super::outcome::{CommandError, CommandResult};
use crate::render::{self, TargetEntry};

/// Create, list and drop the tenants of a group: database or schema, migrations, seeds, registry
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pgfleet tenant create acme --set title='Acme Ltd'
  pgfleet tenant list --group tenants
  pgfleet tenant drop acme --allow-data-loss     backed up and proven first
  pgfleet tenant create acme --take-back         what an interrupted create left

[groups.NAME.tenant] in pgfleet.toml says how. What fails is taken back; what is interrupted is
finished by running the same command again.")]
pub struct Tenant {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make the tenant's database or schema, migrate, seed and check it, and enter it in the registry
    #[command(after_help = "Example:\n  pgfleet tenant create acme --set title='Acme Ltd'")]
    Create(Create),
    /// Show every tenant, inactive, dangling and half made ones too
    #[command(after_help = "Example:\n  pgfleet tenant list --group tenants --output json")]
    List,
    /// Back up the tenant's database, take the tenant out of the registry, and drop its database or schema
    #[command(after_help = "Example:\n  pgfleet tenant drop acme --allow-data-loss")]
    Drop(Drop),
}

#[derive(Debug, Args)]
struct Create {
    /// What the registry is to call the tenant
    code: String,
    /// A further value for the configuration's SQL, seeds and migrations; may be given again
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = assignment)]
    values: Vec<(String, String)>,
    /// Take back what an interrupted create left
    #[arg(long, conflicts_with = "values")]
    take_back: bool,
}

#[derive(Debug, Args)]
struct Drop {
    /// What the registry calls the tenant
    code: String,
    /// Put back what an interrupted drop left, as long as the registry has the tenant
    #[arg(long)]
    take_back: bool,
    #[command(flatten)]
    place: Place,
}

/// Values that a tenant has by itself.
const OWN_VALUES: [&str; 4] = ["code", "target", "database", "schema"];

fn assignment(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it has the form NAME=VALUE")?;
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(is_part) {
        return Err("a name consists of letters, digits and _".to_owned());
    }
    match OWN_VALUES.contains(&name) {
        true => Err(format!("{name} is the tenant's own")),
        false => Ok((name.to_owned(), value.to_owned())),
    }
}

impl Tenant {
    /// What its log is called; a list is none.
    pub fn log_name(&self) -> Option<&'static str> {
        match &self.action {
            Action::Create(_) => Some("tenant-create"),
            Action::Drop(_) => Some("tenant-drop"),
            Action::List => None,
        }
    }

    pub async fn run(self, context: &Context) -> Result<CommandResult, CommandError> {
        let project = context.project()?;
        let group = group(context, &project)?;
        match self.action {
            Action::List => show_list(context, &project, &group).await,
            Action::Create(command) => {
                let tenants = Tenants::open(&project, &group).await?;
                command.run(context, &tenants, &group).await
            }
            Action::Drop(command) => {
                let tenants = Tenants::open(&project, &group).await?;
                command.run(context, &project, &tenants, &group).await
            }
        }
    }
}

/// The group that is named, else the only one that says how tenants come and go.
fn group(context: &Context, project: &Project) -> Result<String, CommandError> {
    let global = &context.global;
    if global.url.is_some() || global.target.is_some() {
        return Err(one_group("--url and --target name one database").into());
    }
    let with_tenants = project.file.groups.iter().filter(|(_, group)| group.tenant.is_some());
    let with_tenants: Vec<_> = with_tenants.map(|(name, _)| name.clone()).collect();
    match (global.group.as_slice(), with_tenants.as_slice()) {
        ([one], _) if one != "all" => Ok(one.clone()),
        ([], [one]) => Ok(one.clone()),
        ([], []) => Err(one_group("no group of pgfleet.toml has a section tenant").into()),
        ([], several) => {
            Err(one_group(&format!("several groups have tenants: {}", several.join(", "))).into())
        }
        _ => Err(one_group("--group names several or all").into()),
    }
}

fn one_group(why: &str) -> Problem {
    Problem::error(Code::GroupNotPossible, "a tenant belongs to one group")
        .because(why.to_owned())
        .fix_with("Name one group.", "pgfleet tenant list --group tenants")
        .fix("How tenants come and go stands in [groups.NAME.tenant]; see docs/tenants.md.")
}

impl Create {
    async fn run(
        self,
        context: &Context,
        tenants: &Tenants,
        group: &str,
    ) -> Result<CommandResult, CommandError> {
        if self.take_back {
            let progress = context.progress();
            let work = Work { events: &progress, stop: context.stop_signal() };
            let home = give_up(tenants, &self.code, &work).await;
            drop(work);
            progress.finish();
            let home = (tenants.kind().name(), home?);
            return taken_back(&self.code, group, &home, "is gone, as nothing was begun");
        }
        let given: BTreeMap<_, _> = self.values.into_iter().collect();
        let progress = context.progress();
        let work = Work { events: &progress, stop: context.stop_signal() };
        let done = create(tenants, &self.code, &given, &work).await;
        drop(work);
        progress.finish();
        show_created(context, group, done?)
    }
}

fn taken_back(
    code: &str,
    group: &str,
    (kind, home): &(&'static str, String),
    how: &str,
) -> Result<CommandResult, CommandError> {
    let entry = TargetEntry::new(code)
        .field("group", &group)?
        .field("state", &"taken_back")?
        .field(kind, home)?;
    let text = render::clean(&format!("Taken back: the tenant {code} {how}.\n"));
    Ok(CommandResult { text, targets: vec![entry], ..CommandResult::default() })
}

fn show_created(
    context: &Context,
    group: &str,
    created: Created,
) -> Result<CommandResult, CommandError> {
    let mut text = String::new();
    render::tenant_created(&mut text, &context.out, &created);
    let entry = TargetEntry::new(&created.code)
        .field("group", &group)?
        .field("state", &"created")?
        .field(created.kind, &created.home)?
        .field("tenant", &created)?;
    Ok(CommandResult {
        text,
        targets: vec![entry],
        checks: created.checks,
        ..CommandResult::default()
    })
}

impl Drop {
    async fn run(
        self,
        context: &Context,
        project: &Project,
        tenants: &Tenants,
        group: &str,
    ) -> Result<CommandResult, CommandError> {
        if self.take_back {
            let progress = context.progress();
            let work = Work { events: &progress, stop: context.stop_signal() };
            let home = keep(tenants, &self.code, &work).await;
            drop(work);
            progress.finish();
            let home = (tenants.kind().name(), home?);
            return taken_back(&self.code, group, &home, "is as before");
        }
        let progress = context.progress();
        let work = Work { events: &progress, stop: context.stop_signal() };
        let removal = Removal {
            consent: Consent { data_loss: context.global.allow_data_loss },
            backups: &self.place.root(project),
            jobs: usize::from(self.place.jobs),
        };
        let done = remove(tenants, &self.code, &removal, &work).await;
        drop(work);
        progress.finish();
        show_removed(context, group, &done?)
    }
}

fn show_removed(
    context: &Context,
    group: &str,
    removed: &Removed,
) -> Result<CommandResult, CommandError> {
    let mut text = String::new();
    render::tenant_dropped(&mut text, &context.out, removed);
    let entry = TargetEntry::new(&removed.code)
        .field("group", &group)?
        .field("state", &"dropped")?
        .field(removed.kind, &removed.home)?
        .field("tenant", removed)?;
    Ok(CommandResult { text, targets: vec![entry], ..CommandResult::default() })
}

async fn show_list(
    context: &Context,
    project: &Project,
    group: &str,
) -> Result<CommandResult, CommandError> {
    let selected = Selected { groups: vec![group.to_owned()], ..context.global.selected() };
    let (rows, problems) = list(project, &selected, &context.stop_signal()).await?;
    let mut text = String::new();
    render::tenants(&mut text, &context.out, group, &rows);
    let entry = |row: &TenantRow| {
        TargetEntry::new(&row.code)
            .field("group", &group)?
            .field("state", &row.state)?
            .field("note", &row.note)?
            .field("database", &row.database)?
            .field("schema", &row.schema)?
            .field("bytes", &row.bytes)?
            .field("head", &row.head)?
            .field("pending", &row.pending)
    };
    let targets = rows.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    let unreachable = rows.iter().any(|row| row.state == TenantState::Unreachable);
    let exit = unreachable.then_some(ExitCode::SomeFailed);
    Ok(CommandResult { text, targets, problems, exit, ..CommandResult::default() })
}
