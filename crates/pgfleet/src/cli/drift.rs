//! `pgfleet drift`

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use clap::Args;
use pgfleet_core::diagnose::{ExitCode, Problem};
use pgfleet_core::schema::diff::{Action, Change, compare};
use pgfleet_core::schema::hazard::hazards;
use pgfleet_core::schema::{Schema, parts};
use pgfleet_engine::compare::{read_own_schema, replay};
use pgfleet_engine::conduct::{Opened, Target};
use tokio::sync::OnceCell;

use super::context::Context;
use super::everywhere::{PerTarget, TargetResult};
use super::outcome::{CommandError, CommandResult};
use super::site::Site;
use crate::render::{self, TargetEntry};

/// Show what the database has that its applied migrations do not explain, and the reverse
#[derive(Debug, Args)]
#[command(after_help = "\
Exits with 1 when there is drift.

Examples:
  pgfleet drift
  pgfleet drift --group tenants      and how the tenants differ from each other
  pgfleet drift --output json")]
pub struct Drift {
    /// Show the statements that would take the drift away
    #[arg(long)]
    sql: bool,
    #[arg(skip)]
    known: Known,
}

/// What is read or made once for many targets.
#[derive(Debug, Default)]
struct Known {
    /// What applied migrations make, by what it is made from.
    replayed: RefCell<BTreeMap<String, Replayed>>,
    /// One schema for each fingerprint.
    schemas: RefCell<BTreeMap<String, Rc<Schema>>>,
}

type Replayed = Rc<OnceCell<Result<Rc<Schema>, Box<Problem>>>>;

impl Known {
    /// What the applied migrations make: replayed once for all targets with the same ones.
    async fn history(
        &self,
        site: &Site<'_>,
        target: &Target,
        opened: &Opened,
    ) -> Result<Rc<Schema>, Box<Problem>> {
        let folder = opened.applied_folder();
        let versions: Vec<_> = folder.set.migrations.iter().map(|m| m.version.as_str()).collect();
        let key = format!("{} {versions:?} {:?}", folder.set.format, target.schema);
        let key = format!("{key} {:?}", target.variables);
        let cell = self.replayed.borrow_mut().entry(key).or_default().clone();
        let replayed = || async { replay(site.project, target, folder).await.map(Rc::new) };
        cell.get_or_init(replayed).await.clone()
    }

    /// The schema, or the one that is equal to it.
    fn keep(&self, schema: Schema) -> (String, Rc<Schema>) {
        let fingerprint = schema.fingerprint();
        let mut schemas = self.schemas.borrow_mut();
        let kept = schemas.entry(fingerprint.clone()).or_insert_with(|| Rc::new(schema)).clone();
        (fingerprint, kept)
    }
}

impl PerTarget for Drift {
    const NAME: &'static str = "drift";
    const CHANGES: bool = false;

    async fn on(&self, context: &Context, site: &Site<'_>) -> Result<CommandResult, CommandError> {
        let folder = site.folder.any(site.project)?;
        let target = site.target()?;
        let opened = pgfleet_engine::conduct::open(site.project, target, folder).await?;
        let history = self.known.history(site, target, &opened).await?;
        let schema = read_own_schema(target, &opened.session).await?;
        opened.session.close().await;
        let (fingerprint, schema) = self.known.keep(schema);
        let changes = compare(&history, &schema).changes();
        let told = |change: &Change| Told {
            words: words(change),
            parts: parts(&history, &schema, change),
        };
        let told: Vec<_> = changes.iter().map(told).collect();
        let mut text = String::new();
        match changes.is_empty() {
            true => text.push_str("No drift: the database is what its history says.\n"),
            false => {
                text.push_str("The database differs from what its applied migrations make:\n");
                render::differences(&mut text, &context.out, &history, &schema);
            }
        }
        render::left_out(&mut text, &schema);
        let back = compare(&schema, &history).with_online_forms();
        let statements = back.statements();
        let hazards = hazards(&back, &statements);
        if self.sql {
            render::statements(&mut text, &statements, &hazards);
        }
        let entry = TargetEntry::new(&target.name)
            .field("fingerprint", &fingerprint)?
            .field("changes", &changes)?
            .field("statements", &statements)?
            .field("left_out", &schema.left_out)?;
        Ok(CommandResult {
            text,
            headline: headline(&told),
            details: told.iter().flat_map(Told::lines).collect(),
            fingerprint: Some(fingerprint),
            targets: vec![entry],
            exit: (!changes.is_empty()).then_some(ExitCode::NotSo),
            ..CommandResult::default()
        })
    }

    fn overview(&self, context: &Context, group: &str, results: &[TargetResult]) -> String {
        let mut text = String::new();
        render::fleet_overview(&mut text, &context.out, group, results);
        let schemas = self.known.schemas.borrow();
        render::fleet_schemas(&mut text, &context.out, results, &|fingerprint| {
            schemas.get(fingerprint).cloned()
        });
        text
    }
}

/// A change, and what it does within its object.
struct Told {
    words: String,
    parts: Vec<String>,
}

impl Told {
    fn lines(&self) -> Vec<String> {
        match self.parts.is_empty() {
            true => vec![self.words.clone()],
            false => self.parts.iter().map(|part| format!("{}: {part}", self.words)).collect(),
        }
    }
}

/// `no drift`, or what differs from the history; it says how much it leaves out.
fn headline(told: &[Told]) -> String {
    let words: Vec<_> = told.iter().take(3).map(|one| one.words.as_str()).collect();
    let more = match told.len().saturating_sub(3) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    match told.is_empty() {
        true => "no drift".to_owned(),
        false => format!("drift: {}{more}", words.join(", ")),
    }
}

fn words(change: &Change) -> String {
    let action = match change.action {
        Action::Create => "besides",
        Action::Drop => "without",
        Action::Alter | Action::Replace => "other",
    };
    format!("{action} {}", change.object)
}
