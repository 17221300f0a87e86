//! What tenants have for themselves on their server, databases or schemas: made, named, looked for and
//! dropped.
//!
//! Invariant: a database or schema is dropped only under a name that the journal has, and when its OID
//! is the one that the journal has.

use std::time::{Duration, Instant};

use pgfleet_core::config::{HomeKind, TenantSection};
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_sql::quote_ident;

use super::journal::Entry;
use super::place::{Tenants, Work, first};
use super::{database, schema};
use crate::conduct::Target;
use crate::connect::{Session, SessionError};
use crate::journal::literal;

/// The oldest server that ends sessions when a database is dropped.
const FORCE_SINCE: u32 = 130_000;

/// Sessions that were closed, our own among them, are gone from the server's view after this time;
/// whoever works in a schema longer is not waited for.
pub(super) const LEAVING: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);

/// A database or schema as the server has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) oid: u32,
    pub(super) name: String,
    pub(super) is_template: bool,
}

/// Work on the database or schema of one journal entry.
pub(super) struct Homes<'a> {
    pub(super) server: &'a Target,
    pub(super) session: Session,
    pub(super) kind: HomeKind,
}

impl<'a> Homes<'a> {
    pub(super) async fn open(
        tenants: &'a Tenants,
        code: &str,
        work: &Work<'_>,
    ) -> Result<Self, Box<Problem>> {
        let session = tenants.worker(code, work).await?;
        Ok(Self { server: &tenants.server, session, kind: tenants.kind() })
    }

    pub(super) async fn close(self) {
        self.session.close().await;
    }

    pub(super) async fn ask(&self, sql: &str) -> Result<Vec<Vec<Option<String>>>, Box<Problem>> {
        self.session.query_text(sql).await.map_err(|error| self.problem(&error))
    }

    pub(super) async fn run(&self, sql: &str) -> Result<(), Box<Problem>> {
        self.session.batch(sql).await.map_err(|error| self.problem(&error))
    }

    pub(super) fn problem(&self, error: &SessionError) -> Box<Problem> {
        let problem = self.server.session_problem(error);
        let details = error.server().and_then(|server| server.detail.clone());
        details.into_iter().fold(problem, |problem, detail| Box::new(problem.because(detail)))
    }

    async fn find(&self, condition: &str) -> Result<Option<Found>, Box<Problem>> {
        let sql = match self.kind {
            HomeKind::Database => database::found_sql(condition),
            HomeKind::Schema => schema::found_sql(condition),
        };
        let rows = self.ask(&sql).await?;
        let Some([Some(oid), Some(name), is_template]) = rows.first().map(Vec::as_slice) else {
            return Ok(None);
        };
        let is_template = is_template.as_deref() == Some("t");
        Ok(oid.parse().ok().map(|oid| Found { oid, name: name.clone(), is_template }))
    }

    pub(super) async fn named(&self, name: &str) -> Result<Option<Found>, Box<Problem>> {
        self.find(&format!("name = {}", literal(name))).await
    }

    /// The entry's own database or schema, under either of its names. Before its OID is known, only
    /// what nobody else can have chosen tells that it is ours: the database's private name, the
    /// schema's comment.
    pub(super) async fn own(&self, entry: &Entry) -> Result<Option<Found>, Box<Problem>> {
        let (private, home) = (literal(&entry.private_name), literal(&entry.home));
        let condition = match (entry.oid, self.kind) {
            (Some(oid), _) => format!("oid = {oid} AND name IN ({private}, {home})"),
            (None, HomeKind::Database) => format!("name = {private}"),
            (None, HomeKind::Schema) => {
                format!("name = {home} AND mark = {}", literal(&schema::mark(&entry.run_id)))
            }
        };
        self.find(&condition).await
    }

    /// A database gets its private name. A schema cannot be renamed once functions and settings say
    /// its name: it has its own from the beginning, and a comment that says that it is half made.
    pub(super) async fn create(
        &self,
        entry: &Entry,
        how: &TenantSection,
    ) -> Result<(), Box<Problem>> {
        self.run(&match self.kind {
            HomeKind::Database => database::create_sql(&entry.private_name, how),
            HomeKind::Schema => schema::create_sql(&entry.home, &entry.run_id, how),
        })
        .await
    }

