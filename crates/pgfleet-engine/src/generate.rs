//! `generate`: writes the migration that creates what is missing, in Prisma's own words, after it
//! has been proven on a scratch copy.
//!
//! Invariant: nothing is written that was not run on a copy of the target after the pending
//! migrations, and found to leave there what the schema says.

use std::fs;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::folder::MigrationSet;
use pgfleet_core::folder::compose::NewFile;
use pgfleet_core::missing::{Difference, Expectation, Outline, differences};
use pgfleet_core::prisma::{ObjectName, Part, ddl, ddl_of};
use pgfleet_sql::QualifiedName;

use crate::compose::write_files;
use crate::conduct::{
    ApplyRequest, ChangeError, Consent, Opened, Run, RunOutcome, Selection, Target, apply, open,
};
use crate::connect::Session;
use crate::execute::NoEvents;
use crate::missing::{current_schema, makers};
use crate::outline::read_outline;
use crate::prisma_schema::{PrismaSchema, read_schema};
use crate::project::Project;
use crate::scratch::Scratch;

/// A migration that was proven, and what it leaves open.
#[derive(Debug)]
pub struct Generated {
    /// The schema that it comes from, as messages call it.
    pub expected_from: String,
    /// The migration; none when nothing is missing.
    pub sql: Option<String>,
    /// Models whose tables it creates, with the tables.
    pub tables: Vec<(String, String)>,
    /// Enums that it creates.
    pub enums: Vec<String>,
    /// Differences in existing tables and enums, which it leaves as they are.
    pub not_covered: Vec<Difference>,
}

/// Makes and proves the migration for what neither the target nor a pending migration has.
///
/// # Errors
/// When the target or the schema cannot be read, no scratch database can be had, or the proof
/// fails.
pub async fn generate(
    project: &Project,
    target: &Target,
    opened: &Opened,
    schema: Option<&Path>,
    run: Run<'_>,
) -> Result<Generated, ChangeError> {
    let schema = read_schema(project, &opened.folder.tree.root, schema)?;
    let scratch = Scratch::create(project, target).await?;
    let bench = Bench { project, target, opened, schema: &schema };
    let generated = bench.on_copy(&scratch, run).await;
    let dropped = scratch.drop().await;
    let generated = generated?;
    dropped.map(|()| generated).map_err(ChangeError::from)
}

/// What a migration is made from.
struct Bench<'a> {
    project: &'a Project,
    target: &'a Target,
    opened: &'a Opened,
    schema: &'a PrismaSchema,
}

