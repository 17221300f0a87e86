//! A target, and what it is when we have looked at it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use pgfleet_core::config::{Settings, Variables};
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::folder::{Format, assumed};
use pgfleet_core::history::{Dialect, MigrationStatus, Verdict, dialect, judge, order_as_applied};
use pgfleet_core::plan::{ColumnTypes, retyped_columns};
use pgfleet_sql::{QualifiedName, parse_qualified};

use crate::connect::{ConnectSpec, Session, SessionError, connect};
use crate::journal::literal;
use crate::lock::LockKeys;
use crate::project::{Folder, Project};
use crate::state::{StateError, TargetState, are_there, is_history_of, read_state};

/// pgfleet's own history table where a schema is the target; a database has it in schema `pgfleet`.
pub const TENANT_HISTORY: &str = "pgfleet_migrations";

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// One database to act on.
#[derive(Debug, Clone)]
pub struct Target {
    /// What messages call it.
    pub name: String,
    /// Where it is.
    pub spec: ConnectSpec,
    /// How the team wants it treated.
    pub settings: Arc<Settings>,
    /// The schema that is the target, where one database holds many targets.
    pub schema: Option<String>,
    /// The target's own values for `:NAME` in migrations; empty unless the folder opts in.
    pub variables: Arc<Variables>,
}

/// A target that was connected to and read, with its folder.
pub struct Opened {
    /// Reads, and later does the work.
    pub session: Session,
    /// What the target says about itself.
    pub state: TargetState,
    /// The folder, read as the format that the target's history settled on.
    pub folder: Arc<Folder>,
    /// The target's own values for `:NAME` in migrations.
    pub variables: Arc<Variables>,
    /// The history's dialect.
    pub dialect: &'static dyn Dialect,
    /// Each migration's verdict.
    pub statuses: Vec<MigrationStatus>,
    /// Types of the columns that pending migrations give another.
    pub column_types: ColumnTypes,
}

impl Opened {
    /// Verdicts by version; where several migrations have one version, the first one's.
    pub fn verdicts(&self) -> BTreeMap<&str, Verdict> {
        let statuses = self.statuses.iter().rev();
        statuses.map(|status| (status.version.as_str(), status.verdict)).collect()
    }

    /// The folder with those migrations alone that the history lists as applied, in its order.
    pub fn applied_folder(&self) -> Folder {
        let verdicts = self.verdicts();
        let is_applied = |version: &str| {
            matches!(verdicts.get(version), Some(Verdict::Applied | Verdict::Changed))
        };
        let mut folder = Folder::clone(&self.folder);
        folder.set.migrations.retain(|migration| is_applied(&migration.version));
        let applied = std::mem::take(&mut folder.set.migrations);
        folder.set.migrations = order_as_applied(applied, &self.state.rows);
        folder
    }

    /// Which format was assumed, as long as no history settles it.
    pub fn assumption(&self) -> Option<Problem> {
        let settled = self.state.history.is_some();
        assumed(&self.folder.tree, &self.folder.formats).filter(|_| !settled)
    }
}

impl Target {
    /// The target that a project's settings name.
    ///
    /// # Errors
    /// When they do not say where it is.
    pub fn of(project: &Project) -> Result<Self, Box<Problem>> {
        Ok(Self::at(&project.settings.target, project.connect_spec()?, &project.settings))
    }

    /// A database that is a target as a whole, without values of its own.
    pub fn at(name: &str, spec: ConnectSpec, settings: &Arc<Settings>) -> Self {
        let (settings, variables) = (settings.clone(), Arc::default());
        Self { name: name.to_owned(), spec, settings, schema: None, variables }
    }

    /// The same target as another database of the same server.
    #[must_use]
    pub fn with_database(&self, database: &str) -> Self {
        Self { spec: self.spec.with_database(database), ..self.clone() }
    }

    /// A schema of the same database as a target of its own.
    #[must_use]
    pub fn with_schema(&self, schema: &str) -> Self {
        Self {
            spec: self.spec.with_schema(schema),
            schema: Some(schema.to_owned()),
            ..self.clone()
        }
    }

    /// Opens a session.
    ///
    /// # Errors
    /// What stood in the way.
    pub async fn connect(&self) -> Result<Session, Box<Problem>> {
        let session = connect(&self.spec, "pgfleet", CONNECT_TIMEOUT).await;
        session.map_err(|problem| Box::new(problem.in_target(&self.name)))
    }

    /// A lost connection or refused query outside any migration, as a problem.
    pub fn session_problem(&self, error: &SessionError) -> Box<Problem> {
        let problem = match error {
            SessionError::Server(error) => {
                let problem = Problem::error(code_of(&error.sqlstate), error.message.clone());
                let problem = match error.sqlstate.as_str() {
                    "53100" => problem
                        .because("the server's disk is full, or temp_file_limit was reached")
                        .fix("Make room or enlarge the disk; then run the same command again."),
                    _ => problem,
                };
                Problem { sqlstate: Some(error.sqlstate.clone()), ..problem }
            }
            SessionError::Lost { reason, .. } => {
                Problem::error(Code::ConnectionLost, "the connection to the server was lost")
                    .because(reason.clone())
                    .fix("Run the same command again; what was committed is recorded.")
            }
        };
        Box::new(problem.in_target(&self.name))
    }

    pub(super) fn state_problem(&self, error: StateError) -> Box<Problem> {
        match error {
            StateError::Session(error) => self.session_problem(&error),
            StateError::Problem(problem) => Box::new(problem.in_target(&self.name)),
        }
    }

