//! `[groups.NAME]`: sets of targets that share one migration set.
//!
//! Invariant: a group that was read says in exactly one way where its targets come from, and the
//! order between groups has no circle.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use toml::Spanned;

use super::tenant::{HomeKind, TenantSection};
use crate::verify::Check;

/// Groups by name.
pub type Groups = BTreeMap<String, GroupSection>;

/// `[groups.NAME]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "GroupForm")]
pub struct GroupSection {
    /// Where the targets come from.
    pub source: GroupSource,
    /// The migration folder, relative to the configuration file.
    pub dir: Option<String>,
    /// The dialect, or `auto`.
    pub format: Option<String>,
    /// The history table, when it is not the format's usual one.
    pub history_table: Option<String>,
    /// What a platform supplies beforehand.
    pub environment: Option<String>,
    /// Words that all targets of the group are chosen by.
    pub labels: Vec<String>,
    /// Groups that come first.
    pub after: Vec<Spanned<String>>,
    /// Targets of one server that are worked on at the same time.
    pub concurrency: Option<usize>,
    /// Whether migrations may use the targets' own values (`:tenant_id`).
    pub variables: bool,
    /// What `verify` expects; empty leaves it to the checks of the whole file.
    pub check: Vec<Check>,
    /// How tenants are created and dropped.
    pub tenant: Option<TenantSection>,
}

/// Where a group's targets come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupSource {
    /// Targets of the configuration, by name.
    Targets(Vec<String>),
    /// Databases of a server by the pattern of their names.
    Databases {
        /// Any database of the server, as a URL or `env:NAME`.
        server: String,
        /// Patterns with `*` and `?`.
        include: Vec<String>,
        /// Patterns of names that are left out.
        exclude: Vec<String>,
    },
    /// What a query gives.
    Registry {
        /// The database that is asked, as a URL or `env:NAME`.
        registry: String,
        /// Gives columns `name`, and `database`, `schema` or `url`; see docs/fleet.md.
        query: String,
        /// The server of rows without a URL; without it, the registry's.
        server: Option<String>,
    },
    /// Schemas of one database by the pattern of their names.
    Schemas {
        /// The database, as a URL or `env:NAME`.
        database: String,
        /// Patterns with `*` and `?`.
        include: Vec<String>,
        /// Patterns of names that are left out.
        exclude: Vec<String>,
    },
}

/// One pattern or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "a pattern is a text, or several in a list")]
enum Patterns {
    One(String),
    Many(Vec<String>),
}

impl Patterns {
    fn list(patterns: Option<Self>) -> Vec<String> {
        match patterns {
            None => Vec::new(),
            Some(Self::One(one)) => vec![one],
            Some(Self::Many(many)) => many,
        }
    }
}

/// A group as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupForm {
    targets: Option<Vec<String>>,
    server: Option<String>,
    databases: Option<Patterns>,
    exclude: Option<Patterns>,
    registry: Option<String>,
    query: Option<String>,
    database: Option<String>,
    schemas: Option<Patterns>,
    dir: Option<String>,
    format: Option<String>,
    history_table: Option<String>,
    environment: Option<String>,
    #[serde(default)]
    labels: Vec<String>,
    #[serde(default)]
    after: Vec<Spanned<String>>,
    concurrency: Option<usize>,
    #[serde(default)]
    variables: bool,
    #[serde(default)]
    check: Vec<Check>,
    tenant: Option<TenantSection>,
}

/// Why a group's section says too little or too much.
#[derive(Debug, thiserror::Error)]
enum FormError {
    #[error(
        "a group needs one of: targets; server and databases; registry and query; database and schemas"
    )]
    NoSource,
    #[error("{0} and {1} say in two ways where the group's targets come from")]
    TwoSources(&'static str, &'static str),
    #[error("{0} needs {1} beside it")]
    Lacks(&'static str, &'static str),
    #[error("exclude goes with databases or schemas")]
    ExcludesNothing,
    #[error("concurrency must be at least 1")]
    NoConcurrency,
    #[error(
        "tenants are created in groups with registry and query, server and databases, or database and schemas"
    )]
    NoTenants,
    #[error("tenant of a group with {0} needs {1} with {{code}}, not {2}")]
    OtherHome(&'static str, &'static str, &'static str),
    #[error("tenant of a group with a registry needs register and unregister")]
    NotRegistered,
}

impl TryFrom<GroupForm> for GroupSection {
    type Error = FormError;

