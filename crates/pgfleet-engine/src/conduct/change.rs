//! Changes a target by a plan: locks, a second look under the lock, consent, execution, report.

use std::sync::Arc;

use jiff::Timestamp;
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::history::HistoryRow;
use pgfleet_core::plan::{HazardKind, Plan, SqlStep, Unit, fingerprint_rows, needs_consent};
use pgfleet_core::report::{Event, RunReport};

use super::alone::run_alone;
use super::run_id;
use super::target::{Opened, Target};
use crate::connect::Session;
use crate::diagnose;
use crate::execute::{
    Aside, Enclosed, EventSink, Execution, RunOptions, Sessions, StopSignal, execute,
};
use crate::journal::OpenUnit;
use crate::lock::{LockError, LockWait, LoneLock, lock_coordinator, lock_worker};
use crate::state::{TargetState, read_state};

/// What the user allowed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Consent {
    /// `--allow-data-loss`.
    pub data_loss: bool,
}

/// What became of a change.
#[derive(Debug)]
pub enum RunOutcome {
    /// There was nothing to do.
    Nothing,
    /// A run took place; the report says how it went.
    Ran(Box<RunReport>),
}

/// Why no run took place. Nothing was changed.
#[derive(Debug)]
pub struct ChangeError {
    /// Everything that stands in the way.
    pub problems: Vec<Problem>,
}

impl From<Box<Problem>> for ChangeError {
    fn from(problem: Box<Problem>) -> Self {
        Self { problems: vec![*problem] }
    }
}

impl From<Vec<Problem>> for ChangeError {
    fn from(problems: Vec<Problem>) -> Self {
        Self { problems }
    }
}

/// How a run is to go.
pub struct Run<'a> {
    /// The command, for the journal and the report.
    pub command: &'a str,
    /// What the user allowed.
    pub consent: Consent,
    /// Go on with the next migration after one that failed.
    pub continue_on_error: bool,
    /// All of it is one transaction, which ends so.
    pub enclosed: Option<Enclosed>,
    /// Told what happens.
    pub events: &'a dyn EventSink,
    /// Becomes true when the user asks to stop.
    pub stop: StopSignal,
}

/// Makes a plan on a target's state: the one that is executed, on the state as it is under the lock.
pub type MakePlan<'a> = dyn Fn(&TargetState) -> Result<Arc<Plan>, ChangeError> + Send + Sync + 'a;

/// Takes the locks, makes the plan on what is there then, and executes it.
///
/// The opened session becomes the working session. The plan is made on the state that is read under
/// the lock, so that it cannot be stale.
///
/// # Errors
/// When the lock is held, the plan cannot be made, or consent is missing. Nothing was changed.
pub async fn run_plan(
    target: &Target,
    opened: &Opened,
    run: &Run<'_>,
    make_plan: &MakePlan<'_>,
) -> Result<RunOutcome, ChangeError> {
    if let Some(outcome) = run_alone(target, opened, run, make_plan).await? {
        return Ok(outcome);
    }
    let session = &opened.session;
    let coordinator = target.connect().await?;
    let state = lock(target, opened, &coordinator, run).await?;
    let plan = make_plan(&state)?;
    if plan.is_empty() {
        return Ok(RunOutcome::Nothing);
    }
    check_consent(target, &plan, run)?;
    if matches!(run.enclosed, Some(Enclosed::Prepared(_))) {
        refuse_unpreparable(target, &plan, &state)?;
    }
    let aside = Aside::Open(&coordinator);
    let sessions = Sessions { worker: session, aside: &aside };
    let report = run_steps(target, &sessions, (&plan, &state), run, None).await?;
    coordinator.close().await;
    Ok(RunOutcome::Ran(Box::new(report)))
}

