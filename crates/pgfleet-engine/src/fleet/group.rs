//! Groups with their targets.

use std::collections::BTreeMap;
use std::sync::Arc;

use pgfleet_core::config::{GroupSection, GroupSource, Scope, ordered};
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::fleet::Choice;

use super::candidate::{Candidate, server_key, told_apart};
use super::server::{Server, limit, read_server};
use super::source::{Found, find, own_names};
use crate::conduct::Target;
use crate::project::Project;

/// A group with its targets.
#[derive(Debug)]
pub struct Group {
    /// Its name in the configuration.
    pub name: String,
    /// The project with the group's settings.
    pub project: Arc<Project>,
    /// The registry that its targets come from, as written.
    pub registry: Option<String>,
    /// Groups that come first.
    pub after: Vec<String>,
    /// The targets that were chosen, in the order of their source.
    pub members: Vec<Member>,
    /// The servers that they are on.
    pub servers: Vec<Server>,
    /// What was found on the way and stops nothing.
    pub problems: Vec<Problem>,
}

/// A target of a group.
#[derive(Debug, Clone)]
pub struct Member {
    /// The target.
    pub target: Target,
    /// Words to choose it by.
    pub labels: Vec<String>,
    /// The position of its server among the group's.
    pub server: usize,
}

/// Which groups, and which of their targets.
#[derive(Debug, Clone, Default)]
pub struct Selected {
    /// Groups by name; `all` means every one.
    pub groups: Vec<String>,
    /// Which targets.
    pub choice: Choice,
    /// Targets of one server at the same time, where somebody says so.
    pub concurrency: Option<usize>,
}

/// Finds the targets of groups, in the order in which the groups are to be worked on.
///
/// # Errors
/// When a group is unknown, a source cannot be asked, or `--only` names what is not there.
pub async fn open_groups(
    project: &Project,
    selected: &Selected,
) -> Result<Vec<Group>, Box<Problem>> {
    let mut groups = Vec::new();
    let mut unmatched: Option<Vec<String>> = None;
    for name in names(project, &selected.groups)? {
        let Some(section) = project.file.groups.get(name) else { continue };
        let (group, here) = open_group(project, name, section, selected).await?;
        // A pattern that fits in one group need not fit in another.
        unmatched = Some(match unmatched {
            None => here,
            Some(before) => before.into_iter().filter(|pattern| here.contains(pattern)).collect(),
        });
        groups.push(group);
    }
    match unmatched.unwrap_or_default().as_slice() {
        [] => Ok(groups),
        patterns => Err(Box::new(nothing_fits(patterns))),
    }
}

/// Groups with their settings, without asking where their targets are.
///
/// # Errors
/// When a group is unknown.
pub fn groups_offline(
    project: &Project,
    wanted: &[String],
) -> Result<Vec<(String, Project)>, Box<Problem>> {
    let section = |name: &&str| project.file.groups.get(*name);
    let named = names(project, wanted)?.into_iter();
    let named = named.filter_map(|name| section(&name).map(|section| (name, section)));
    named
        .map(|(name, section)| Ok((name.to_owned(), project.scoped(Scope::Group(section))?)))
        .collect()
}

fn names<'p>(project: &'p Project, wanted: &[String]) -> Result<Vec<&'p str>, Box<Problem>> {
    let order = ordered(&project.file.groups);
    let unknown = |name: &&String| *name != "all" && !order.contains(&name.as_str());
    if let Some(name) = wanted.iter().find(unknown) {
        return Err(Box::new(unknown_group(name, &order)));
    }
    let all = wanted.iter().any(|name| name == "all");
    Ok(order.into_iter().filter(|name| all || wanted.iter().any(|w| w == name)).collect())
}

fn unknown_group(name: &str, known: &[&str]) -> Problem {
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Problem::error(Code::TargetUnknown, format!("no group is called {name:?}"))
        .detail(format!("groups in the configuration: {known}"))
        .fix(format!("Add [groups.{name}] to pgfleet.toml."))
}

fn nothing_fits(patterns: &[String]) -> Problem {
    let quoted: Vec<_> = patterns.iter().map(|pattern| format!("{pattern:?}")).collect();
    Problem::error(Code::ChoiceUnmatched, format!("no target has the name {}", quoted.join(" or ")))
        .because("--only takes names of targets or databases, and patterns with * and ?")
        .fix_with("See the targets.", "pgfleet status --group all")
}

async fn open_group(
    project: &Project,
    name: &str,
    section: &GroupSection,
    selected: &Selected,
) -> Result<(Group, Vec<String>), Box<Problem>> {
    let project = Arc::new(project.scoped(Scope::Group(section))?);
    let mut found = find(&project, name, &section.source).await?;
    for candidate in &mut found.candidates {
        candidate.labels.extend(section.labels.iter().cloned());
        candidate.variables.extend(own_names(candidate));
    }
    let unmatched = selected.choice.unmatched(found.candidates.iter().map(Candidate::as_name));
    let (candidates, twice) = told_apart(std::mem::take(&mut found.candidates));
    found.problems.extend(twice);
    if candidates.is_empty() {
        found.problems.push(empty(name));
    }
    let chosen = |candidate: &Candidate| selected.choice.wants(candidate.as_name());
    let candidates: Vec<_> = candidates.into_iter().filter(chosen).collect();
    let asked = selected.concurrency.or(section.concurrency);
    let mut group = Group {
        name: name.to_owned(),
        after: section.after.iter().map(|first| first.get_ref().clone()).collect(),
        registry: match &section.source {
            GroupSource::Registry { registry, .. } => Some(registry.clone()),
            _ => None,
        },
        members: Vec::new(),
        servers: Vec::new(),
        problems: std::mem::take(&mut found.problems),
        project,
    };
    fill(&mut group, candidates, section.variables, asked, &found).await;
    Ok((group, unmatched))
}

fn empty(group: &str) -> Problem {
    Problem::warning(Code::GroupEmpty, format!("the group {group} has no targets"))
        .fix("Check its pattern or query under [groups] in pgfleet.toml.")
}

/// Makes targets of candidates, and finds out what their servers have room for.
async fn fill(
    group: &mut Group,
    candidates: Vec<Candidate>,
    variables: bool,
    asked: Option<usize>,
    found: &Found,
) {
    let mut servers: BTreeMap<String, usize> = BTreeMap::new();
    for candidate in candidates {
        let key = server_key(&candidate.spec);
        let target = Target {
            name: candidate.name,
            spec: candidate.spec,
            settings: group.project.settings.clone(),
            schema: candidate.schema,
            variables: Arc::new(if variables { candidate.variables } else { BTreeMap::new() }),
        };
        let server = match servers.get(&key) {
            Some(server) => *server,
            None => {
                let limit = limit_of(&key, &target, asked, found).await;
                group.servers.push(Server { label: key.clone(), limit });
                servers.insert(key, group.servers.len() - 1);
                group.servers.len() - 1
            }
        };
        group.members.push(Member { target, labels: candidate.labels, server });
    }
}

/// A server that was not asked for its databases is asked through its first target.
async fn limit_of(key: &str, target: &Target, asked: Option<usize>, found: &Found) -> usize {
    let known = found.servers.iter().find(|(server, _)| server == key);
    if let Some((_, facts)) = known {
        return limit(asked, Some(facts));
    }
    let Ok(session) = target.connect().await else { return limit(asked, None) };
    let facts = read_server(&session).await.ok();
    session.close().await;
    limit(asked, facts.as_ref())
}
