//! Where a schema to compare comes from.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use pgfleet_core::config::Settings;
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::folder::Format;
use pgfleet_core::place::Place;
use pgfleet_core::prisma::beyond::foundation;
use pgfleet_core::program::place_in;
use pgfleet_core::report::Event;
use pgfleet_core::schema::rename::{RenameRequest, annotations};
use pgfleet_core::schema::{Kind, Object, SNAPSHOT_VERSION, Schema};
use pgfleet_sql::{PieceKind, split};

use super::command::printed_schema;
use super::known::Known;
use super::proof::make_copy;
use super::schema_problem;
use crate::catalog::read_schema;
use crate::conduct::{
    ApplyRequest, Consent, Run, RunOutcome, Selection, TENANT_HISTORY, Target, apply, open,
};
use crate::connect::Session;
use crate::execute::EventSink;
use crate::project::{Folder, Project};
use crate::scratch::{Scratch, ScratchServer};

/// One side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Side {
    /// The target of the configuration.
    Target,
    /// What the migration folder makes, replayed in a scratch database.
    Migrations,
    /// A new database.
    Empty,
    /// Another database.
    Database(String),
    /// What `pgfleet inspect --out` wrote.
    Snapshot(PathBuf),
    /// An SQL file, or all in a folder in the order of their names, run in a scratch database.
    Sql(PathBuf),
    /// schema.prisma, a file or a folder; none is the one of the project.
    Prisma(Option<PathBuf>),
    /// What a command prints as SQL, by the shell.
    Command(String),
    /// What the command of the configuration prints as SQL.
    ConfiguredCommand,
}

/// Before a command that prints a schema.
const COMMAND: &str = "command:";

impl FromStr for Side {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_json = Path::new(text).extension().is_some_and(|extension| extension == "json");
        let is_prisma = Path::new(text).extension().is_some_and(|ending| ending == "prisma");
        Ok(match text {
            "prisma" => Self::Prisma(None),
            "command" => Self::ConfiguredCommand,
            _ if is_prisma => Self::Prisma(Some(text.into())),
            _ if text.starts_with(COMMAND) => {
                Self::Command(text.trim_start_matches(COMMAND).trim().to_owned())
            }
            "target" => Self::Target,
            "migrations" => Self::Migrations,
            "empty" => Self::Empty,
            _ if text.contains("://") => Self::Database(text.to_owned()),
            _ if is_json => Self::Snapshot(text.into()),
            _ => Self::Sql(text.into()),
        })
    }
}

impl Side {
    /// True for schema.prisma, whose tables are only a part of what a database holds.
    pub fn is_prisma(&self) -> bool {
        match self {
            Self::Prisma(_) => true,
            Self::Sql(path) => is_prisma_folder(path),
            _ => false,
        }
    }

    /// Files as the configuration in `root` names them.
    #[must_use]
    pub fn below(self, root: &Path) -> Self {
        match self {
            Self::Snapshot(path) => Self::Snapshot(root.join(path)),
            Self::Sql(path) => Self::Sql(root.join(path)),
            Self::Prisma(Some(path)) => Self::Prisma(Some(root.join(path))),
            other => other,
        }
    }
}

/// Without what a URL keeps secret.
impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Target => f.write_str("target"),
            Self::Migrations => f.write_str("migrations"),
            Self::Empty => f.write_str("empty"),
            Self::Database(_) => f.write_str("the database"),
            Self::Prisma(None) => f.write_str("schema.prisma"),
            Self::Command(text) => write!(f, "what `{text}` prints"),
            Self::ConfiguredCommand => f.write_str("what the configured command prints"),
            Self::Snapshot(file) | Self::Sql(file) | Self::Prisma(Some(file)) => {
                write!(f, "{}", file.display())
            }
        }
    }
}

/// Reads a side. History tables and pgfleet's journal are no part of it.
///
/// # Errors
/// When a database cannot be reached or read, a file is not valid, or a replay fails.
pub async fn read_side(project: &Project, side: &Side) -> Result<Schema, Box<Problem>> {
    let schema = match side {
        Side::Target => read_target(&Target::of(project)?).await?,
        Side::Database(url) => {
            let spec = project.spec_of(url)?;
            let target = Target::at(&side.to_string(), spec, &project.settings);
            read_target(&target).await?
        }
        Side::Snapshot(file) => read_snapshot(file)?,
        _ => Box::pin(replay_side(project, side)).await?,
    };
    Ok(without_histories(schema, &project.settings))
}