impl Bench<'_> {
    async fn on_copy(&self, scratch: &Scratch, run: Run<'_>) -> Result<Generated, ChangeError> {
        scratch.copy_from(self.target, self.opened).await?;
        let copy = scratch.target(self.target);
        let before = self.after_pending(&copy, run).await?;
        let lacks = Lacks { outline: &before, schema: current_schema(self.opened) };
        self.refuse_lost(&lacks)?;
        let sql = ddl_of(&self.schema.database, &|part| lacks.part(part));
        let mut generated = self.generated(&lacks);
        if generated.tables.is_empty() && generated.enums.is_empty() {
            generated.not_covered = differences(&before, &self.model(&copy).await?);
            return Ok(generated);
        }
        let after = run_and_read(&copy, &sql).await.map_err(|error| unproven(error, &sql))?;
        generated.not_covered = differences(&after, &self.model(&copy).await?);
        self.check_coverage(&generated, &after)?;
        generated.sql = Some(sql);
        Ok(generated)
    }

    /// What an applied migration made is not made by another one: that would fail everywhere else.
    fn refuse_lost(&self, lacks: &Lacks<'_>) -> Result<(), ChangeError> {
        let applied = makers(self.opened).applied;
        let tables = self.schema.database.tables.iter().map(|table| &table.name);
        let lost = tables.filter(|name| lacks.table(name)).filter_map(|name| {
            let placed = name.placed_in(current_schema(self.opened));
            Some((placed.shown(), applied.table(&placed)?.to_owned()))
        });
        let lost: Vec<_> = lost.collect();
        let Some((table, migration)) = lost.first() else { return Ok(()) };
        let what = format!("the history has {migration}, but the table {table} does not exist");
        let problem = lost
            .iter()
            .skip(1)
            .fold(Problem::error(Code::HistoryUntrue, what), |problem, (table, migration)| {
                problem.detail(format!("nor {table}, of {migration}"))
            });
        let problem = problem
            .because("it was dropped since; a new migration that makes it fails where it was not")
            .fix_with(
                "Make it again; look at the statements, then run them with psql.",
                "pgfleet diff target migrations --out repair.sql",
            );
        Err(vec![problem].into())
    }

    /// The copy once the pending migrations have run there.
    async fn after_pending(&self, copy: &Target, run: Run<'_>) -> Result<Outline, ChangeError> {
        let opened = open(self.project, copy, self.opened.folder.clone()).await?;
        let request = ApplyRequest { selection: Selection::default(), plan: None, run };
        let outcome = apply(copy, &opened, &request).await?;
        if let RunOutcome::Ran(report) = outcome
            && !report.complete()
        {
            return Err(report.problems.into());
        }
        let outline = read(copy, &opened.session).await;
        opened.session.close().await;
        outline
    }

    fn generated(&self, lacks: &Lacks<'_>) -> Generated {
        let database = &self.schema.database;
        let tables = database.tables.iter().filter(|table| lacks.table(&table.name));
        let enums = database.enums.iter().filter(|one| lacks.enum_type(&one.name));
        Generated {
            expected_from: self.schema.shown.clone(),
            sql: None,
            tables: tables.map(|table| (table.model.clone(), table.name.shown())).collect(),
            enums: enums.map(|one| one.name.shown()).collect(),
            not_covered: Vec::new(),
        }
    }

    /// What Prisma itself would create, read back from the server. The copy's own tables of these
    /// names make room for it; its extensions and functions stay, as defaults and types use them.
    async fn model(&self, copy: &Target) -> Result<Outline, ChangeError> {
        let database = &self.schema.database;
        let place = |name: &ObjectName| {
            let ObjectName { schema, name } = name.placed_in(current_schema(self.opened));
            QualifiedName::new(schema, name)
        };
        let tables = database
            .tables
            .iter()
            .map(|table| format!("DROP TABLE IF EXISTS {} CASCADE;\n", place(&table.name)));
        let types = database
            .enums
            .iter()
            .map(|one| format!("DROP TYPE IF EXISTS {} CASCADE;\n", place(&one.name)));
        let sql = tables.chain(types).collect::<String>() + &ddl(database);
        run_and_read(copy, &sql).await.map_err(|error| unproven(error, &ddl(database)))
    }

    /// Every expected table is there now, and the new ones are what Prisma would have created.
    fn check_coverage(&self, generated: &Generated, after: &Outline) -> Result<(), ChangeError> {
        let expected = Expectation::of_prisma(&self.schema.database, current_schema(self.opened));
        let absent = expected.tables.iter().find(|table| !after.tables.contains_key(&table.name));
        if let Some(table) = absent {
            let what = format!("the generated migration leaves {} missing", table.name.shown());
            return Err(vec![Problem::error(Code::GeneratedUnproven, what)].into());
        }
        let fresh = |difference: &&Difference| {
            let created = generated.tables.iter().map(|(_, table)| table).chain(&generated.enums);
            created.into_iter().any(|name| *name == difference.object)
        };
        match generated.not_covered.iter().find(fresh) {
            None => Ok(()),
            Some(difference) => {
                let what = format!("{}: {}", difference.object, difference.what);
                Err(vec![Problem::error(Code::GeneratedUnproven, what)].into())
            }
        }
    }
}

/// What a database does not have.
struct Lacks<'a> {
    outline: &'a Outline,
    /// What names without a schema mean.
    schema: &'a str,
}

impl Lacks<'_> {
    fn part(&self, part: Part<'_>) -> bool {
        match part {
            Part::Schema(name) => !self.outline.schemas.contains(name),
            Part::Extension(extension) => !self.outline.extensions.contains(&extension.name),
            Part::Enum(one) => self.enum_type(&one.name),
            Part::Table(table) | Part::Index(table, _) => self.table(&table.name),
            Part::ForeignKey(key) => self.table(&key.table),
        }
    }

    fn table(&self, name: &ObjectName) -> bool {
        !self.outline.tables.contains_key(&name.placed_in(self.schema))
    }

    fn enum_type(&self, name: &ObjectName) -> bool {
        !self.outline.enums.contains_key(&name.placed_in(self.schema))
    }
}

