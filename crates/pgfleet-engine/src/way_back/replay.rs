//! Which schemas migrations led from and to: the applied ones are replayed on a scratch database,
//! with a look before and after each that is to be taken back.

use std::collections::{BTreeMap, BTreeSet};

use pgfleet_core::diagnose::Problem;
use pgfleet_core::schema::Schema;

use super::lacks_way_back;
use crate::compare::{Renamed, read_target, rename_back, without_histories};
use crate::conduct::{
    ApplyRequest, ChangeError, Consent, Opened, Run, RunOutcome, Selection, Target, apply, open,
};
use crate::execute::NoEvents;
use crate::project::{Folder, Project};
use crate::scratch::Scratch;

/// Schemas that the applied migrations led to.
pub(super) struct Replayed {
    /// Versions in folder order.
    versions: Vec<String>,
    /// By how many migrations were applied.
    looks: BTreeMap<usize, Schema>,
    /// By the same: what the last of them left, with the names from before it.
    renamed: BTreeMap<usize, Renamed>,
}

impl Replayed {
    /// The schemas after and before a migration, when it was looked at.
    pub(super) fn around(&self, version: &str) -> Option<(&Schema, &Schema)> {
        let at = self.versions.iter().position(|one| one == version)?;
        Some((self.looks.get(&(at + 1))?, self.looks.get(&at)?))
    }

    /// What a migration left, with the names from before it, when it was looked at.
    pub(super) fn renamed(&self, version: &str) -> Option<&Renamed> {
        let at = self.versions.iter().position(|one| one == version)?;
        self.renamed.get(&(at + 1))
    }

    /// The schemas after the last and before the first that is taken back.
    pub(super) fn ends(&self) -> Option<(&Schema, &Schema)> {
        Some((self.looks.last_key_value()?.1, self.looks.first_key_value()?.1))
    }
}

/// Replays what is applied; an error says why it cannot be known.
pub(super) async fn replay(
    project: &Project,
    target: &Target,
    opened: &Opened,
    versions: &[String],
) -> Result<Replayed, String> {
    replay_folder(project, target, opened.applied_folder(), versions).await
}

/// Replays a folder; an error says why it cannot be known.
pub(super) async fn replay_folder(
    project: &Project,
    target: &Target,
    folder: Folder,
    versions: &[String],
) -> Result<Replayed, String> {
    let scratch = Scratch::create(project, target).await.map_err(|problem| in_short(&problem))?;
    let copy = scratch.target(target);
    let stage = Stage { project, copy: &copy, folder };
    let replayed = stage.run(versions).await;
    scratch.drop().await.map_err(|problem| in_short(&problem))?;
    replayed.map_err(|error| {
        let first = error.problems.iter().find(|problem| problem.is_error());
        let what = first.map_or("a statement failed".to_owned(), in_short);
        format!("the migrations cannot be replayed: {what}")
    })
}

/// What happened, where, and why: nobody sees the problem itself.
fn in_short(problem: &Problem) -> String {
    let place = problem.place.iter().map(|place| format!(" ({place})"));
    let cause = problem.cause.iter().map(|cause| format!(": {cause}"));
    std::iter::once(problem.what.clone()).chain(place).chain(cause).collect()
}

struct Stage<'a> {
    project: &'a Project,
    copy: &'a Target,
    folder: Folder,
}

impl Stage<'_> {
    async fn run(&self, versions: &[String]) -> Result<Replayed, ChangeError> {
        let mut looks: BTreeMap<usize, Schema> = BTreeMap::new();
        let mut renamed = BTreeMap::new();
        for count in self.moments(versions) {
            let after = self.apply_before(count).await?;
            let last = count.checked_sub(1);
            let last =
                last.and_then(|at| Some((self.folder.set.migrations.get(at)?, looks.get(&at)?)));
            if let Some((migration, before)) = last.filter(|(one, _)| lacks_way_back(one)) {
                let around = (&after, before);
                let names = rename_back(self.copy, &self.folder, migration, around).await?;
                renamed.insert(count, names);
            }
            looks.insert(count, after);
        }
        let versions = self.folder.set.migrations.iter().map(|m| m.version.clone()).collect();
        Ok(Replayed { versions, looks, renamed })
    }

    /// Before the first, after the last, and around those whose way back must be derived.
    fn moments(&self, versions: &[String]) -> BTreeSet<usize> {
        let all = self.folder.set.migrations.iter().enumerate();
        let chosen: Vec<_> = all.filter(|(_, m)| versions.contains(&m.version)).collect();
        let lacking = chosen.iter().filter(|(_, one)| lacks_way_back(one));
        let mut moments: BTreeSet<_> = lacking.flat_map(|(at, _)| [*at, at + 1]).collect();
        moments.extend(chosen.first().map(|(at, _)| *at));
        moments.extend(chosen.last().map(|(at, _)| at + 1));
        moments
    }

    /// Applies the first migrations, as many as are said, and looks.
    async fn apply_before(&self, count: usize) -> Result<Schema, ChangeError> {
        let mut folder = self.folder.clone();
        folder.set.migrations.truncate(count);
        if count > 0 {
            let opened = open(self.project, self.copy, folder).await?;
            let outcome = apply(self.copy, &opened, &quietly("replay")).await?;
            opened.session.close().await;
            complete(outcome)?;
        }
        let schema = read_target(self.copy).await?;
        Ok(without_histories(schema, &self.project.settings))
    }
}

/// A run that nobody hears of, on a copy.
pub(super) fn quietly(command: &str) -> ApplyRequest<'_> {
    ApplyRequest { selection: Selection::default(), plan: None, run: quiet_run(command) }
}

/// How runs on a copy go.
pub(super) fn quiet_run(command: &str) -> Run<'_> {
    Run {
        command,
        consent: Consent { data_loss: true },
        continue_on_error: false,
        enclosed: None,
        events: &NoEvents,
        stop: tokio::sync::watch::channel(false).1,
    }
}

/// A run that failed, as an error.
pub(super) fn complete(outcome: RunOutcome) -> Result<(), ChangeError> {
    match outcome {
        RunOutcome::Ran(report) if !report.complete() => Err(report.problems.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use pgfleet_core::diagnose::Code;
    use pgfleet_core::place::Place;

    use super::*;

    #[test]
    fn a_failure_of_the_replay_is_told_with_its_cause() {
        let lost = Problem::error(Code::ConnectionLost, "the connection was lost")
            .at(Place::file("0002_b.sql"))
            .because("Connection reset by peer (os error 104)");
        let told = "the connection was lost (0002_b.sql): Connection reset by peer (os error 104)";
        assert_eq!(in_short(&lost), told);
    }
}
