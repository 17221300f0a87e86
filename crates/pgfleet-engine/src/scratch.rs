//! Scratch databases: throwaway copies that a plan is tried on.
//!
//! Where they are made: the scratch server that the user names, else the target's own server when
//! the role may create databases there, else a throwaway cluster on this machine.

mod client;
mod rows;

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::fleet::COPY_OF;
use pgfleet_core::rehearse::RowChoice;
use pgfleet_sql::quote_ident;

use crate::conduct::{Opened, Target};
use crate::connect::{ConnectSpec, Session, SessionError};
use crate::environment;
use crate::lock::key_of;
use crate::project::Project;
use crate::server::{ClusterOptions, Installation, ThrowawayCluster};

/// Names of scratch databases begin so; those that a killed run left are found by it, and none is a
/// target of a group.
pub(crate) const PREFIX: &str = "pgfleet_scratch_";

/// A scratch database. [`Scratch::drop`] removes it.
pub struct Scratch {
    name: String,
    server: ConnectSpec,
    like: Target,
    /// Its lock says that somebody still needs the database, from before it is made.
    owner: Session,
    /// Lives as long as the database does.
    _cluster: Option<ThrowawayCluster>,
    /// The environment was set up in it.
    environment: Option<String>,
}

/// Where scratch databases are made.
pub struct ScratchServer {
    server: ConnectSpec,
    /// Started for this alone.
    cluster: Option<ThrowawayCluster>,
}

/// How a copy was made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Copied {
    /// The target holds nothing, so an empty database is a copy.
    Empty,
    /// By pg_dump, structure and history.
    Dumped,
    /// By pg_dump, and rows by COPY.
    WithRows {
        /// Which.
        choice: RowChoice,
        /// How many.
        rows: u64,
    },
}

impl std::fmt::Display for Copied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Empty => "Ran on a new scratch database, as the target is empty",
            Self::Dumped => {
                "Ran on a scratch copy of the target's structure and history, without its rows"
            }
            Self::WithRows { choice, rows } => {
                return write!(
                    f,
                    "Ran on a scratch copy of the target with {choice}, {rows} in all"
                );
            }
        })
    }
}

impl Scratch {
    /// Makes an empty scratch database with the project's environment in it.
    ///
    /// # Errors
    /// When no server will have it.
    pub async fn create(project: &Project, target: &Target) -> Result<Self, Box<Problem>> {
        Self::create_on(ScratchServer::choose(project, target).await?, target).await
    }

    /// The same on a server that was chosen before.
    ///
    /// # Errors
    /// When it will not have it.
    pub async fn create_on(server: ScratchServer, target: &Target) -> Result<Self, Box<Problem>> {
        let empty = |name: &str, _| {
            vec![format!("CREATE DATABASE {} TEMPLATE template0", quote_ident(name))]
        };
        let mut scratch = Self::create_there(server, target, empty).await?;
        scratch.environment.clone_from(&target.settings.environment);
        scratch.set_up(target).await?;
        Ok(scratch)
    }

    /// Makes a scratch database by the first of several statements that the server takes, without
    /// any environment in it. `create` gets the database's name and the server's version.
    ///
    /// # Errors
    /// When no server will have it.
    pub async fn create_as(
        project: &Project,
        target: &Target,
        create: impl Fn(&str, u32) -> Vec<String>,
    ) -> Result<Self, Box<Problem>> {
        let server = ScratchServer::choose(project, target).await?;
        Self::create_there(server, target, create).await
    }

    async fn create_there(
        place: ScratchServer,
        target: &Target,
        create: impl Fn(&str, u32) -> Vec<String>,
    ) -> Result<Self, Box<Problem>> {
        let ScratchServer { server, cluster } = place;
        let name = format!("{PREFIX}{}", unique());
        let session = Target { spec: server.clone(), ..target.clone() }.connect().await?;
        let owned = own(&session, &name).await;
        owned.map_err(|error| target.session_problem(&error))?;
        let mut made = Ok(());
        for sql in create(&name, session.server_version_num()) {
            made = session.batch(&sql).await;
            if made.is_ok() {
                break;
            }
        }
        made.map_err(|error| target.session_problem(&error))?;
        let (like, owner) = (target.clone(), session);
        Ok(Self { name, server, like, owner, _cluster: cluster, environment: None })
    }

    /// True when the server was started for this database alone.
    pub fn is_own_server(&self) -> bool {
        self._cluster.is_some()
    }

    /// The scratch database as a target with another target's settings.
    pub fn target(&self, like: &Target) -> Target {
        let mut spec = self.server.with_database(&self.name);
        spec.search_path.clone_from(&like.spec.search_path);
        if let Some(schema) = &like.schema {
            spec = spec.with_scope(schema);
        }
        Target { name: format!("{COPY_OF}{}", like.name), spec, ..like.clone() }
    }

