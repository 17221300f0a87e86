//! Where a group's targets come from: a list, a server's databases, a registry, a database's
//! schemas.

use pgfleet_core::config::{GroupSource, Scope, Variables};
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::fleet::{Entry, Pattern, read_registry};

use super::candidate::{Candidate, listed, server_key};
use super::server::{ServerFacts, read_server};
use crate::conduct::Target;
use crate::connect::{ConnectSpec, Session, SessionError};
use crate::project::Project;
use crate::scratch::PREFIX as SCRATCH;
use crate::tenant::PRIVATE;

/// How long a registry's query may take.
const QUERY_TIMEOUT_MS: u32 = 60_000;

/// What a source gave.
#[derive(Default)]
pub(super) struct Found {
    pub(super) candidates: Vec<Candidate>,
    pub(super) problems: Vec<Problem>,
    /// What servers that were asked said, by their key.
    pub(super) servers: Vec<(String, ServerFacts)>,
}

/// Asks a group's source. `project` has the group's settings.
pub(super) async fn find(
    project: &Project,
    group: &str,
    source: &GroupSource,
) -> Result<Found, Box<Problem>> {
    match source {
        GroupSource::Targets(names) => list(project, names),
        GroupSource::Databases { server, include, exclude } => {
            let place = Place::connect(project, group, server).await?;
            Ok(place.databases(include, exclude))
        }
        GroupSource::Schemas { database, include, exclude } => {
            let place = Place::connect(project, group, database).await?;
            Ok(place.schemas(include, exclude))
        }
        GroupSource::Registry { registry, query, server } => {
            registry_entries(project, group, registry, query, server.as_deref()).await
        }
    }
}

fn list(project: &Project, names: &[String]) -> Result<Found, Box<Problem>> {
    let mut found = Found::default();
    for name in names {
        let member = project.scoped(Scope::Member(name))?;
        let labels = project.file.targets.get(name).map(|target| target.labels.clone());
        found.candidates.push(Candidate {
            name: name.clone(),
            spec: member.connect_spec().map_err(|problem| problem.in_target(name))?,
            schema: None,
            labels: labels.unwrap_or_default(),
            variables: Variables::new(),
        });
    }
    Ok(found)
}

/// A database that says what else is on its server.
struct Place {
    target: Target,
    session: Session,
    facts: ServerFacts,
}

impl Place {
    async fn connect(project: &Project, group: &str, url: &str) -> Result<Self, Box<Problem>> {
        let spec = project.spec_of(url)?;
        let target = Target::at(&format!("the source of group {group}"), spec, &project.settings);
        let session = target.connect().await?;
        let facts = read_server(&session).await.map_err(|error| target.session_problem(&error))?;
        Ok(Self { target, session, facts })
    }

    fn spec(&self) -> &ConnectSpec {
        &self.target.spec
    }

    fn databases(self, include: &[String], exclude: &[String]) -> Found {
        let (mut candidates, mut closed) = (Vec::new(), Vec::new());
        for (name, allows) in &self.facts.databases {
            // A tenant that is being made or dropped is no target, and a scratch copy neither.
            let own = [PRIVATE, SCRATCH].iter().any(|prefix| name.starts_with(prefix));
            let fits = matches_any(name, include, exclude) && !own;
            match (fits, allows) {
                (false, _) => {}
                (true, false) => closed.push(format!("{name} allows no connections")),
                (true, true) => candidates.push(whole(name, self.spec().with_database(name))),
            }
        }
        let problems = (!closed.is_empty()).then(|| inactive(&closed)).into_iter().collect();
        Found { candidates, problems, servers: self.servers() }
    }

    fn schemas(self, include: &[String], exclude: &[String]) -> Found {
        // A tenant that is being dropped is no target.
        let fits =
            |name: &&String| matches_any(name, include, exclude) && !name.starts_with(PRIVATE);
        let candidates = self
            .facts
            .schemas
            .iter()
            .filter(fits)
            .map(|name| part(name, name, self.spec()))
            .collect();
        Found { candidates, problems: Vec::new(), servers: self.servers() }
    }

    fn servers(self) -> Vec<(String, ServerFacts)> {
        vec![(server_key(&self.target.spec), self.facts)]
    }
}

/// Whether a name is one that a group's patterns mean.
pub(crate) fn matches_any(name: &str, include: &[String], exclude: &[String]) -> bool {
    let any = |patterns: &[String]| patterns.iter().any(|p| Pattern::new(p.as_str()).matches(name));
    any(include) && !any(exclude)
}

fn whole(name: &str, spec: ConnectSpec) -> Candidate {
    let (labels, variables) = (Vec::new(), Variables::new());
    Candidate { name: name.to_owned(), spec, schema: None, labels, variables }
}

/// A schema that is a target of its own.
fn part(name: &str, schema: &str, database: &ConnectSpec) -> Candidate {
    Candidate { schema: Some(schema.to_owned()), ..whole(name, database.with_schema(schema)) }
}

