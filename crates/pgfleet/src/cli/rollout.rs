//! `pgfleet rollout`

use std::collections::BTreeSet;
use std::sync::Arc;

use clap::{Args, Subcommand, ValueEnum};
use pgfleet_core::diagnose::{Code, ExitCode, Problem};
use pgfleet_core::fleet::{
    OnFailure, Pattern, RolloutRules, RolloutState, WaveSize, advise_in_group, assign,
};
use pgfleet_core::report::{Event, FleetReport, TargetVerdict};
use pgfleet_engine::conduct::Consent;
use pgfleet_engine::execute::EventSink;
use pgfleet_engine::fleet::rollout::{
    Beginning, Control, Manifest, ManifestTarget, Rollout as Begun, RolloutWork, Worked,
    refuse_no_way_back,
};
use pgfleet_engine::fleet::{Begun as Moment, Group, Member, Selected, open_groups};
use pgfleet_engine::project::{Folder, Project};
use pgfleet_engine::report::write_fleet;
use tokio::sync::OnceCell;

use super::atomic::recover_group;
use super::context::{Context, usable_folder};
use super::order::refuse_behind;
use super::outcome::{CommandError, CommandResult};
use super::written::report_unwritten;
use crate::render::{self, TargetEntry};

/// Bring a group's migrations to its targets in waves, shared by any number of processes
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  pgfleet rollout start --group tenants --canary acme --wave 5 --wave 10% --on-failure take-back
  pgfleet rollout start --group tenants     on another machine: shares the work
  pgfleet rollout status --group tenants
  pgfleet rollout pause --group tenants
  pgfleet rollout take-back --group tenants --allow-data-loss

Running start again continues what was interrupted, and tries failed targets again.")]
pub struct Rollout {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Begin a rollout of the group, or continue the one that is not over
    Start(Start),
    /// Show where the newest rollout of the group is
    Status,
    /// Begin no further target, wherever processes are at work
    Pause,
    /// Continue a paused or halted rollout
    Resume,
    /// End the rollout; what is done stays done
    Abort,
    /// Take back every target that the rollout changed
    TakeBack,
    /// Bring to its end what a killed `apply --atomic` left: as a whole, or not at all
    Recover,
}

/// What a new rollout goes by; the configuration's [rollout] where a flag is not given.
#[derive(Debug, Default, Args)]
struct Start {
    /// Targets that come first, by name or pattern; may be given again
    #[arg(long, value_name = "NAME")]
    canary: Vec<String>,
    /// The size of a wave after the canaries, a number or a share of all; may be given again
    #[arg(long, value_name = "N|N%")]
    wave: Vec<WaveSize>,
    /// Targets that may fail
    #[arg(long, value_name = "N")]
    max_failures: Option<usize>,
    /// What to do when more fail, or a check between waves does not hold
    #[arg(long, value_enum, value_name = "WHAT")]
    on_failure: Option<FailureName>,
    /// Pause after each wave until somebody says `rollout resume`
    #[arg(long)]
    confirm: bool,
    /// Up to and including this migration
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,
    /// Do not ask whether the groups that come first are done
    #[arg(long)]
    ignore_order: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FailureName {
    /// Begin no further target.
    Stop,
    /// Go on with the others.
    Continue,
    /// Take back every target that was changed.
    TakeBack,
}

/// Where an action is done.
pub(super) struct Place {
    pub(super) group: Group,
    pub(super) control: Control,
    /// All targets or none were asked for: those that are taken back did not get it.
    pub(super) all_or_none: bool,
}

impl Rollout {
    pub async fn run(self, context: &Context) -> Result<CommandResult, CommandError> {
        if let Some(flag) = context.global.misplaced_for_groups() {
            return Err(one_group(&format!("{flag} does not go with it")).into());
        }
        let project = context.project()?;
        let place = Place::open(context, &project).await?;
        match self.action {
            Action::Start(start) => place.start(context, &project, &start).await,
            Action::Status => place.shown(context, &place.newest().await?, Worked::default()).await,
            Action::Pause => {
                let from = [RolloutState::Running, RolloutState::TakingBack];
                place.set(context, &from, RolloutState::Paused, "paused by a person").await
            }
            Action::Resume => place.resume(context).await,
            Action::Abort => {
                use RolloutState::{Halted, Paused, Running, TakingBack};
                let from = [Running, Paused, Halted, TakingBack];
                place.set(context, &from, RolloutState::Aborted, "ended by a person").await
            }
            Action::TakeBack => place.take_back(context).await,
            Action::Recover => recover_group(context, &place).await,
        }
    }
}

fn one_group(why: &str) -> Problem {
    Problem::error(Code::GroupNotPossible, "a rollout is of one group")
        .because(why.to_owned())
        .fix_with("Name one group.", "pgfleet rollout start --group tenants")
}

impl Place {
    pub(super) async fn open(context: &Context, project: &Project) -> Result<Self, CommandError> {
        let selected = context.global.selected();
        if selected.groups.len() != 1 || selected.groups[0] == "all" {
            return Err(one_group("--group names none, several or all").into());
        }
        // Who takes part later must know all targets; the choice is for the manifest.
        let all = Selected { choice: Default::default(), ..selected };
        let group = open_groups(project, &all).await?.into_iter().next();
        let group = group.ok_or_else(|| one_group("there is no such group"))?;
        let control = Control::connect(project, &group).await?;
        Ok(Self { group, control, all_or_none: false })
    }

