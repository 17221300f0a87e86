//! Tenants' databases on their server: made, named, looked for and dropped.
//!
//! Invariant: a database is dropped only under a name that the journal has, and when its OID is the
//! one that the journal has.

use std::time::{Duration, Instant};

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_sql::quote_ident;

use super::journal::Entry;
use super::place::{Tenants, Work, first};
use crate::conduct::Target;
use crate::connect::Session;
use crate::journal::literal;

/// The oldest server that ends sessions when a database is dropped.
const FORCE_SINCE: u32 = 130_000;

/// Sessions that were closed, our own among them, are gone from the server's view after this time.
const LEAVING: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);

/// A database as the server has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) oid: u32,
    pub(super) name: String,
    pub(super) is_template: bool,
}

/// Work on the database of one journal entry.
pub(super) struct Databases<'a> {
    server: &'a Target,
    session: Session,
}

impl<'a> Databases<'a> {
    pub(super) async fn open(
        tenants: &'a Tenants,
        code: &str,
        work: &Work<'_>,
    ) -> Result<Self, Box<Problem>> {
        Ok(Self { server: &tenants.server, session: tenants.worker(code, work).await? })
    }

    pub(super) async fn close(self) {
        self.session.close().await;
    }

    async fn ask(&self, sql: &str) -> Result<Vec<Vec<Option<String>>>, Box<Problem>> {
        self.session.query_text(sql).await.map_err(|error| self.server.session_problem(&error))
    }

    async fn run(&self, sql: &str) -> Result<(), Box<Problem>> {
        self.session.batch(sql).await.map_err(|error| {
            let problem = self.server.session_problem(&error);
            match error.server() {
                Some(server) => server
                    .detail
                    .iter()
                    .fold(problem, |problem, detail| Box::new(problem.because(detail.clone()))),
                None => problem,
            }
        })
    }

    async fn find(&self, condition: &str) -> Result<Option<Found>, Box<Problem>> {
        let sql = format!(
            "SELECT oid, datname, datistemplate FROM pg_catalog.pg_database WHERE {condition}"
        );
        let rows = self.ask(&sql).await?;
        let Some([Some(oid), Some(name), is_template]) = rows.first().map(Vec::as_slice) else {
            return Ok(None);
        };
        let is_template = is_template.as_deref() == Some("t");
        Ok(oid.parse().ok().map(|oid| Found { oid, name: name.clone(), is_template }))
    }

    pub(super) async fn named(&self, name: &str) -> Result<Option<Found>, Box<Problem>> {
        self.find(&format!("datname = {}", literal(name))).await
    }

    /// The entry's own database, under either of its names. Before its OID is known, only the
    /// private name, which nobody else can have chosen, tells that it is ours.
    pub(super) async fn own(&self, entry: &Entry) -> Result<Option<Found>, Box<Problem>> {
        match entry.oid {
            None => self.named(&entry.private_name).await,
            Some(oid) => {
                let (a, b) = (literal(&entry.private_name), literal(&entry.database));
                self.find(&format!("oid = {oid} AND datname IN ({a}, {b})")).await
            }
        }
    }

    pub(super) async fn create(
        &self,
        name: &str,
        template: Option<&str>,
        owner: Option<&str>,
    ) -> Result<(), Box<Problem>> {
        let owner = owner.map(|role| format!(" OWNER {}", quote_ident(role))).unwrap_or_default();
        let like = template.map(|name| format!(" TEMPLATE {}", quote_ident(name)));
        let like = like.unwrap_or_default();
        self.run(&format!("CREATE DATABASE {}{owner}{like}", quote_ident(name))).await
    }

    /// Gives a database another name; refused by the server while anybody else is connected to it.
    pub(super) async fn rename(&self, from: &str, to: &str) -> Result<(), Box<Problem>> {
        self.run(&format!("ALTER DATABASE {} RENAME TO {}", quote_ident(from), quote_ident(to)))
            .await
    }

    /// Drops the entry's own database. Sessions are ended only while it has its private name and
    /// `force` is said.
    pub(super) async fn drop_own(&self, entry: &Entry, force: bool) -> Result<(), Box<Problem>> {
        let Some(found) = self.own(entry).await? else { return Ok(()) };
        let force = force
            && found.name == entry.private_name
            && self.session.server_version_num() >= FORCE_SINCE;
        let with = if force { " WITH (FORCE)" } else { "" };
        if !force {
            self.refuse_users(&entry.code, &found.name).await?;
        }
        self.run(&format!("DROP DATABASE {}{with}", quote_ident(&found.name))).await
    }

    /// Refuses a database that somebody stays connected to, or that holds prepared transactions.
    pub(super) async fn refuse_users(
        &self,
        code: &str,
        database: &str,
    ) -> Result<(), Box<Problem>> {
        let name = literal(database);
        // Who may not see other roles' sessions in full gets but their process, role and application.
        let sql = format!(
            "SELECT pg_catalog.format('pid %s, user %s, application %s, %s', pid, usename, \
             pg_catalog.quote_literal(application_name), \
             coalesce('from ' || client_addr::text, CASE WHEN backend_type IS NULL \
             THEN 'more is for pg_read_all_stats' ELSE 'on the server itself' END) || \
             coalesce(', connected since ' || pg_catalog.date_trunc('second', backend_start)::text, '')) \
             FROM pg_catalog.pg_stat_activity WHERE datname = {name} AND usename IS NOT NULL \
             AND coalesce(backend_type, 'client backend') IN ('client backend', 'walsender') \
             UNION ALL SELECT pg_catalog.format('the prepared transaction %s of user %s', gid, owner) \
             FROM pg_catalog.pg_prepared_xacts WHERE database = {name}"
        );
        let begun = Instant::now();
        let users = loop {
            let users: Vec<_> = self.ask(&sql).await?.into_iter().flatten().flatten().collect();
            if users.is_empty() {
                return Ok(());
            }
            if begun.elapsed() >= LEAVING {
                break users;
            }
            tokio::time::sleep(PAUSE).await;
        };
        let what = format!("the database of the tenant {code} is in use");
        let problem = Problem::error(Code::TenantInUse, what)
            .in_target(code)
            .because("sessions are not thrown out, as they may be at work");
        let problem = users.into_iter().take(20).fold(problem, Problem::detail);
        Err(Box::new(
            problem
                .fix(
                    "Stop the application that is connected to it, and run the same command again.",
                )
                .fix_with("Or end a session that is idle.", "SELECT pg_terminate_backend(PID)"),
        ))
    }

    /// The size of a database in bytes, when we may know it.
    pub(super) async fn bytes(&self, database: &str) -> Result<Option<u64>, Box<Problem>> {
        let sql = format!("SELECT pg_catalog.pg_database_size({})", literal(database));
        Ok(first(&self.ask(&sql).await?).and_then(|text| text.parse().ok()))
    }
}