async fn registry_entries(
    project: &Project,
    group: &str,
    registry: &str,
    query: &str,
    server: Option<&str>,
) -> Result<Found, Box<Problem>> {
    let place = Place::connect(project, group, registry).await?;
    let entries = ask_registry(&place, group, query).await?;
    let base = match server {
        None => place,
        Some(url) => {
            place.session.close().await;
            Place::connect(project, group, url).await?
        }
    };
    let mut sorter =
        Sorter { project, base: &base, found: Found::default(), lists: Lists::default() };
    for entry in entries {
        sorter.take(entry);
    }
    let Sorter { mut found, lists, .. } = sorter;
    found.problems = lists.problems();
    found.servers = base.servers();
    Ok(found)
}

async fn ask_registry(place: &Place, group: &str, query: &str) -> Result<Vec<Entry>, Box<Problem>> {
    let settings = format!(
        "SET default_transaction_read_only = on; SET statement_timeout = {QUERY_TIMEOUT_MS}"
    );
    let answer = async {
        place.session.batch(&settings).await?;
        place.session.query_table(query).await
    };
    let table = answer.await.map_err(|error| query_failed(&place.target, group, query, &error))?;
    read_registry(&table.columns, &table.rows).map_err(|error| {
        let what = format!("the registry of group {group} does not say where its targets are");
        Box::new(
            Problem::error(Code::RegistryInvalid, what)
                .because(error.to_string())
                .detail(format!("its query: {query}"))
                .fix("Name the columns: SELECT code AS name, db_name AS database, is_active AS active …"),
        )
    })
}

fn query_failed(target: &Target, group: &str, query: &str, error: &SessionError) -> Box<Problem> {
    let Some(server) = error.server() else { return target.session_problem(error) };
    let what = format!("the registry's query of group {group} failed: {}", server.message);
    let mut problem = Problem::error(Code::RegistryInvalid, what)
        .in_target(target.spec.redacted())
        .detail(format!("its query: {query}"))
        .fix(format!("Correct query under [groups.{group}] in pgfleet.toml; it runs read-only."));
    problem.sqlstate = Some(server.sqlstate.clone());
    Box::new(problem)
}

/// What a registry names that is no target.
#[derive(Default)]
struct Lists {
    inactive: Vec<String>,
    dangling: Vec<String>,
}

impl Lists {
    fn problems(self) -> Vec<Problem> {
        let inactive = (!self.inactive.is_empty()).then(|| inactive(&self.inactive));
        let dangling = (!self.dangling.is_empty()).then(|| dangling(&self.dangling));
        inactive.into_iter().chain(dangling).collect()
    }
}

fn inactive(names: &[String]) -> Problem {
    let what = match names.len() {
        1 => "one entry is not active and is left out".to_owned(),
        count => format!("{count} entries are not active and are left out"),
    };
    listed(Problem::note(Code::EntryInactive, what), names)
}

fn dangling(names: &[String]) -> Problem {
    let what = match names.len() {
        1 => "one entry leads nowhere and is left out".to_owned(),
        count => format!("{count} entries lead nowhere and are left out"),
    };
    listed(Problem::warning(Code::EntryDangling, what), names)
        .fix("Create the database, or remove the entry or make it inactive in the registry.")
}

/// Tells entries that are targets from those that are not.
struct Sorter<'a> {
    project: &'a Project,
    base: &'a Place,
    found: Found,
    lists: Lists,
}

impl Sorter<'_> {
    fn take(&mut self, entry: Entry) {
        if let Some(why) = &entry.inactive {
            self.lists.inactive.push(format!("{}: {why}", entry.name));
            return;
        }
        match self.candidate(&entry) {
            Ok(candidate) => {
                let (labels, mut variables) = (entry.labels, entry.variables);
                variables.extend(own_names(&candidate));
                self.found.candidates.push(Candidate { labels, variables, ..candidate });
            }
            Err(why) => self.lists.dangling.push(format!("{}: {why}", entry.name)),
        }
    }

    fn candidate(&self, entry: &Entry) -> Result<Candidate, String> {
        if entry.is_nowhere() {
            return Err("it names no database".to_owned());
        }
        let mut spec = match &entry.url {
            Some(url) => self.project.spec_of(url).map_err(|problem| problem.what)?,
            None => self.base.spec().clone(),
        };
        if let Some(database) = &entry.database {
            spec = spec.with_database(database);
        }
        self.check_is_there(entry, &spec)?;
        Ok(match &entry.schema {
            Some(schema) => part(&entry.name, schema, &spec),
            None => whole(&entry.name, spec),
        })
    }

    /// What the server that was asked can tell; the rest shows when it is connected to.
    fn check_is_there(&self, entry: &Entry, spec: &ConnectSpec) -> Result<(), String> {
        if server_key(spec) != server_key(self.base.spec()) {
            return Ok(());
        }
        let (database, facts) = (&spec.database, &self.base.facts);
        if !facts.databases.contains_key(database) {
            return Err(format!("there is no database {database:?} on the server"));
        }
        let same = *database == self.base.spec().database;
        match &entry.schema {
            Some(schema) if same && !facts.schemas.contains(schema) => {
                Err(format!("there is no schema {schema:?} in the database {database:?}"))
            }
            _ => Ok(()),
        }
    }
}

/// What every target knows of itself.
pub(super) fn own_names(candidate: &Candidate) -> Vec<(String, String)> {
    let mut names = vec![
        ("target".to_owned(), candidate.name.clone()),
        ("database".to_owned(), candidate.spec.database.clone()),
    ];
    names.extend(candidate.schema.clone().map(|schema| ("schema".to_owned(), schema)));
    names
}
