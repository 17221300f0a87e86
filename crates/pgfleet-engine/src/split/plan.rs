//! Makes the plan of a split: everything that can be known before a row is moved.

use std::collections::BTreeMap;

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::filled::substitute;
use pgfleet_core::split::{
    ColumnsOf, DatabasePlan, Declare, FamilyTable, Finding, ForeignKeyShape, KeyShape, Mapped,
    Move, Question, ReferenceSection, Rows, Shape, SplitFile, SplitPlan, TableShape,
    foreign_key_question, keeps_foreign_key, keeps_key, key_question, map_tables, row_survey, size,
    space_finding, time_finding,
};
use pgfleet_sql::{QualifiedName, quote_literal_standard};
use tokio::sync::watch;

use crate::conduct::{
    ApplyRequest, ChangeError, Consent, Run, RunOutcome, Selection, Target, apply, open,
};
use crate::connect::{Session, SessionError};
use crate::execute::NoEvents;
use crate::scratch::Scratch;

use super::journal::{self, cell};
use super::moving::SETTINGS;
use super::shape::read_shape;
use super::{Family, Split, space};

/// Layout version of the plan.
const PLAN_VERSION: u32 = 1;

/// What is taken for granted about the source's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Nothing: rows that were loaded past a constraint are found too.
    Nothing,
    /// That they keep the source's own unique and foreign keys; what does not is found when the new
    /// database builds the key.
    Keys,
}

/// How closely a plan looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// What is taken for granted.
    pub trust: Trust,
    /// Too little room on a disk is an error, and not a warning.
    pub check_space: bool,
}

/// Looks at the source, the databases to fill and the rows, and says what a run would do. Writes
/// nothing; migrations are tried on scratch databases.
///
/// # Errors
/// When the source cannot be reached, or a folder's migrations cannot be run on a scratch database.
pub async fn make_plan(split: &Split, look: Look) -> Result<SplitPlan, Vec<Problem>> {
    let source = &split.source;
    let session = source.connect().await.map_err(|problem| vec![*problem])?;
    let made = survey(split, &session, look).await;
    session.close().await;
    made
}

async fn survey(split: &Split, session: &Session, look: Look) -> Result<SplitPlan, Vec<Problem>> {
    let fails = |error: SessionError| vec![*split.source.session_problem(&error)];
    session.batch(SETTINGS).await.map_err(fails)?;
    let source = read_shape(session, &histories()).await.map_err(fails)?;
    let open = journal::open_split(session).await.map_err(fails)?;
    let made = match &open {
        Some(open) => journal::databases(session, &open.id).await.map_err(fails)?,
        None => Vec::new(),
    };
    let mut findings = Vec::new();
    let (mut shapes, mut databases) = (BTreeMap::new(), Vec::new());
    for family in &split.families {
        let prepared = prepare(split, family).await?;
        let ours = made.iter().any(|made| made.family == family.name && made.state != "dropped");
        findings.extend(prepared.findings(family, ours));
        databases.push(DatabasePlan {
            family: family.name.clone(),
            database: family.target.spec.database.clone(),
            exists: prepared.exists,
            migrations: prepared.migrations,
            rows: 0,
        });
        shapes.insert(family.name.clone(), prepared.shape);
    }
    let (queries, refused) = query_columns(split, session).await;
    findings.extend(refused);
    let mapped = map_tables(&split.file, &source, &shapes, &queries);
    let asked = Asked {
        session,
        file: &split.file,
        mapped: &mapped,
        source: &source,
        shapes: &shapes,
        trust: look.trust,
    };
    let rows = asked.all(&mut findings).await.map_err(fails)?;
    for database in &mut databases {
        let of_family = rows.iter().filter(|(table, _)| table.family == database.family);
        database.rows = of_family.map(|(_, rows)| rows).sum();
    }
    findings.extend(mapped.findings.iter().cloned());
    findings.extend(cut_keys(split, &mapped, &source));
    findings.extend(seeds(split));
    let spaces = space::look(split, session, &mapped).await.map_err(fails)?;
    findings.extend(spaces.iter().map(|space| space_finding(space, look.check_space)));
    findings.push(time_finding(spaces.iter().map(|space| space.needed_bytes).sum()));
    Ok(SplitPlan {
        version: PLAN_VERSION,
        source: split.source.spec.redacted(),
        databases,
        moves: mapped.moves,
        findings,
    })
}

