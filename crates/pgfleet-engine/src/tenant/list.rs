//! The tenants of a group: what the registry names and what the journal has begun, with databases,
//! sizes and histories.

use std::collections::BTreeMap;
use std::sync::Arc;

use pgfleet_core::config::HomeKind;
use pgfleet_core::diagnose::Problem;
use pgfleet_core::fleet::Entry as Registered;
use pgfleet_core::history::{MigrationStatus, Verdict};
use serde::Serialize;

use super::journal::{Action, Entry, unfinished};
use super::place::Tenants;
use super::{database, schema};
use crate::conduct::open;
use crate::execute::StopSignal;
use crate::fleet::{Group, Job, Member, Selected, open_groups, run_bounded};
use crate::journal::literal;
use crate::project::{Folder, Project};

/// What is true of a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TenantState {
    /// A target of the group, and there.
    Active,
    /// The registry says that it is not active.
    Inactive,
    /// Its database is not there.
    Dangling,
    /// Its database is another tenant's.
    Duplicate,
    /// Its database cannot be connected to or read.
    Unreachable,
    /// Its creation is not complete.
    HalfCreated,
    /// Its removal is not complete.
    HalfDropped,
}

/// A tenant.
#[derive(Debug, Clone, Serialize)]
pub struct TenantRow {
    /// What the registry calls it.
    pub code: String,
    /// What is true of it.
    pub state: TenantState,
    /// Why, or how far it is.
    pub note: String,
    /// Its database.
    pub database: Option<String>,
    /// Its schema, where it has but that.
    pub schema: Option<String>,
    /// The size of its database or schema, when we may know it.
    pub bytes: Option<u64>,
    /// The newest migration in its history.
    pub head: Option<String>,
    /// Migrations that it lacks.
    pub pending: Option<usize>,
}

impl TenantRow {
    fn new(code: &str, state: TenantState, note: impl Into<String>) -> Self {
        let (code, note) = (code.to_owned(), note.into());
        let (database, schema) = (None, None);
        Self { code, state, note, database, schema, bytes: None, head: None, pending: None }
    }
}

/// Looks at all tenants of a group. Changes nothing.
///
/// # Errors
/// When the registry or the server cannot be asked. A tenant that cannot be reached is a row.
pub async fn list(
    project: &Project,
    selected: &Selected,
    stop: &StopSignal,
) -> Result<(Vec<TenantRow>, Vec<Problem>), Box<Problem>> {
    let Some(group) = open_groups(project, selected).await?.into_iter().next() else {
        return Ok((Vec::new(), Vec::new()));
    };
    let tenants = Tenants::open(project, &group.name).await?;
    let (folder, mut problems) = match group.project.open_folder() {
        Ok(folder) => (Some(Arc::new(folder)), Vec::new()),
        Err(problem) => (None, vec![*problem]),
    };
    if !tenants.has_query() {
        // Of a registry, rows say the same.
        problems.extend(group.problems.iter().cloned());
    }
    let members = look_at_members(&group, folder.as_ref(), stop).await;
    let registered = tenants.registered().await?;
    let fails = |error| tenants.problem(&error);
    let begun = unfinished(&tenants.session, &group.name, None).await.map_err(fails)?;
    let mut rows = match tenants.has_query() {
        true => registered.iter().map(|one| row_of(&tenants, one, &members)).collect(),
        false => members.into_iter().map(|found| by_home(&tenants, found)).collect(),
    };
    add_begun(&tenants, &mut rows, &begun);
    add_sizes(&tenants, &mut rows).await?;
    tenants.close().await;
    Ok((rows, problems))
}

/// A member of the group, and what was seen of it.
struct Seen {
    name: String,
    /// Its database or schema.
    home: String,
    row: TenantRow,
}

async fn look_at_members(
    group: &Group,
    folder: Option<&Arc<Folder>>,
    stop: &StopSignal,
) -> Vec<Seen> {
    let jobs = group.members.iter().enumerate();
    let jobs = jobs.map(|(on, member)| Job { server: member.server, on });
    let mut seen: BTreeMap<usize, Seen> = BTreeMap::new();
    let work = |at: usize| async move { (at, look_at(group, &group.members[at], folder).await) };
    run_bounded(
        &group.servers,
        jobs,
        || !*stop.borrow(),
        work,
        |(at, one)| {
            seen.insert(at, one);
        },
    )
    .await;
    seen.into_values().collect()
}