    /// The history table, when it is not the dialect's usual one: the one that the configuration
    /// names, and in the target's schema where that is a target of its own.
    pub fn history_table(&self, dialect: &dyn Dialect) -> Option<QualifiedName> {
        let named = self.settings.history_table.as_deref().and_then(parse_qualified);
        let Some(schema) = &self.schema else { return named };
        let usual = || match dialect.format() {
            Format::Plain => TENANT_HISTORY.to_owned(),
            _ => dialect.default_table().name,
        };
        Some(QualifiedName::new(schema, named.map_or_else(usual, |table| table.name)))
    }

    /// The keys of the target's locks.
    pub fn lock_keys(&self) -> LockKeys {
        LockKeys::of(self.schema.as_deref())
    }
}

fn code_of(sqlstate: &str) -> Code {
    match sqlstate {
        "42501" => Code::PermissionDenied,
        "25006" => Code::ServerInRecovery,
        "57014" => Code::Cancelled,
        "53100" | "53200" | "53400" => Code::OutOfResources,
        _ => Code::StatementFailed,
    }
}

/// Connects, reads the target, and holds the folder against it.
///
/// # Errors
/// When the target cannot be reached or read.
pub async fn open(
    project: &Project,
    target: &Target,
    folder: impl Into<Arc<Folder>>,
) -> Result<Opened, Box<Problem>> {
    let folder = folder.into();
    let session = target.connect().await?;
    let likeliest = dialect(folder.set.format);
    let table = target.history_table(likeliest);
    // Asked together, so that a folder whose format is not certain costs no second round trip.
    let (settled, state) = futures_util::future::join(
        settle_format(target, &session, &folder),
        read_state(&session, likeliest, table.as_ref()),
    )
    .await;
    let (folder, dialect, state) = match settled? {
        None => (folder, likeliest, state),
        Some(other) => {
            let table = target.history_table(other);
            let state = read_state(&session, other, table.as_ref()).await;
            (Arc::new(project.reread(&folder, other.format())), other, state)
        }
    };
    let state = state.map_err(|error| target.state_problem(error))?;
    let statuses = judge(&folder.set, &state.rows, dialect);
    let variables = target.variables.clone();
    let column_types = read_column_types(&session, &state, &folder, &statuses).await;
    let column_types = column_types.map_err(|error| target.session_problem(&error))?;
    Ok(Opened { session, state, folder, variables, dialect, statuses, column_types })
}

/// Asks for the types that pending migrations change: nothing, where they change none.
async fn read_column_types(
    session: &Session,
    state: &TargetState,
    folder: &Folder,
    statuses: &[MigrationStatus],
) -> Result<ColumnTypes, SessionError> {
    use Verdict::{Failed, OutOfOrder, Pending};
    let is_pending = |status: &&MigrationStatus| {
        state.holds_tables && matches!(status.verdict, Pending | OutOfOrder | Failed)
    };
    let pending: BTreeSet<_> =
        statuses.iter().filter(is_pending).map(|status| status.version.as_str()).collect();
    let migrations = folder.set.migrations.iter();
    let migrations = migrations.filter(|migration| pending.contains(migration.version.as_str()));
    let columns: Vec<_> = migrations.flat_map(|one| retyped_columns(&one.up.text())).collect();
    if columns.is_empty() {
        return Ok(ColumnTypes::new());
    }
    let row = |(at, (table, column)): (usize, &(QualifiedName, String))| {
        let (table, column) = (literal(&table.to_string()), literal(column));
        format!("({at}, pg_catalog.to_regclass({table}), {column})")
    };
    let rows: Vec<_> = columns.iter().enumerate().map(row).collect();
    let sql = format!(
        "SELECT v.at, pg_catalog.format_type(a.atttypid, a.atttypmod) \
         FROM (VALUES {}) v (at, relation, name) JOIN pg_catalog.pg_attribute a \
         ON a.attrelid = v.relation AND a.attname = v.name WHERE NOT a.attisdropped",
        rows.join(", ")
    );
    let found = session.query_text(&sql).await?;
    let found = found.iter().filter_map(|row| match row.as_slice() {
        [Some(at), Some(type_name)] => {
            Some((columns.get(at.parse::<usize>().ok()?)?.clone(), type_name.clone()))
        }
        _ => None,
    });
    Ok(found.collect())
}

/// Where the files allow several formats, the history table that is there decides; none means
/// the likeliest.
async fn settle_format(
    target: &Target,
    session: &Session,
    folder: &Folder,
) -> Result<Option<&'static dyn Dialect>, Box<Problem>> {
    if folder.formats.len() < 2 {
        return Ok(None);
    }
    let with_table = |format: &Format| {
        let dialect = dialect(*format);
        // A configured table says nothing about the format: the usual ones do.
        let table = target.schema.as_ref().and_then(|_| target.history_table(dialect));
        (dialect, table.unwrap_or_else(|| dialect.default_table()))
    };
    let dialects: Vec<_> = folder.formats.iter().map(with_table).collect();
    let tables: Vec<_> = dialects.iter().map(|(_, table)| table).collect();
    let problem = |error| target.session_problem(&error);
    let there = are_there(session, &tables).await.map_err(problem)?;
    let there = dialects.iter().zip(there).filter(|(_, there)| *there).map(|(one, _)| one);
    let is_other = |dialect: &dyn Dialect| dialect.format() != folder.set.format;
    if !there.clone().any(|(dialect, _)| is_other(*dialect)) {
        return Ok(None);
    }
    for (dialect, table) in there {
        if is_history_of(session, *dialect, table).await.map_err(problem)? {
            return Ok(Some(*dialect).filter(|dialect| is_other(*dialect)));
        }
    }
    Ok(None)
}
