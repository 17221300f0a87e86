//! Tries a rollback on a copy of the target's structure and history, and compares.

use pgfleet_core::diagnose::Problem;
use pgfleet_core::plan::Direction;
use pgfleet_core::rehearse::{Proof, bare, taken_back};
use pgfleet_core::schema::Schema;
use pgfleet_core::schema::diff::{Action, Change, compare};

use super::replay::{Replayed, complete, quiet_run, quietly};
use crate::compare::{read_target, without_histories};
use crate::conduct::{
    ChangeError, Opened, RollbackRequest, RollbackTo, Target, apply, open, roll_back,
};
use crate::project::{Folder, Project};
use crate::scratch::Scratch;

/// Differences that are shown.
const SHOWN: usize = 8;

/// Says what the try shows, and what schema there is before it.
///
/// # Errors
/// When no copy can be made.
pub(super) async fn prove(
    project: &Project,
    target: &Target,
    opened: &Opened,
    to: &RollbackTo,
    before: &Result<Replayed, String>,
) -> Result<(Proof, Schema), ChangeError> {
    let scratch = Scratch::create(project, target).await?;
    let trial = Trial { project, target, opened, to, before };
    let proof = trial.on_copy(&scratch).await;
    let dropped = scratch.drop().await;
    let proof = proof?;
    dropped.map(|()| proof).map_err(ChangeError::from)
}

struct Trial<'a> {
    project: &'a Project,
    target: &'a Target,
    opened: &'a Opened,
    to: &'a RollbackTo,
    before: &'a Result<Replayed, String>,
}

impl Trial<'_> {
    async fn on_copy(&self, scratch: &Scratch) -> Result<(Proof, Schema), ChangeError> {
        scratch.copy_from(self.target, self.opened).await?;
        let copy = scratch.target(self.target);
        let there = self.look(&copy).await?;
        let proof = self.try_it(&copy, &there).await?;
        Ok((proof, there))
    }

    async fn try_it(&self, copy: &Target, there: &Schema) -> Result<Proof, ChangeError> {
        if let Err(error) = self.go_back(copy).await {
            return Ok(unproven("it fails on a copy of the target", said(&error)));
        }
        let left = self.look(copy).await?;
        match self.before.as_ref().map(|replayed| replayed.ends()) {
            Ok(Some((after, before))) => Ok(self.compared(there, after, before, &left)),
            Ok(None) => Ok(unproven("what was there before is not known", Vec::new())),
            Err(why) => self.round_trip(copy, there, why).await,
        }
    }

    fn compared(&self, there: &Schema, after: &Schema, before: &Schema, left: &Schema) -> Proof {
        let units = &self.opened.state.open_units;
        let half_way = units.iter().any(|unit| unit.direction == Direction::Down);
        let expected = match taken_back(there, after, before, half_way) {
            Ok(expected) => expected,
            Err(strangers) => {
                let line = |id: &pgfleet_core::schema::ObjectId| {
                    format!("{id} is not as the migrations left it")
                };
                let differences = strangers.iter().take(SHOWN).map(line).collect();
                return unproven("the target was changed by hand", differences);
            }
        };
        let changes = compare(&bare(left), &expected).changes();
        match changes.is_empty() {
            true => Proof::Proven,
            false => unproven("the schema would not be what it was before", lines(&changes)),
        }
    }

    async fn look(&self, copy: &Target) -> Result<Schema, Box<Problem>> {
        let schema = read_target(copy).await?;
        Ok(without_histories(schema, &self.project.settings))
    }

    /// The very rollback, with resume and all.
    async fn go_back(&self, copy: &Target) -> Result<(), ChangeError> {
        let opened = open(self.project, copy, self.opened.folder.clone()).await?;
        let request = RollbackRequest { to: self.to.clone(), run: quiet_run("rollback") };
        let outcome = roll_back(copy, &opened, &request).await;
        opened.session.close().await;
        complete(outcome?)
    }

    /// Where nothing tells what was there before: the same migrations once more lead to what there
    /// is now, or the way back left something, or took too much.
    async fn round_trip(
        &self,
        copy: &Target,
        there: &Schema,
        why: &str,
    ) -> Result<Proof, ChangeError> {
        if !self.opened.state.open_units.is_empty() {
            return Ok(unproven(why, Vec::new()));
        }
        let mut folder = Folder::clone(&self.opened.folder);
        let had = |version: &str| self.opened.state.rows.iter().any(|row| row.version == version);
        folder.set.migrations.retain(|migration| had(&migration.version));
        let opened = open(self.project, copy, folder).await?;
        let again = match apply(copy, &opened, &quietly("replay")).await {
            Ok(outcome) => complete(outcome),
            Err(error) => Err(error),
        };
        opened.session.close().await;
        if let Err(error) = again {
            let text = "once taken back, the migrations cannot be applied again";
            return Ok(unproven(text, said(&error)));
        }
        let now = self.look(copy).await?;
        let changes = compare(&bare(&now), &bare(there)).changes();
        match changes.is_empty() {
            true => Ok(Proof::RoundTrip { why: why.to_owned() }),
            false => Ok(unproven("applied again, the migrations lead elsewhere", lines(&changes))),
        }
    }
}

fn unproven(why: &str, differences: Vec<String>) -> Proof {
    Proof::Unproven { why: why.to_owned(), differences }
}

fn said(error: &ChangeError) -> Vec<String> {
    let errors = error.problems.iter().filter(|problem| problem.is_error());
    let lines = errors.map(|problem| match &problem.place {
        Some(place) => format!("{}: {} ({place})", problem.code, problem.what),
        None => format!("{}: {}", problem.code, problem.what),
    });
    lines.take(SHOWN).collect()
}

fn lines(changes: &[Change]) -> Vec<String> {
    let line = |change: &Change| match change.action {
        Action::Create => format!("it takes {} away", change.object),
        Action::Drop => format!("it leaves {}", change.object),
        Action::Alter | Action::Replace => format!("it leaves {} other than it was", change.object),
    };
    let mut lines: Vec<_> = changes.iter().take(SHOWN).map(line).collect();
    if changes.len() > SHOWN {
        lines.push(format!("and {} more", changes.len() - SHOWN));
    }
    lines
}
