//! What a rollout does on one target: migrate it, take it back, check it.

use std::sync::Arc;

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::folder::{Migration, MigrationSet};
use pgfleet_core::history::Verdict;
use pgfleet_core::plan::Direction;
use pgfleet_core::report::{MigrationOutcome, RunReport};
use pgfleet_core::verify::Check;
use tokio::sync::OnceCell;

use super::control::{Control, Lease};
use crate::conduct::{
    ApplyRequest, ChangeError, Opened, RollbackRequest, RollbackTo, Run, RunOutcome, Selection,
    Target, apply, open, roll_back,
};
use crate::journal::WITHDRAWN;
use crate::project::{Folder, Project};
use crate::typeorm::{capture_applied, capture_pending};
use crate::verify;
use crate::way_back::{lacks_way_back, with_ways_back};

/// Migrations that a refusal names.
const NAMED_MAX: usize = 5;

/// What became of a target.
#[derive(Debug)]
pub(super) struct Ended {
    /// As the manifest calls it.
    pub(super) state: &'static str,
    /// In a few words.
    pub(super) headline: String,
    /// What went wrong.
    pub(super) problems: Vec<Problem>,
    /// Stopped by the user: nothing is to be written.
    pub(super) stopped: bool,
    /// The run, where one came to its end.
    pub(super) report: Option<Box<RunReport>>,
}

impl Ended {
    fn well(state: &'static str, headline: String, report: Option<Box<RunReport>>) -> Self {
        Self { state, headline, problems: Vec::new(), stopped: false, report }
    }
}

/// Where and with what a target is worked on.
pub(super) struct Bench<'a> {
    pub(super) project: &'a Project,
    pub(super) folder: &'a Arc<Folder>,
    pub(super) control: &'a Control,
    pub(super) rollout: &'a str,
    pub(super) to: Option<&'a str>,
    /// What is applied is taken back when too many targets fail.
    pub(super) takes_back: bool,
    /// Ways back may be derived, and were tried beforehand.
    pub(super) derives: bool,
    /// The folder with the ways back that were derived.
    pub(super) ways_back: &'a OnceCell<Arc<Folder>>,
}