/// History tables of all formats: they belong to each database's own tool.
fn histories() -> Vec<QualifiedName> {
    let tables = pgfleet_core::folder::Format::ALL
        .iter()
        .map(|format| pgfleet_core::history::dialect(*format).default_table());
    let qualified = tables.map(|table| match table.schema {
        Some(_) => table,
        None => QualifiedName::new("public", table.name),
    });
    qualified.collect()
}

/// A family as its migrations make it.
struct Prepared {
    shape: Shape,
    migrations: usize,
    exists: bool,
}

impl Prepared {
    fn findings(&self, family: &Family, ours: bool) -> Vec<Finding> {
        let database = &family.target.spec.database;
        let migrations =
            format!("{} migrations make {} tables", self.migrations, self.shape.tables.len());
        let mut findings = vec![Finding::success(family.name.clone(), migrations)];
        let subject = format!("database {database}");
        findings.push(match (self.exists, ours) {
            (false, _) => Finding::success(subject, "is not there, and will be created"),
            (true, true) => Finding::success(subject, "was created by the split that is under way"),
            (true, false) => {
                Finding::error(subject, "is there already, and this split did not make it")
                    .fix("Name another in split.toml, or rename or drop it.")
            }
        });
        findings
    }
}

/// Runs a family's migrations on a scratch database and reads what they make.
async fn prepare(split: &Split, family: &Family) -> Result<Prepared, Vec<Problem>> {
    let exists = exists(family).await.map_err(|problem| vec![*problem])?;
    let folder = family.project.open_folder().map_err(|problem| vec![*problem])?;
    let migrations = folder.set.migrations.len();
    let like = Target { settings: family.target.settings.clone(), ..split.source.clone() };
    let scratch =
        Scratch::create(&family.project, &like).await.map_err(|problem| vec![*problem])?;
    let target = Target { name: family.name.clone(), ..scratch.target(&like) };
    let shape = replay(family, &target).await;
    let dropped = scratch.drop().await;
    let shape = shape?;
    dropped.map_err(|problem| vec![*problem])?;
    Ok(Prepared { shape, migrations, exists })
}

async fn replay(family: &Family, target: &Target) -> Result<Shape, Vec<Problem>> {
    migrate(&Family { target: target.clone(), ..family.clone() }, &NoEvents, None).await?;
    let session = target.connect().await.map_err(|problem| vec![*problem])?;
    let shape = read_shape(&session, &histories()).await;
    session.close().await;
    shape.map_err(|error| vec![*target.session_problem(&error)])
}

/// Applies what is pending in a family's folder, as `apply` does.
pub(super) async fn migrate(
    family: &Family,
    events: &dyn crate::execute::EventSink,
    stop: Option<crate::execute::StopSignal>,
) -> Result<usize, Vec<Problem>> {
    let folder = family.project.open_folder().map_err(|problem| vec![*problem])?;
    let opened = open(&family.project, &family.target, folder).await;
    let opened = opened.map_err(|problem| vec![*problem])?;
    let (_keep, never) = watch::channel(false);
    let request = ApplyRequest {
        selection: Selection::default(),
        plan: None,
        run: Run {
            command: "split",
            consent: Consent { data_loss: true },
            continue_on_error: false,
            enclosed: None,
            events,
            stop: stop.unwrap_or(never),
        },
    };
    match apply(&family.target, &opened, &request).await {
        Ok(RunOutcome::Nothing) => Ok(0),
        Ok(RunOutcome::Ran(report)) if report.complete() => Ok(report.migrations.len()),
        Ok(RunOutcome::Ran(report)) => Err(report.problems),
        Err(ChangeError { problems }) => Err(problems),
    }
}

