//! Runs a split: the same steps in the same order, each of which finds what an earlier run did.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use futures_util::future::{join_all, try_join_all};
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::filled::substitute;
use pgfleet_core::history::NativeLock;
use pgfleet_core::report::Event;
use pgfleet_core::split::{Move, PageRange, SplitPlan};
use pgfleet_sql::quote_ident;
use serde::Serialize;

use crate::conduct::run_id;
use crate::connect::{Session, SessionError};
use crate::execute::{EventSink, StopSignal};
use crate::integrity::ReferenceResult;
use crate::journal::literal;
use crate::lock::{LockError, LockKeys, LockWait, lock_coordinator};
use crate::queue::Queue;

use super::journal::{self, CREATE_IN_FAMILY, DURABLE, cell, mark, marked};
use super::later::{Filled, Later, put_back, set_aside, still_aside};
use super::moving::{SETTINGS, Task, Work, is_short_of_resources, resources};
use super::reconcile::{Reconciled, Reconciler, algorithm, sum};
use super::reference::check_references;
use super::{Family, Split, fence, plan};

/// Pages of a part: 128 MiB of 8 KiB pages.
const PART_PAGES: u64 = 16_384;

/// How a split is to be run.
pub struct RunOptions<'a> {
    /// Parts that travel at a time.
    pub jobs: usize,
    /// Refuse writes to the source's tables from before the move on.
    pub fence: bool,
    /// Told what happens.
    pub events: &'a dyn EventSink,
    /// Becomes true when the user asks to stop.
    pub stop: StopSignal,
}

/// What a run did.
#[derive(Debug, Clone, Serialize)]
pub struct SplitReport {
    /// Names the split in its journal.
    pub split_id: String,
    /// Both sides of every table.
    pub tables: Vec<Reconciled>,
    /// References between the databases.
    pub references: Vec<ReferenceResult>,
    /// What is not as it should be.
    pub problems: Vec<Problem>,
    /// What the run spent its time with.
    pub phases: Vec<PhaseTime>,
    /// Time the run took, without the plan.
    pub elapsed_ms: f64,
}

/// How long a phase of a run took.
#[derive(Debug, Clone, Serialize)]
pub struct PhaseTime {
    /// What it did.
    pub phase: String,
    /// Time it took.
    pub elapsed_ms: f64,
}

/// Runs a split, or goes on with the one that was begun.
///
/// # Errors
/// What stands in the way, or failed. What was done is in the journal, and the same call goes on.
pub async fn run(
    split: &Split,
    plan: &SplitPlan,
    options: &RunOptions<'_>,
) -> Result<SplitReport, Vec<Problem>> {
    if plan.is_refused() {
        return Err(vec![plan::refusal(plan)]);
    }
    let begun = Instant::now();
    let source = split.source.connect().await.map_err(|problem| vec![*problem])?;
    lock(split, &source, options).await.map_err(|problem| vec![*problem])?;
    let split_id = begin(split, &source, plan).await.map_err(|problem| vec![*problem])?;
    let phases = Mutex::new(Vec::new());
    let running = Running { split, plan, options, source: &source, id: &split_id, phases };
    let (tables, references) = running.all_steps().await?;
    let mut problems: Vec<_> = tables.iter().filter_map(Reconciled::problem).collect();
    problems.extend(references.iter().filter_map(broken_by_source));
    if problems.is_empty() {
        running.in_source(journal::set_state(&source, &split_id, "done").await)?;
    }
    let phases = running.phase_times();
    source.close().await;
    let elapsed_ms = begun.elapsed().as_secs_f64() * 1000.0;
    Ok(SplitReport { split_id, tables, references, problems, phases, elapsed_ms })
}

/// One split of a source at a time, on any machine; what the session journals from here on is kept.
pub(super) async fn lock(
    split: &Split,
    source: &Session,
    options: &RunOptions<'_>,
) -> Result<(), Box<Problem>> {
    let deadline_ms = split.source.settings.apply.lock_wait_ms;
    let keys = LockKeys::of(None);
    let wait = LockWait { keys, deadline_ms, events: options.events, stop: options.stop.clone() };
    lock_coordinator(source, NativeLock::None, &wait).await.map_err(|error| match error {
        LockError::Session(error) => split.source.session_problem(&error),
        LockError::Held(problem) => Box::new(problem.in_target(&split.source.name)),
    })?;
    source.batch(DURABLE).await.map_err(|error| split.source.session_problem(&error))
}

