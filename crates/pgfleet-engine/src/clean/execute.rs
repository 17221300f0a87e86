//! Deletes in batches, each in its own transaction with the journal's counts.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use pgfleet_core::clean::{Batch, ResolvedRule, delete_sql, rules_fingerprint};
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_sql::quote_ident;
use serde::Serialize;

use crate::backup::Notes;
use crate::conduct::Target;
use crate::connect::{Session, SessionError};
use crate::journal::{self, literal};

/// The journal's counts. Their transaction is the batch's.
const CREATE_COUNTS: &str = "CREATE TABLE IF NOT EXISTS pgfleet.cleaned (\
    run_id text NOT NULL, rule text NOT NULL, table_name text NOT NULL, \
    deleted bigint NOT NULL, changed bigint NOT NULL, \
    changed_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(), \
    PRIMARY KEY (run_id, rule, table_name))";

/// What this backend's transaction did to each table so far, what it caused by cascades included.
/// Of earlier transactions some may be in it still, so that only differences count.
const CHANGES: &str = "SELECT n.nspname, c.relname, pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid)::text, \
    pg_catalog.pg_stat_get_xact_tuples_updated(c.oid)::text \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'pgfleet') \
    AND (pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid) > 0 \
    OR pg_catalog.pg_stat_get_xact_tuples_updated(c.oid) > 0)";

/// Pause before a batch that met a lock is tried again, doubled each time.
const CONFLICT_PAUSE: Duration = Duration::from_millis(100);

/// What a run is.
#[derive(Debug, Clone)]
pub struct CleanRun {
    /// `clean` or `maintain`.
    pub command: &'static str,
    /// The backup that was made or named before.
    pub backup: Option<String>,
}

/// What became of the rules.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CleanOutcome {
    /// The run's name in the journal.
    pub run_id: String,
    /// True when an interrupted run was continued.
    pub continued: bool,
    /// Rows by rule and table, those of the interrupted run included.
    pub tables: Vec<TableCount>,
}

/// What happened to a table by one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableCount {
    /// The rule.
    pub rule: String,
    /// The table, as SQL.
    pub table: String,
    /// Rows that were deleted.
    pub deleted: u64,
    /// Rows that were changed, by ON DELETE SET NULL and triggers.
    pub changed: u64,
}

/// Rows deleted and changed by table.
type Changes = BTreeMap<String, (u64, u64)>;

/// Executes rules in their order.
///
/// # Errors
/// [`Code::LockHeld`] while another run is at it; [`Code::CleanFailed`] when the server refuses a
/// batch: those before it are committed, and the same command goes on.
pub async fn execute(
    target: &Target,
    rules: &[ResolvedRule],
    run: &CleanRun,
    notes: Notes<'_>,
) -> Result<CleanOutcome, Box<Problem>> {
    let session = target.connect().await?;
    let executing = Executing { target, session: &session, notes };
    executing.lock().await?;
    let (run_id, continued) = executing.begin(rules, run).await?;
    for rule in rules {
        executing.rule(&run_id, rule).await?;
    }
    executing.batch(&journal::end_run(&run_id, "done")).await?;
    let tables = executing.counts(&run_id).await?;
    session.close().await;
    Ok(CleanOutcome { run_id, continued, tables })
}

/// The backup of an interrupted run with these rules, when there is one to continue.
///
/// # Errors
/// When the target cannot be asked.
pub async fn interrupted_run(
    target: &Target,
    rules: &[ResolvedRule],
    command: &str,
) -> Result<Option<String>, Box<Problem>> {
    let session = target.connect().await?;
    let there = "SELECT pg_catalog.to_regclass('pgfleet.cleaned') IS NOT NULL";
    let mut found = None;
    if session.is_true(there).await.map_err(|e| target.session_problem(&e))? {
        let rows = session.query_text(&open_run_sql(rules, command)).await;
        let rows = rows.map_err(|error| target.session_problem(&error))?;
        found = rows.into_iter().next().and_then(|row| row.into_iter().nth(1).flatten());
    }
    session.close().await;
    Ok(found)
}