/// Whether a family's database is there.
pub(super) async fn exists(family: &Family) -> Result<bool, Box<Problem>> {
    let server = family.target.with_database("postgres");
    let session = server.connect().await?;
    let name = quote_literal_standard(&family.target.spec.database);
    let sql = format!("SELECT 1 FROM pg_catalog.pg_database WHERE datname = {name}");
    let rows = session.query_text(&sql).await;
    session.close().await;
    rows.map(|rows| !rows.is_empty()).map_err(|error| server.session_problem(&error))
}

/// The columns of each declared query, as the server describes it; it is not run.
async fn query_columns(
    split: &Split,
    session: &Session,
) -> (BTreeMap<String, Vec<String>>, Vec<Finding>) {
    let (mut columns, mut findings) = (BTreeMap::new(), Vec::new());
    for section in &split.file.tables {
        let Some(query) = &section.query else { continue };
        let mut variables = split.file.variables.clone();
        let family = FamilyTable::parse(&section.into).map(|table| table.family);
        let family = family.and_then(|family| split.file.families.get(&family));
        variables.extend(family.map(|family| family.variables.clone()).unwrap_or_default());
        let Ok(sql) = substitute(query, &variables) else { continue };
        match session.client().prepare(&sql).await {
            Ok(statement) => {
                let names = statement.columns().iter().map(|column| column.name().to_owned());
                columns.insert(section.into.clone(), names.collect());
            }
            Err(error) => {
                let reason = session.error(&error).to_string();
                findings.push(Finding::error(section.into.clone(), format!("its query: {reason}")));
            }
        }
    }
    (columns, findings)
}

/// What the data are asked with.
struct Asked<'a> {
    session: &'a Session,
    file: &'a SplitFile,
    mapped: &'a Mapped,
    source: &'a Shape,
    shapes: &'a BTreeMap<String, Shape>,
    trust: Trust,
}