    async fn set_up(&self, target: &Target) -> Result<(), Box<Problem>> {
        let mut prelude = match &self.environment {
            Some(environment) => environment::prelude(environment)?,
            None => String::new(),
        };
        if let Some(schema) = &target.schema {
            prelude.push_str(&format!("\n;CREATE SCHEMA IF NOT EXISTS {}", quote_ident(schema)));
        }
        if prelude.is_empty() {
            return Ok(());
        }
        let scratch = self.target(target);
        let session = scratch.connect().await?;
        let done = session.batch(&prelude).await;
        session.close().await;
        done.map_err(|error| scratch.session_problem(&error))
    }

    /// Copies a target's structure and history.
    ///
    /// # Errors
    /// When pg_dump is not there or fails.
    pub async fn copy_from(
        &self,
        target: &Target,
        opened: &Opened,
    ) -> Result<Copied, Box<Problem>> {
        if !opened.state.holds_tables && opened.state.rows.is_empty() {
            return Ok(Copied::Empty);
        }
        let copy = self.target(target);
        let schemas = self.schemas_to_dump(target, opened).await?;
        self.clear(&copy, &schemas).await?;
        transfer(target, &copy, &structure("--schema-only", &schemas)).await?;
        copy_histories(target, &copy, opened).await?;
        Ok(Copied::Dumped)
    }

    /// Copies a target's structure and history, and rows: a share of each table with what it refers
    /// to. Keys, triggers and indexes are made when the rows are there.
    ///
    /// # Errors
    /// When pg_dump is not there or fails, or rows may not be read.
    pub async fn copy_with_rows(
        &self,
        target: &Target,
        opened: &Opened,
        choice: RowChoice,
    ) -> Result<Copied, Box<Problem>> {
        if !opened.state.holds_tables && opened.state.rows.is_empty() {
            return Ok(Copied::Empty);
        }
        let copy = self.target(target);
        let schemas = self.schemas_to_dump(target, opened).await?;
        self.clear(&copy, &schemas).await?;
        transfer(target, &copy, &structure("--section=pre-data", &schemas)).await?;
        let rows = rows::Rows::open(target, &copy).await?;
        let copied = rows.copy(opened, &schemas, choice).await;
        rows.close().await;
        let copied = copied?;
        transfer(target, &copy, &structure("--section=post-data", &schemas)).await?;
        copy_histories(target, &copy, opened).await?;
        Ok(Copied::WithRows { choice, rows: copied })
    }

    /// A second scratch database with all that is in this one, to which nobody may be connected.
    ///
    /// # Errors
    /// When the server will not.
    pub async fn clone_database(&self) -> Result<Self, Box<Problem>> {
        let like = Target { spec: self.server.clone(), ..self.like.clone() };
        let name = format!("{PREFIX}{}", unique());
        let owner = like.connect().await?;
        own(&owner, &name).await.map_err(|error| like.session_problem(&error))?;
        let sql =
            format!("CREATE DATABASE {} TEMPLATE {}", quote_ident(&name), quote_ident(&self.name));
        let made = owner.batch(&sql).await;
        made.map_err(|error| like.session_problem(&error))?;
        let (server, like) = (self.server.clone(), self.like.clone());
        let environment = self.environment.clone();
        Ok(Self { name, server, like, owner, _cluster: None, environment })
    }

    /// All, where nothing is supplied beforehand; else those that are not the platform's.
    async fn schemas_to_dump(
        &self,
        target: &Target,
        opened: &Opened,
    ) -> Result<Vec<String>, Box<Problem>> {
        if self.environment.is_none() {
            return Ok(Vec::new());
        }
        crate::conduct::own_schemas(target, &opened.session).await
    }

    /// pg_dump creates the schemas that it is told to dump, `public` too.
    async fn clear(&self, copy: &Target, schemas: &[String]) -> Result<(), Box<Problem>> {
        let session = copy.connect().await?;
        let drops: String = schemas
            .iter()
            .map(|schema| format!("DROP SCHEMA IF EXISTS {} CASCADE;\n", quote_ident(schema)))
            .collect();
        let cleared = session.batch(&format!("{drops};")).await;
        session.close().await;
        cleared.map_err(|error| copy.session_problem(&error))
    }

    /// Removes the database.
    ///
    /// # Errors
    /// When the server will not.
    pub async fn drop(self) -> Result<(), Box<Problem>> {
        let server = Target { spec: self.server.clone(), ..self.like };
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quote_ident(&self.name));
        let dropped = match self.owner.is_closed() {
            false => self.owner.batch(&sql).await,
            true => server.connect().await?.batch(&sql).await,
        };
        self.owner.close().await;
        dropped.map_err(|error| server.session_problem(&error))
    }
}

