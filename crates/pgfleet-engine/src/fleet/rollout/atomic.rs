//! All or none: every target prepares its whole plan, and only when all have is any committed. Where
//! that cannot be, `rehearsed` says what can.
//!
//! Invariant: no transaction is committed unless the record says `committing`, and none is rolled
//! back unless it says `aborting`; so whoever finds prepared transactions after a crash, at
//! whatever point, knows what to do with them.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::rehearse::RowChoice;
use pgfleet_core::report::{Event, RunReport};
use tokio::sync::watch;

use super::super::group::{Group, Member};
use super::super::queue::{Job, run_bounded};
use super::control::{Control, first_cell};
use super::record::{Record, RecordTarget, is_commit, prepared_name};
use super::settle::settle;
use super::target::begun;
use crate::conduct::{
    ApplyRequest, ChangeError, Consent, Enclosed, Run, RunOutcome, Selection, Target, apply,
    check_consent, new_run_id, open, pending, plan_apply, preflight_of, refuse_broken_rows,
    refuse_unpreparable,
};
use crate::execute::{EventSink, StopSignal};
use crate::project::Folder;
use crate::typeorm::capture_pending;

/// What an all-or-none run works with.
pub struct AtomicWork<'a> {
    /// The control database.
    pub control: &'a Control,
    /// The group; all its members are to change.
    pub group: &'a Group,
    /// The group's folder.
    pub folder: Arc<Folder>,
    /// Which of the pending migrations.
    pub selection: Selection,
    /// What the user allowed.
    pub consent: Consent,
    /// How long the targets may prepare; where nothing can be prepared, how long each may rehearse.
    pub timeout: Duration,
    /// Refuse where a target cannot prepare.
    pub prepared_only: bool,
    /// Go on although a way back was not proven.
    pub unproven: bool,
    /// Which rows are copied to prove ways back; none copies the structure alone.
    pub rows: Option<RowChoice>,
    /// Told what happens.
    pub events: &'a dyn EventSink,
    /// Becomes true when the user asks to stop.
    pub stop: StopSignal,
}

/// What became of an all-or-none run.
#[derive(Debug)]
pub struct AtomicEnd {
    /// How it ended.
    pub how: AtomicHow,
    /// How long locks were held at the most, in milliseconds: on all targets together, or on one of
    /// them where each rehearsed by itself.
    pub held_ms: f64,
    /// What each member of the group did, in order.
    pub targets: Vec<AtomicTarget>,
    /// What could not be committed or rolled back, and waits for the next run.
    pub unsettled: Vec<Problem>,
}

/// How an all-or-none run ended.
#[derive(Debug, Clone)]
pub enum AtomicHow {
    /// There was nothing to do.
    Nothing,
    /// Committed everywhere.
    Committed,
    /// Rolled back everywhere.
    RolledBack,
    /// A target failed when it rehearsed; nothing was changed.
    RehearsalFailed,
    /// All targets rehearsed, and a rollout that takes back may change them, with this folder.
    Rehearsed(Arc<Folder>),
}

/// What a target did.
#[derive(Debug, Default)]
pub struct AtomicTarget {
    /// The run, where one took place.
    pub report: Option<Box<RunReport>>,
    /// What stood in the way.
    pub problems: Vec<Problem>,
    /// It had nothing to do.
    pub idle: bool,
}