async fn run_and_read(target: &Target, sql: &str) -> Result<Outline, ChangeError> {
    let session = target.connect().await?;
    let done = session.batch(sql).await;
    let outline = match done {
        Ok(()) => read(target, &session).await,
        Err(error) => Err(target.session_problem(&error).into()),
    };
    session.close().await;
    outline
}

async fn read(target: &Target, session: &Session) -> Result<Outline, ChangeError> {
    let outline = read_outline(session).await;
    outline.map_err(|error| target.session_problem(&error).into())
}

fn unproven(error: ChangeError, sql: &str) -> ChangeError {
    let what = "the generated migration failed on a scratch copy";
    let mut problem = Problem::error(Code::GeneratedUnproven, what);
    for cause in error.problems {
        problem = problem.because(cause.what);
    }
    vec![problem.detail(format!("it was:\n{sql}"))].into()
}

/// A run on a scratch copy that tells nobody.
pub fn silent_run(stop: crate::execute::StopSignal) -> Run<'static> {
    Run {
        command: "generate",
        // The copy has no rows to lose.
        consent: Consent { data_loss: true },
        continue_on_error: false,
        enclosed: None,
        events: &NoEvents,
        stop,
    }
}

/// Directories of a migration folder that hold nothing at all, by name.
///
/// # Errors
/// When the folder cannot be read.
pub fn empty_directories(folder: &Path) -> Result<Vec<String>, Box<Problem>> {
    let unreadable = |error: std::io::Error| {
        let what = format!("{} cannot be read", folder.display());
        Box::new(Problem::error(Code::FolderMissing, what).because(error.to_string()))
    };
    let mut empty = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let holds_nothing = || fs::read_dir(&path).is_ok_and(|mut inside| inside.next().is_none());
        if path.is_dir() && holds_nothing() {
            empty.extend(path.file_name().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    empty.sort();
    Ok(empty)
}

/// What Prisma writes beside the first migration.
const LOCK_NAME: &str = "migration_lock.toml";
const LOCK_FILE: &str = "# Please do not edit this file manually\n\
     # It should be added in your version-control system (e.g., Git)\n\
     provider = \"postgresql\"\n";

/// Writes a migration as `prisma migrate dev` does, and gives the name of its directory. `now` is
/// the time since 1970.
///
/// # Errors
/// When the name has no letter or digit, or would not be the last of the folder, or the file
/// cannot be written.
pub fn write(
    folder: &Path,
    name: &str,
    now: Duration,
    set: &MigrationSet,
    sql: &str,
) -> Result<String, Box<Problem>> {
    let directory = directory_name(name, now)?;
    if let Some(later) = set.migrations.iter().find(|m| m.name >= directory) {
        return Err(Box::new(not_last(&directory, &later.name)));
    }
    let file = |path: String, text: &str| NewFile { path, text: text.to_owned(), replaces: false };
    let mut files = vec![file(format!("{directory}/migration.sql"), sql)];
    if !folder.join(LOCK_NAME).exists() {
        files.push(file(LOCK_NAME.to_owned(), LOCK_FILE));
    }
    write_files(folder, &files)?;
    Ok(directory)
}

/// `20251017120000_add_missing_tables`: other characters than letters, digits, `-` and `_` become `_`.
fn directory_name(name: &str, now: Duration) -> Result<String, Box<Problem>> {
    let keep = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let slug: String = name.chars().map(keep).take(200).collect();
    if !slug.chars().any(|c| c.is_ascii_alphanumeric()) {
        let what = format!("{name:?} cannot name a migration");
        return Err(Box::new(
            Problem::error(Code::Usage, what).fix("Name it with letters and digits."),
        ));
    }
    let seconds = i64::try_from(now.as_secs()).unwrap_or_default();
    let moment = Timestamp::from_second(seconds).unwrap_or_default();
    Ok(format!("{}_{slug}", moment.strftime("%Y%m%d%H%M%S")))
}

fn not_last(directory: &str, later: &str) -> Problem {
    let what = format!("{directory} would come before {later}");
    Problem::error(Code::HistoryOutOfOrder, what)
        .because("Prisma orders migrations by name, and the newest must be the last")
        .fix(format!("Rename {later}, or set this machine's clock."))
}
