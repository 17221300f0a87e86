//! References that no foreign key can span, because their two tables are in different databases.
//!
//! They are declared in `split.toml`, in `pgfleet.toml` ([`check_declared`]), or as a check of one
//! target ([`outcome`]). Invariant: nothing is written, and memory is constant whatever the tables'
//! size.

mod merge;

use std::collections::BTreeMap;
use std::time::Duration;

use pgfleet_core::config::expand_url;
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::fleet::Choice;
use pgfleet_core::split::{ColumnsOf, FamilyTable, ReferenceSection};
use pgfleet_core::verify::{ProbeOutcome, Reference, TableName};

use crate::conduct::Target;
use crate::connect::{ConnectSpec, Session, Surroundings, connect};
use crate::fleet::{Selected, open_groups};
use crate::project::{CONFIG_NAME, Project};

pub use merge::{ReferenceResult, check_between};

/// How long the other database may take to answer at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Checks the references of `pgfleet.toml`, whose sides begin with the name of a target, of a group
/// (each of its databases), or `database`.
///
/// # Errors
/// When a declaration names what is not there, or a database cannot be reached or asked.
pub async fn check_declared(project: &Project) -> Result<Vec<ReferenceResult>, Vec<Problem>> {
    let mut results = Vec::new();
    for reference in &project.file.reference {
        let done = check_one(project, reference).await;
        results.extend(done.map_err(|problem| vec![*problem])?);
    }
    Ok(results)
}

async fn check_one(
    project: &Project,
    reference: &ReferenceSection,
) -> Result<Vec<ReferenceResult>, Box<Problem>> {
    let (from, to) = (side(&reference.from)?, side(&reference.to)?);
    if from.columns.len() != to.columns.len() {
        let wrong = "the two sides name different numbers of columns";
        return Err(invalid(&reference.to, wrong));
    }
    let parents = places(project, &to.table.family).await?;
    let [parent] = parents.as_slice() else {
        return Err(invalid(&reference.to, "a reference leads to one database, and this is many"));
    };
    let mut results = Vec::new();
    for child in places(project, &from.table.family).await? {
        let mut result = check_between(&child, &from, parent, &to).await?;
        if child.name != from.table.family {
            result.from = format!("{}: {}", child.name, result.from);
        }
        results.push(result);
    }
    Ok(results)
}

fn side(text: &str) -> Result<ColumnsOf, Box<Problem>> {
    let wrong = "write `target.table(column)` or `target.schema.table(column, column)`";
    ColumnsOf::parse(text).ok_or_else(|| invalid(text, wrong))
}

fn invalid(text: &str, wrong: &str) -> Box<Problem> {
    let what = format!("[[reference]] in {CONFIG_NAME}: {text:?} is not valid");
    Box::new(Problem::error(Code::ConfigInvalid, what).because(wrong))
}

/// The databases that a name stands for.
async fn places(project: &Project, name: &str) -> Result<Vec<Target>, Box<Problem>> {
    if project.file.groups.contains_key(name) {
        let groups = vec![name.to_owned()];
        let selected = Selected { groups, choice: Choice::default(), concurrency: None };
        let groups = open_groups(project, &selected).await?;
        let members = groups.into_iter().flat_map(|group| group.members);
        return Ok(members.map(|member| member.target).collect());
    }
    let section = project.file.targets.get(name);
    if section.is_none() && name != "database" {
        let known = project.file.targets.keys().chain(project.file.groups.keys());
        let known: Vec<_> = std::iter::once("database").chain(known.map(String::as_str)).collect();
        return Err(Box::new(
            Problem::error(Code::TargetUnknown, format!("no target or group is called {name:?}"))
                .detail(format!("a reference may name: {}", known.join(", "))),
        ));
    }
    let spec = match section.and_then(|section| section.url.as_deref()) {
        Some(url) => project.spec_of(url)?,
        None => project.connect_spec()?,
    };
    Ok(vec![Target::at(name, spec, &project.settings)])
}

/// What became of a `reference` check of the target that a session leads to.
pub async fn outcome(
    session: &Session,
    check: &Reference,
    variables: &BTreeMap<String, String>,
    statement_timeout_ms: u64,
) -> ProbeOutcome {
    match look(session, check, variables, statement_timeout_ms).await {
        Ok(result) => {
            let found = format!(
                "{} values, {} of them not in {}",
                result.values, result.orphans, check.key.parent
            );
            let sample = |value: &String| format!("not there: {value}");
            ProbeOutcome { found, deviations: result.samples.iter().map(sample).collect() }
        }
        Err(why) => ProbeOutcome { found: why.clone(), deviations: vec![why] },
    }
}

async fn look(
    session: &Session,
    check: &Reference,
    variables: &BTreeMap<String, String>,
    statement_timeout_ms: u64,
) -> Result<ReferenceResult, String> {
    let said = |problem: Problem| match problem.cause {
        Some(cause) => format!("{}: {cause}", problem.what),
        None => problem.what,
    };
    let url = expand_url(&check.database, variables).map_err(|problem| said(*problem))?;
    let around = Surroundings::new(variables.clone());
    let spec = ConnectSpec::parse(&url, &around).map_err(said)?;
    let other = connect(&spec, "pgfleet", CONNECT_TIMEOUT).await.map_err(said)?;
    let from = columns(&check.key.child, &check.key.child_columns);
    let to = columns(&check.key.parent, &check.key.parent_columns);
    let begin = format!(
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
         SET LOCAL statement_timeout = {statement_timeout_ms}"
    );
    session.batch(&begin).await.map_err(|error| error.to_string())?;
    let result = match other.batch(&begin).await {
        Ok(()) => merge::merge(session, &from, &other, &to).await,
        Err(error) => Err(merge::Unread::To(error)),
    };
    let ended = session.batch("ROLLBACK").await;
    other.close().await;
    let result = result.map_err(|unread| match unread {
        merge::Unread::From(error) => error.to_string(),
        merge::Unread::To(error) => format!("{}: {error}", spec.redacted()),
    })?;
    ended.map_err(|error| error.to_string())?;
    Ok(result)
}

fn columns(table: &TableName, columns: &[String]) -> ColumnsOf {
    let (schema, name) = (table.schema().to_owned(), table.name.clone());
    let table = FamilyTable { family: "target".to_owned(), schema, table: name };
    ColumnsOf { table, columns: columns.to_vec() }
}