    async fn newest(&self) -> Result<Begun, CommandError> {
        Ok(self.control.newest(&self.group.name).await?)
    }

    async fn start(
        &self,
        context: &Context,
        project: &Project,
        start: &Start,
    ) -> Result<CommandResult, CommandError> {
        let found = self.control.unfinished(&self.group.name).await?;
        let rollout = match found {
            Some(rollout) => self.join(context, start, rollout).await?,
            None => {
                if !start.ignore_order {
                    let groups = [self.group.name.as_str()];
                    refuse_behind(context, project, &groups, "pgfleet rollout start").await?;
                }
                self.begin(context, start).await?
            }
        };
        if rollout.state == RolloutState::Paused {
            return Err(paused(&rollout).into());
        }
        self.work(context, &rollout, None).await
    }

    /// A rollout that is not over is continued, when the flags do not say otherwise.
    async fn join(
        &self,
        _context: &Context,
        start: &Start,
        rollout: Begun,
    ) -> Result<Begun, CommandError> {
        let has_flags = !start.canary.is_empty()
            || !start.wave.is_empty()
            || start.max_failures.is_some()
            || start.on_failure.is_some()
            || start.to.is_some()
            || start.confirm;
        if has_flags && !self.fits(start, &rollout.rules) {
            return Err(unfinished(&rollout).into());
        }
        if rollout.state == RolloutState::Halted {
            self.control.retry(&rollout.rollout_id, false).await?;
            let (id, from) = (&rollout.rollout_id, [RolloutState::Halted]);
            self.control.set_state(id, &from, RolloutState::Running, "").await?;
            return self.newest().await;
        }
        Ok(rollout)
    }

    fn fits(&self, start: &Start, rules: &RolloutRules) -> bool {
        self.rules(start) == *rules
    }

    fn rules(&self, start: &Start) -> RolloutRules {
        let section = &self.group.project.file.rollout;
        RolloutRules {
            max_failures: start.max_failures.unwrap_or(section.max_failures),
            on_failure: start.on_failure.map_or(section.on_failure, FailureName::meaning),
            confirm: start.confirm,
            to: start.to.clone(),
            atomic: false,
        }
    }

    async fn begin(&self, context: &Context, start: &Start) -> Result<Begun, CommandError> {
        let folder = usable_folder(&self.group.project)?;
        let section = &self.group.project.file.rollout;
        let choice = context.global.selected().choice;
        let members: Vec<_> =
            self.group.members.iter().filter(|m| choice.wants(name_of(m))).collect();
        let texts = if start.canary.is_empty() { &section.canaries } else { &start.canary };
        let patterns: Vec<_> = texts.iter().map(Pattern::new).collect();
        let is_canary = |m: &&Member| patterns.iter().any(|p| p.matches(&m.target.name));
        let canaries: Vec<_> = members.iter().map(is_canary).collect();
        if let Some(misspelt) =
            patterns.iter().find(|p| !members.iter().any(|m| p.matches(&m.target.name)))
        {
            return Err(no_canary(misspelt.text()).into());
        }
        let sizes = if start.wave.is_empty() { &section.waves } else { &start.wave };
        let waves = assign(&canaries, sizes);
        let targets = members.iter().zip(waves).map(|(m, wave)| (m.target.name.as_str(), wave));
        let beginning = Beginning {
            group: &self.group.name,
            rules: self.rules(start),
            folder: RolloutWork::folder_hash(&folder),
            targets: targets.collect(),
        };
        self.control.begin(&beginning).await?;
        self.newest().await
    }