async fn begin(split: &Split, source: &Session, plan: &SplitPlan) -> Result<String, Box<Problem>> {
    let fails = |error: SessionError| split.source.session_problem(&error);
    let Some(open) = journal::open_split(source).await.map_err(fails)? else {
        let id = run_id::new();
        journal::begin(source, &id, plan).await.map_err(fails)?;
        return Ok(id);
    };
    if open.state == "rolling back" {
        return Err(Box::new(
            Problem::error(Code::SplitOtherRun, "the split is being taken back")
                .because("a rollback was begun and did not end")
                .fix_with("Finish it.", "pgfleet split rollback"),
        ));
    }
    if open.fingerprint == plan.fingerprint() {
        return Ok(open.id);
    }
    Err(Box::new(
        Problem::error(Code::SplitOtherRun, "a split with other mappings was begun")
            .because("split.toml, a migration folder or a database's name changed since")
            .fix("Put them back as they were, and run again to go on.")
            .fix_with("Or take back what was done, and begin anew.", "pgfleet split rollback"),
    ))
}

/// Both sides are the source's rows, so the source is where they are mended.
fn broken_by_source(reference: &ReferenceResult) -> Option<Problem> {
    let problem = Problem { fixes: Vec::new(), ..reference.problem()? };
    Some(
        problem
            .because("the source's rows are so; mended in a new database alone, they would differ from it")
            .fix_with(
                "Take the split back, mend the rows in the source, and run it again.",
                "pgfleet split rollback",
            ),
    )
}

struct Running<'a> {
    split: &'a Split,
    plan: &'a SplitPlan,
    options: &'a RunOptions<'a>,
    source: &'a Session,
    id: &'a str,
    /// When each phase began.
    phases: Mutex<Vec<(String, Instant)>>,
}

type Outcome<T> = Result<T, Vec<Problem>>;

impl<'a> Running<'a> {
    async fn all_steps(&self) -> Outcome<(Vec<Reconciled>, Vec<ReferenceResult>)> {
        for family in &self.split.families {
            self.create(family).await?;
            self.migrate(family).await?;
            self.seed(family, false).await?;
        }
        if self.options.fence {
            self.phase("refuse writes to the source");
            let timeout_ms = self.split.source.settings.apply.lock_timeout_ms;
            self.in_source(fence::put_up(self.source, &self.plan.moves, timeout_ms).await)?;
        }
        let snapshot = self.open_snapshot().await?;
        for family in &self.split.families {
            self.prepare(family).await?;
        }
        self.move_rows(&snapshot).await?;
        self.build().await?;
        self.phase("reconcile");
        let moves = &self.plan.moves;
        let reconciler = Reconciler { split: self.split, split_id: self.id, moves };
        let tables = reconciler.run(self.options.jobs).await?;
        for family in &self.split.families {
            self.seed(family, true).await?;
        }
        self.phase("sequences and statistics");
        self.settle().await?;
        self.phase("check references");
        let references = check_references(self.split).await?;
        Ok((tables, references))
    }

    fn phase(&self, phase: impl Into<String>) {
        let phase = phase.into();
        let mut phases = self.phases.lock().unwrap_or_else(PoisonError::into_inner);
        phases.push((phase.clone(), Instant::now()));
        self.options.events.send(Event::PhaseStarted { phase });
    }

    /// Each phase lasts until the next begins, the last one until now.
    fn phase_times(&self) -> Vec<PhaseTime> {
        let phases = self.phases.lock().unwrap_or_else(PoisonError::into_inner);
        let ends = phases.iter().skip(1).map(|(_, begun)| *begun).chain([Instant::now()]);
        let time = |((phase, begun), end): (&(String, Instant), Instant)| PhaseTime {
            phase: phase.clone(),
            elapsed_ms: (end - *begun).as_secs_f64() * 1000.0,
        };
        phases.iter().zip(ends).map(time).collect()
    }