impl Bench<'_> {
    /// Applies what is pending. The manifest is told before, what.
    pub(super) async fn migrate(&self, target: &Target, lease: &Lease, run: Run<'_>) -> Ended {
        match self.try_migrate(target, lease, run).await {
            Ok(outcome) => ended("done", "failed", outcome, "applied"),
            Err(error) => failed("failed", error),
        }
    }

    async fn try_migrate(
        &self,
        target: &Target,
        lease: &Lease,
        run: Run<'_>,
    ) -> Result<RunOutcome, ChangeError> {
        let mut opened = open(self.project, target, self.folder.clone()).await?;
        let selection = Selection { to: self.to.map(str::to_owned), steps: None };
        capture_pending(self.project, target, &mut opened, &selection).await?;
        if lease.versions.is_none() {
            let pending = crate::conduct::pending(&opened.statuses, &selection)?;
            if self.takes_back && !self.derives {
                refuse_no_way_back(&opened.folder.set, &pending)?;
            }
            self.control.intend(self.rollout, lease.position, &pending).await?;
        }
        let request = ApplyRequest { selection, plan: None, run };
        let outcome = apply(target, &opened, &request).await;
        opened.session.close().await;
        outcome
    }

    /// Takes back what the manifest says the target was to be migrated by, as far as it is there.
    pub(super) async fn take_back(&self, target: &Target, lease: &Lease, run: Run<'_>) -> Ended {
        let versions = lease.versions.clone().unwrap_or_default();
        if versions.is_empty() {
            let headline = "nothing to take back".to_owned();
            return Ended::well("taken_back", headline, None);
        }
        match self.try_take_back(target, versions, run).await {
            Ok(outcome) => ended("taken_back", "stuck", outcome, "taken back"),
            Err(error) => failed("stuck", error),
        }
    }

    async fn try_take_back(
        &self,
        target: &Target,
        versions: Vec<String>,
        run: Run<'_>,
    ) -> Result<RunOutcome, ChangeError> {
        let folder = self.folder_back(target, &versions).await?;
        let mut opened = open(self.project, target, folder.clone()).await?;
        refuse_newer(target, &opened, &versions)?;
        refuse_no_way_back(&opened.folder.set, &versions)?;
        if let Some(version) = begun(&opened, &versions) {
            let completed = self.complete(target, &opened, version, &run).await;
            opened.session.close().await;
            opened = open(self.project, target, folder).await?;
            // What failed and left nothing is as if it had not been begun.
            if begun(&opened, &versions).is_some() {
                completed?;
            }
        }
        let to = RollbackTo::Only(versions);
        capture_applied(self.project, target, &mut opened, &to).await?;
        let outcome = roll_back(target, &opened, &RollbackRequest { to, run }).await;
        opened.session.close().await;
        outcome
    }

    /// The folder, with derived ways back where some of these versions need one.
    async fn folder_back(
        &self,
        target: &Target,
        versions: &[String],
    ) -> Result<Arc<Folder>, ChangeError> {
        let needs = |one: &Migration| lacks_way_back(one) && versions.contains(&one.version);
        if !self.derives || !self.folder.set.migrations.iter().any(needs) {
            return Ok(self.folder.clone());
        }
        let all = self.control.versions(self.rollout).await?;
        let derived = self.ways_back.get_or_try_init(|| async {
            let derived = with_ways_back(self.project, target, self.folder, &all).await;
            derived.map(Arc::new).map_err(|why| underivable(&self.folder.set, &all, &why))
        });
        Ok(derived.await?.clone())
    }

    /// What stopped half way through a migration of several parts can be taken back only as a whole.
    async fn complete(
        &self,
        target: &Target,
        opened: &Opened,
        version: String,
        run: &Run<'_>,
    ) -> Result<(), ChangeError> {
        let run = Run { command: "rollout", enclosed: None, stop: run.stop.clone(), ..*run };
        let selection = Selection { to: Some(version.clone()), steps: None };
        let request = ApplyRequest { selection, plan: None, run };
        match apply(target, opened, &request).await? {
            RunOutcome::Ran(report) if !report.complete() => {
                let mut problems = vec![half_done(target, &version)];
                problems.extend(report.problems);
                Err(problems.into())
            }
            _ => Ok(()),
        }
    }

    /// Whether checks hold; the first that does not.
    pub(super) async fn check(&self, target: &Target, checks: &[Check]) -> Result<(), Problem> {
        let session = target.connect().await.map_err(|problem| *problem)?;
        let variables = &self.project.settings.variables;
        let options = verify::Options { probes: false, ..verify::Options::default() };
        let results = verify::run(Some(&session), checks, variables, options).await;
        session.close().await;
        first_wrong(&results).map_or(Ok(()), |problem| Err(problem.in_target(&target.name)))
    }
}

/// Refuses to promise, or to begin, a way back that some migrations have not.
///
/// # Errors
/// Names the first of them.
pub fn refuse_no_way_back(set: &MigrationSet, versions: &[String]) -> Result<(), Box<Problem>> {
    let chosen = || set.migrations.iter().filter(|one| versions.contains(&one.version));
    let without: Vec<_> =
        chosen().filter(|one| one.down.is_none() && one.opaque_down.is_none()).collect();
    if without.is_empty() {
        return Ok(());
    }
    let (count, all) = (without.len(), chosen().count());
    let what =
        format!("{count} of {all} migrations of the rollout have nothing that takes them back");
    let mut problem = Problem::error(Code::NoWayBack, what)
        .because(format!("the {} folder holds no down part for them", set.format));
    for migration in without.iter().take(NAMED_MAX) {
        problem = problem.detail(migration.label());
    }
    if count > NAMED_MAX {
        problem = problem.detail(format!("and {} more", count - NAMED_MAX));
    }
    Err(Box::new(
        problem.fix("Write their down parts, or begin without \"take-back\" and correct forwards."),
    ))
}