    async fn resume(&self, context: &Context) -> Result<CommandResult, CommandError> {
        let rollout = self.newest().await?;
        let from = [RolloutState::Paused, RolloutState::Halted];
        let id = &rollout.rollout_id;
        if rollout.state.is_over() {
            return Err(over(&rollout).into());
        }
        self.control.retry(id, false).await?;
        self.control.set_state(id, &from, RolloutState::Running, "").await?;
        self.work(context, &self.newest().await?, None).await
    }

    async fn take_back(&self, context: &Context) -> Result<CommandResult, CommandError> {
        use RolloutState::{Done, Halted, Paused, Running, TakingBack};
        let rollout = self.newest().await?;
        if matches!(rollout.state, RolloutState::Aborted | RolloutState::TakenBack) {
            return Err(over(&rollout).into());
        }
        if !context.global.allow_data_loss {
            return Err(consent(&rollout).into());
        }
        // Before the rollout's state says that it is being taken back.
        let manifest = self.control.manifest(rollout.clone()).await?;
        let versions: BTreeSet<_> =
            manifest.targets.into_iter().flat_map(|target| target.versions).collect();
        if !rollout.rules.atomic {
            let folder = usable_folder(&self.group.project)?;
            refuse_no_way_back(&folder.set, &versions.into_iter().collect::<Vec<_>>())?;
        }
        let id = &rollout.rollout_id;
        self.control.retry(id, true).await?;
        let from = [Running, Paused, Halted, Done, TakingBack];
        self.control.set_state(id, &from, TakingBack, "asked for by a person").await?;
        self.work(context, &self.newest().await?, None).await
    }

    /// The all-or-none run that changes targets one after the other, when there is one that is not
    /// over.
    pub(super) async fn unfinished_atomic(&self) -> Result<Option<Begun>, CommandError> {
        let found = self.control.unfinished(&self.group.name).await?;
        Ok(found.filter(|rollout| rollout.rules.atomic))
    }

    /// Brings such a run to its end: forth, or back once a target failed.
    pub(super) async fn go_on(
        &self,
        context: &Context,
        rollout: Begun,
    ) -> Result<CommandResult, CommandError> {
        let (id, state) = (&rollout.rollout_id, rollout.state);
        if state == RolloutState::Paused {
            return Err(paused(&rollout).into());
        }
        if matches!(state, RolloutState::Halted | RolloutState::TakingBack) {
            // What a lost connection kept from being taken back is tried again.
            self.control.retry(id, true).await?;
        }
        if state == RolloutState::Halted {
            let why = "more targets failed than may";
            self.control.set_state(id, &[state], RolloutState::TakingBack, why).await?;
        }
        let mut shown = self.work(context, &self.newest().await?, None).await?;
        shown.text.insert_str(0, "an all-or-none run was not over, and was brought to its end\n");
        Ok(shown)
    }

    async fn set(
        &self,
        context: &Context,
        from: &[RolloutState],
        to: RolloutState,
        note: &str,
    ) -> Result<CommandResult, CommandError> {
        let rollout = self.newest().await?;
        if rollout.state == to {
            return self.shown(context, &rollout, Worked::default()).await;
        }
        if !self.control.set_state(&rollout.rollout_id, from, to, note).await? {
            return Err(over(&rollout).into());
        }
        self.shown(context, &rollout, Worked::default()).await
    }

