//! Where a group's tenants live: the registry with the journal, the server of their databases, and
//! the lock of one tenant.

use std::sync::Arc;

use pgfleet_core::config::{GroupSection, GroupSource, HomeKind, Scope, TenantSection};
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::fleet::{Entry as Registered, read_registry};
use pgfleet_core::report::Event;

use super::journal::{self, Entry, Step};
use crate::conduct::Target;
use crate::connect::{Session, SessionError, check_pooler, probe};
use crate::execute::{EventSink, StopSignal};
use crate::fleet::{matches_any, server_key};
use crate::journal::literal;
use crate::lock::{LockError, LockKeys, LockWait, key_of, lock_key};
use crate::project::Project;

/// Databases that are being made or dropped have names that begin so.
pub(crate) const PRIVATE: &str = "pgfleet_tenant_";

/// The tenants of a group.
pub struct Tenants {
    pub(super) group: String,
    /// The project with the group's settings.
    pub(super) project: Arc<Project>,
    pub(super) section: GroupSection,
    /// The database of the registry and the journal.
    pub(super) registry: Target,
    /// A session there, which holds the tenant's lock.
    pub(super) session: Session,
    /// A database of the server where the tenants' databases are; the one that has their schemas.
    pub(super) server: Target,
}

/// How work on a tenant is watched and stopped.
pub struct Work<'a> {
    /// Told what happens.
    pub events: &'a dyn EventSink,
    /// Becomes true when the user asks to stop.
    pub stop: StopSignal,
}

impl Work<'_> {
    pub(super) fn phase(&self, phase: impl Into<String>) {
        self.events.send(Event::PhaseStarted { phase: phase.into() });
    }

    /// Between two steps: what was done is taken back then.
    pub(super) fn check_stop(&self) -> Result<(), Box<Problem>> {
        if !*self.stop.borrow() {
            return Ok(());
        }
        Err(Box::new(Problem::error(Code::Cancelled, "stopped by the user")))
    }
}

impl Tenants {
    /// Connects to the registry of a group.
    ///
    /// # Errors
    /// When the group is unknown, has no registry and no server, or it cannot be reached.
    pub async fn open(project: &Project, group: &str) -> Result<Self, Box<Problem>> {
        let section = project.file.groups.get(group).ok_or_else(|| unknown_group(group))?.clone();
        let project = Arc::new(project.scoped(Scope::Group(&section))?);
        let (registry, server) = match &section.source {
            GroupSource::Registry { registry, server, .. } => {
                (registry, server.as_ref().unwrap_or(registry))
            }
            GroupSource::Databases { server, .. } => (server, server),
            GroupSource::Schemas { database, .. } => (database, database),
            GroupSource::Targets(_) => return Err(no_place(group)),
        };
        let at = |name: &str, url: &str| {
            Ok::<_, Box<Problem>>(Target::at(name, project.spec_of(url)?, &project.settings))
        };
        let (registry, server) =
            (at("the registry", registry)?, at("the tenants' server", server)?);
        let session = registry.connect().await?;
        let facts = probe(&session).await.map_err(|error| registry.session_problem(&error))?;
        check_pooler(&registry.spec, &session, &facts).await.map_err(Box::new)?;
        Ok(Self { group: group.to_owned(), project, section, registry, session, server })
    }

    /// Closes the session, and gives the tenant's lock back with it.
    pub async fn close(self) {
        self.session.close().await;
    }

    /// How tenants of the group come and go.
    pub(super) fn how(&self) -> Result<&TenantSection, Box<Problem>> {
        self.section.tenant.as_ref().ok_or_else(|| {
            let what = format!("the group {} does not say how tenants come and go", self.group);
            Box::new(Problem::error(Code::TenantRefused, what).fix(format!(
                "Add [groups.{}.tenant] to pgfleet.toml; docs/tenants.md shows how.",
                self.group
            )))
        })
    }

    /// What a tenant of the group has for itself.
    pub fn kind(&self) -> HomeKind {
        match (&self.section.tenant, &self.section.source) {
            (Some(how), _) => how.kind,
            (None, GroupSource::Schemas { .. }) => HomeKind::Schema,
            (None, _) => HomeKind::Database,
        }
    }