impl Asked<'_> {
    /// Asks the data, and gives the number of rows of each move.
    async fn all(
        &self,
        findings: &mut Vec<Finding>,
    ) -> Result<Vec<(FamilyTable, u64)>, SessionError> {
        let mut all = Vec::new();
        for (number, step) in self.mapped.moves.iter().enumerate() {
            let Some(shape) = self.shapes.get(&step.into.family) else { continue };
            let Some(table) = shape.tables.get(&step.into.name()) else { continue };
            if let Some(rows) = self.rows(number, step, table, findings).await? {
                all.push((step.into.clone(), rows));
                for question in self.key_questions(step, table, shape) {
                    judge(self.session, &question, None, findings).await?;
                }
            }
        }
        Ok(all)
    }

    /// Scans the rows of a move; none where they cannot be read.
    async fn rows(
        &self,
        number: usize,
        step: &Move,
        table: &TableShape,
        findings: &mut Vec<Finding>,
    ) -> Result<Option<u64>, SessionError> {
        let session = self.session;
        let (types, refused) = value_types(session, step).await;
        findings.extend(refused);
        let Some(types) = types else { return Ok(None) };
        let survey = row_survey(step, table, &types, number);
        for function in &survey.functions {
            session.batch(function).await?;
        }
        let counts = match session.query_text(&survey.sql).await {
            Ok(counts) => counts,
            Err(error) if error.is_lost() => return Err(error),
            Err(error) => {
                let what = format!("its rows cannot all be read: {error}");
                findings.push(Finding::error(step.into.to_string(), what));
                return Ok(None);
            }
        };
        let count = |at: usize| -> u64 {
            counts.first().map(|row| cell(row, at)).and_then(|n| n.parse().ok()).unwrap_or_default()
        };
        findings.push(moved(step, count(0), self.source, self.mapped));
        for (at, question) in survey.questions.iter().enumerate() {
            judge(session, question, Some(count(at + 1)), findings).await?;
        }
        Ok(Some(count(0)))
    }

    fn key_questions(&self, step: &Move, table: &TableShape, shape: &Shape) -> Vec<Question> {
        let from =
            self.mapped.sources.get(&step.into).and_then(|name| self.source.tables.get(name));
        let is_kept = |key: &KeyShape| {
            self.trust == Trust::Keys && from.is_some_and(|from| keeps_key(step, from, table, key))
        };
        let asked = table.keys.iter().filter(|key| !is_kept(key));
        let mut questions: Vec<_> = asked.filter_map(|key| key_question(step, key)).collect();
        for key in &table.foreign_keys {
            let Some(parent) =
                self.parent(step, key).filter(|_| shape.tables.contains_key(&key.to))
            else {
                continue;
            };
            questions.extend(self.orphans(step, parent, from, key));
        }
        for (parent, key) in self.references(step) {
            questions.extend(self.orphans(step, parent, from, &key));
        }
        questions
    }

    fn orphans(
        &self,
        step: &Move,
        parent: &Move,
        from: Option<&TableShape>,
        key: &ForeignKeyShape,
    ) -> Option<Question> {
        let asks = self.trust == Trust::Nothing || !self.keeps_foreign_key(step, parent, from, key);
        if asks { foreign_key_question(step, parent, key) } else { None }
    }

    /// The declared references of a table, as keys. Where a seed may add the rows that are referred
    /// to, only the new databases can tell.
    fn references(&self, step: &Move) -> Vec<(&Move, ForeignKeyShape)> {
        let key = |reference: &ReferenceSection| {
            let (from, to) = (ColumnsOf::parse(&reference.from)?, ColumnsOf::parse(&reference.to)?);
            let seeds = self.file.seeds.iter().filter(|seed| seed.family == to.table.family);
            let seeded = seeds.into_iter().any(|seed| seed.sql.contains(&to.table.table));
            let parent = self.mapped.moves.iter().find(|parent| parent.into == to.table)?;
            let key = ForeignKeyShape {
                name: reference.from.clone(),
                columns: from.columns,
                to: to.table.name(),
                to_columns: to.columns,
                is_validated: false,
            };
            (from.table == step.into && !seeded).then_some((parent, key))
        };
        self.file.references.iter().filter_map(key).collect()
    }

    /// The move that fills the table which a foreign key refers to.
    fn parent(&self, step: &Move, key: &ForeignKeyShape) -> Option<&Move> {
        let is_parent =
            |parent: &&Move| parent.into.family == step.into.family && parent.into.name() == key.to;
        self.mapped.moves.iter().find(is_parent)
    }

    fn keeps_foreign_key(
        &self,
        step: &Move,
        parent: &Move,
        from: Option<&TableShape>,
        key: &ForeignKeyShape,
    ) -> bool {
        let to = self.mapped.sources.get(&parent.into);
        from.zip(to).is_some_and(|(from, to)| keeps_foreign_key(step, parent, from, to, key))
    }
}

fn moved(step: &Move, rows: u64, source: &Shape, mapped: &Mapped) -> Finding {
    let origin = mapped.sources.get(&step.into);
    let size = origin.and_then(|name| source.tables.get(name)).map_or(0, |table| table.size_bytes);
    let from = origin.map_or_else(|| "a query".to_owned(), ToString::to_string);
    let size = if size > 0 { format!(", {}", self::size(size)) } else { String::new() };
    Finding::success(step.into.to_string(), format!("gets {rows} rows of {from}{size}"))
}

async fn judge(
    session: &Session,
    question: &Question,
    counted: Option<u64>,
    findings: &mut Vec<Finding>,
) -> Result<(), SessionError> {
    let rows = match counted {
        Some(rows) => rows,
        None => match session.query_text(&question.count_sql).await {
            Ok(rows) => rows
                .first()
                .map(|row| cell(row, 0))
                .and_then(|n| n.parse().ok())
                .unwrap_or_default(),
            Err(error) if error.is_lost() => return Err(error),
            // A value that cannot be had is a finding of its own.
            Err(error) => {
                let what = format!("cannot be looked at yet: {error}");
                findings.push(Finding::warning(question.subject.clone(), what));
                return Ok(());
            }
        },
    };
    if rows == 0 {
        return Ok(());
    }
    let samples = session.query_text(&question.sample_sql).await?;
    let samples = samples.iter().map(|row| cell(row, 0)).collect();
    findings.extend(question.judge(rows, samples));
    Ok(())
}