/// Takes the locks, and reads the state again under them.
pub(super) async fn lock(
    target: &Target,
    opened: &Opened,
    coordinator: &Session,
    run: &Run<'_>,
) -> Result<TargetState, ChangeError> {
    let (session, dialect) = (&opened.session, opened.dialect);
    let deadline_ms = target.settings.apply.lock_wait_ms;
    let keys = target.lock_keys();
    let wait = LockWait { keys, deadline_ms, events: run.events, stop: run.stop.clone() };
    let native = dialect.lock(&opened.state.lock_context());
    let taken = lock_coordinator(coordinator, native, &wait).await;
    taken.map_err(|error| lock_problem(target, error))?;
    lock_worker(session, &wait).await.map_err(|error| lock_problem(target, error))?;
    let state = read_state(session, dialect, target.history_table(dialect).as_ref()).await;
    Ok(state.map_err(|error| target.state_problem(error))?)
}

pub(crate) fn lock_problem(target: &Target, error: LockError) -> Box<Problem> {
    match error {
        LockError::Session(error) => target.session_problem(&error),
        LockError::Held(problem) => Box::new(problem.in_target(&target.name)),
    }
}

/// A plan that was reviewed is executed as it is, or not at all. `anew` makes a new one.
pub(super) fn check_intact(plan: &Plan, anew: &str) -> Result<(), Box<Problem>> {
    if plan.is_intact() {
        return Ok(());
    }
    Err(Box::new(
        Problem::error(Code::PlanInvalid, "the plan was edited after it had been made")
            .because("its fingerprint does not fit what it holds")
            .fix_with("Make a new plan and review it.", anew),
    ))
}

/// A plan of a folder is executed on the history that it was made on.
pub(super) fn check_base(
    plan: &Plan,
    rows: &[HistoryRow],
    target: &Target,
) -> Result<(), Box<Problem>> {
    let anew = "pgfleet plan --out plan.json";
    check_intact(plan, anew)?;
    if plan.history().is_none_or(|history| history.base == fingerprint_rows(rows)) {
        return Ok(());
    }
    Err(Box::new(
        stale(target, "the target's history changed since the plan was made")
            .because("migrations were applied, taken back or edited in between")
            .fix_with("Make a new plan and review it.", anew),
    ))
}

/// The target is not what it was when the plan was made.
pub(super) fn stale(target: &Target, what: &str) -> Problem {
    Problem::error(Code::PlanStale, what).in_target(&target.name)
}

pub(crate) fn check_consent(
    target: &Target,
    plan: &Plan,
    run: &Run<'_>,
) -> Result<(), ChangeError> {
    if run.consent.data_loss || !needs_consent(&plan.hazards) {
        return Ok(());
    }
    let mut problem =
        Problem::error(Code::ConsentMissing, "the plan can lose data, and that was not allowed")
            .in_target(&target.name);
    let loses = |kind| matches!(kind, HazardKind::DataLoss | HazardKind::PossibleLoss);
    for hazard in plan.hazards.iter().filter(|hazard| loses(hazard.kind)) {
        problem = problem.detail(format!("{}: {}", hazard.place, hazard.what));
    }
    let command = match plan.schemas() {
        Some(_) => format!("pgfleet {} --plan plan.json --allow-data-loss", run.command),
        None => format!("pgfleet {} --allow-data-loss", run.command),
    };
    Err(vec![problem.fix_with("Look at each of them; back up; then allow it.", command)].into())
}

/// Refuses a plan of which one transaction cannot hold all.
///
/// # Errors
/// Names the migrations and why.
pub fn refuse_unpreparable(
    target: &Target,
    plan: &Plan,
    state: &TargetState,
) -> Result<(), Box<Problem>> {
    let reasons: Vec<_> = plan
        .sql_steps()
        .filter_map(|step| Some(format!("{}: {}", step.file, unpreparable(step, state)?)))
        .collect();
    if reasons.is_empty() {
        return Ok(());
    }
    let what = format!("{} cannot be migrated in one prepared transaction", target.name);
    let mut problem = Problem::error(Code::AtomicImpossible, what).in_target(&target.name);
    for reason in reasons {
        problem = problem.detail(reason);
    }
    Err(Box::new(problem.fix(
        "Bring what comes before to all targets, or leave out --prepared-only: what is done is taken \
         back when a target fails.",
    )))
}

