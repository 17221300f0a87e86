//! What to think about before a statement of a difference is run.
//!
//! Invariant: what the same script makes is new and empty, so locking, reading or rewriting it is no
//! hazard. Lock modes and rewrites are those that `pgfleet_sql::classify` knows.

use std::collections::BTreeSet;

use pgfleet_sql::classify::{Rule, classify, demands};
use pgfleet_sql::{
    Facts, Kind as Work, LockMode, ObjectKind, ObjectRef, QualifiedName, Severity, quote_ident,
};
use serde::Serialize;

use super::diff::{Difference, Statement};
use super::rename::{Proposal, RenameOrigin, RenameStep, Thing};
use super::{Body, Kind, ObjectId, Schema, keeps_rows, keeps_values};

/// What becomes of a materialized view that is made anew.
pub(crate) const ANEW: &str = "its query runs again, and nobody reads it until that is committed";

/// One thing to think about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatementHazard {
    /// What sort of thing.
    pub kind: StatementHazardKind,
    /// What, in words.
    pub what: String,
    /// The table that it is about, as SQL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// Of a lock, its mode as PostgreSQL's documentation names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock: Option<&'static str>,
}

/// Sorts of hazards of one statement, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StatementHazardKind {
    /// Destroys data.
    DataLoss,
    /// What is dropped may be what is made under another name.
    PerhapsRenamed,
    /// Destroys what does not fit.
    PossibleLoss,
    /// Fails when existing rows are not as demanded.
    MayFail,
    /// What still uses an old name fails from then on.
    BreaksCode,
    /// Writes every row of a table anew under its lock.
    Rewrite,
    /// Blocks readers or writers of a table.
    Lock,
    /// Reads a whole table to build an index.
    IndexBuild,
    /// Writes or reads every row while others go on.
    Work,
    /// Changes who may do what.
    Grants,
}

/// The hazards of each statement, in the order of the statements.
pub fn hazards(difference: &Difference<'_>, statements: &[Statement]) -> Vec<Vec<StatementHazard>> {
    let finder = Finder { difference, new: new_relations(difference) };
    statements.iter().map(|statement| finder.hazards_of(&statement.sql)).collect()
}

/// Tables and views that the script makes.
fn new_relations(difference: &Difference<'_>) -> BTreeSet<QualifiedName> {
    let created = difference.creates.iter().map(|at| &difference.to.objects[*at].id);
    let is_relation = |id: &&ObjectId| {
        use Kind::{ForeignTable, MaterializedView, Sequence, Table, View};
        matches!(id.kind, Table | ForeignTable | MaterializedView | View | Sequence)
    };
    let replaced = |id: &&ObjectId| difference.from.position(id).is_none();
    let new = created.filter(is_relation).filter(replaced);
    new.map(|id| QualifiedName::new(id.schema.clone(), id.name.clone())).collect()
}

struct Finder<'d, 's> {
    difference: &'d Difference<'s>,
    new: BTreeSet<QualifiedName>,
}

impl Finder<'_, '_> {
    fn hazards_of(&self, sql: &str) -> Vec<StatementHazard> {
        let mut facts = classify(sql);
        facts.scans &= !self.is_checked(sql);
        let mut found = Vec::new();
        found.extend(self.loss(&facts, sql));
        found.extend(self.may_fail(sql));
        found.extend(self.rewrite(&facts, sql));
        found.extend(self.index_build(&facts));
        found.extend(self.lock(&facts));
        found.extend(work(&facts));
        if facts.kind == Work::Privilege {
            found.push(hazard(StatementHazardKind::Grants, "changes who may do what"));
        }
        found
    }

    fn is_old(&self, name: &QualifiedName) -> bool {
        !self.new.contains(name)
    }

    fn loss(&self, facts: &Facts, sql: &str) -> Option<StatementHazard> {
        let loss = facts.data_loss.as_ref()?;
        if self.makes_anew(facts) {
            return Some(made_anew(&facts.drops));
        }
        if facts.kind == Work::Write || self.is_lossless(sql) {
            return None;
        }
        let kind = match loss.severity {
            Severity::Certain => StatementHazardKind::DataLoss,
            Severity::Possible | Severity::Selective => StatementHazardKind::PossibleLoss,
        };
        Some(hazard(kind, &loss.what))
    }