    fn try_from(form: GroupForm) -> Result<Self, FormError> {
        if form.concurrency == Some(0) {
            return Err(FormError::NoConcurrency);
        }
        let source = source(&form)?;
        check_tenant(&source, form.tenant.as_ref())?;
        Ok(Self {
            source,
            dir: form.dir,
            format: form.format,
            history_table: form.history_table,
            environment: form.environment,
            labels: form.labels,
            after: form.after,
            concurrency: form.concurrency,
            variables: form.variables,
            check: form.check,
            tenant: form.tenant,
        })
    }
}

fn check_tenant(source: &GroupSource, tenant: Option<&TenantSection>) -> Result<(), FormError> {
    let Some(tenant) = tenant else { return Ok(()) };
    let other =
        |kind, wanted: HomeKind| Err(FormError::OtherHome(kind, wanted.name(), tenant.kind.name()));
    match (source, tenant.kind) {
        (GroupSource::Registry { .. }, _) if tenant.register.is_none() => {
            Err(FormError::NotRegistered)
        }
        (GroupSource::Databases { .. }, HomeKind::Schema) => other("databases", HomeKind::Database),
        (GroupSource::Schemas { .. }, HomeKind::Database) => other("schemas", HomeKind::Schema),
        (GroupSource::Targets(_), _) => Err(FormError::NoTenants),
        _ => Ok(()),
    }
}

fn source(form: &GroupForm) -> Result<GroupSource, FormError> {
    let kinds = [
        (form.targets.is_some(), "targets"),
        (form.databases.is_some(), "databases"),
        (form.registry.is_some(), "registry"),
        (form.schemas.is_some(), "schemas"),
    ];
    let mut said = kinds.into_iter().filter_map(|(said, name)| said.then_some(name));
    let kind = said.next().ok_or_else(|| lone_key(form))?;
    if let Some(other) = said.next() {
        return Err(FormError::TwoSources(kind, other));
    }
    let need = |value: &Option<String>, what| value.clone().ok_or(FormError::Lacks(kind, what));
    let exclude = Patterns::list(form.exclude.clone());
    if !exclude.is_empty() && matches!(kind, "targets" | "registry") {
        return Err(FormError::ExcludesNothing);
    }
    Ok(match kind {
        "targets" => GroupSource::Targets(form.targets.clone().unwrap_or_default()),
        "databases" => GroupSource::Databases {
            server: need(&form.server, "server")?,
            include: Patterns::list(form.databases.clone()),
            exclude,
        },
        "schemas" => GroupSource::Schemas {
            database: need(&form.database, "database")?,
            include: Patterns::list(form.schemas.clone()),
            exclude,
        },
        _ => GroupSource::Registry {
            registry: need(&form.registry, "registry")?,
            query: need(&form.query, "query")?,
            server: form.server.clone(),
        },
    })
}

/// What a group lacks that has but half of a source.
fn lone_key(form: &GroupForm) -> FormError {
    match form {
        GroupForm { query: Some(_), .. } => FormError::Lacks("query", "registry"),
        GroupForm { server: Some(_), .. } => FormError::Lacks("server", "databases"),
        GroupForm { database: Some(_), .. } => FormError::Lacks("database", "schemas"),
        _ => FormError::NoSource,
    }
}

/// What is wrong with the order between groups: where, and what.
pub(super) fn order_problem(groups: &Groups) -> Option<(std::ops::Range<usize>, String)> {
    for (name, group) in groups {
        let unknown = group.after.iter().find(|first| !groups.contains_key(first.get_ref()));
        if let Some(first) = unknown {
            let known: Vec<_> = groups.keys().map(String::as_str).collect();
            let what = format!(
                "the group {name:?} comes after {:?}, which is no group; there are: {}",
                first.get_ref(),
                known.join(", ")
            );
            return Some((first.span(), what));
        }
    }
    let done: BTreeSet<_> = ordered(groups).into_iter().collect();
    let (name, group) = groups.iter().find(|(name, _)| !done.contains(name.as_str()))?;
    let open = group.after.iter().find(|first| !done.contains(first.get_ref().as_str()))?;
    let what = format!("the group {name:?} comes after {:?}, which comes after it", open.get_ref());
    Some((open.span(), what))
}

/// The groups' names, each after those that it comes after; groups in a circle are left out.
pub fn ordered(groups: &Groups) -> Vec<&str> {
    let mut order: Vec<&str> = Vec::new();
    loop {
        let ready = groups.iter().find(|(name, group)| {
            !order.contains(&name.as_str())
                && group.after.iter().all(|first| order.contains(&first.get_ref().as_str()))
        });
        match ready {
            Some((name, _)) => order.push(name),
            None => return order,
        }
    }
}