/// Why a migration cannot be a part of a prepared transaction.
pub(super) fn unpreparable(step: &SqlStep, state: &TargetState) -> Option<&'static str> {
    let begun = |open: &OpenUnit| open.version == step.version && open.direction == step.direction;
    let copies = |unit: &Unit| unit.statements().iter().any(|s| s.copy_data.is_some());
    if !step.is_one_transaction() {
        Some("has statements outside a transaction, or several transactions")
    } else if step.units.iter().any(copies) {
        Some("has rows for COPY in its file")
    } else if state.open_units.iter().any(begun) {
        Some("was begun by an earlier run and is not complete")
    } else {
        None
    }
}

/// Executes a plan under the locks.
pub(super) async fn run_steps(
    target: &Target,
    sessions: &Sessions<'_>,
    (plan, state): (&Plan, &TargetState),
    run: &Run<'_>,
    lone_lock: Option<&LoneLock>,
) -> Result<RunReport, ChangeError> {
    let options = run_options(target, state, run, lone_lock.cloned());
    let started = Timestamp::now();
    run.events.send(Event::RunStarted {
        run_id: options.run_id.clone(),
        target: target.name.clone(),
        command: options.command.clone(),
        migrations: plan.steps.len(),
    });
    let execution = execute(sessions, plan, &options, run.events, &run.stop).await;
    let execution = match execution {
        Ok(execution) => execution,
        Err(failure) => {
            let session = sessions.to_ask().await;
            let problem = diagnose::explain_setup(target, session, plan, &failure.error).await;
            return Err(problem.into());
        }
    };
    let problems = diagnose::explain_execution(target, sessions, plan, &execution).await;
    tell_failures(plan, &execution, &problems, run.events);
    Ok(report(target, &options, started, execution, problems, run.events))
}

/// Explanations of failures come first and in order.
fn tell_failures(plan: &Plan, execution: &Execution, problems: &[Problem], events: &dyn EventSink) {
    let steps: Vec<_> = plan.sql_steps().collect();
    for (failure, problem) in execution.failures.iter().zip(problems) {
        let Some(step) = steps.get(failure.step) else { continue };
        let (migration, problem) = (step.label.clone(), Box::new(problem.clone()));
        events.send(Event::MigrationFailed { migration, problem });
    }
}

fn run_options(
    target: &Target,
    state: &TargetState,
    run: &Run<'_>,
    lone_lock: Option<LoneLock>,
) -> RunOptions {
    RunOptions {
        run_id: match &run.enclosed {
            Some(Enclosed::Prepared(name)) => name.clone(),
            Some(Enclosed::RolledBack) | None => run_id::new(),
        },
        command: run.command.to_owned(),
        client: format!("pgfleet {}", env!("CARGO_PKG_VERSION")),
        search_path: target.spec.search_path.clone(),
        apply: target.settings.apply,
        continue_on_error: run.continue_on_error,
        enclosed: run.enclosed.clone(),
        lock_keys: target.lock_keys(),
        lone_lock,
        has_journal: state.has_journal,
        open_units: state.open_units.clone(),
    }
}

fn report(
    target: &Target,
    options: &RunOptions,
    started: Timestamp,
    execution: Execution,
    problems: Vec<Problem>,
    events: &dyn EventSink,
) -> RunReport {
    for problem in problems.iter().filter(|problem| !problem.is_error()) {
        events.send(Event::Warned { problem: Box::new(problem.clone()) });
    }
    let elapsed_ms = Timestamp::now().duration_since(started).as_secs_f64() * 1000.0;
    let report = RunReport {
        version: 1,
        run_id: options.run_id.clone(),
        target: target.name.clone(),
        server: target.spec.redacted(),
        command: options.command.clone(),
        started_at: started.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
        elapsed_ms,
        migrations: execution.migrations,
        problems,
    };
    let done = report.migrations.iter().filter(|m| m.elapsed_ms.is_some()).count();
    let complete = report.complete();
    let run_id = options.run_id.clone();
    events.send(Event::RunFinished { run_id, done, complete, elapsed_ms });
    report
}
