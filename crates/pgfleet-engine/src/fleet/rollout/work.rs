//! One process's share of a rollout.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::fleet::{Next, OnFailure, RolloutRules, RolloutState, WaveCounts, next};
use pgfleet_core::plan::hash_text;
use pgfleet_core::report::{Event, RunReport};
use pgfleet_core::verify::Check;
use tokio::sync::OnceCell;

use super::super::group::Group;
use super::control::{BACK, Control, FORWARD, Lease, Phase};
use super::manifest::Rollout;
use super::target::{Bench, Ended, first_wrong};
use crate::conduct::{Consent, Run, Target};
use crate::execute::{EventSink, StopSignal};
use crate::project::Folder;
use crate::verify;

/// How long a process waits for others before it looks again.
const PAUSE: Duration = Duration::from_millis(300);

/// What a process works with.
pub struct RolloutWork<'a> {
    /// The control database.
    pub control: &'a Control,
    /// The group.
    pub group: &'a Group,
    /// The group's folder.
    pub folder: Arc<Folder>,
    /// The folder with derived ways back, once somebody needed them.
    pub ways_back: OnceCell<Arc<Folder>>,
    /// The rollout.
    pub rollout: &'a Rollout,
    /// What the user allowed.
    pub consent: Consent,
    /// Told what happens.
    pub events: &'a dyn EventSink,
    /// Becomes true when the user asks to stop.
    pub stop: StopSignal,
}

/// What a process did.
#[derive(Debug, Default)]
pub struct Worked {
    /// Targets that it worked on.
    pub targets: usize,
    /// What went wrong on them, and at gates.
    pub problems: Vec<Problem>,
    /// The runs of those that it migrated, by name, unless it took them back.
    pub runs: BTreeMap<String, Box<RunReport>>,
}