/// Run and plan of the newest open run with these rules.
fn open_run_sql(rules: &[ResolvedRule], command: &str) -> String {
    format!(
        "SELECT run_id, plan FROM pgfleet.runs WHERE command = {} AND ended_at IS NULL \
         AND pg_catalog.starts_with(plan, {}) ORDER BY started_at DESC LIMIT 1",
        literal(command),
        literal(&rules_fingerprint(rules))
    )
}

struct Executing<'a> {
    target: &'a Target,
    session: &'a Session,
    notes: Notes<'a>,
}

impl Executing<'_> {
    async fn ask(&self, sql: &str) -> Result<Vec<Vec<Option<String>>>, Box<Problem>> {
        let rows = self.session.query_text(sql).await;
        rows.map_err(|error| self.target.session_problem(&error))
    }

    async fn batch(&self, sql: &str) -> Result<(), Box<Problem>> {
        let done = self.session.batch(sql).await;
        done.map_err(|error| self.target.session_problem(&error))
    }

    async fn lock(&self) -> Result<(), Box<Problem>> {
        let sql = "SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended('pgfleet clean', 0))";
        let got = self.ask(sql).await?.into_iter().flatten().flatten().next();
        if got.as_deref() == Some("t") {
            return Ok(());
        }
        let problem = Problem::error(Code::LockHeld, "another run is taking rows away");
        Err(Box::new(problem.in_target(&self.target.name).fix("Wait until it has ended.")))
    }

    async fn begin(
        &self,
        rules: &[ResolvedRule],
        run: &CleanRun,
    ) -> Result<(String, bool), Box<Problem>> {
        let create = [journal::CREATE, &[CREATE_COUNTS]].concat().join(";\n");
        self.batch(&create).await?;
        let open = self.ask(&open_run_sql(rules, run.command)).await?;
        if let Some(run_id) = open.into_iter().flatten().flatten().next() {
            return Ok((run_id, true));
        }
        let run_id = crate::conduct::new_run_id();
        let backup = run.backup.as_deref().unwrap_or("none");
        let plan = format!("{} backup={backup}", rules_fingerprint(rules));
        let client = format!("pgfleet {}", env!("CARGO_PKG_VERSION"));
        self.batch(&journal::begin_run(&run_id, run.command, &plan, &client)).await?;
        Ok((run_id, false))
    }

    /// Deletes until nothing satisfies the condition.
    async fn rule(&self, run_id: &str, rule: &ResolvedRule) -> Result<(), Box<Problem>> {
        let (mut batch, mut conflicts, mut total) = (Batch::FIRST, 0, 0);
        loop {
            let started = Instant::now();
            match self.one_batch(run_id, rule, batch.rows).await {
                Ok(0) if !self.any_left(rule).await? => return Ok(()),
                Ok(0) => conflicts += 1,
                Ok(rows) => {
                    total += rows;
                    conflicts = 0;
                    batch = batch.after(started.elapsed().as_secs_f64() * 1000.0);
                    (self.notes)(&format!("{}: {total} rows deleted", rule.name));
                    continue;
                }
                Err(error) if is_conflict(&error) => {
                    self.batch("ROLLBACK").await?;
                    conflicts += 1;
                    batch = batch.after_conflict();
                }
                Err(error) => return Err(Box::new(self.failed(rule, &error))),
            }
            if conflicts >= self.target.settings.apply.attempts {
                return Err(Box::new(self.rows_stay(rule)));
            }
            tokio::time::sleep(CONFLICT_PAUSE * 2_u32.pow(conflicts.min(6))).await;
        }
    }

    /// Gives the number of the rule's own rows that went.
    async fn one_batch(
        &self,
        run_id: &str,
        rule: &ResolvedRule,
        rows: u64,
    ) -> Result<u64, SessionError> {
        let begin = format!(
            "BEGIN; SET LOCAL lock_timeout = {}; SET LOCAL statement_timeout = 0; {CHANGES}",
            self.target.settings.apply.lock_timeout_ms
        );
        let before = changes(self.session.query_text(&begin).await?);
        let deleted = self.session.run_batch(&delete_sql(rule, rows)).await;
        if let Some(error) = deleted.error {
            return Err(error);
        }
        let own = deleted.rows_affected.first().copied().unwrap_or(0);
        // Deferred keys and triggers act now, so that their rows are counted.
        let after = format!("SET CONSTRAINTS ALL IMMEDIATE; {CHANGES}");
        let after = changes(self.session.query_text(&after).await?);
        let mut sql = String::new();
        for (table, (deleted, changed)) in difference(&before, &after) {
            sql.push_str(&count_sql(run_id, &rule.name, &table, deleted, changed));
        }
        self.session.batch(&format!("{sql}COMMIT")).await?;
        Ok(own)
    }

    async fn any_left(&self, rule: &ResolvedRule) -> Result<bool, Box<Problem>> {
        let sql =
            format!("SELECT EXISTS (SELECT FROM {} t WHERE ({}\n))", rule.table, rule.condition);
        let left = self.ask(&sql).await?.into_iter().flatten().flatten().next();
        Ok(left.as_deref() == Some("t"))
    }

    async fn counts(&self, run_id: &str) -> Result<Vec<TableCount>, Box<Problem>> {
        let sql = format!(
            "SELECT rule, table_name, deleted::text, changed::text FROM pgfleet.cleaned \
             WHERE run_id = {} ORDER BY rule, deleted DESC, table_name",
            literal(run_id)
        );
        let count = |row: Vec<Option<String>>| {
            let mut cells = row.into_iter().map(Option::unwrap_or_default);
            let mut next = || cells.next().unwrap_or_default();
            let (rule, table) = (next(), next());
            let mut number = || next().parse().unwrap_or(0);
            TableCount { rule, table, deleted: number(), changed: number() }
        };
        Ok(self.ask(&sql).await?.into_iter().map(count).collect())
    }

    fn failed(&self, rule: &ResolvedRule, error: &SessionError) -> Problem {
        let of = self.target.session_problem(error);
        let what = format!("the rule {} could not delete its rows", rule.name);
        let mut problem = Problem::error(Code::CleanFailed, what).because(of.what.clone());
        problem.sqlstate = of.sqlstate;
        if let Some(detail) = error.server().and_then(|server| server.detail.clone()) {
            problem = problem.detail(detail);
        }
        problem
            .in_target(&self.target.name)
            .detail("batches before this one are committed and in the journal")
            .fix("Remove the cause and run the same command again; it goes on where it was.")
    }

    fn rows_stay(&self, rule: &ResolvedRule) -> Problem {
        let what = format!("rows of the rule {} stay", rule.name);
        Problem::error(Code::CleanFailed, what)
            .in_target(&self.target.name)
            .because("other transactions hold them, or a trigger or policy keeps them")
            .detail("what could be deleted is committed and in the journal")
            .fix_with("See who holds locks.", "pgfleet monitor")
            .fix("Then run the same command again; it goes on where it was.")
    }
}