    fn in_source<T>(&self, result: Result<T, SessionError>) -> Outcome<T> {
        result.map_err(|error| vec![*self.split.source.session_problem(&error)])
    }

    /// The intent is journaled first, so that a database that is there afterwards is known as ours.
    async fn create(&self, family: &Family) -> Outcome<()> {
        let database = &family.target.spec.database;
        let made = self.in_source(journal::databases(self.source, self.id).await)?;
        if made.iter().any(|made| made.family == family.name && made.state == "created") {
            return Ok(());
        }
        self.phase(format!("create {database}"));
        let is_begun = made.iter().any(|made| made.family == family.name);
        let set =
            |state| journal::set_database(self.source, self.id, &family.name, database, state);
        self.in_source(set("creating").await)?;
        let server = family.target.with_database("postgres");
        let session = server.connect().await.map_err(|problem| vec![*problem])?;
        let done = session.batch(&format!("CREATE DATABASE {}", quote_ident(database))).await;
        session.close().await;
        if let Err(error) = done {
            let is_there = error.server().is_some_and(|error| error.sqlstate == "42P04");
            if !(is_there && is_begun && self.is_empty(family).await?) {
                return Err(vec![*server.session_problem(&error)]);
            }
        }
        self.in_source(set("created").await)
    }

    /// A database that an interrupted run may have made holds nothing yet; one with tables is
    /// somebody else's.
    async fn is_empty(&self, family: &Family) -> Outcome<bool> {
        let session = self.connect(family).await?;
        let sql = "SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n \
                   ON n.oid = c.relnamespace WHERE n.nspname <> 'information_schema' \
                   AND n.nspname !~ '^pg_'";
        let rows = self.in_family(family, session.query_text(sql).await)?;
        session.close().await;
        Ok(rows.first().is_some_and(|row| cell(row, 0) == "0"))
    }

    async fn migrate(&self, family: &Family) -> Outcome<()> {
        self.phase(format!("migrate {}", family.name));
        let stop = Some(self.options.stop.clone());
        plan::migrate(family, self.options.events, stop).await.map(|_| ())
    }

    async fn connect(&self, family: &Family) -> Outcome<Session> {
        let session = family.target.connect().await.map_err(|problem| vec![*problem])?;
        self.in_family(family, session.batch(&format!("{SETTINGS}; {DURABLE}")).await)?;
        Ok(session)
    }

    fn in_family<T>(&self, family: &Family, result: Result<T, SessionError>) -> Outcome<T> {
        result.map_err(|error| vec![*family.target.session_problem(&error)])
    }

    /// Each seed once, with its mark in the same transaction.
    async fn seed(&self, family: &Family, after: bool) -> Outcome<()> {
        let session = self.connect(family).await?;
        self.in_family(family, session.batch(CREATE_IN_FAMILY).await)?;
        let seeds = &self.split.file.seeds;
        for seed in seeds.iter().filter(|seed| seed.family == family.name && seed.after == after) {
            let name = format!("seed {}", seed.name);
            if self.in_family(family, marked(&session, self.id, &name).await)?.is_some() {
                continue;
            }
            self.phase(format!("{}: {}", family.name, seed.name));
            let mut variables = self.split.file.variables.clone();
            variables.extend(self.split.file.families[&family.name].variables.clone());
            let invalid = |wrong| {
                let what = format!("seed {:?} is not valid", seed.name);
                vec![Problem::error(Code::SplitInvalid, what).because(wrong)]
            };
            let sql = substitute(&seed.sql, &variables).map_err(invalid)?;
            let sql = sql.trim_end().trim_end_matches(';').to_owned();
            let done = session.batch(&format!("{sql};\n{}", mark(self.id, &name, ""))).await;
            self.in_family(family, done)?;
        }
        session.close().await;
        Ok(())
    }

    /// The source's session holds the snapshot open while rows are moved.
    async fn open_snapshot(&self) -> Outcome<String> {
        let sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT pg_catalog.pg_export_snapshot()";
        let rows = self.in_source(self.source.query_text(sql).await)?;
        Ok(rows.first().map(|row| cell(row, 0)).unwrap_or_default())
    }