    /// The name of a tenant's database or schema, once its code is known to be valid.
    pub(super) async fn home_of(&self, code: &str) -> Result<String, Box<Problem>> {
        let how = self.how()?;
        let refused = |why: String| {
            let what = format!("{code:?} cannot be the code of a tenant");
            Box::new(
                Problem::error(Code::TenantRefused, what).because(why).fix("Choose another code."),
            )
        };
        let pattern = format!("^(?:{})$", how.code);
        let sql = format!("SELECT {} ~ {}", literal(code), literal(&pattern));
        let fits = self.session.query_text(&sql).await.map_err(|error| match error.server() {
            Some(server) => Box::new(
                Problem::error(Code::ConfigInvalid, "code under tenant is no regular expression")
                    .because(server.message.clone()),
            ),
            None => self.problem(&error),
        })?;
        if first(&fits).as_deref() != Some("t") {
            return Err(refused(format!(
                "a code of the group {} matches {}",
                self.group, how.code
            )));
        }
        let home = how.home_of(code).map_err(refused)?;
        match &self.section.source {
            GroupSource::Databases { include, exclude, .. }
            | GroupSource::Schemas { include, exclude, .. }
                if !matches_any(&home, include, exclude) =>
            {
                let (kind, patterns) = (how.kind.name(), include.join(", "));
                Err(refused(format!("the group's {kind}s are {patterns}, and {home} is not one")))
            }
            _ => Ok(home),
        }
    }

    pub(super) fn problem(&self, error: &SessionError) -> Box<Problem> {
        self.registry.session_problem(error)
    }

    /// Whether a query says which tenants there are.
    pub(super) fn has_query(&self) -> bool {
        matches!(self.section.source, GroupSource::Registry { .. })
    }

    /// What the registry names, as the group's query gives it now; none without a registry.
    pub(super) async fn registered(&self) -> Result<Vec<Registered>, Box<Problem>> {
        let GroupSource::Registry { query, .. } = &self.section.source else {
            return Ok(Vec::new());
        };
        let table = self.session.query_table(query).await.map_err(|error| self.problem(&error))?;
        read_registry(&table.columns, &table.rows).map_err(|error| {
            let what = format!("the registry of group {} cannot be read", self.group);
            Box::new(Problem::error(Code::RegistryInvalid, what).because(error.to_string()))
        })
    }

    /// Takes the lock under which one process at a time works on a tenant, and gives what an earlier
    /// one did not finish.
    pub(super) async fn claim(
        &self,
        code: &str,
        work: &Work<'_>,
    ) -> Result<Option<Entry>, Box<Problem>> {
        journal::prepare(&self.session).await.map_err(|error| self.problem(&error))?;
        self.wait_for((&self.registry, &self.session), "registry", code, work).await?;
        let found = journal::unfinished(&self.session, &self.group, Some(code)).await;
        Ok(found.map_err(|error| self.problem(&error))?.into_iter().next())
    }

    /// A session on the server that makes and drops databases. Its lock outlives a killed process as
    /// long as the server is busy with what that process asked for.
    pub(super) async fn worker(
        &self,
        code: &str,
        work: &Work<'_>,
    ) -> Result<Session, Box<Problem>> {
        let session = self.server.connect().await?;
        self.wait_for((&self.server, &session), "worker", code, work).await?;
        Ok(session)
    }

    async fn wait_for(
        &self,
        (target, session): (&Target, &Session),
        what: &str,
        code: &str,
        work: &Work<'_>,
    ) -> Result<(), Box<Problem>> {
        let wait = LockWait {
            keys: LockKeys::of(None),
            deadline_ms: self.project.settings.apply.lock_wait_ms,
            events: work.events,
            stop: work.stop.clone(),
        };
        let key = key_of(&format!("tenant {what} {} {code}", self.group));
        let held =
            match lock_key(session, &format!("the lock of the tenant {code}"), key, &wait).await {
                Ok(()) => return Ok(()),
                Err(LockError::Session(error)) => return Err(target.session_problem(&error)),
                Err(LockError::Held(held)) => held,
            };
        let what = format!("another run is at work on {code}");
        let mut problem = Problem::error(Code::TenantUnfinished, what)
            .because(held.cause.clone().unwrap_or_default())
            .detail(format!("the lock is in {}", target.spec.redacted()))
            .fix("Wait for it to end, and run the same command again.");
        problem.details.extend(held.details);
        Err(Box::new(problem))
    }