/// Lock timeout, deadlock, serialization failure.
fn is_conflict(error: &SessionError) -> bool {
    let state = error.server().map(|server| server.sqlstate.as_str());
    matches!(error, SessionError::Server(_)) && matches!(state, Some("55P03" | "40P01" | "40001"))
}

fn changes(rows: Vec<Vec<Option<String>>>) -> Changes {
    let read = |row: Vec<Option<String>>| {
        let mut cells = row.into_iter().flatten();
        let name = format!("{}.{}", quote_ident(&cells.next()?), quote_ident(&cells.next()?));
        Some((name, (cells.next()?.parse().ok()?, cells.next()?.parse().ok()?)))
    };
    rows.into_iter().filter_map(read).collect()
}

fn difference(before: &Changes, after: &Changes) -> Changes {
    let since = |(table, now): (&String, &(u64, u64))| {
        let then = before.get(table).copied().unwrap_or_default();
        (table.clone(), (now.0.saturating_sub(then.0), now.1.saturating_sub(then.1)))
    };
    after.iter().map(since).filter(|(_, counts)| *counts != (0, 0)).collect()
}

fn count_sql(run_id: &str, rule: &str, table: &str, deleted: u64, changed: u64) -> String {
    format!(
        "INSERT INTO pgfleet.cleaned AS c (run_id, rule, table_name, deleted, changed) \
         VALUES ({}, {}, {}, {deleted}, {changed}) ON CONFLICT (run_id, rule, table_name) DO UPDATE SET \
         deleted = c.deleted + EXCLUDED.deleted, changed = c.changed + EXCLUDED.changed, \
         changed_at = pg_catalog.clock_timestamp();\n",
        literal(run_id),
        literal(rule),
        literal(table)
    )
}