/// What the comments of a side that is SQL files ask to be renamed.
///
/// # Errors
/// [`Code::RenameInvalid`] for a comment that cannot be meant; when a file cannot be read.
pub fn annotated_renames(side: &Side) -> Result<Vec<RenameRequest>, Box<Problem>> {
    let Side::Sql(path) = side else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for file in files(path)? {
        found.extend(annotations(&read_sql(&file)?, &file.display().to_string())?);
    }
    Ok(found)
}

/// Reads a target's schema.
///
/// # Errors
/// When it cannot be reached or read.
pub async fn read_target(target: &Target) -> Result<Schema, Box<Problem>> {
    let session = target.connect().await?;
    let schema = read_schema(&session).await;
    session.close().await;
    schema.map_err(|error| schema_problem(target, &error))
}

/// Reads what `pgfleet inspect --out` wrote.
///
/// # Errors
/// [`Code::SnapshotInvalid`] when it is something else.
pub fn read_snapshot(file: &Path) -> Result<Schema, Box<Problem>> {
    let invalid = |reason: String| {
        let what = format!("{} is not a schema snapshot", file.display());
        Box::new(
            Problem::error(Code::SnapshotInvalid, what)
                .because(reason)
                .fix_with("Write one.", "pgfleet inspect --out schema.json"),
        )
    };
    let text = std::fs::read_to_string(file).map_err(|error| invalid(error.to_string()))?;
    let schema: Schema = serde_json::from_str(&text).map_err(|error| invalid(error.to_string()))?;
    match (schema.version == SNAPSHOT_VERSION, schema.is_consistent()) {
        (false, _) => Err(invalid(format!("its version is {}", schema.version))),
        (_, false) => Err(invalid("its objects are not in order".to_owned())),
        _ => Ok(schema),
    }
}

/// What counts of a schema: not the history tables of all formats, by their usual names and by the
/// configured one, and not the schemas that the configuration or the platform leaves out.
pub fn without_histories(schema: Schema, settings: &Settings) -> Schema {
    let schema = schema.within(&settings.scope);
    const TABLES: &[&str] = &[
        "_prisma_migrations",
        "flyway_schema_history",
        "_sqlx_migrations",
        "__diesel_schema_migrations",
        "goose_db_version",
        "refinery_schema_history",
        "schema_migrations",
        "migrations",
    ];
    const SCHEMAS: &[&str] = &["supabase_migrations", "drizzle"];
    let configured = settings.history_table.as_deref();
    let is_history = |table: &str| {
        TABLES.contains(&table)
            || configured.is_some_and(|name| name == table || name.ends_with(&format!(".{table}")))
    };
    let inside = |object: &Object| {
        let table = match object.id.kind {
            Kind::Table => object.id.name.as_str(),
            kind if kind.is_part() => object.id.table.as_str(),
            _ => owner_of(object),
        };
        let namespace = match object.id.kind {
            Kind::Schema => object.id.name.as_str(),
            _ => object.id.schema.as_str(),
        };
        is_history(table) || SCHEMAS.contains(&namespace)
    };
    schema.filter(|object| !inside(object))
}

/// The table that owns a sequence or has an index.
fn owner_of(object: &Object) -> &str {
    use pgfleet_core::schema::Body;
    match &object.body {
        Body::Sequence(sequence) => sequence.owned_by.as_ref().map_or("", |o| o.table.as_str()),
        Body::Index(index) => index.table.rsplit('.').next().unwrap_or_default(),
        _ => "",
    }
}

/// A target's schema on a session that is open: without histories and journal, and where a schema
/// is the target, only that.
///
/// # Errors
/// When it cannot be read.
pub async fn read_own_schema(target: &Target, session: &Session) -> Result<Schema, Box<Problem>> {
    let schema = read_schema(session).await.map_err(|error| schema_problem(target, &error))?;
    Ok(own_part(target, schema))
}

