//! Tries ways back: down, compare with what was there before, and up again.
//!
//! Invariant: a try leaves the copy as the migration left it, in structure and history, or says that
//! it cannot, and then nothing later is tried.

use std::sync::Arc;

use pgfleet_core::diagnose::Problem;
use pgfleet_core::folder::Migration;
use pgfleet_core::plan::{Plan, SqlStep, derive_way_back};
use pgfleet_core::rehearse::{HeldColumn, Reversal, Verdict, WayBack, data_statements, losses};
use pgfleet_core::schema::Schema;
use pgfleet_core::schema::diff::{Action, Change, Difference, compare};

use super::bench::{Bench, Failed};
use super::picture::{Picture, changed, measure};
use crate::compare::{rename_back, run_script};
use crate::conduct::{ChangeError, Opened, plan_ways_back};
use crate::project::Project;

/// Differences that are shown of a way back that does not lead back.
const SHOWN: usize = 8;

/// Tries ways back, one migration after the other.
pub(super) struct Backwards<'a> {
    project: &'a Project,
    /// The copy, as it was before the plan.
    opened: &'a Opened,
    /// Rows are there to be measured.
    measures: bool,
    before: Option<Picture>,
    /// Why nothing can be tried any more.
    lost: Option<String>,
}

/// A way back that was planned.
struct Way {
    by: WayBack,
    plan: Result<Plan, String>,
}

impl<'a> Backwards<'a> {
    pub(super) fn new(project: &'a Project, opened: &'a Opened, measures: bool) -> Self {
        Self { project, opened, measures, before: None, lost: None }
    }

    /// Looks at the copy before a migration runs there.
    pub(super) async fn look_before(&mut self, bench: &Bench<'_>) -> Result<(), ChangeError> {
        if self.before.is_none() {
            self.before = Some(self.look(bench).await?);
        }
        if let Some(before) = self.before.as_mut().filter(|_| self.measures) {
            before.sums = measure(bench.copy, &bench.worker, &before.contents).await?;
        }
        Ok(())
    }

    async fn look(&self, bench: &Bench<'_>) -> Result<Picture, Box<Problem>> {
        Picture::take(bench.copy, &bench.worker, &self.project.settings).await
    }

    /// Tries the way back of a migration that just ran.
    pub(super) async fn try_back(
        &mut self,
        bench: &mut Bench<'_>,
        step: &SqlStep,
    ) -> Result<Reversal, ChangeError> {
        let after = self.look(bench).await?;
        let Some(before) = self.before.take() else {
            return Ok(reversal(step, WayBack::DownPart, not_tried("nothing was seen before it")));
        };
        let way = self.way(bench, step, (&before.schema, &after.schema)).await?;
        let verdict = match (&self.lost, &way.plan) {
            (Some(lost), _) => not_tried(lost),
            (None, Err(why)) => not_tried(why),
            (None, Ok(plan)) => self.go(bench, step, way.by, plan, &before, &after).await?,
        };
        // What the next migration finds is what this one left.
        self.before = Some(self.look(bench).await?);
        Ok(reversal(step, way.by, verdict))
    }

    /// The migration's own way back, else a derived one.
    async fn way(
        &self,
        bench: &Bench<'_>,
        step: &SqlStep,
        (before, after): (&Schema, &Schema),
    ) -> Result<Way, Box<Problem>> {
        let set = &self.opened.folder.set;
        let Some(migration) = set.migrations.iter().find(|m| m.version == step.version) else {
            let plan = Err("its file is not there".to_owned());
            return Ok(Way { by: WayBack::DownPart, plan });
        };
        if migration.down.is_some() || migration.opaque_down.is_some() {
            return Ok(Way { by: WayBack::DownPart, plan: self.planned(migration) });
        }
        let folder = &self.opened.folder;
        let renamed = rename_back(bench.copy, folder, migration, (after, before)).await?;
        let start = renamed.start(after);
        let down = Some(derive_way_back(&renamed.steps, start, before, &step.label));
        let plan = self.planned(&Migration { down, ..migration.clone() });
        Ok(Way { by: WayBack::Derived, plan })
    }

    fn planned(&self, migration: &Migration) -> Result<Plan, String> {
        let plan = plan_ways_back(self.opened, &self.opened.state, &[migration]);
        plan.map(Arc::unwrap_or_clone).map_err(|error| {
            error.problems.into_iter().map(|p| p.what).collect::<Vec<_>>().join("; ")
        })
    }

