//! A database for one test.
//!
//! Invariant: its name is unique in the cluster, and it is dropped with the value, together with
//! whoever is still connected.

use std::{
    path::{Path, PathBuf},
    process::{self, Command},
    sync::atomic::{AtomicU32, Ordering},
};

use pgfleet_engine::server::Installation;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use crate::{Cluster, DumpOptions, blocking, dump};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// What a program printed and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramOutput {
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// Exit code; -1 when a signal ended it.
    pub code: i32,
}

impl ProgramOutput {
    /// Runs a command to its end.
    pub fn of(command: &mut Command) -> Self {
        let output =
            command.output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
        Self {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: output.status.code().unwrap_or(-1),
        }
    }

    /// Panics with everything the program said unless it succeeded.
    #[track_caller]
    pub fn assert_success(self) -> Self {
        assert_eq!(self.code, 0, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }
}

/// An empty database, dropped with the value.
#[derive(Debug)]
pub struct TestDb {
    cluster: Cluster,
    name: String,
}

impl Default for TestDb {
    fn default() -> Self {
        Self::new()
    }
}

impl TestDb {
    /// A new database on the shared cluster.
    pub fn new() -> Self {
        Self::on(&Cluster::shared())
    }

    /// A new database on `cluster`.
    pub fn on(cluster: &Cluster) -> Self {
        Self::made(cluster, "TEMPLATE template0")
    }

    /// A copy of a database that nobody is connected to, file by file (PostgreSQL 15 and newer).
    pub fn copy_of(template: &Self) -> Self {
        let from = format!("TEMPLATE {} STRATEGY file_copy", template.name);
        Self::made(&template.cluster, &from)
    }

    fn made(cluster: &Cluster, from: &str) -> Self {
        let name = format!("t_{}_{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        // A process of the same number may have been killed on the shared cluster before.
        let drop_old = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        let create = format!("CREATE DATABASE {name} {from}");
        let url = cluster.url("postgres");
        blocking::run(|| async move {
            batch(&url, &drop_old).await;
            batch(&url, &create).await;
        });
        Self { cluster: cluster.clone(), name }
    }

    /// The database's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The cluster it is on.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Its URL as superuser, over TCP.
    pub fn url(&self) -> String {
        self.cluster.url(&self.name)
    }

    /// Its URL as superuser, over the unix socket.
    pub fn socket_url(&self) -> String {
        self.cluster.socket_url(&self.name)
    }

    /// A connection as superuser, driven by the caller's runtime.
    pub async fn connect(&self) -> Client {
        connect(&self.url()).await
    }

    /// Runs SQL; several statements without their own transaction control are one transaction.
    pub fn sql(&self, sql: &str) {
        let url = self.url();
        blocking::run(|| async move { batch(&url, sql).await });
    }

    /// As [`TestDb::sql`], with the server's complaint as an error, also when it lets nobody in.
    ///
    /// # Errors
    /// What the server says.
    pub fn try_sql(&self, sql: &str) -> Result<(), String> {
        let url = self.url();
        blocking::run(|| async move {
            let outcome = match try_connect(&url).await {
                Ok(client) => client.batch_execute(sql).await,
                Err(refused) => Err(refused),
            };
            outcome.map_err(|error| describe(&error))
        })
    }

    /// The rows of a query, as text.
    pub fn rows(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        let url = self.url();
        blocking::run(|| async move { rows(&url, sql).await })
    }

    /// The first column of the first row, as text; empty for NULL and for no row.
    pub fn value(&self, sql: &str) -> String {
        let first = self.rows(sql).into_iter().next();
        first.and_then(|row| row.into_iter().next()).flatten().unwrap_or_default()
    }

    /// Runs a script through psql, which stops at the first error.
    pub fn psql(&self, sql: &str) -> ProgramOutput {
        let mut command = client_command("psql");
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d"]).arg(self.url());
        ProgramOutput::of(command.args(["-c", sql]))
    }

    /// Runs a file through psql.
    pub fn psql_file(&self, file: &Path) -> ProgramOutput {
        let mut command = client_command("psql");
        command.args(["-X", "-q", "-A", "-t", "-d"]).arg(self.url());
        ProgramOutput::of(command.arg("-f").arg(file))
    }

    /// The schema as pg_dump writes it, without owners, comments and what differs from run to run.
    pub fn dump_schema(&self) -> String {
        self.dump_schema_with(&DumpOptions::default())
    }

    /// As [`TestDb::dump_schema`], without some schemas or tables.
    pub fn dump_schema_with(&self, options: &DumpOptions) -> String {
        dump::schema(&self.url(), options)
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        let drop_it = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let url = self.cluster.url("postgres");
        // A test may have stopped its server; there is nothing to drop then.
        blocking::run(|| async move {
            if let Ok(client) = try_connect(&url).await {
                let _ = client.batch_execute(&drop_it).await;
            }
        });
    }
}

/// A client program such as psql: beside the server programs, or from `PATH`. Without any PG*
/// variables.
pub fn client_command(name: &str) -> Command {
    let beside = Installation::find().ok().and_then(|installation| installation.program(name));
    let mut command = Command::new(beside.unwrap_or_else(|| PathBuf::from(name)));
    remove_pg_variables(&mut command);
    command
}

pub(crate) fn remove_pg_variables(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("PG") || name == "DATABASE_URL") {
            command.env_remove(name);
        }
    }
}

pub(crate) async fn try_connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

pub(crate) async fn connect(url: &str) -> Client {
    try_connect(url).await.unwrap_or_else(|error| panic!("connect to {url}: {}", describe(&error)))
}

pub(crate) async fn batch(url: &str, sql: &str) {
    let outcome = connect(url).await.batch_execute(sql).await;
    outcome.unwrap_or_else(|error| panic!("{}\nin {sql}", describe(&error)));
}

async fn rows(url: &str, sql: &str) -> Vec<Vec<Option<String>>> {
    let outcome = connect(url).await.simple_query(sql).await;
    let messages = outcome.unwrap_or_else(|error| panic!("{}\nin {sql}", describe(&error)));
    let rows = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    rows.map(|row| (0..row.len()).map(|i| row.get(i).map(str::to_owned)).collect()).collect()
}

fn describe(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string)
}