    /// True for materialized views that are there again in the end: their rows come from others.
    fn makes_anew(&self, facts: &Facts) -> bool {
        let is_again = |dropped: &ObjectRef| {
            let schema = dropped.name.schema.as_deref().unwrap_or_default();
            let id = ObjectId::new(Kind::MaterializedView, schema, &dropped.name.name);
            dropped.kind == ObjectKind::MaterializedView && self.difference.to.get(&id).is_some()
        };
        !facts.drops.is_empty() && facts.drops.iter().all(is_again)
    }

    fn may_fail(&self, sql: &str) -> Vec<StatementHazard> {
        if self.is_checked(sql) {
            return Vec::new();
        }
        let demands = demands(sql).into_iter();
        let old = demands.filter(|demand| !demand.unchecked && self.is_old(&demand.table));
        let told = old
            .filter(|demand| !matches!(demand.rule, Rule::Fits { .. }) || !self.is_lossless(sql));
        told.map(|demand| StatementHazard {
            table: Some(demand.table.to_string()),
            ..hazard(StatementHazardKind::MayFail, &fails_when(&demand.rule))
        })
        .collect()
    }

    fn rewrite(&self, facts: &Facts, sql: &str) -> Option<StatementHazard> {
        let why = facts.rewrites.as_ref()?;
        let table = facts.locks.iter().find_map(|lock| lock.relation.as_ref())?;
        if !self.is_old(table) || self.is_widening(sql) {
            return None;
        }
        let what = format!(
            "writes every row of {table} anew: {}",
            why.trim_start_matches("may rewrite: ")
        );
        Some(StatementHazard {
            table: Some(table.to_string()),
            ..hazard(StatementHazardKind::Rewrite, &what)
        })
    }

    /// True for a change of type that keeps the rows as they are on disk.
    fn is_widening(&self, sql: &str) -> bool {
        self.changes_type(sql, keeps_rows)
    }

    /// True for a change of type that every value survives.
    fn is_lossless(&self, sql: &str) -> bool {
        self.changes_type(sql, keeps_values)
    }

    fn changes_type(&self, sql: &str, is_so: impl Fn(&str, &str) -> bool) -> bool {
        let mut fits = demands(sql).into_iter().filter_map(|demand| match demand.rule {
            Rule::Fits { column, type_text, .. } => Some((demand.table, column, type_text)),
            _ => None,
        });
        let (Some((table, column, new)), None) = (fits.next(), fits.next()) else { return false };
        let schema = table.schema.clone().unwrap_or_default();
        let id = ObjectId::new(Kind::Table, &schema, &table.name);
        let old = self.difference.from.get(&id).and_then(|object| {
            object.columns().iter().find(|c| c.name == column).map(|c| c.type_name.clone())
        });
        old.is_some_and(|old| is_so(&old, &new))
    }

    /// True for `SET NOT NULL` of a column that a validated check vouches for.
    fn is_checked(&self, sql: &str) -> bool {
        let [demand] = &demands(sql)[..] else { return false };
        let Rule::NotNull { column } = &demand.rule else { return false };
        let schema = demand.table.schema.as_deref().unwrap_or_default();
        let table =
            self.difference.to.position(&ObjectId::new(Kind::Table, schema, &demand.table.name));
        table.is_some_and(|table| self.difference.online.tightens(table, column))
    }

    fn index_build(&self, facts: &Facts) -> Option<StatementHazard> {
        if facts.label != "CREATE INDEX" {
            return None;
        }
        let table = facts.locks.iter().find_map(|lock| lock.relation.as_ref())?;
        let what = format!("reads all of {table} to build the index");
        self.is_old(table).then(|| StatementHazard {
            table: Some(table.to_string()),
            ..hazard(StatementHazardKind::IndexBuild, &what)
        })
    }