async fn look_at(group: &Group, member: &Member, folder: Option<&Arc<Folder>>) -> Seen {
    let target = &member.target;
    let mut row = TenantRow::new(&target.name, TenantState::Active, "");
    row.database = Some(target.spec.database.clone());
    row.schema.clone_from(&target.schema);
    let result = match folder {
        Some(folder) => open(&group.project, target, folder.clone()).await.map(|opened| {
            head(&mut row, &opened.statuses);
            opened.session
        }),
        None => target.connect().await,
    };
    match result {
        Err(problem) => (row.state, row.note) = (TenantState::Unreachable, problem.what),
        Ok(session) => {
            let sql = match &target.schema {
                Some(schema) => schema::bytes_sql(schema),
                None => database::bytes_sql(&target.spec.database),
            };
            let size = session.query_text(&sql).await.unwrap_or_default();
            row.bytes = super::place::first(&size).and_then(|text| text.parse().ok());
            session.close().await;
        }
    }
    let home = target.schema.as_ref().unwrap_or(&target.spec.database).clone();
    Seen { name: target.name.clone(), home, row }
}

fn head(row: &mut TenantRow, statuses: &[MigrationStatus]) {
    let lacks = |status: &&MigrationStatus| {
        matches!(status.verdict, Verdict::Pending | Verdict::OutOfOrder | Verdict::Failed)
    };
    row.head = statuses.iter().rev().find(|s| !lacks(s)).map(|status| status.version.clone());
    row.pending = Some(statuses.iter().filter(lacks).count());
}

fn row_of(tenants: &Tenants, one: &Registered, members: &[Seen]) -> TenantRow {
    let (database, schema) =
        (tenants.database_in(one).or_else(|| one.database.clone()), &one.schema);
    let home = schema.as_ref().or(database.as_ref());
    let with = |state, note: String| TenantRow {
        database: database.clone(),
        schema: schema.clone(),
        ..TenantRow::new(&one.name, state, note)
    };
    if let Some(why) = &one.inactive {
        return with(TenantState::Inactive, why.clone());
    }
    let kind = if schema.is_some() { HomeKind::Schema } else { HomeKind::Database }.name();
    let same_place = |seen: &&Seen| Some(&seen.home) == home;
    if let Some(seen) = members.iter().find(|seen| seen.name == one.name) {
        return seen.row.clone();
    }
    match (members.iter().find(same_place), home) {
        (Some(other), _) => with(TenantState::Duplicate, format!("its {kind} is {}'s", other.name)),
        (None, None) => with(TenantState::Dangling, "it names no database".to_owned()),
        (None, Some(name)) => {
            with(TenantState::Dangling, format!("there is no {kind} {name:?} on the server"))
        }
    }
}

/// Where there is no registry, the database or schema says which tenant it is.
fn by_home(tenants: &Tenants, seen: Seen) -> TenantRow {
    let code = tenants.section.tenant.as_ref().and_then(|how| how.code_of(&seen.home));
    TenantRow { code: code.unwrap_or(seen.name), ..seen.row }
}

fn add_begun(tenants: &Tenants, rows: &mut Vec<TenantRow>, begun: &[Entry]) {
    for entry in begun {
        let state = match entry.action {
            Action::Create => TenantState::HalfCreated,
            Action::Drop => TenantState::HalfDropped,
        };
        let note = format!("since {}, last step: {}", entry.began_at, entry.step.name());
        let (database, schema) = match tenants.kind() {
            HomeKind::Database => (entry.home.clone(), None),
            HomeKind::Schema => (tenants.server.spec.database.clone(), Some(entry.home.clone())),
        };
        let row = TenantRow {
            database: Some(database),
            schema,
            ..TenantRow::new(&entry.code, state, note)
        };
        match rows.iter_mut().find(|row| row.code == entry.code) {
            Some(there) => *there = row,
            None => rows.push(row),
        }
    }
}

/// Sizes of databases that were not connected to, where the server tells us.
async fn add_sizes(tenants: &Tenants, rows: &mut [TenantRow]) -> Result<(), Box<Problem>> {
    let unknown = rows.iter().filter(|row| row.bytes.is_none() && row.schema.is_none());
    let unknown = unknown.filter_map(|row| row.database.as_deref());
    let names: Vec<_> = unknown.map(literal).collect();
    if names.is_empty() {
        return Ok(());
    }
    let session = tenants.server.connect().await?;
    let sql = format!(
        "SELECT datname, pg_catalog.pg_database_size(oid) FROM pg_catalog.pg_database \
         WHERE datname IN ({}) AND (pg_catalog.has_database_privilege(oid, 'CONNECT') \
         OR pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE'))",
        names.join(", ")
    );
    let found = session.query_text(&sql).await;
    session.close().await;
    let found = found.map_err(|error| tenants.server.session_problem(&error))?;
    for row in found {
        let [Some(name), Some(bytes)] = row.as_slice() else { continue };
        let same =
            |row: &&mut TenantRow| row.database.as_ref() == Some(name) && row.bytes.is_none();
        for row in rows.iter_mut().filter(same) {
            row.bytes = bytes.parse().ok();
        }
    }
    Ok(())
}