/// The refusal where ways back would have to be derived and cannot be.
pub(super) fn underivable(set: &MigrationSet, versions: &[String], why: &str) -> Box<Problem> {
    let what = "the migrations have nothing that takes them back";
    let fallback = || Box::new(Problem::error(Code::NoWayBack, what));
    let problem = refuse_no_way_back(set, versions).err().unwrap_or_else(fallback);
    Box::new(problem.detail(format!("none can be derived: {why}")))
}

/// The last of these versions that an earlier run began and did not complete.
pub(super) fn begun(opened: &Opened, versions: &[String]) -> Option<String> {
    let is_begun = |version: &&String| {
        opened.state.open_units.iter().any(|open| {
            open.version == **version && open.direction == Direction::Up && open.hash != WITHDRAWN
        })
    };
    let order = opened.folder.set.migrations.iter().map(|migration| &migration.version);
    order.filter(|version| versions.contains(version)).rfind(is_begun).cloned()
}

fn half_done(target: &Target, version: &str) -> Problem {
    let what = format!("{} has a part of {version}, and cannot be taken back", target.name);
    Problem::error(Code::TakeBackImpossible, what)
        .in_target(&target.name)
        .because("the migration stopped half way, and what would complete it fails")
        .fix("Correct what fails, and take back again; or undo the part by hand.")
}

/// The first check that does not hold, as a problem.
pub(super) fn first_wrong(results: &[pgfleet_core::verify::CheckResult]) -> Option<Problem> {
    let wrong = results.iter().find(|result| !result.ok && result.skipped.is_none())?;
    let what = format!("{}: expected {}, found {}", wrong.name, wrong.expected, wrong.found);
    Some(Problem::error(Code::CheckFailed, what))
}

/// Migrations that were applied after the rollout's may rely on them.
fn refuse_newer(target: &Target, opened: &Opened, versions: &[String]) -> Result<(), ChangeError> {
    use Verdict::{Applied, Changed, MissingFile};
    let is_applied = |verdict| matches!(verdict, Applied | Changed | MissingFile);
    let first = opened.statuses.iter().position(|status| versions.contains(&status.version));
    let later = opened.statuses[first.unwrap_or(opened.statuses.len())..].iter();
    let strangers: Vec<_> = later
        .filter(|status| is_applied(status.verdict) && !versions.contains(&status.version))
        .map(|status| status.version.as_str())
        .collect();
    if strangers.is_empty() {
        return Ok(());
    }
    let what = format!("{} cannot be taken back by the rollout", target.name);
    let problem = Problem::error(Code::TakeBackImpossible, what)
        .in_target(&target.name)
        .because(format!("{} was applied there besides", strangers.join(", ")))
        .fix_with("Look at the target, and take it back by hand.", "pgfleet rollback");
    Err(vec![problem].into())
}

fn ended(good: &'static str, bad: &'static str, outcome: RunOutcome, verb: &str) -> Ended {
    let RunOutcome::Ran(report) = outcome else {
        return Ended::well(good, "nothing to do".to_owned(), None);
    };
    let count = done(&report);
    if report.complete() {
        return Ended::well(good, format!("{count} {verb}"), Some(report));
    }
    let problems: Vec<_> = report.problems.into_iter().filter(Problem::is_error).collect();
    let stopped = problems.iter().all(|problem| problem.code == Code::Cancelled);
    Ended { state: bad, headline: headline(&problems), problems, stopped, report: None }
}

fn done(report: &RunReport) -> usize {
    report.migrations.iter().filter(|m| m.outcome == MigrationOutcome::Done).count()
}

fn failed(state: &'static str, error: ChangeError) -> Ended {
    let problems = error.problems;
    Ended { state, headline: headline(&problems), problems, stopped: false, report: None }
}

fn headline(problems: &[Problem]) -> String {
    let first = problems.iter().find(|problem| problem.is_error());
    first.map_or_else(|| "stopped".to_owned(), |first| format!("{}: {}", first.code, first.what))
}