    async fn go(
        &mut self,
        bench: &mut Bench<'_>,
        up: &SqlStep,
        by: WayBack,
        plan: &Plan,
        before: &Picture,
        after: &Picture,
    ) -> Result<Verdict, ChangeError> {
        let Some(down) = plan.sql_steps().next() else { return Ok(Verdict::Proven) };
        if let Err(failed) = bench.run_step(down).await {
            self.heal(bench, up, &after.schema, false).await?;
            return Ok(fails(&failed));
        }
        let back = self.look(bench).await?;
        let rest = compare(&back.schema, &before.schema);
        if !rest.is_empty() {
            let verdict = differs(&rest);
            self.heal(bench, up, &after.schema, true).await?;
            return Ok(verdict);
        }
        let mut lost = losses(&before.contents, &after.contents, &after.contents, &back.contents);
        if self.measures {
            let same = |(key, _): &(&(u32, i16), &HeldColumn)| back.contents.contains_key(*key);
            let kept = before.contents.iter().filter(same);
            let kept = kept.map(|(key, column)| (*key, column.clone())).collect();
            let sums = measure(bench.copy, &bench.worker, &kept).await?;
            lost.extend(changed(&before.sums, &sums));
        } else {
            lost.extend(data_statements(up, by));
        }
        match self.up_again(bench, up, &after.schema).await? {
            None => Ok(Verdict::of_losses(lost)),
            Some(verdict) => Ok(verdict),
        }
    }

    /// A way back that leads back lets the migration be applied anew, to the same end.
    async fn up_again(
        &mut self,
        bench: &mut Bench<'_>,
        up: &SqlStep,
        after: &Schema,
    ) -> Result<Option<Verdict>, ChangeError> {
        let differences = match bench.run_step(up).await {
            Ok(()) => {
                let now = self.look(bench).await?.schema;
                let rest = compare(&now, after);
                if rest.is_empty() {
                    return Ok(None);
                }
                self.heal(bench, up, after, false).await?;
                shown(&rest)
            }
            Err(failed) => {
                self.heal(bench, up, after, true).await?;
                failed.words()
            }
        };
        let why = "once taken back, the migration cannot be applied again as it was".to_owned();
        Ok(Some(Verdict::NotReversible { why, differences }))
    }

    /// Puts the copy where the migration left it, by the difference of the schemas; in the history
    /// too when the way back took it out.
    async fn heal(
        &mut self,
        bench: &Bench<'_>,
        up: &SqlStep,
        after: &Schema,
        is_taken_out: bool,
    ) -> Result<(), ChangeError> {
        let now = self.look(bench).await?.schema;
        let session = bench.copy.connect().await?;
        let healed = run_script(&session, &compare(&now, after).statements()).await;
        session.close().await;
        let same = compare(&self.look(bench).await?.schema, after).is_empty();
        let recorded = !is_taken_out || bench.record(&up.record_done).await.is_ok();
        if healed.is_err() || !same || !recorded {
            self.lost = Some(format!("the copy could not be put back as {} left it", up.label));
        }
        Ok(())
    }
}

fn reversal(step: &SqlStep, by: WayBack, verdict: Verdict) -> Reversal {
    Reversal { migration: step.label.clone(), by, verdict }
}

fn not_tried(why: &str) -> Verdict {
    Verdict::NotTried { why: why.to_owned() }
}

fn fails(failed: &Failed) -> Verdict {
    Verdict::NotReversible { why: "it fails".to_owned(), differences: failed.words() }
}

fn differs(rest: &Difference<'_>) -> Verdict {
    let why = "the schema is not as it was before".to_owned();
    Verdict::NotReversible { why, differences: shown(rest) }
}

/// What must still be done, seen as what was left undone.
fn shown(rest: &Difference<'_>) -> Vec<String> {
    let line = |change: &Change| match change.action {
        Action::Create => format!("it does not bring back {}", change.object),
        Action::Drop => format!("it leaves {}", change.object),
        Action::Alter | Action::Replace => format!("it leaves {} other than it was", change.object),
    };
    let changes = rest.changes();
    let mut lines: Vec<_> = changes.iter().take(SHOWN).map(line).collect();
    if changes.len() > SHOWN {
        lines.push(format!("and {} more", changes.len() - SHOWN));
    }
    lines
}