/// What of a schema is the target's and the team's.
fn own_part(target: &Target, schema: Schema) -> Schema {
    let schema = without_histories(schema, &target.settings);
    match &target.schema {
        Some(own) => schema.only(own).filter(|object| object.id.name != TENANT_HISTORY),
        None => schema,
    }
}

/// What migrations make for a target, replayed in a scratch database.
///
/// # Errors
/// When no scratch database can be had, or the replay fails.
pub async fn replay(
    project: &Project,
    target: &Target,
    folder: impl Into<Arc<Folder>>,
) -> Result<Schema, Box<Problem>> {
    let place = ScratchServer::choose(project, target).await?;
    let schema = Box::pin(replayed(project, (place, target), folder.into())).await?;
    Ok(own_part(target, schema))
}

/// What is put into a scratch database.
enum Filling<'a> {
    Nothing,
    Migrations(Arc<Folder>),
    Files(&'a Path),
    /// What tables of schema.prisma may use, and the script that makes them.
    Prisma(Schema, String),
    Printed(Vec<String>),
}

/// What migrations make: as they did the last time, when nothing has changed that decides it.
async fn replayed(
    project: &Project,
    (place, target): (ScratchServer, &Target),
    folder: Arc<Folder>,
) -> Result<Schema, Box<Problem>> {
    let known = Known::find(project, target, &place.as_target(target), &folder).await?;
    if let Some(schema) = known.as_ref().and_then(Known::read) {
        return Ok(schema);
    }
    let scratch = Scratch::create_on(place, target).await?;
    let schema = fill(project, target, scratch, Filling::Migrations(folder)).await?;
    known.iter().for_each(|known| known.write(&schema));
    Ok(schema)
}

async fn replay_side(project: &Project, side: &Side) -> Result<Schema, Box<Problem>> {
    let filling = match side {
        Side::Migrations => {
            let (place, target) = ScratchServer::of_project(project).await?;
            return replayed(project, (place, &target), project.open_folder()?.into()).await;
        }
        Side::Sql(path) if is_prisma_folder(path) => {
            Filling::Prisma(foundation_of(project).await?, prisma(project, Some(path))?)
        }
        Side::Sql(path) => Filling::Files(path),
        Side::Prisma(path) => {
            let script = prisma(project, path.as_deref())?;
            Filling::Prisma(foundation_of(project).await?, script)
        }
        Side::Command(text) => Filling::Printed(["sh", "-c", text].map(str::to_owned).to_vec()),
        Side::ConfiguredCommand => Filling::Printed(project.settings.schema_command.clone()),
        _ => Filling::Nothing,
    };
    let (place, target) = ScratchServer::of_project(project).await?;
    let scratch = Scratch::create_on(place, &target).await?;
    fill(project, &target, scratch, filling).await
}

/// Extensions, functions and types of the migrations, which columns of schema.prisma may use.
async fn foundation_of(project: &Project) -> Result<Schema, Box<Problem>> {
    match project.open_folder() {
        Ok(folder) if folder.set.format == Format::Prisma && !folder.set.migrations.is_empty() => {
            let (place, target) = ScratchServer::of_project(project).await?;
            Ok(foundation(&replayed(project, (place, &target), folder.into()).await?))
        }
        _ => Ok(Schema::empty()),
    }
}

/// Fills a scratch database, reads what it is then, and drops it.
async fn fill(
    project: &Project,
    target: &Target,
    scratch: Scratch,
    filling: Filling<'_>,
) -> Result<Schema, Box<Problem>> {
    let copy = scratch.target(target);
    let filled = match filling {
        Filling::Nothing => Ok(()),
        Filling::Migrations(folder) => Box::pin(run_migrations(project, &copy, folder)).await,
        Filling::Files(path) => run_files(&copy, path).await,
        Filling::Prisma(foundation, sql) => match make_copy(&copy, &foundation).await {
            Ok(()) => run_text(&copy, "schema.prisma", &sql).await,
            Err(problem) => Err(problem),
        },
        Filling::Printed(command) => match printed_schema(project, &copy, &command).await {
            Ok(sql) => run_text(&copy, "the command's output", &sql).await,
            Err(problem) => Err(problem),
        },
    };
    let schema = match filled {
        Ok(()) => read_target(&copy).await,
        Err(problem) => Err(problem),
    };
    scratch.drop().await?;
    schema
}