    /// Works on a rollout; `ways_back` is the folder with the ways back that were derived, where
    /// they are known.
    pub(super) async fn work(
        &self,
        context: &Context,
        rollout: &Begun,
        ways_back: Option<Arc<Folder>>,
    ) -> Result<CommandResult, CommandError> {
        let folder = Arc::new(usable_folder(&self.group.project)?);
        let progress = context.progress();
        let work = RolloutWork {
            control: &self.control,
            group: &self.group,
            folder,
            ways_back: OnceCell::new_with(ways_back),
            rollout,
            consent: Consent { data_loss: context.global.allow_data_loss },
            events: &progress,
            stop: context.stop_signal(),
        };
        work.check_folder()?;
        // Targets that were done before are not counted again.
        let waves = self.control.manifest(rollout.clone()).await?.waves;
        let targets = waves.iter().map(|wave| wave.waiting + wave.running).sum();
        let begun = Moment::now();
        progress.send(Event::FleetStarted { command: "rollout".to_owned(), targets });
        let worked = work.run().await;
        drop(work);
        progress.finish();
        let mut shown = self.shown(context, rollout, worked?).await?;
        let Some(report) = &mut shown.fleet else { return Ok(shown) };
        (report.started_at, report.elapsed_ms) = (begun.started_at.clone(), begun.elapsed_ms());
        let keep = self.group.project.settings.apply.keep_runs;
        match write_fleet(&self.group.project.root.join(".pgfleet/runs"), report, keep) {
            Ok(_) => {
                shown.text.push_str(&format!("report: .pgfleet/runs/{}/\n", report.run_id));
            }
            Err(error) => shown.problems.push(report_unwritten(&error)),
        }
        Ok(shown)
    }

    /// The manifest, and the exit code that its state means.
    async fn shown(
        &self,
        context: &Context,
        rollout: &Begun,
        worked: Worked,
    ) -> Result<CommandResult, CommandError> {
        let manifest = self.control.manifest(rollout.clone()).await?;
        let mut text = String::new();
        render::rollout(&mut text, &context.out, &manifest, &self.control.place());
        let mut found = self.group.problems.clone();
        found.extend(worked.problems);
        for problem in &mut found {
            advise_in_group(problem, &self.group.name);
        }
        found.extend(halted(&manifest));
        let report = self.report(&manifest, &found);
        let targets = manifest.targets.iter().zip(&report.targets).map(|(target, verdict)| {
            TargetEntry::new(&target.target)
                .field("run", &worked.runs.get(&target.target))?
                .field("group", &self.group.name)?
                .field("server", &verdict.server)?
                .field("ok", &verdict.ok)?
                .field("tried", &verdict.tried)?
                .field("exit", &verdict.exit)?
                .field("rollout", &manifest.rollout.rollout_id)?
                .field("wave", &(target.wave + 1))?
                .field("state", &target.state)?
                .field("leased", &target.leased)?
                .field("attempts", &target.attempts)?
                .field("verdict", &target.headline)?
                .field("elapsed_ms", &target.elapsed_ms)?
                .field("versions", &target.versions)
        });
        Ok(CommandResult {
            text,
            targets: targets.collect::<Result<_, _>>()?,
            exit: exit(&manifest),
            fleet: Some(report),
            problems: found,
            ..CommandResult::default()
        })
    }

    /// Each target as the manifest has it, with what was said of it.
    fn report(&self, manifest: &Manifest, problems: &[Problem]) -> FleetReport {
        let verdict = |one: &ManifestTarget| {
            let member = self.group.members.iter().find(|m| m.target.name == one.target);
            let of = |problem: &&Problem| problem.target.as_ref() == Some(&one.target);
            let ok = match one.state.as_str() {
                "taken_back" => !self.all_or_none,
                state => state == "done",
            };
            let failed = problems.iter().filter(of).find(|problem| problem.is_error());
            let failed = failed.map_or(ExitCode::SomeFailed, |problem| problem.code.exit());
            TargetVerdict {
                group: self.group.name.clone(),
                target: one.target.clone(),
                server: member.map(|m| m.target.spec.redacted()).unwrap_or_default(),
                ok,
                tried: one.state != "waiting",
                exit: if ok { ExitCode::Done } else { failed } as u8,
                headline: match one.headline.as_str() {
                    "" => format!("{}, wave {}", one.state, one.wave + 1),
                    headline => format!("{headline}, wave {}", one.wave + 1),
                },
                details: Vec::new(),
                elapsed_ms: one.elapsed_ms,
                problems: problems.iter().filter(of).cloned().collect(),
            }
        };
        FleetReport {
            version: 1,
            run_id: manifest.rollout.rollout_id.clone(),
            command: if self.all_or_none { "apply" } else { "rollout" }.to_owned(),
            started_at: manifest.rollout.began_at.clone(),
            elapsed_ms: 0.0,
            targets: manifest.targets.iter().map(verdict).collect(),
            problems: self.group.problems.clone(),
        }
    }
}

fn name_of(member: &Member) -> pgfleet_core::fleet::Name<'_> {
    let target = &member.target;
    let database = target.schema.as_deref().unwrap_or(&target.spec.database);
    pgfleet_core::fleet::Name { name: &target.name, database, labels: &member.labels }
}