/// The types of a move's expressions; a finding where the server does not understand one.
async fn value_types(session: &Session, step: &Move) -> (Option<Vec<String>>, Option<Finding>) {
    let values: Vec<_> =
        step.columns.iter().map(|column| format!("({}\n)", column.expression)).collect();
    let sql = format!("SELECT {} {}", values.join(", "), step.from_clause(None));
    let statement = match session.client().prepare(&sql).await {
        Ok(statement) => statement,
        Err(error) => {
            let reason = session.error(&error).to_string();
            let what = format!("its rows cannot be read: {reason}");
            return (None, Some(Finding::error(step.into.to_string(), what)));
        }
    };
    let types = statement.columns().iter().enumerate();
    let types: Vec<_> = types
        .map(|(at, column)| format!("({at}, {}, {})", column.type_().oid(), column.type_modifier()))
        .collect();
    let sql = format!(
        "SELECT pg_catalog.format_type(t.oid::oid, t.modifier) \
         FROM (VALUES {}) t (at, oid, modifier) ORDER BY t.at",
        types.join(", ")
    );
    match session.query_text(&sql).await {
        Ok(rows) => (Some(rows.iter().map(|row| cell(row, 0)).collect()), None),
        Err(error) => (None, Some(Finding::error(step.into.to_string(), error.to_string()))),
    }
}

/// Foreign keys of the source whose two sides go into different databases.
fn cut_keys(split: &Split, mapped: &Mapped, source: &Shape) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (child, name) in &mapped.sources {
        let Some(table) = source.tables.get(name) else { continue };
        for key in &table.foreign_keys {
            let parents: Vec<_> = mapped
                .sources
                .iter()
                .filter(|(_, from)| **from == key.to)
                .map(|(p, _)| p)
                .collect();
            if parents.is_empty() || parents.iter().any(|parent| parent.family == child.family) {
                continue;
            }
            findings.push(cut_key(
                split,
                child,
                &key.columns,
                parents[0],
                &key.to_columns,
                &key.name,
            ));
        }
    }
    findings
}

fn cut_key(
    split: &Split,
    child: &FamilyTable,
    columns: &[String],
    parent: &FamilyTable,
    to_columns: &[String],
    name: &str,
) -> Finding {
    let from = ColumnsOf { table: child.clone(), columns: columns.to_vec() };
    let to = ColumnsOf { table: parent.clone(), columns: to_columns.to_vec() };
    let is_checked = split.file.references.iter().any(|reference| {
        ColumnsOf::parse(&reference.from).as_ref() == Some(&from)
            && ColumnsOf::parse(&reference.to).as_ref() == Some(&to)
    });
    let subject = format!("foreign key {name}");
    if is_checked {
        return Finding::success(subject, format!("is cut; {from} -> {to} is checked instead"));
    }
    Finding::warning(subject, format!("is cut: {from} and {to} are in different databases"))
        .declare(Declare::Reference { from: from.to_string(), to: to.to_string() })
}

fn seeds(split: &Split) -> Vec<Finding> {
    let when = |after: bool| if after { "after" } else { "before" };
    let seed = |seed: &pgfleet_core::split::SeedSection| {
        let what = format!("is run {} the tables are filled", when(seed.after));
        Finding::success(format!("{} seed {:?}", seed.family, seed.name), what)
    };
    split.file.seeds.iter().map(seed).collect()
}

/// Whether rows of a move can be read page by page.
pub(super) fn is_paged(step: &Move) -> bool {
    matches!(step.rows, Rows::Table { .. })
}

/// What is said when a plan has errors.
pub(super) fn refusal(plan: &SplitPlan) -> Problem {
    let errors: Vec<_> =
        plan.findings.iter().filter(|f| f.level == pgfleet_core::split::Level::Error).collect();
    let mut problem =
        Problem::error(Code::SplitRefused, format!("the plan has {} errors", errors.len()));
    for finding in errors.iter().take(10) {
        problem = problem.detail(format!("{}: {}", finding.subject, finding.what));
    }
    problem.fix_with("Settle them; the plan shows rows and fixes.", "pgfleet split plan")
}