    fn lock(&self, facts: &Facts) -> Option<StatementHazard> {
        let makes = |name: &QualifiedName| facts.creates.iter().any(|object| object.name == *name);
        lock_of(facts, &|name: &QualifiedName| self.is_old(name) && !makes(name))
    }
}

/// The lock on a table that is `old`, when it makes readers or writers wait.
fn lock_of(facts: &Facts, old: &dyn Fn(&QualifiedName) -> bool) -> Option<StatementHazard> {
    let lock = facts.locks.iter().find(|lock| lock.relation.as_ref().is_some_and(old))?;
    let (mode, blocks) = match lock.mode {
        LockMode::AccessExclusive => ("ACCESS EXCLUSIVE", "readers and writers"),
        LockMode::Exclusive => ("EXCLUSIVE", "writers"),
        LockMode::ShareRowExclusive => ("SHARE ROW EXCLUSIVE", "writers"),
        LockMode::Share => ("SHARE", "writers"),
        _ => return None,
    };
    let table = lock.relation.as_ref()?.to_string();
    let how_long =
        if facts.scans || facts.rewrites.is_some() { " while it reads every row" } else { "" };
    let what = format!("{mode} on {table}: blocks {blocks}{how_long}");
    Some(StatementHazard {
        table: Some(table),
        lock: Some(mode),
        ..hazard(StatementHazardKind::Lock, &what)
    })
}

/// Adds to the statements that drop something what it may have been renamed to.
pub fn add_proposals(
    hazards: &mut [Vec<StatementHazard>],
    statements: &[Statement],
    proposals: &[Proposal],
) {
    for proposal in proposals {
        let drops = |statement: &Statement| drops_it(&statement.sql, &proposal.thing);
        let at = statements.iter().position(drops).unwrap_or(0);
        let what = format!("--rename {}", proposal.rename);
        let Some(found) = hazards.get_mut(at) else { continue };
        let after =
            found.iter().take_while(|one| one.kind == StatementHazardKind::DataLoss).count();
        found.insert(after, hazard(StatementHazardKind::PerhapsRenamed, &what));
    }
}

fn drops_it(sql: &str, thing: &Thing) -> bool {
    let is_object = |name: &QualifiedName| {
        let id = thing.object();
        name.name == id.name && name.schema.as_deref().unwrap_or_default() == id.schema
    };
    classify(sql).drops.iter().any(|dropped| match (&dropped.on, thing) {
        (Some(table), Thing::Column { name, .. }) => is_object(table) && dropped.name.name == *name,
        (None, Thing::Object(_)) => is_object(&dropped.name),
        _ => false,
    })
}

/// The hazards of each step that renames; `to` is the schema in the end.
pub fn rename_hazards(steps: &[RenameStep], to: &Schema) -> Vec<Vec<StatementHazard>> {
    let of_step = |step: &RenameStep| {
        let facts = classify(&step.statement().sql);
        let broken = breaks_code(step).map(|what| hazard(StatementHazardKind::BreaksCode, &what));
        let bodies = old_bodies(step, to).into_iter();
        let bodies = bodies.map(|what| hazard(StatementHazardKind::BreaksCode, &what));
        broken.into_iter().chain(bodies).chain(lock_of(&facts, &|_| true)).collect()
    };
    steps.iter().map(of_step).collect()
}

/// Queries name neither indexes nor constraints.
fn breaks_code(step: &RenameStep) -> Option<String> {
    use Kind::{Constraint, Index, Policy, Publication, Rule, Statistics, Trigger};
    let named = match &step.thing {
        Thing::Check { .. } => return None,
        // The range that it makes is told.
        Thing::Object(id) if id.kind == Kind::Function && step.origin == RenameOrigin::Followed => {
            return None;
        }
        Thing::Object(id) => match id.kind {
            Constraint | Index | Policy | Publication | Rule | Statistics | Trigger => return None,
            _ => id.sql_address(),
        },
        thing @ Thing::Column { relation, .. } => {
            format!("{}.{}", relation.sql_name(), quote_ident(thing.name()))
        }
        thing @ Thing::Value { .. } => thing.to_string(),
    };
    Some(format!("what still says {named} fails once this is committed"))
}