/// Takes the lock of a scratch database's name, and removes those that nobody owns any more. Locks of
/// all databases are seen, whichever the others were made from ("pg_locks" in PostgreSQL's documentation).
async fn own(session: &Session, name: &str) -> Result<(), SessionError> {
    let lock = format!("SELECT pg_catalog.pg_advisory_lock({})", key_of(name));
    session.query_text(&lock).await?;
    // The names first: whoever makes a database holds its lock before that.
    let like = PREFIX.replace('_', "\\_");
    let names = format!("SELECT datname FROM pg_catalog.pg_database WHERE datname LIKE '{like}%'");
    let names = session.query_text(&names).await?;
    if names.is_empty() {
        return Ok(());
    }
    let held = "SELECT ((l.classid::bigint << 32) | l.objid::bigint)::text FROM pg_catalog.pg_locks l \
                WHERE l.locktype = 'advisory' AND l.objsubid = 1";
    let held: BTreeSet<String> =
        session.query_text(held).await?.into_iter().flatten().flatten().collect();
    for name in names.into_iter().flatten().flatten() {
        if !held.contains(&key_of(&name).to_string()) {
            // Refused while anybody is connected.
            let _ = session.batch(&format!("DROP DATABASE {}", quote_ident(&name))).await;
        }
    }
    Ok(())
}

fn structure(what: &str, schemas: &[String]) -> Vec<String> {
    let schemas = schemas.iter().map(|schema| format!("--schema={}", quote_ident(schema)));
    std::iter::once(what.to_owned()).chain(schemas).collect()
}

async fn transfer(
    target: &Target,
    copy: &Target,
    arguments: &[String],
) -> Result<(), Box<Problem>> {
    client::restore(copy, client::dump(target, arguments).await?).await
}

/// Rows of history and journal, all of them.
async fn copy_histories(
    target: &Target,
    copy: &Target,
    opened: &Opened,
) -> Result<(), Box<Problem>> {
    let tables = history_tables(opened);
    if tables.is_empty() {
        // Without a table pg_dump would dump the rows of all.
        return Ok(());
    }
    let tables = tables.iter().map(|table| format!("--table={table}"));
    let arguments: Vec<_> = std::iter::once("--data-only".to_owned()).chain(tables).collect();
    transfer(target, copy, &arguments).await
}

fn history_tables(opened: &Opened) -> Vec<String> {
    let mut tables = Vec::new();
    if opened.state.history.is_some() {
        tables.push(opened.state.table.to_string());
    }
    if opened.state.has_journal {
        tables.push("pgfleet.*".to_owned());
    }
    tables
}

impl ScratchServer {
    /// The scratch server that the user names, else the target's own, else one of our own.
    ///
    /// # Errors
    /// When none can be had.
    pub async fn choose(project: &Project, target: &Target) -> Result<Self, Box<Problem>> {
        if let Some(url) = &target.settings.scratch_url {
            return Ok(Self { server: project.spec_of(url)?, cluster: None });
        }
        if may_create_databases(target).await {
            return Ok(Self { server: target.spec.clone(), cluster: None });
        }
        Self::start(project).await
    }

    /// A server of our own.
    async fn start(project: &Project) -> Result<Self, Box<Problem>> {
        let cluster = tokio::task::spawn_blocking(start_cluster).await;
        let cluster = cluster.map_err(|error| Box::new(no_server(&error.to_string())))??;
        let server = project.spec_of(&cluster.url("postgres"))?;
        Ok(Self { server, cluster: Some(cluster) })
    }

    /// The same, and the target that scratch databases are made like: the one that the project names. A
    /// project that names none, as one that compares files, takes the server's own database for it.
    ///
    /// # Errors
    /// When no server can be had, or what names the target is not valid.
    pub async fn of_project(project: &Project) -> Result<(Self, Target), Box<Problem>> {
        if project.names_database() {
            let target = Target::of(project)?;
            return Ok((Self::choose(project, &target).await?, target));
        }
        let place = match &project.settings.scratch_url {
            Some(url) => Self { server: project.spec_of(url)?, cluster: None },
            None => Self::start(project).await?,
        };
        let spec = place.server.clone();
        let target = Target::at(&project.settings.target, spec, &project.settings);
        Ok((place, target))
    }

    /// The server's own database, with another target's settings.
    pub fn as_target(&self, like: &Target) -> Target {
        Target { spec: self.server.clone(), ..like.clone() }
    }
}

async fn may_create_databases(target: &Target) -> bool {
    let sql =
        "SELECT rolcreatedb OR rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user";
    let Ok(session) = target.connect().await else { return false };
    let may = session.is_true(sql).await.unwrap_or_default();
    session.close().await;
    may
}

fn start_cluster() -> Result<ThrowawayCluster, Box<Problem>> {
    let installation =
        Installation::find().map_err(|error| Box::new(no_server(&error.to_string())))?;
    ThrowawayCluster::start(&installation, &ClusterOptions::default())
        .map_err(|error| Box::new(no_server(&error.to_string())))
}

fn no_server(reason: &str) -> Problem {
    Problem::error(Code::ServerBinariesMissing, "there is no server to make a scratch database on")
        .because(reason.to_owned())
        .fix_with(
            "Name a server where the role may create databases.",
            "pgfleet plan --scratch-url postgres://user@host/postgres",
        )
        .fix_with("Or install the server's programs.", "apt-get install postgresql")
}

fn unique() -> String {
    format!("{:016x}", RandomState::new().hash_one(std::process::id()))
}