impl AtomicWork<'_> {
    /// Migrates all members or none. The group must have been recovered before, under its lock.
    ///
    /// # Errors
    /// What stands in the way on any target; nothing was changed.
    pub async fn run(&self) -> Result<AtomicEnd, ChangeError> {
        let found = self.survey().await?;
        let mut end = AtomicEnd {
            how: AtomicHow::Nothing,
            held_ms: 0.0,
            targets: self.group.members.iter().map(|_| AtomicTarget::default()).collect(),
            unsettled: Vec::new(),
        };
        for (at, target) in end.targets.iter_mut().enumerate() {
            target.idle = !found.iter().any(|busy| busy.at == at);
        }
        if found.is_empty() {
            return Ok(end);
        }
        let lacking = self.lacking(&found).await?;
        if !lacking.is_empty() && self.prepared_only {
            return Err(lacking.into());
        }
        match lacking.is_empty() {
            true => self.run_prepared(&found, &mut end).await?,
            false => self.rehearse(&found, &lacking, &mut end).await?,
        }
        Ok(end)
    }

    async fn run_prepared(&self, found: &[Busy], end: &mut AtomicEnd) -> Result<(), ChangeError> {
        let busy: Vec<_> = found.iter().map(|busy| busy.at).collect();
        let id = new_run_id();
        let targets: Vec<_> = busy.iter().map(|at| recorded(&self.group.members[*at])).collect();
        self.control.insert_record(&id, &self.group.name, &targets).await?;
        let begun = Instant::now();
        let prepared = self.prepare(&id, &busy, end).await;
        let record = Record { id, state: "preparing".to_owned(), targets };
        let (commit, unsettled) = conclude(self.control, self.group, &record, prepared).await?;
        end.how = if commit { AtomicHow::Committed } else { AtomicHow::RolledBack };
        end.unsettled = unsettled;
        end.held_ms = begun.elapsed().as_secs_f64() * 1000.0;
        Ok(())
    }

    /// The members that have something to do, when nothing forbids any of them.
    async fn survey(&self) -> Result<Vec<Busy>, ChangeError> {
        let (mut busy, mut problems) = (Vec::new(), Vec::new());
        let work = |at: usize| async move { self.look_at(at).await };
        let all: Vec<_> = (0..self.group.members.len()).collect();
        run_bounded(
            &self.group.servers,
            self.jobs(&all),
            || true,
            work,
            |found| match found {
                Ok(found) => busy.extend(found),
                Err(ChangeError { problems: found }) => problems.extend(found),
            },
        )
        .await;
        busy.sort_unstable_by_key(|busy: &Busy| busy.at);
        if problems.is_empty() { Ok(busy) } else { Err(problems.into()) }
    }

    async fn look_at(&self, at: usize) -> Result<Option<Busy>, ChangeError> {
        let (project, target) = (&self.group.project, &self.group.members[at].target);
        let mut opened = open(project, target, self.folder.clone()).await?;
        capture_pending(project, target, &mut opened, &self.selection).await?;
        let plan = plan_apply(target, &opened, &self.selection)?;
        if plan.is_empty() {
            opened.session.close().await;
            return Ok(None);
        }
        preflight_of(target, &opened, self.events).await?;
        refuse_broken_rows(target, &opened, &self.selection).await?;
        check_consent(target, &plan, &self.run_of(None, self.stop.clone()))?;
        let versions: Vec<_> = plan.sql_steps().map(|step| step.version.clone()).collect();
        let pending = pending(&opened.statuses, &self.selection)?;
        let unpreparable = refuse_unpreparable(target, &plan, &opened.state).err();
        let half_done = begun(&opened, &versions).is_some() || versions != pending;
        opened.session.close().await;
        let lack = unpreparable.map(|problem| *problem);
        Ok(Some(Busy { at, plan: plan.fingerprint, versions, lack, half_done }))
    }

    /// Why the targets cannot all prepare: migrations that no transaction holds, and servers without
    /// a free slot for each of their targets.
    async fn lacking(&self, busy: &[Busy]) -> Result<Vec<Problem>, ChangeError> {
        let mut lacking: Vec<_> = busy.iter().filter_map(|busy| busy.lack.clone()).collect();
        for server in 0..self.group.servers.len() {
            let mut here = busy.iter().map(|busy| &self.group.members[busy.at]);
            let mut here: Vec<_> = here.by_ref().filter(|m| m.server == server).collect();
            let (needed, Some(first)) = (here.len(), here.pop()) else { continue };
            let session = first.target.connect().await?;
            let free = session
                .query_text(
                    "SELECT pg_catalog.current_setting('max_prepared_transactions')::int \
                     - (SELECT count(*) FROM pg_catalog.pg_prepared_xacts)",
                )
                .await
                .map_err(|error| first.target.session_problem(&error))?;
            session.close().await;
            let free = first_cell(&free).and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
            if free < i64::try_from(needed).unwrap_or(i64::MAX) {
                let server = &self.group.servers[server].label;
                lacking.push(no_room(&first.target, server, needed, free));
            }
        }
        Ok(lacking)
    }

    /// Lets all targets prepare, until one fails, the time is over or the user stops it.
    async fn prepare(&self, id: &str, busy: &[usize], end: &mut AtomicEnd) -> bool {
        let (stopping, stop) = watch::channel(false);
        let (left, done) = (RefCell::new(busy.len()), RefCell::new(&mut end.targets));
        let (stop, stopping) = (&stop, &stopping);
        let work = |at: usize| async move {
            let number = busy.iter().position(|busy| *busy == at).unwrap_or_default();
            let member = &self.group.members[at];
            let end = Enclosed::Prepared(prepared_name(id, number));
            (at, self.enclose(member, end, stop.clone()).await)
        };
        let preparing = run_bounded(
            &self.group.servers,
            self.jobs(busy),
            || !*stop.borrow(),
            work,
            |(at, target): (usize, AtomicTarget)| {
                let complete = target.report.as_ref().is_some_and(|report| report.complete());
                match complete && target.problems.is_empty() {
                    true => *left.borrow_mut() -= 1,
                    false => _ = stopping.send_replace(true),
                }
                done.borrow_mut()[at] = target;
            },
        );
        let mut preparing = std::pin::pin!(preparing);
        let mut user = self.stop.clone();
        let over = async {
            tokio::select! {
                Ok(_) = user.wait_for(|stop| *stop) => {}
                () = tokio::time::sleep(self.timeout) => {}
            }
        };
        tokio::select! {
            () = &mut preparing => {}
            () = over => {
                stopping.send_replace(true);
                preparing.await;
            }
        }
        let complete = *left.borrow() == 0;
        // Whoever was stopped when all had prepared was too late, but none may commit against it.
        complete && !*stop.borrow()
    }

    /// Runs all that is pending on a target in one transaction.
    pub(super) async fn enclose(
        &self,
        member: &Member,
        end: Enclosed,
        stop: StopSignal,
    ) -> AtomicTarget {
        let (target, begun) = (&member.target, Instant::now());
        self.events.send(Event::TargetStarted { target: target.name.clone() });
        let verb = if end == Enclosed::RolledBack { "rehearsed" } else { "prepared" };
        let outcome = self.try_enclose(target, end, stop).await;
        let mut done = AtomicTarget::default();
        match outcome {
            Ok(RunOutcome::Ran(report)) => {
                done.problems = report.problems.iter().filter(|p| p.is_error()).cloned().collect();
                done.report = Some(report);
            }
            // Somebody else did it since we looked.
            Ok(RunOutcome::Nothing) => {
                let what = format!("{} was changed while the group was looked at", target.name);
                done.problems.push(
                    Problem::error(Code::AtomicUnsettled, what)
                        .in_target(&target.name)
                        .fix("Run the same command again."),
                );
            }
            Err(error) => done.problems = error.problems,
        }
        let ok = done.problems.is_empty();
        let headline = if ok { verb } else { "failed" }.to_owned();
        let elapsed_ms = begun.elapsed().as_secs_f64() * 1000.0;
        let target = target.name.clone();
        self.events.send(Event::TargetFinished { target, ok, headline, elapsed_ms });
        done
    }

    async fn try_enclose(
        &self,
        target: &Target,
        end: Enclosed,
        stop: StopSignal,
    ) -> Result<RunOutcome, ChangeError> {
        let project = &self.group.project;
        let mut opened = open(project, target, self.folder.clone()).await?;
        capture_pending(project, target, &mut opened, &self.selection).await?;
        let run = self.run_of(Some(end), stop);
        let request = ApplyRequest { selection: self.selection.clone(), plan: None, run };
        let outcome = apply(target, &opened, &request).await;
        opened.session.close().await;
        outcome
    }

    fn run_of(&self, enclosed: Option<Enclosed>, stop: StopSignal) -> Run<'_> {
        let consent = self.consent;
        let events = &super::work::Quiet;
        Run { command: "apply", consent, continue_on_error: false, enclosed, events, stop }
    }

    pub(super) fn jobs(&self, positions: &[usize]) -> impl Iterator<Item = Job<usize>> {
        positions.iter().map(|on| Job { server: self.group.members[*on].server, on: *on })
    }
}