/// Routines of the schema in the end whose text has the old name: PostgreSQL does not look into it.
fn old_bodies(step: &RenameStep, to: &Schema) -> Vec<String> {
    let (Thing::Object(_) | Thing::Column { .. }) = &step.thing else { return Vec::new() };
    if breaks_code(step).is_none() {
        return Vec::new();
    }
    let old = step.thing.name();
    let result = step.result();
    let stays = to.objects.iter().any(|object| object.id.name == old);
    let names = |text: &str, name: &str| {
        let mut words = text.split(|c: char| !(c == '_' || c == '$' || c.is_alphanumeric()));
        words.any(|word| word == name)
    };
    let has_old = |text: &str| match &result {
        Thing::Column { relation, .. } => names(text, old) && names(text, &relation.name),
        _ => names(text, old) && !stays,
    };
    let routines = to.objects.iter().filter(
        |object| matches!(&object.body, Body::Routine(routine) if has_old(&routine.definition)),
    );
    routines.map(|object| format!("{} still says {old}", object.id)).collect()
}

/// What is told of materialized views that are dropped and made again: time, and no loss.
fn made_anew(views: &[ObjectRef]) -> StatementHazard {
    let names: Vec<_> = views.iter().map(|view| view.name.to_string()).collect();
    let what = format!("makes {} anew: {ANEW}", names.join(", "));
    StatementHazard {
        table: names.into_iter().next(),
        ..hazard(StatementHazardKind::Rewrite, &what)
    }
}

fn hazard(kind: StatementHazardKind, what: &str) -> StatementHazard {
    StatementHazard { kind, what: what.to_owned(), table: None, lock: None }
}

/// What goes over all rows without blocking anybody.
fn work(facts: &Facts) -> Option<StatementHazard> {
    let table = facts.locks.iter().find_map(|lock| lock.relation.as_ref())?;
    let what = match facts.label.as_str() {
        "UPDATE" => format!("writes every row of {table}; locks rows, fires triggers"),
        "ALTER TABLE"
            if facts.scans
                && facts.locks.iter().all(|l| l.mode <= LockMode::ShareUpdateExclusive) =>
        {
            format!("reads every row of {table} while others go on")
        }
        _ => return None,
    };
    let table = Some(table.to_string());
    Some(StatementHazard { table, ..hazard(StatementHazardKind::Work, &what) })
}

fn fails_when(rule: &Rule) -> String {
    match rule {
        Rule::NotNull { column } => format!("fails when {column} is NULL somewhere"),
        Rule::NoRow { column } => {
            format!("fails when the table has rows: {column} has no value for them")
        }
        Rule::Unique { keys, .. } => {
            format!("fails when two rows have the same {}", keys.join(", "))
        }
        Rule::Check { condition } => format!("fails when a row does not satisfy {condition}"),
        Rule::References { columns, table, .. } => {
            format!("fails when {} is not in {table}", columns.join(", "))
        }
        Rule::Fits { column, type_text, .. } => {
            format!("fails when a value of {column} cannot become {type_text}")
        }
        Rule::Validated { constraint } => format!("fails when a row breaks {constraint}"),
        Rule::Excludes { pairs, .. } => {
            let pairs: Vec<_> =
                pairs.iter().map(|(key, with)| format!("{key} WITH {with}")).collect();
            format!("fails when two rows are ({}) to each other", pairs.join(", "))
        }
        Rule::Domain { condition: Some(condition), .. } => {
            format!("fails when a column of it does not satisfy {condition}")
        }
        Rule::Domain { condition: None, .. } => "fails when a column of it is NULL".to_owned(),
    }
}

/// Names what a script drops, for consent: tables and columns that hold rows.
pub fn loses_data(hazards: &[Vec<StatementHazard>]) -> bool {
    let loses =
        |kind| matches!(kind, StatementHazardKind::DataLoss | StatementHazardKind::PossibleLoss);
    hazards.iter().flatten().any(|hazard| loses(hazard.kind))
}