impl RolloutWork<'_> {
    /// Recognises a migration folder: versions and checksums.
    pub fn folder_hash(folder: &Folder) -> String {
        let line = |m: &pgfleet_core::folder::Migration| {
            format!("{} {}", m.version, m.checksum.as_deref().unwrap_or_default())
        };
        hash_text(&folder.set.migrations.iter().map(line).collect::<Vec<_>>().join("\n"))
    }

    /// Works until the rollout needs nobody, or a person.
    ///
    /// # Errors
    /// When the control database cannot be asked. What was begun is journaled in its target.
    pub async fn run(&self) -> Result<Worked, Box<Problem>> {
        let (mut worked, mut told) = (Worked::default(), String::new());
        let places = Places::of(self.group, &self.control.names(self.id()).await?);
        self.give_up_missing(&places).await?;
        while !*self.stop.borrow() {
            let (state, _, waves) = self.control.look(self.id()).await?;
            let before = worked.targets;
            let next = next(state, self.rules(), &waves);
            self.tell_stage(next, &waves, &mut told);
            match next {
                Next::Work(wave) => {
                    self.work(&places, Some(wave), FORWARD, &mut worked).await?;
                }
                Next::TakeBack => self.work(&places, None, BACK, &mut worked).await?,
                Next::Gate(wave) => {
                    let is_last = wave + 1 == waves.len();
                    if self.gate(&places, wave, is_last, &mut worked).await? {
                        continue;
                    }
                }
                Next::Fail => {
                    self.fail("more targets failed than may").await?;
                    continue;
                }
                Next::Finish => {
                    self.change(RolloutState::Running, RolloutState::Done, "").await?;
                    continue;
                }
                Next::FinishTakeBack => {
                    self.finish_take_back(&waves).await?;
                    continue;
                }
                Next::End => break,
            }
            if worked.targets == before {
                // Others are at work on what is left.
                self.pause().await;
            }
        }
        Ok(worked)
    }

    /// Says what begins, once.
    fn tell_stage(&self, next: Next, waves: &[WaveCounts], told: &mut String) {
        let open = |wave: &WaveCounts| wave.done + wave.failed + wave.running;
        let (stage, targets) = match next {
            Next::Work(wave) => (format!("wave {}/{}", wave + 1, waves.len()), None),
            Next::TakeBack => ("taking back".to_owned(), Some(waves.iter().map(open).sum())),
            _ => return,
        };
        if stage != *told {
            told.clone_from(&stage);
            self.events.send(Event::StageStarted { stage, targets });
        }
    }

    fn id(&self) -> &str {
        &self.rollout.rollout_id
    }

    fn rules(&self) -> &RolloutRules {
        &self.rollout.rules
    }

    async fn change(
        &self,
        from: RolloutState,
        to: RolloutState,
        note: &str,
    ) -> Result<(), Box<Problem>> {
        self.control.change(self.id(), &[from], to, note).await.map(|_| ())
    }

    async fn pause(&self) {
        let mut stop = self.stop.clone();
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            Ok(_) = stop.wait_for(|stop| *stop) => {}
        }
    }

    async fn fail(&self, why: &str) -> Result<(), Box<Problem>> {
        let to = match self.rules().on_failure {
            OnFailure::TakeBack => RolloutState::TakingBack,
            OnFailure::Stop | OnFailure::Continue => RolloutState::Halted,
        };
        self.change(RolloutState::Running, to, why).await
    }

    async fn finish_take_back(
        &self,
        waves: &[pgfleet_core::fleet::WaveCounts],
    ) -> Result<(), Box<Problem>> {
        let stuck: usize = waves.iter().map(|wave| wave.stuck).sum();
        let (to, note) = match stuck {
            0 => (RolloutState::TakenBack, String::new()),
            _ => (RolloutState::Halted, format!("{stuck} targets could not be taken back")),
        };
        self.change(RolloutState::TakingBack, to, &note).await
    }

    /// Targets that the group has no more would be waited for for ever.
    async fn give_up_missing(&self, places: &Places<'_>) -> Result<(), Box<Problem>> {
        let missing = &places.missing;
        while let Some(lease) = self.control.claim(self.id(), None, missing, FORWARD).await? {
            let headline = "it is not in the group any more";
            let problem = Problem::error(Code::EntryDangling, headline);
            let (id, position) = (self.id(), lease.position);
            self.control.end_target(id, position, "failed", headline, Some(&problem)).await?;
        }
        Ok(())
    }

    /// Works on whatever can be had, on each server as many at a time as its limit allows.
    async fn work(
        &self,
        places: &Places<'_>,
        wave: Option<usize>,
        phase: Phase,
        worked: &mut Worked,
    ) -> Result<(), Box<Problem>> {
        let workers = places.servers.iter().flat_map(|(limit, positions)| {
            (0..*limit).map(|_| self.worker(places, wave, positions, phase))
        });
        let mut first_error = Ok(());
        for done in join_all(workers).await {
            match done {
                Ok(done) => {
                    worked.targets += done.targets;
                    worked.problems.extend(done.problems);
                    match phase.rollout {
                        RolloutState::TakingBack => {
                            worked.runs.retain(|target, _| !done.runs.contains_key(target));
                        }
                        _ => worked.runs.extend(done.runs),
                    }
                }
                Err(problem) => first_error = first_error.and(Err(problem)),
            }
        }
        first_error
    }

    async fn worker(
        &self,
        places: &Places<'_>,
        wave: Option<usize>,
        positions: &[i32],
        phase: Phase,
    ) -> Result<Worked, Box<Problem>> {
        let mut worked = Worked::default();
        while !*self.stop.borrow() {
            if phase.rollout == RolloutState::Running && self.has_failed().await? {
                break;
            }
            let claimed = self.control.claim(self.id(), wave, positions, phase).await?;
            let Some(lease) = claimed else { break };
            let ended = self.one(places, &lease, phase).await?;
            worked.targets += 1;
            worked.problems.extend(ended.problems);
            worked.runs.extend(ended.report.map(|run| (run.target.clone(), run)));
        }
        Ok(worked)
    }

    /// Whether no further target may begin.
    async fn has_failed(&self) -> Result<bool, Box<Problem>> {
        if self.rules().on_failure == OnFailure::Continue {
            return Ok(false);
        }
        let (state, _, waves) = self.control.look(self.id()).await?;
        Ok(next(state, self.rules(), &waves) == Next::Fail)
    }

    async fn one(
        &self,
        places: &Places<'_>,
        lease: &Lease,
        phase: Phase,
    ) -> Result<Ended, Box<Problem>> {
        let Some(target) = places.targets.get(&lease.position) else {
            return Ok(Ended {
                state: "failed",
                headline: String::new(),
                problems: Vec::new(),
                stopped: true,
                report: None,
            });
        };
        let (name, begun) = (&target.name, Instant::now());
        self.events.send(Event::TargetStarted { target: name.clone() });
        let run = self.run_of(phase);
        let ended = match phase.rollout {
            RolloutState::TakingBack => self.bench().take_back(target, lease, run).await,
            _ => self.bench().migrate(target, lease, run).await,
        };
        self.events.send(Event::TargetFinished {
            target: name.clone(),
            ok: ended.problems.is_empty() && !ended.stopped,
            headline: ended.headline.clone(),
            elapsed_ms: begun.elapsed().as_secs_f64() * 1000.0,
        });
        // What the user stopped is nobody's failure; it is begun again.
        let state = match (ended.stopped, phase.rollout) {
            (true, RolloutState::TakingBack) => "done",
            (true, _) => "waiting",
            (false, _) => ended.state,
        };
        let problem = ended.problems.first();
        self.control.end_target(self.id(), lease.position, state, &ended.headline, problem).await?;
        Ok(ended)
    }

    fn bench(&self) -> Bench<'_> {
        Bench {
            project: &self.group.project,
            folder: &self.folder,
            control: self.control,
            rollout: self.id(),
            to: self.rules().to.as_deref(),
            takes_back: self.rules().on_failure == OnFailure::TakeBack,
            derives: self.rules().atomic,
            ways_back: &self.ways_back,
        }
    }

    fn run_of(&self, phase: Phase) -> Run<'_> {
        // Whoever says beforehand that failures are taken back, says so of its cost too.
        let says_so = self.rules().on_failure == OnFailure::TakeBack;
        let (command, consent) = match phase.rollout {
            RolloutState::TakingBack => {
                ("rollout take-back", Consent { data_loss: self.consent.data_loss || says_so })
            }
            _ => ("rollout", self.consent),
        };
        Run {
            command,
            consent,
            continue_on_error: false,
            enclosed: None,
            events: &Quiet,
            stop: self.stop.clone(),
        }
    }

    /// Looks whether a wave may be left behind: its targets' checks, then probes. True when this
    /// process was the one to look.
    async fn gate(
        &self,
        places: &Places<'_>,
        wave: usize,
        is_last: bool,
        worked: &mut Worked,
    ) -> Result<bool, Box<Problem>> {
        if !self.control.try_gate(self.id(), wave).await? {
            return Ok(false);
        }
        let held = self.gate_holds(places, wave).await;
        let done = match &held {
            Ok(None) => self.leave_behind(wave, is_last).await,
            Ok(Some(problem)) => {
                self.fail(&format!("after wave {}: {}", wave + 1, problem.what)).await
            }
            Err(_) => Ok(()),
        };
        self.control.leave_gate(self.id(), wave).await?;
        done?;
        worked.problems.extend(held?);
        Ok(true)
    }

    async fn leave_behind(&self, wave: usize, is_last: bool) -> Result<(), Box<Problem>> {
        let note = format!("wave {} is done", wave + 1);
        let pause = (self.rules().confirm && !is_last).then_some(note.as_str());
        self.control.pass(self.id(), wave, pause).await
    }

    /// What does not hold after a wave.
    async fn gate_holds(
        &self,
        places: &Places<'_>,
        wave: usize,
    ) -> Result<Option<Problem>, Box<Problem>> {
        let checks = &self.group.project.file.rollout.check;
        let is_outside = |check: &&Check| matches!(check, Check::Env(_) | Check::Http(_));
        let (outside, inside): (Vec<_>, Vec<_>) = checks.iter().partition(is_outside);
        let inside: Vec<Check> = inside.into_iter().cloned().collect();
        let outside: Vec<Check> = outside.into_iter().cloned().collect();
        if !inside.is_empty() {
            for position in self.done_in(wave).await? {
                let Some(target) = places.targets.get(&position) else { continue };
                if let Err(problem) = self.bench().check(target, &inside).await {
                    return Ok(Some(problem));
                }
            }
        }
        let variables = &self.group.project.settings.variables;
        let results = verify::run(None, &outside, variables, verify::Options::default()).await;
        Ok(first_wrong(&results))
    }

    async fn done_in(&self, wave: usize) -> Result<Vec<i32>, Box<Problem>> {
        let sql = format!(
            "SELECT position FROM pgfleet.rollout_targets WHERE rollout_id = {} AND wave = {wave} \
             AND state = 'done' ORDER BY position",
            crate::journal::literal(self.id())
        );
        let rows = self.control.ask(&sql).await?;
        Ok(rows.into_iter().filter_map(|row| row.into_iter().next()??.parse().ok()).collect())
    }

    /// Refuses to go on with another folder than the rollout began with.
    ///
    /// # Errors
    /// When versions or checksums differ.
    pub fn check_folder(&self) -> Result<(), Box<Problem>> {
        if Self::folder_hash(&self.folder) == self.rollout.folder {
            return Ok(());
        }
        let what = "the migration folder is not the one that the rollout began with";
        Err(Box::new(
            Problem::error(Code::RolloutChanged, what)
                .because(
                    "migrations were added, edited or removed since, or this machine has others",
                )
                .fix("Work with the folder that the rollout began with, here and everywhere.")
                .fix_with(
                    "Or end the rollout and begin another.",
                    format!("pgfleet rollout abort --group {}", self.group.name),
                ),
        ))
    }
}

/// The targets of a manifest in this process.
struct Places<'g> {
    targets: BTreeMap<i32, &'g Target>,
    /// For each server its limit and its targets' positions.
    servers: Vec<(usize, Vec<i32>)>,
    /// Positions of targets that the group has no more.
    missing: Vec<i32>,
}

impl<'g> Places<'g> {
    fn of(group: &'g Group, names: &[String]) -> Self {
        let mut servers: Vec<_> = group.servers.iter().map(|s| (s.limit, Vec::new())).collect();
        let (mut targets, mut missing) = (BTreeMap::new(), Vec::new());
        for (position, name) in (0..).zip(names) {
            let member = group.members.iter().find(|member| member.target.name == *name);
            let Some(member) = member else {
                missing.push(position);
                continue;
            };
            targets.insert(position, &member.target);
            servers[member.server].1.push(position);
        }
        Self { targets, servers, missing }
    }
}

/// What happens within a target is told by its end.
pub(super) struct Quiet;

impl EventSink for Quiet {
    fn send(&self, _: Event) {}
}