/// A member that has something to do.
pub(super) struct Busy {
    /// Its position in the group.
    pub(super) at: usize,
    /// The fingerprint of its plan.
    pub(super) plan: String,
    /// What it is migrated by, in order.
    pub(super) versions: Vec<String>,
    /// Why no prepared transaction can hold that.
    pub(super) lack: Option<Problem>,
    /// An earlier run did a part of it.
    pub(super) half_done: bool,
}

fn no_room(target: &Target, server: &str, needed: usize, free: i64) -> Problem {
    let what = format!("{server} has room for {} prepared transactions, not {needed}", free.max(0));
    Problem::error(Code::AtomicImpossible, what)
        .in_target(&target.name)
        .because("max_prepared_transactions is 0 by default, and each target needs one")
        .fix_with(
            "Raise it, and restart the server.",
            "ALTER SYSTEM SET max_prepared_transactions = 100",
        )
        .fix("Or leave out --prepared-only: what is done is taken back when a target fails.")
}

fn recorded(member: &Member) -> RecordTarget {
    let Target { name, spec, schema, .. } = &member.target;
    RecordTarget { name: name.clone(), database: spec.database.clone(), schema: schema.clone() }
}

/// Takes the group's lock, and brings what earlier runs left to its end. Gives what could not be
/// settled, and how many runs were.
///
/// # Errors
/// When the control database cannot be asked, or another process is at work.
pub async fn recover(
    control: &Control,
    group: &Group,
) -> Result<(usize, Vec<Problem>), Box<Problem>> {
    control.lock_atomic(&group.name, group.project.settings.apply.lock_wait_ms).await?;
    let (found, mut problems) = prepared_in(group).await;
    let ids: Vec<_> = found.iter().filter_map(|(_, name)| id_of(name)).collect();
    let records = control.records(&group.name, &ids).await?;
    for record in &records {
        let (_, unsettled) = conclude(control, group, record, false).await?;
        problems.extend(unsettled);
    }
    let known = |name: &str| records.iter().any(|r| id_of(name).as_ref() == Some(&r.id));
    problems.extend(found.iter().filter(|(_, name)| !known(name)).map(|(t, name)| orphan(t, name)));
    Ok((records.len(), problems))
}