impl FailureName {
    fn meaning(self) -> OnFailure {
        match self {
            Self::Stop => OnFailure::Stop,
            Self::Continue => OnFailure::Continue,
            Self::TakeBack => OnFailure::TakeBack,
        }
    }
}

/// Done with failures, halted and taken back because of failures: some failed.
fn exit(manifest: &Manifest) -> Option<ExitCode> {
    let failed = manifest.waves.iter().any(|wave| wave.failed + wave.stuck > 0);
    match manifest.rollout.state {
        RolloutState::Halted => Some(ExitCode::SomeFailed),
        RolloutState::TakenBack if manifest.rollout.rules.on_failure == OnFailure::TakeBack => {
            Some(ExitCode::SomeFailed)
        }
        RolloutState::Paused => Some(ExitCode::Refused),
        _ => failed.then_some(ExitCode::SomeFailed),
    }
}

fn halted(manifest: &Manifest) -> Option<Problem> {
    let rollout = &manifest.rollout;
    match rollout.state {
        RolloutState::Halted => Some(stopped(rollout)),
        RolloutState::Paused => Some(paused(rollout)),
        _ => None,
    }
}

fn stopped(rollout: &Begun) -> Problem {
    let group = &rollout.group;
    let what = format!("the rollout of {group} stopped: {}", rollout.note);
    let problem = Problem::error(Code::RolloutHalted, what);
    let take_back = format!("pgfleet rollout take-back --group {group} --allow-data-loss");
    if rollout.rules.atomic {
        return problem.fix_with("Look at those targets, and take back the rest.", take_back);
    }
    problem
        .fix_with(
            "Correct what failed in the targets, and continue.",
            format!("pgfleet rollout resume --group {group}"),
        )
        .fix_with("Or take back what was done.", take_back)
        .fix_with(
            "Or correct the migrations, end this rollout, and start another.",
            format!("pgfleet rollout abort --group {group}"),
        )
}

fn paused(rollout: &Begun) -> Problem {
    let group = &rollout.group;
    let what = format!("the rollout of {group} waits: {}", rollout.note);
    Problem::error(Code::RolloutPaused, what)
        .fix_with("Continue.", format!("pgfleet rollout resume --group {group}"))
        .fix_with("Or end it.", format!("pgfleet rollout abort --group {group}"))
}

pub(super) fn unfinished(rollout: &Begun) -> Problem {
    let group = &rollout.group;
    let what = format!("a rollout of {group} is not over, and goes by other rules");
    Problem::error(Code::RolloutUnfinished, what)
        .detail(format!("it is {} since {}", rollout.state.name(), rollout.began_at))
        .fix_with("Continue it as it is.", format!("pgfleet rollout start --group {group}"))
        .fix_with("Or end it.", format!("pgfleet rollout abort --group {group}"))
}

fn over(rollout: &Begun) -> Problem {
    let group = &rollout.group;
    let what = format!("the newest rollout of {group} is {}", rollout.state.name());
    Problem::error(Code::RolloutUnknown, what)
        .because("that cannot be asked of it any more, or not yet")
        .fix_with("See where it is.", format!("pgfleet rollout status --group {group}"))
}

fn consent(rollout: &Begun) -> Problem {
    let what = format!("taking back the rollout of {} can lose data", rollout.group);
    Problem::error(Code::ConsentMissing, what).fix_with(
        "Look at the down parts; back up; then allow it.",
        format!("pgfleet rollout take-back --group {} --allow-data-loss", rollout.group),
    )
}

fn no_canary(name: &str) -> Problem {
    Problem::error(Code::ChoiceUnmatched, format!("no target has the name {name:?}"))
        .because("--canary and canaries take names of targets, and patterns with * and ?")
        .fix_with("See the targets.", "pgfleet status --group all")
}