/// Replaying is nobody's news.
struct Silence;

impl EventSink for Silence {
    fn send(&self, _: Event) {}
}

/// Applies the pending migrations of a folder to a scratch database.
///
/// # Errors
/// When they cannot be applied.
pub async fn replay_folder(
    project: &Project,
    copy: &Target,
    folder: impl Into<Arc<Folder>>,
) -> Result<(), Box<Problem>> {
    run_migrations(project, copy, folder.into()).await
}

async fn run_migrations(
    project: &Project,
    copy: &Target,
    folder: Arc<Folder>,
) -> Result<(), Box<Problem>> {
    let opened = open(project, copy, folder).await?;
    let (_sender, stop) = tokio::sync::watch::channel(false);
    let run = Run {
        command: "diff",
        consent: Consent { data_loss: true },
        continue_on_error: false,
        enclosed: None,
        events: &Silence,
        stop,
    };
    let request = ApplyRequest { selection: Selection::default(), plan: None, run };
    let outcome = apply(copy, &opened, &request).await;
    let first = |problems: Vec<Problem>| problems.into_iter().find(Problem::is_error).map(Box::new);
    match outcome {
        Ok(RunOutcome::Ran(report)) if !report.complete() => Err(first(report.problems)
            .unwrap_or_else(|| {
                Box::new(Problem::error(Code::StatementFailed, "the replay failed"))
            })),
        Ok(_) => Ok(()),
        Err(error) => Err(first(error.problems).unwrap_or_else(|| {
            Box::new(Problem::error(Code::StatementFailed, "the replay failed"))
        })),
    }
}

async fn run_files(copy: &Target, path: &Path) -> Result<(), Box<Problem>> {
    for file in files(path)? {
        run_text(copy, &file.display().to_string(), &read_sql(&file)?).await?;
    }
    Ok(())
}

/// Runs a script statement by statement; a failure is told with its place.
async fn run_text(copy: &Target, shown: &str, text: &str) -> Result<(), Box<Problem>> {
    let session = copy.connect().await?;
    let pieces = split(text);
    for piece in pieces.iter().filter(|piece| piece.kind == PieceKind::Statement) {
        session.batch(&text[piece.range.clone()]).await.map_err(|error| {
            let place = place_in(text, &Place::at(shown, 1, 1), true, piece.range.start);
            Box::new(copy.session_problem(&error).at(place))
        })?;
    }
    session.close().await;
    Ok(())
}

fn is_prisma_folder(path: &Path) -> bool {
    path.is_dir()
        && files(path).is_ok_and(|files| files.is_empty())
        && crate::prisma_schema::is_schema_folder(path)
}

/// What Prisma would write for an empty database.
fn prisma(project: &Project, path: Option<&Path>) -> Result<String, Box<Problem>> {
    let migrations = project.folder_path().map(|(_, shown)| shown).unwrap_or_default();
    let found = crate::prisma_schema::read_schema(project, &migrations, path);
    let found = found.map_err(|problems| match problems.into_iter().next() {
        Some(problem) => Box::new(problem),
        None => Box::new(Problem::error(Code::PrismaSchemaInvalid, "the schema is not valid")),
    })?;
    Ok(pgfleet_core::prisma::ddl(&found.database))
}

fn unreadable(path: &Path, reason: String) -> Box<Problem> {
    let what = format!("{} cannot be read", path.display());
    Box::new(Problem::error(Code::FileUnreadable, what).because(reason).fix(
        "Name a URL, `target`, `migrations`, `empty`, `prisma`, a snapshot (.json), a .prisma or .sql \
         file, a folder of them, or `command:…`.",
    ))
}

fn files(path: &Path) -> Result<Vec<PathBuf>, Box<Problem>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path).map_err(|error| unreadable(path, error.to_string()))?;
    let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let is_sql = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "sql");
    let mut files: Vec<_> = paths.filter(is_sql).collect();
    files.sort();
    Ok(files)
}

fn read_sql(file: &Path) -> Result<String, Box<Problem>> {
    let bytes = std::fs::read(file).map_err(|error| unreadable(file, error.to_string()))?;
    let text = pgfleet_sql::decode(&bytes).map_err(|error| unreadable(file, error.to_string()))?;
    Ok(text.text)
}
