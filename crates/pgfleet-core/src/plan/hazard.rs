//! Hazards: what to think about before saying yes. Each names the migration and the place.

use std::collections::BTreeSet;

use pgfleet_sql::{Facts, ObjectKind, ObjectRef, QualifiedName, Severity};
use serde::{Deserialize, Serialize};

use crate::place::Place;
use crate::program::Statement;

/// One thing to think about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hazard {
    /// What sort of thing.
    pub kind: HazardKind,
    /// The migration's label.
    pub migration: String,
    /// Where.
    pub place: Place,
    /// What, in words.
    pub what: String,
}

/// Sorts of hazards, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HazardKind {
    /// Destroys data that is there before the run; needs consent.
    DataLoss,
    /// Destroys chosen rows, or what does not fit.
    PossibleLoss,
    /// Writes a whole table anew under its lock.
    Rewrite,
    /// Blocks readers or writers of a table that is there before the run.
    Lock,
    /// Fails when existing rows are not as it demands.
    MayFail,
    /// What still uses an old name fails from then on.
    BreaksCode,
    /// Cannot be rolled back as one.
    NoTransaction,
    /// Its effects cannot be read from its text.
    Opaque,
}

/// True when a plan holds something that `--allow-data-loss` must allow.
pub fn needs_consent(hazards: &[Hazard]) -> bool {
    hazards
        .iter()
        .any(|hazard| matches!(hazard.kind, HazardKind::DataLoss | HazardKind::PossibleLoss))
}

/// Finds the hazards of a plan's statements, in order. What the plan itself creates is empty and
/// unused, so locking, rewriting or dropping it is no hazard.
pub(super) struct HazardFinder {
    created: BTreeSet<QualifiedName>,
    /// Of them, those that cannot have been there before: their creation would have failed.
    new: BTreeSet<QualifiedName>,
    empty_target: bool,
    found: Vec<Hazard>,
}

impl HazardFinder {
    /// `empty_target`: the target held no tables before the plan, so nothing can be lost.
    pub(super) fn new(empty_target: bool) -> Self {
        Self { created: BTreeSet::new(), new: BTreeSet::new(), empty_target, found: Vec::new() }
    }

    pub(super) fn found(self) -> Vec<Hazard> {
        self.found
    }

    pub(super) fn look_at(&mut self, migration: &str, statement: &Statement) {
        // Another database is not this empty target.
        let leaves_target = |object: &ObjectRef| object.kind == ObjectKind::Database;
        if !self.empty_target || statement.facts.drops.iter().any(leaves_target) {
            for (kind, what) in self.hazards_of(&statement.facts) {
                let place = statement.place.clone();
                self.found.push(Hazard { kind, migration: migration.to_owned(), place, what });
            }
        }
        let created = statement.facts.creates.iter().filter(|object| holds_rows(object.kind));
        let names: Vec<_> = created.map(|object| bare(&object.name)).collect();
        if !statement.facts.if_not_exists && !statement.facts.or_replace {
            self.new.extend(names.iter().cloned());
        }
        self.created.extend(names);
    }

    fn hazards_of(&self, facts: &Facts) -> Vec<(HazardKind, String)> {
        let mut hazards = Vec::new();
        let touches_old = touches_other_than(facts, &self.created);
        if let Some(loss) =
            facts.data_loss.as_ref().filter(|_| touches_other_than(facts, &self.new))
        {
            let kind = match loss.severity {
                Severity::Certain => HazardKind::DataLoss,
                Severity::Possible | Severity::Selective => HazardKind::PossibleLoss,
            };
            hazards.push((kind, loss.what.clone()));
        }
        if let Some(why) = facts.rewrites.as_ref().filter(|_| touches_old) {
            hazards
                .push((HazardKind::Rewrite, format!("{} rewrites the table: {why}", facts.label)));
        }
        hazards.extend(self.lock_hazard(facts).map(|what| (HazardKind::Lock, what)));
        if facts.opaque {
            hazards.push((
                HazardKind::Opaque,
                format!("{} runs code that was not looked into", facts.label),
            ));
        }
        hazards
    }

    fn lock_hazard(&self, facts: &Facts) -> Option<String> {
        let makes = |name: &QualifiedName| facts.creates.iter().any(|object| object.name == *name);
        let old = |relation: &QualifiedName| {
            !self.created.contains(&bare(relation)) && (facts.or_replace || !makes(relation))
        };
        let lock = facts.locks.iter().find(|lock| lock.relation.as_ref().is_some_and(old))?;
        let relation = lock.relation.as_ref()?;
        let blocks = lock.mode.blocks()?;
        let how_long = if facts.scans || facts.rewrites.is_some() {
            " while it reads the whole table"
        } else {
            ""
        };
        Some(format!("{} blocks {blocks} of {relation}{how_long}", facts.label))
    }
}

/// False only when everything the statement drops or alters is among what this plan created.
fn touches_other_than(facts: &Facts, created: &BTreeSet<QualifiedName>) -> bool {
    let objects = facts.drops.iter().chain(&facts.alters);
    let mut names: Vec<_> =
        objects.map(|object| object.on.as_ref().unwrap_or(&object.name)).collect();
    names.extend(facts.locks.iter().filter_map(|lock| lock.relation.as_ref()));
    names.is_empty() || !names.iter().all(|name| created.contains(&bare(name)))
}

fn holds_rows(kind: ObjectKind) -> bool {
    !matches!(kind, ObjectKind::Column | ObjectKind::Constraint | ObjectKind::Policy)
}

/// Schema-less names are matched by their last part: a miss only makes a hazard shown too much.
fn bare(name: &QualifiedName) -> QualifiedName {
    match name.schema.as_deref() {
        Some("public") => QualifiedName::bare(name.name.clone()),
        _ => name.clone(),
    }
}
