//! Hazards: what to think about before saying yes. Each names the migration and the place.

use std::borrow::Cow;
use std::collections::BTreeSet;

use pgfleet_sql::{Facts, ObjectKind, ObjectRef, QualifiedName, Severity};
use serde::{Deserialize, Serialize};

use super::widening::{ColumnTypes, TypeChange, type_changes};
use crate::place::Place;
use crate::program::Statement;
use crate::schema::hazard::ANEW;
use crate::schema::{keeps_rows, keeps_values};

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
pub(super) struct HazardFinder<'a> {
    created: BTreeSet<QualifiedName>,
    /// Of them, those that cannot have been there before: their creation would have failed.
    new: BTreeSet<QualifiedName>,
    empty_target: bool,
    column_types: &'a ColumnTypes,
    /// Tables, or single columns of them, that may be others by now than they were before the plan.
    touched: BTreeSet<(QualifiedName, Option<String>)>,
    /// Something was run that may have touched any table.
    anything: bool,
    /// Names without a schema may mean something else by now.
    other_path: bool,
    found: Vec<Hazard>,
    /// Materialized views that were dropped and are not there again, with the place of what was found.
    gone: Vec<(usize, BTreeSet<QualifiedName>)>,
}

impl<'a> HazardFinder<'a> {
    /// `empty_target`: the target held no tables before the plan, so nothing can be lost.
    pub(super) fn new(empty_target: bool, column_types: &'a ColumnTypes) -> Self {
        Self {
            created: BTreeSet::new(),
            new: BTreeSet::new(),
            empty_target,
            column_types,
            touched: BTreeSet::new(),
            anything: false,
            other_path: false,
            found: Vec::new(),
            gone: Vec::new(),
        }
    }

    pub(super) fn found(self) -> Vec<Hazard> {
        self.found
    }

    pub(super) fn look_at(&mut self, migration: &str, statement: &Statement) {
        // Another database is not this empty target.
        let leaves_target = |object: &ObjectRef| object.kind == ObjectKind::Database;
        if !self.empty_target || statement.facts.drops.iter().any(leaves_target) {
            for (kind, what) in self.hazards_of(&self.settled(statement)) {
                if kind == HazardKind::DataLoss {
                    self.gone
                        .extend(dropped_views(statement).map(|views| (self.found.len(), views)));
                }
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
        self.make_anew(&statement.facts);
        self.touch(&statement.facts);
    }

    /// Rows of a materialized view that is there again come from others: they are not lost.
    fn make_anew(&mut self, facts: &Facts) {
        let views = facts.creates.iter().filter(|one| one.kind == ObjectKind::MaterializedView);
        for view in views.map(|view| bare(&view.name)) {
            for (at, gone) in &mut self.gone {
                if !gone.remove(&view) || !gone.is_empty() {
                    continue;
                }
                let hazard = &mut self.found[*at];
                let names = hazard.what.trim_start_matches("drops materialized view ");
                let names = names.trim_end_matches(" with its rows");
                hazard.what = format!("makes {names} anew: {ANEW}");
                hazard.kind = HazardKind::Rewrite;
            }
        }
    }

    fn touch(&mut self, facts: &Facts) {
        self.anything |= facts.opaque;
        self.other_path |= facts.sets_search_path;
        let mut touch = |kind: ObjectKind, name: &QualifiedName, on: Option<&QualifiedName>| {
            self.touched.insert(match (kind, on) {
                (ObjectKind::Column, Some(table)) => (table.clone(), Some(name.name.clone())),
                _ => (name.clone(), None),
            });
        };
        let columns = facts.alters.iter().filter(|object| object.kind == ObjectKind::Column);
        for object in facts.creates.iter().chain(&facts.drops).chain(columns) {
            touch(object.kind, &object.name, object.on.as_ref());
        }
        if let Some(rename) = &facts.rename {
            let ObjectRef { kind, name, on } = &rename.from;
            touch(*kind, name, on.as_ref());
            touch(*kind, &rename.to, on.as_ref());
        }
    }

    /// The statement's facts, without what the target's present types rule out.
    fn settled<'s>(&self, statement: &'s Statement) -> Cow<'s, Facts> {
        let facts = &statement.facts;
        if self.anything || self.column_types.is_empty() || facts.rewrites.is_none() {
            return Cow::Borrowed(facts);
        }
        let (changes, nothing_else) = type_changes(&statement.sql);
        let present = |change: &TypeChange| {
            let named = !self.other_path || change.table.schema.is_some();
            let known = named && !change.computed && !self.may_have_touched(change);
            let key = (change.table.clone(), change.column.clone());
            self.column_types.get(&key).filter(|_| known)
        };
        let pairs: Option<Vec<_>> =
            changes.iter().map(|change| Some((present(change)?, &change.new_type))).collect();
        match pairs {
            Some(pairs) if nothing_else => Cow::Owned(retyped(facts, &pairs)),
            _ => Cow::Borrowed(facts),
        }
    }

    /// A name without a schema may be that of a table of any.
    fn may_have_touched(&self, change: &TypeChange) -> bool {
        let is_table = |one: &QualifiedName| {
            let schemas = one.schema.as_ref().zip(change.table.schema.as_ref());
            one.name == change.table.name && schemas.is_none_or(|(one, other)| one == other)
        };
        let is_column =
            |column: &Option<String>| column.as_ref().is_none_or(|name| *name == change.column);
        self.touched.iter().any(|(table, column)| is_table(table) && is_column(column))
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

/// The materialized views that a statement drops, and nothing else.
fn dropped_views(statement: &Statement) -> Option<BTreeSet<QualifiedName>> {
    let drops = &statement.facts.drops;
    let only_views = drops.iter().all(|one| one.kind == ObjectKind::MaterializedView);
    let cascades = || pgfleet_sql::bare_words(&statement.sql).iter().any(|word| word == "CASCADE");
    let views = (!drops.is_empty() && only_views && !cascades()).then_some(drops)?;
    Some(views.iter().map(|view| bare(&view.name)).collect())
}

/// What a statement does that only changes types, each from the first to the second.
fn retyped(facts: &Facts, pairs: &[(&String, &String)]) -> Facts {
    let lossless = pairs.iter().all(|(old, new)| keeps_values(old, new));
    let rewriting = pairs.iter().find(|(old, new)| !keeps_rows(old, new));
    Facts {
        data_loss: facts.data_loss.clone().filter(|_| !lossless),
        rewrites: rewriting.map(|(old, new)| format!("{old} and {new} are not stored alike")),
        ..facts.clone()
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