    fn moves_of<'f>(&self, family: &'f Family) -> impl Iterator<Item = &'a Move> + use<'a, 'f> {
        self.plan.moves.iter().filter(|step| step.into.family == family.name)
    }

    /// Records what the tables hold before, cuts them into parts, and sets aside what is built
    /// after the load; all in one transaction.
    async fn prepare(&self, family: &Family) -> Outcome<()> {
        let session = self.connect(family).await?;
        if self.in_family(family, marked(&session, self.id, "prepared").await)?.is_none() {
            self.phase(format!("prepare {}", family.name));
            let prepared = self.prepare_in(family, &session).await;
            self.in_family(family, prepared)?;
        }
        session.close().await;
        Ok(())
    }

    async fn prepare_in(&self, family: &Family, session: &Session) -> Result<(), SessionError> {
        session.batch("BEGIN").await?;
        let algorithm = algorithm(self.source, session);
        let mut sizes = Vec::new();
        for step in self.moves_of(family) {
            let size = self.size_in_source(step).await?;
            let before = sum(session, &step.sum_back_sql(algorithm)).await?;
            let table = step.into.to_string();
            session.batch(&self.record_parts(&table, step, &size, &before)).await?;
            sizes.push((step.into.name().to_string(), size.rows));
        }
        let filled: Vec<_> =
            sizes.iter().map(|(table, rows)| Filled { table, rows: *rows }).collect();
        set_aside(session, self.id, &filled).await?;
        session.batch(&format!("{}; COMMIT", mark(self.id, "prepared", ""))).await
    }

    fn record_parts(
        &self,
        table: &str,
        step: &Move,
        size: &SourceSize,
        before: &super::reconcile::Sum,
    ) -> String {
        let (id, table) = (literal(self.id), literal(table));
        let mut sql = format!(
            "INSERT INTO pgfleet.split_tables VALUES ({id}, {table}, {}, {}, {})",
            size.file,
            before.rows,
            literal(&before.checksum)
        );
        let paged = plan::is_paged(step) && size.file != 0;
        let ranges = match paged {
            true => PageRange::cover(size.pages, PART_PAGES),
            false => vec![PageRange { from: 0, until: None }],
        };
        for range in ranges {
            let until = range.until.map_or_else(|| "NULL".to_owned(), |page| page.to_string());
            sql.push_str(&format!(
                ";\nINSERT INTO pgfleet.split_parts VALUES ({id}, {table}, {}, {until})",
                range.from
            ));
        }
        sql
    }

    async fn size_in_source(&self, step: &Move) -> Result<SourceSize, SessionError> {
        let pgfleet_core::split::Rows::Table { table, .. } = &step.rows else {
            let sql = format!("SELECT count(*) {}", step.from_clause(None));
            let rows = self.source.query_text(&sql).await?;
            let rows = rows.first().and_then(|row| cell(row, 0).parse().ok()).unwrap_or_default();
            return Ok(SourceSize { rows, ..SourceSize::default() });
        };
        let sql = format!(
            "SELECT coalesce(pg_catalog.pg_relation_filenode(c.oid), 0), \
             pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::bigint, \
             greatest(c.reltuples, 0)::bigint FROM pg_catalog.pg_class c \
             WHERE c.oid = {}::pg_catalog.regclass",
            literal(table)
        );
        let rows = self.source.query_text(&sql).await?;
        let number =
            |at| rows.first().and_then(|row| cell(row, at).parse().ok()).unwrap_or_default();
        let (file, pages) = (number(0), number(1));
        // Without statistics, as many rows as would fit if they were narrow.
        let rows = if number(2) > 0 { number(2) } else { pages * 50 };
        Ok(SourceSize { file, pages, rows })
    }

    async fn move_rows(&self, snapshot: &str) -> Outcome<()> {
        let mut tasks = Vec::new();
        for family in &self.split.families {
            tasks.extend(self.open_tasks(family).await?);
        }
        self.phase(format!("move rows: {} parts", tasks.len()));
        let work = Work {
            split: self.split,
            split_id: self.id,
            snapshot,
            tasks: tasks.into_iter().collect(),
            failures: Mutex::new(Vec::new()),
            events: self.options.events,
            stop: self.options.stop.clone(),
        };
        work.run(self.options.jobs).await;
        self.in_source(self.source.batch("COMMIT").await)?;
        let failures = work.failures.into_inner();
        let failures = failures.unwrap_or_else(PoisonError::into_inner);
        if failures.is_empty() { Ok(()) } else { Err(failures) }
    }

    /// Parts that did not arrive yet. Page numbers mean nothing after the source's table was
    /// rewritten (VACUUM FULL, CLUSTER): then the table is emptied and moved as a whole.
    async fn open_tasks(&self, family: &Family) -> Outcome<Vec<Task<'a>>> {
        let session = self.connect(family).await?;
        let mut tasks = Vec::new();
        for step in self.moves_of(family) {
            let size = self.in_source(self.size_in_source(step).await)?;
            let parts = self.open_parts(&session, step, size.file).await;
            for part in self.in_family(family, parts)? {
                let pages = (plan::is_paged(step) && size.file != 0).then_some(part);
                tasks.push(Task { step, pages, from_page: part.from });
            }
        }
        session.close().await;
        Ok(tasks)
    }

    async fn open_parts(
        &self,
        session: &Session,
        step: &Move,
        file: u64,
    ) -> Result<Vec<PageRange>, SessionError> {
        let key = format!(
            "split_id = {} AND into_table = {}",
            literal(self.id),
            literal(&step.into.to_string())
        );
        let same = format!("SELECT 1 FROM pgfleet.split_tables WHERE {key} AND file = {file}");
        if session.query_text(&same).await?.is_empty() {
            let again = format!(
                "BEGIN; TRUNCATE {}; DELETE FROM pgfleet.split_parts WHERE {key}; \
                 INSERT INTO pgfleet.split_parts VALUES ({}, {}, 0, NULL); \
                 UPDATE pgfleet.split_tables SET file = {file}, before_rows = 0, before_checksum = 0 \
                 WHERE {key}; COMMIT",
                step.into.name(),
                literal(self.id),
                literal(&step.into.to_string())
            );
            session.batch(&again).await?;
        }
        let sql = format!(
            "SELECT from_page, until_page FROM pgfleet.split_parts \
             WHERE {key} AND done_at IS NULL ORDER BY from_page"
        );
        let rows = session.query_text(&sql).await?;
        let part = |row: &Vec<Option<String>>| PageRange {
            from: cell(row, 0).parse().unwrap_or_default(),
            until: cell(row, 1).parse().ok(),
        };
        Ok(rows.iter().map(part).collect())
    }

    /// Makes again what was set aside: keys and indexes of all databases several at a time; foreign
    /// keys and triggers, which are made at once, one after the other; then the foreign keys are
    /// held against the rows, several at a time again.
    async fn build(&self) -> Outcome<()> {
        self.build_phase(1, "build", "keys and indexes").await?;
        try_join_all(self.split.families.iter().map(|family| self.connect_tables(family))).await?;
        self.build_phase(4, "validate", "foreign keys").await
    }

    async fn build_phase(&self, phase: u8, verb: &str, what: &str) -> Outcome<()> {
        let mut things = Vec::new();
        for family in &self.split.families {
            let session = self.connect(family).await?;
            let later = self.in_family(family, still_aside(&session, self.id, phase).await)?;
            things.extend(later.into_iter().map(|thing| (family, thing)));
            session.close().await;
        }
        if things.is_empty() {
            return Ok(());
        }
        self.phase(format!("{verb} {} {what}", things.len()));
        let jobs = self.options.jobs.clamp(1, things.len());
        let queue = things.into_iter().collect();
        // A builder that fails lets the others finish what they are at.
        let done = join_all((0..jobs).map(|_| self.builder(&queue))).await;
        let problems: Vec<_> = done.into_iter().filter_map(Result::err).flatten().collect();
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    async fn builder(&self, queue: &Queue<(&'a Family, Later)>) -> Outcome<()> {
        let mut here: Option<(&Family, Session)> = None;
        while let Some((family, thing)) = queue.take() {
            let session = match here.take() {
                Some((of, session)) if of.name == family.name => session,
                Some((_, session)) => {
                    session.close().await;
                    self.connect(family).await?
                }
                None => self.connect(family).await?,
            };
            self.put_back(family, &session, &thing).await?;
            here = Some((family, session));
        }
        if let Some((_, session)) = here {
            session.close().await;
        }
        Ok(())
    }

    async fn connect_tables(&self, family: &Family) -> Outcome<()> {
        let session = self.connect(family).await?;
        for phase in [2, 3] {
            for thing in self.in_family(family, still_aside(&session, self.id, phase).await)? {
                self.put_back(family, &session, &thing).await?;
            }
        }
        session.close().await;
        Ok(())
    }

    async fn put_back(&self, family: &Family, session: &Session, thing: &Later) -> Outcome<()> {
        let Err(error) = put_back(session, thing).await else { return Ok(()) };
        if error.is_lost() {
            return self.in_family(family, Err(error));
        }
        let what = format!(
            "{}: {} could not be built on the rows that were moved",
            family.name, thing.what
        );
        if is_short_of_resources(&error) {
            return Err(vec![resources(what, &error).in_target(family.name.clone())]);
        }
        let mut problem = Problem::error(Code::SplitMoveFailed, what).because(error.to_string());
        if let Some(server) = error.server() {
            problem.sqlstate = Some(server.sqlstate.clone());
            problem.details.extend(server.detail.clone());
        }
        Err(vec![
            problem
                .in_target(family.name.clone())
                .fix("Correct the rows in the source; the plan counts them beforehand.")
                .fix_with("Then begin anew.", "pgfleet split rollback"),
        ])
    }

    /// Sequences behind their columns are moved on, and statistics are made, of several tables at a
    /// time; the last commit waits for the disk, and with it everything before it.
    async fn settle(&self) -> Outcome<()> {
        let queue = self.plan.moves.iter().collect();
        try_join_all((0..self.options.jobs.max(1)).map(|_| self.settle_tables(&queue))).await?;
        for family in &self.split.families {
            let session = self.connect(family).await?;
            self.in_family(family, session.batch(&mark(self.id, "settled", "")).await)?;
            session.close().await;
        }
        Ok(())
    }

    async fn settle_tables(&self, queue: &Queue<&Move>) -> Outcome<()> {
        while let Some(step) = queue.take() {
            let Some(family) = self.split.family(&step.into.family) else { continue };
            let session = self.connect(family).await?;
            self.in_family(family, advance_sequences(&session, step).await)?;
            let analyze = format!("ANALYZE {}", step.into.name());
            self.in_family(family, session.batch(&analyze).await)?;
            session.close().await;
        }
        Ok(())
    }
}

/// What a source's table is.
#[derive(Debug, Clone, Copy, Default)]
struct SourceSize {
    file: u64,
    pages: u64,
    rows: u64,
}

async fn advance_sequences(session: &Session, step: &Move) -> Result<(), SessionError> {
    let table = step.into.name().to_string();
    let sql = format!(
        "SELECT pg_catalog.quote_ident(a.attname), s.name FROM pg_catalog.pg_attribute a, \
         LATERAL (SELECT pg_catalog.pg_get_serial_sequence({table}, a.attname) AS name) s \
         WHERE a.attrelid = {table}::pg_catalog.regclass AND a.attnum > 0 AND NOT a.attisdropped \
         AND s.name IS NOT NULL",
        table = literal(&table)
    );
    for row in session.query_text(&sql).await? {
        let (column, sequence) = (cell(&row, 0), cell(&row, 1));
        let set = format!(
            "SELECT pg_catalog.setval({name}::pg_catalog.regclass, greatest(m.max, s.last_value)) \
             FROM (SELECT max({column}) FROM {table}) m, {sequence} s WHERE m.max >= s.last_value",
            name = literal(&sequence)
        );
        session.batch(&set).await?;
    }
    Ok(())
}