    /// What was half made becomes what others see.
    pub(super) async fn reveal(&self, entry: &Entry) -> Result<(), Box<Problem>> {
        let own = self.own(entry).await?;
        match self.kind {
            HomeKind::Database if own.is_some_and(|found| found.name == entry.private_name) => {
                self.run(&database::rename_sql(&entry.private_name, &entry.home)).await
            }
            HomeKind::Database => Ok(()),
            HomeKind::Schema => self.run(&schema::unmark_sql(&entry.home)).await,
        }
    }

    /// Gives it its private name; refused while anybody uses it.
    pub(super) async fn hide(&self, entry: &Entry) -> Result<(), Box<Problem>> {
        let Entry { home, private_name, code, .. } = entry;
        self.refuse_users(code, home).await?;
        match self.kind {
            HomeKind::Database => self.run(&database::rename_sql(home, private_name)).await,
            HomeKind::Schema => self.hide_schema(code, home, private_name).await,
        }
    }

    /// Gives it its own name back.
    pub(super) async fn put_back(&self, entry: &Entry) -> Result<(), Box<Problem>> {
        self.run(&match self.kind {
            HomeKind::Database => database::rename_sql(&entry.private_name, &entry.home),
            HomeKind::Schema => schema::rename_sql(&entry.private_name, &entry.home),
        })
        .await
    }

    /// Drops the entry's own database or schema. Sessions in a database are ended only while it has
    /// its private name and `force` is said.
    pub(super) async fn drop_own(&self, entry: &Entry, force: bool) -> Result<(), Box<Problem>> {
        let Some(found) = self.own(entry).await? else { return Ok(()) };
        if self.kind == HomeKind::Schema {
            return self.drop_schema(&found, entry).await;
        }
        let force = force
            && found.name == entry.private_name
            && self.session.server_version_num() >= FORCE_SINCE;
        let with = if force { " WITH (FORCE)" } else { "" };
        if !force {
            self.refuse_users(&entry.code, &found.name).await?;
        }
        self.run(&format!("DROP DATABASE {}{with}", quote_ident(&found.name))).await
    }

    /// Refuses what somebody stays connected to or has in use, or what prepared transactions hold.
    pub(super) async fn refuse_users(&self, code: &str, name: &str) -> Result<(), Box<Problem>> {
        let sql = match self.kind {
            HomeKind::Database => database::users_sql(name),
            HomeKind::Schema => schema::users_sql(name),
        };
        let begun = Instant::now();
        loop {
            let users: Vec<_> = self.ask(&sql).await?.into_iter().flatten().flatten().collect();
            if users.is_empty() {
                return Ok(());
            }
            if begun.elapsed() >= LEAVING {
                return Err(self.in_use(code, users));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Refuses what something that is not in it needs; nothing needs a database.
    pub(super) async fn refuse_needed(
        &self,
        code: &str,
        found: &Found,
    ) -> Result<(), Box<Problem>> {
        match self.kind {
            HomeKind::Database => Ok(()),
            HomeKind::Schema => self.refuse_needed_schema(code, found).await,
        }
    }

    pub(super) fn in_use(&self, code: &str, users: Vec<String>) -> Box<Problem> {
        let what = format!("the {} of the tenant {code} is in use", self.kind.name());
        let problem = Problem::error(Code::TenantInUse, what)
            .in_target(code)
            .because("sessions are not thrown out, as they may be at work");
        let problem = users.into_iter().take(20).fold(problem, Problem::detail);
        Box::new(
            problem
                .fix(
                    "Stop the application that is connected to it, and run the same command again.",
                )
                .fix_with("Or end a session that is idle.", "SELECT pg_terminate_backend(PID)"),
        )
    }

    /// The size in bytes, when we may know it.
    pub(super) async fn bytes(&self, name: &str) -> Result<Option<u64>, Box<Problem>> {
        let sql = match self.kind {
            HomeKind::Database => database::bytes_sql(name),
            HomeKind::Schema => schema::bytes_sql(name),
        };
        Ok(first(&self.ask(&sql).await?).and_then(|text| text.parse().ok()))
    }
}