    /// The database that an entry of the registry names on the tenants' server.
    pub(super) fn database_in(&self, one: &Registered) -> Option<String> {
        let Some(url) = &one.url else { return one.database.clone() };
        let spec = self.project.spec_of(url).ok()?;
        let here = server_key(&spec) == server_key(&self.server.spec);
        here.then(|| one.database.clone().unwrap_or(spec.database))
    }

    /// What an entry of the registry names on the tenants' server: its database, or its schema of the
    /// database that they share.
    pub(super) fn home_in(&self, one: &Registered) -> Option<String> {
        let database = self.database_in(one);
        if self.kind() == HomeKind::Database {
            return database;
        }
        let elsewhere = |database: String| database != self.server.spec.database;
        match one.url.is_some() && database.is_none() || database.is_some_and(elsewhere) {
            true => None,
            false => one.schema.clone(),
        }
    }

    /// The values that a tenant has by itself.
    pub(super) fn own_values(&self, code: &str, home: &str) -> Vec<(String, String)> {
        let mut values = vec![("code", code), ("target", code)];
        match self.kind() {
            HomeKind::Database => values.push(("database", home)),
            HomeKind::Schema => {
                values.extend([("database", self.server.spec.database.as_str()), ("schema", home)]);
            }
        }
        values.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// Makes sure that the lock is held and the entry is not over.
    pub(super) async fn still_holds(&self, entry: &Entry) -> Result<(), Box<Problem>> {
        let sql = format!(
            "SELECT 1 FROM pgfleet.tenant_steps WHERE run_id = {} AND ended_at IS NULL",
            literal(&entry.run_id)
        );
        let rows = self.session.query_text(&sql).await.map_err(|error| self.problem(&error))?;
        if !rows.is_empty() {
            return Ok(());
        }
        let what = format!("the journal has ended the work on {}", entry.code);
        Err(Box::new(Problem::error(Code::TenantUnfinished, what)))
    }

    /// Says which step is done.
    pub(super) async fn reached(&self, entry: &mut Entry, step: Step) -> Result<(), Box<Problem>> {
        let done = self.session.batch(&entry.update_sql(step)).await;
        done.map_err(|error| self.problem(&error))?;
        entry.step = step;
        Ok(())
    }

    /// Statements, a look at the registry, and the journal's step, all in one transaction that waits
    /// for the disk.
    pub(super) async fn together(
        &self,
        sql: &str,
        look: impl Fn(&[Registered]) -> Result<(), Box<Problem>>,
        entry: &mut Entry,
        step: Step,
    ) -> Result<(), Box<Problem>> {
        let tried = async {
            let begin = format!("BEGIN; SET LOCAL synchronous_commit TO on;\n{sql}");
            self.session.batch(&begin).await.map_err(|error| self.problem(&error))?;
            look(&self.registered().await?)?;
            let end = format!("{}; COMMIT", entry.update_sql(step));
            self.session.batch(&end).await.map_err(|error| self.problem(&error))
        };
        let tried = tried.await;
        if tried.is_err() {
            // Nothing is open when the connection is lost.
            let _ = self.session.batch("ROLLBACK").await;
        }
        tried?;
        entry.step = step;
        Ok(())
    }
}

/// The first cell.
pub(super) fn first(rows: &[Vec<Option<String>>]) -> Option<String> {
    rows.first()?.first().cloned().flatten()
}

fn unknown_group(group: &str) -> Box<Problem> {
    Box::new(
        Problem::error(Code::TargetUnknown, format!("no group is called {group:?}"))
            .fix(format!("Add [groups.{group}] to pgfleet.toml.")),
    )
}

fn no_place(group: &str) -> Box<Problem> {
    let what = format!("the group {group} has neither a registry nor a server for its databases");
    Box::new(
        Problem::error(Code::TenantRefused, what)
            .because(
                "tenants come and go in groups with registry and query, server and databases, or \
                 database and schemas",
            )
            .fix("See docs/tenants.md."),
    )
}
