//! All or none where not every target can prepare: the ways back are proven on copies, every target
//! rehearses in a transaction that is rolled back, and only then a rollout that takes back may begin.
//!
//! Invariant: nothing is changed here, and what is promised was tried.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::plan::Plan;
use pgfleet_core::rehearse::{Rehearsal, Verdict, WayBack, data_statements};
use pgfleet_core::report::Event;
use tokio::sync::watch;

use super::super::group::Member;
use super::super::queue::run_bounded;
use super::atomic::{AtomicEnd, AtomicHow, AtomicTarget, AtomicWork, Busy};
use super::target::underivable;
use crate::conduct::{ChangeError, Enclosed, open, plan_apply};
use crate::project::Folder;
use crate::rehearse::{RehearsalOptions, Rehearsed, likeness, rehearse};
use crate::typeorm::capture_pending;
use crate::way_back::{lacks_way_back, with_ways_back};

/// Reasons that the announcement names.
const NAMED_MAX: usize = 8;

impl AtomicWork<'_> {
    /// Says what is promised instead, proves ways back, and lets every target rehearse.
    ///
    /// # Errors
    /// What stands in the way on any target, and what has no proven way back.
    pub(super) async fn rehearse(
        &self,
        busy: &[Busy],
        lacking: &[Problem],
        end: &mut AtomicEnd,
    ) -> Result<(), ChangeError> {
        self.refuse_inexact(busy)?;
        let problem = Box::new(self.announcement(busy, lacking));
        self.events.send(Event::Warned { problem });
        let folder = self.with_ways_back(busy).await?;
        self.prove(busy, &folder).await?;
        let failed = self.on_targets(busy, end).await;
        end.how = match failed {
            true => AtomicHow::RehearsalFailed,
            false => AtomicHow::Rehearsed(folder),
        };
        Ok(())
    }

    /// What cannot be promised to be as before.
    fn refuse_inexact(&self, busy: &[Busy]) -> Result<(), ChangeError> {
        if self.selection.steps.is_some() {
            let what = "--steps does not go with an all-or-none run that prepares nothing";
            let problem = Problem::error(Code::AtomicImpossible, what)
                .because("after an interruption it would mean other migrations")
                .fix("Name the last migration: --to VERSION.");
            return Err(vec![problem].into());
        }
        let half_done = busy.iter().filter(|busy| busy.half_done);
        let problems: Vec<_> =
            half_done.map(|busy| half_done_before(&self.group.members[busy.at])).collect();
        if problems.is_empty() { Ok(()) } else { Err(problems.into()) }
    }

    fn announcement(&self, busy: &[Busy], lacking: &[Problem]) -> Problem {
        let group = &self.group.name;
        let what = format!("{group} is migrated all or none by taking back, not at one instant");
        let mut problem = Problem::warning(Code::AtomicByTakingBack, what)
            .because("not every target can prepare all of it as one transaction");
        let reasons: BTreeSet<_> = lacking.iter().flat_map(reasons).collect();
        for reason in reasons.iter().take(NAMED_MAX) {
            problem = problem.detail(reason.clone());
        }
        if reasons.len() > NAMED_MAX {
            problem = problem.detail(format!("and {} more", reasons.len() - NAMED_MAX));
        }
        let apart = busy.iter().any(|busy| busy.lack.is_some());
        let copies = if apart { "; what no transaction holds, on a copy" } else { "" };
        problem
            .detail(format!(
                "1. each of {} targets runs it in a transaction that is rolled back{copies}",
                busy.len()
            ))
            .detail("2. then one target after the other is changed, and differs from the others meanwhile")
            .detail("when one fails, those already changed are taken back, by ways that were proven on copies")
            .detail("rows written meanwhile into what the migrations bring go with it")
            .fix("To refuse instead: --prepared-only.")
    }

    /// The folder with a way back for all that is pending, derived where nobody wrote one.
    async fn with_ways_back(&self, busy: &[Busy]) -> Result<Arc<Folder>, ChangeError> {
        let versions: BTreeSet<_> = busy.iter().flat_map(|busy| busy.versions.clone()).collect();
        let versions: Vec<_> = versions.into_iter().collect();
        let mut all = self.folder.set.migrations.iter();
        if !all.any(|one| lacks_way_back(one) && versions.contains(&one.version)) {
            return Ok(self.folder.clone());
        }
        let Some(first) = busy.first() else { return Ok(self.folder.clone()) };
        let target = &self.group.members[first.at].target;
        match with_ways_back(&self.group.project, target, &self.folder, &versions).await {
            Ok(folder) => Ok(Arc::new(folder)),
            Err(_) if self.unproven => Ok(self.folder.clone()),
            Err(why) => Err(or_unproven(*underivable(&self.folder.set, &versions, &why)).into()),
        }
    }

    /// Tries each distinct plan on a copy of each distinct schema, forth and back.
    async fn prove(&self, busy: &[Busy], folder: &Arc<Folder>) -> Result<(), ChangeError> {
        self.tell_stage("proving ways back on copies", None);
        let distinct = self.distinct(busy).await?;
        let stop = self.stop.clone();
        let mut problems = Vec::new();
        let work = |at: usize| async move { self.prove_one(&self.group.members[at], folder).await };
        run_bounded(
            &self.group.servers,
            self.jobs(&distinct),
            || !*stop.borrow(),
            work,
            |proven: Result<(), ChangeError>| {
                problems.extend(proven.err().into_iter().flat_map(|error| error.problems));
            },
        )
        .await;
        if *stop.borrow() {
            problems.push(Problem::error(Code::Cancelled, "stopped; nothing was changed"));
        }
        if problems.is_empty() { Ok(()) } else { Err(problems.into()) }
    }

    /// The first of those each that are alike in plan and schema.
    async fn distinct(&self, busy: &[Busy]) -> Result<Vec<usize>, ChangeError> {
        let (mut firsts, mut problems) = (BTreeMap::new(), Vec::new());
        let plans: BTreeMap<_, _> = busy.iter().map(|busy| (busy.at, &busy.plan)).collect();
        let work = |at: usize| {
            let (target, plan) = (&self.group.members[at].target, plans[&at]);
            async move {
                let session = target.connect().await?;
                let likeness = likeness(target, &session, plan).await;
                session.close().await;
                likeness.map(|likeness| (likeness, at))
            }
        };
        let positions: Vec<_> = plans.keys().copied().collect();
        let found = |found: Result<(String, usize), Box<Problem>>| match found {
            Ok((likeness, at)) => {
                let first = firsts.entry(likeness).or_insert(at);
                *first = at.min(*first);
            }
            Err(problem) => problems.push(*problem),
        };
        run_bounded(&self.group.servers, self.jobs(&positions), || true, work, found).await;
        if problems.is_empty() { Ok(firsts.into_values().collect()) } else { Err(problems.into()) }
    }

    async fn prove_one(&self, member: &Member, folder: &Arc<Folder>) -> Result<(), ChangeError> {
        let (project, target) = (&self.group.project, &member.target);
        let mut opened = open(project, target, folder.clone()).await?;
        capture_pending(project, target, &mut opened, &self.selection).await?;
        let plan = plan_apply(target, &opened, &self.selection)?;
        let options = RehearsalOptions { rows: self.rows, forwards_only: self.unproven };
        let rehearsed = rehearse(project, target, &opened, &plan, options).await?;
        opened.session.close().await;
        let Rehearsed { rehearsal, problems } = rehearsed;
        if !rehearsal.complete && !self.unproven {
            let what = "the rehearsal on a copy failed; nothing was applied";
            let refusal = Problem::error(Code::RehearsalFailed, what).in_target(&target.name).fix(
                "Where a statement needs rows that are in the target, copy some: --rows 1000.",
            );
            return Err(or_unproven(refusal)
                .into_iter()
                .chain(problems)
                .collect::<Vec<_>>()
                .into());
        }
        let unproven = self.unproven_ways(&plan, &rehearsal);
        if unproven.is_empty() || self.unproven {
            return Ok(());
        }
        let what = format!("{} of {} ways back were not proven", unproven.len(), plan.steps.len());
        let mut problem = Problem::error(Code::RollbackUnproven, what)
            .in_target(&target.name)
            .because("what is done must be taken back when a target fails");
        for way in unproven.into_iter().take(NAMED_MAX) {
            problem = problem.detail(way);
        }
        Err(or_unproven(problem.fix("Correct the down parts, or write one.")).into())
    }

    /// Migrations that are not taken back as they were, and why.
    fn unproven_ways(&self, plan: &Plan, rehearsal: &Rehearsal) -> Vec<String> {
        let mut unproven = Vec::new();
        for (step, reversal) in plan.sql_steps().zip(&rehearsal.reversals) {
            match &reversal.verdict {
                Verdict::NotReversible { why, differences } => {
                    let all = [std::slice::from_ref(why), differences.as_slice()].concat();
                    unproven.push(format!("{}: {}", reversal.migration, all.join("; ")));
                }
                Verdict::NotTried { why } => {
                    unproven.push(format!("{}: not tried: {why}", reversal.migration));
                }
                Verdict::Proven | Verdict::ProvenWithLoss { .. } => {}
            }
            let written = self.folder.set.migrations.iter().find(|m| m.version == step.version);
            if written.is_some_and(lacks_way_back) {
                let rows = data_statements(step, WayBack::Derived).into_iter();
                let label = &reversal.migration;
                unproven.extend(rows.map(|row| format!("{label}: nothing undoes {row}")));
            }
        }
        unproven
    }

    /// Every target runs what it can in a transaction, and rolls it back. True when one failed.
    async fn on_targets(&self, busy: &[Busy], end: &mut AtomicEnd) -> bool {
        let positions: Vec<_> = busy.iter().map(|busy| busy.at).collect();
        self.tell_stage("rehearsing", Some(busy.len()));
        let (stop, mut failed) = (self.stop.clone(), 0);
        let work = |at: usize| async move { (at, self.on_target(&self.group.members[at]).await) };
        run_bounded(
            &self.group.servers,
            self.jobs(&positions),
            || !*stop.borrow(),
            work,
            |(at, target): (usize, AtomicTarget)| {
                let held = target.report.as_ref().map_or(0.0, |report| report.elapsed_ms);
                end.held_ms = end.held_ms.max(held);
                failed += usize::from(!target.problems.is_empty());
                end.targets[at] = target;
            },
        )
        .await;
        failed > 0 || *stop.borrow()
    }

    fn tell_stage(&self, stage: &str, targets: Option<usize>) {
        self.events.send(Event::StageStarted { stage: stage.to_owned(), targets });
    }

    /// One target, for as long as it may take.
    async fn on_target(&self, member: &Member) -> AtomicTarget {
        let (over, stop) = watch::channel(false);
        let mut user = self.stop.clone();
        let mut rehearsing = std::pin::pin!(self.enclose(member, Enclosed::RolledBack, stop));
        let late = tokio::select! {
            done = &mut rehearsing => return done,
            () = tokio::time::sleep(self.timeout) => true,
            Ok(_) = user.wait_for(|stop| *stop) => false,
        };
        over.send_replace(true);
        let mut done = rehearsing.await;
        if late && !done.problems.is_empty() {
            done.problems.insert(0, too_long(member, self.timeout.as_secs()));
        }
        done
    }
}

fn reasons(problem: &Problem) -> Vec<String> {
    match problem.details.as_slice() {
        [] => vec![problem.what.clone()],
        details => details.to_vec(),
    }
}

fn or_unproven(problem: Problem) -> Vec<Problem> {
    vec![problem.fix("Or go on although a failure may leave targets changed: --unproven.")]
}

fn too_long(member: &Member, seconds: u64) -> Problem {
    let name = &member.target.name;
    let what = format!("{name} did not rehearse within {seconds} s");
    Problem::error(Code::Cancelled, what)
        .in_target(name)
        .because("its locks are held until the rehearsal is rolled back")
        .fix("Allow more time: --atomic-timeout SECONDS.")
}

fn half_done_before(member: &Member) -> Problem {
    let name = &member.target.name;
    let what = format!("{name} has a migration of which an earlier run did a part");
    Problem::error(Code::AtomicImpossible, what)
        .in_target(name)
        .because("what it was before that cannot be given back")
        .fix_with("Complete it there first.", "pgfleet apply")
}