fn id_of(name: &str) -> Option<String> {
    Some(name.strip_prefix("pgfleet/")?.split_once('/')?.0.to_owned())
}

/// Prepared transactions of ours in the members' databases, and the servers that cannot be asked.
async fn prepared_in(group: &Group) -> (Vec<(String, String)>, Vec<Problem>) {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for server in 0..group.servers.len() {
        let here: Vec<_> = group.members.iter().filter(|m| m.server == server).collect();
        let mut last = None;
        for member in &here {
            match ask_prepared(&member.target).await {
                Ok(rows) => {
                    found.extend(rows.into_iter().filter(|(database, _)| {
                        here.iter().any(|m| m.target.spec.database == *database)
                    }));
                    last = None;
                    break;
                }
                // Another database of the server knows as much.
                Err(problem) => last = Some(*problem),
            }
        }
        problems.extend(last);
    }
    (found, problems)
}

async fn ask_prepared(target: &Target) -> Result<Vec<(String, String)>, Box<Problem>> {
    let session = target.connect().await?;
    let sql = "SELECT database, gid FROM pg_catalog.pg_prepared_xacts \
               WHERE pg_catalog.starts_with(gid, 'pgfleet/')";
    let rows = session.query_text(sql).await.map_err(|error| target.session_problem(&error))?;
    session.close().await;
    let pair = |row: Vec<Option<String>>| match row.as_slice() {
        [Some(database), Some(name)] => Some((database.clone(), name.clone())),
        _ => None,
    };
    Ok(rows.into_iter().filter_map(pair).collect())
}

fn orphan(database: &str, name: &str) -> Problem {
    let what = format!("{database} holds a prepared transaction that no record knows: {name}");
    Problem::error(Code::AtomicUnsettled, what)
        .because("its record is in another control database, or of another group")
        .fix("Recover that group; when there is no record anywhere, ROLLBACK PREPARED there.")
}

/// Decides, where nobody has, and settles every target. Gives what holds and what is left.
async fn conclude(
    control: &Control,
    group: &Group,
    record: &Record,
    commit: bool,
) -> Result<(bool, Vec<Problem>), Box<Problem>> {
    let commit = match record.state.as_str() {
        "preparing" => control.decide(&record.id, commit).await.map_err(|problem| {
            Box::new(problem.fix_with(
                "What holds is in the control database; settle the targets.",
                format!("pgfleet rollout recover --group {}", group.name),
            ))
        })?,
        decided => is_commit(decided),
    };
    let (_never, stop) = watch::channel(false);
    let (mut problems, mut jobs) = (Vec::new(), Vec::new());
    for (number, target) in record.targets.iter().enumerate() {
        match group.members.iter().find(|member| recorded(member) == *target) {
            Some(member) => jobs.push(Job { server: member.server, on: (number, member) }),
            None => problems.push(gone(group, target, &prepared_name(&record.id, number))),
        }
    }
    let work = |(number, member): (usize, &Member)| {
        let (target, stop) = (member.target.clone(), stop.clone());
        async move { settle(&target, &prepared_name(&record.id, number), commit, &stop).await }
    };
    run_bounded(
        &group.servers,
        jobs,
        || true,
        work,
        |settled| {
            problems.extend(settled.err().map(|problem| *problem));
        },
    )
    .await;
    if problems.is_empty() {
        control.end_record(&record.id, commit).await?;
    }
    Ok((commit, problems))
}

fn gone(group: &Group, target: &RecordTarget, name: &str) -> Problem {
    let what = format!("{} is no longer a target of {}", target.name, group.name);
    Problem::error(Code::AtomicUnsettled, what)
        .because(format!("it may hold the prepared transaction {name} in {}", target.database))
        .fix("Put it back into the group, and run the same command again.")
}
