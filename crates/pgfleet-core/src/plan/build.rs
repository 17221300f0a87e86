//! Makes plans out of migrations.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::hazard::HazardFinder;
use super::{
    ColumnTypes, FAILURE_MESSAGE_TEXT, HistoryBase, PLAN_VERSION, Plan, PlanSource, SqlStep, Step,
    Unit, fingerprint_plan, fingerprint_rows, units_of,
};
use super::{Hazard, HazardKind};
use crate::diagnose::{Code, Problem};
use crate::folder::{Migration, SqlBody};
use crate::history::{Dialect, HistoryRow, RecordContext};
use crate::place::Place;
use crate::program::{self, Program, ReadInclude, Statement};

/// Which way a migration is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Apply.
    Up,
    /// Take back.
    Down,
}

/// What a plan is made of.
pub struct PlanInput<'a> {
    /// The dialect of the history.
    pub dialect: &'a dyn Dialect,
    /// The table and what it looks like; `next_rank` and `statements` are filled in per step.
    pub record: RecordContext,
    /// The table must be created first.
    pub create_history: bool,
    /// The history as it is.
    pub rows: &'a [HistoryRow],
    /// The target holds no tables of anybody's.
    pub empty_target: bool,
    /// Reads files that `\i` names.
    pub read_include: &'a ReadInclude<'a>,
    /// Where the migration folder is on this machine.
    pub location: &'a Path,
    /// The target's own values for `:NAME` in migrations; empty unless the folder opts in.
    pub variables: &'a BTreeMap<String, String>,
    /// The migration folder as the user named it, for display.
    pub root: &'a str,
    /// The folder's versions in order.
    pub order: Vec<&'a str>,
    /// Types of the target's columns that pending migrations change, as far as they are known.
    pub column_types: &'a ColumnTypes,
}

impl PlanInput<'_> {
    /// What a dialect needs to record one migration, the first of a plan.
    pub fn record_for(&self, migration: &Migration) -> RecordContext {
        let at = self.order.iter().position(|version| *version == migration.version);
        let before = at.and_then(|at| at.checked_sub(1)).map(|at| self.order[at].to_owned());
        RecordContext { previous_version: before, ..self.record.clone() }
    }
}

/// Plans to apply migrations, in the order given.
///
/// # Errors
/// Every problem that keeps a migration from being run.
pub fn plan_up(input: &PlanInput<'_>, migrations: &[&Migration]) -> Result<Plan, Vec<Problem>> {
    let jobs = migrations.iter().map(|&migration| (migration, &migration.up));
    plan(input, Direction::Up, jobs)
}

/// Plans to take migrations back, in the order given (the newest first).
///
/// # Errors
/// Every problem that keeps a migration from being taken back, a missing down part too.
pub fn plan_down(input: &PlanInput<'_>, migrations: &[&Migration]) -> Result<Plan, Vec<Problem>> {
    let without: Vec<_> =
        migrations.iter().filter(|m| m.down.is_none()).map(|m| no_way_back(m, input)).collect();
    if !without.is_empty() {
        return Err(without);
    }
    let jobs = migrations.iter().filter_map(|&m| Some((m, m.down.as_ref()?)));
    plan(input, Direction::Down, jobs)
}

fn plan<'m>(
    input: &PlanInput<'_>,
    direction: Direction,
    jobs: impl Iterator<Item = (&'m Migration, &'m SqlBody)>,
) -> Result<Plan, Vec<Problem>> {
    let mut hazards =
        HazardFinder::new(input.empty_target && direction == Direction::Up, input.column_types);
    let (mut steps, mut problems) = (Vec::new(), Vec::new());
    for (position, (migration, body)) in (0..).zip(jobs) {
        match step(input, direction, position, migration, body, &mut hazards) {
            Ok(step) => steps.push(step),
            Err(found) => problems.extend(found),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut hazards = hazards.found();
    hazards.extend(steps.iter().filter(|step| !step.is_one_transaction()).map(no_transaction));
    Ok(assemble(input, steps, hazards))
}

fn assemble(input: &PlanInput<'_>, steps: Vec<SqlStep>, hazards: Vec<Hazard>) -> Plan {
    let table = &input.record.table;
    let mut plan = Plan {
        version: PLAN_VERSION,
        source: PlanSource::Folder(HistoryBase {
            format: input.dialect.format(),
            history_table: table.to_string(),
            base: fingerprint_rows(input.rows),
        }),
        fingerprint: String::new(),
        setup: if input.create_history { input.dialect.create_sql(table) } else { Vec::new() },
        steps: steps.into_iter().map(Step::Sql).collect(),
        hazards,
        location: input.location.to_owned(),
    };
    plan.fingerprint = fingerprint_plan(&plan);
    plan
}

fn step(
    input: &PlanInput<'_>,
    direction: Direction,
    position: i64,
    migration: &Migration,
    body: &SqlBody,
    hazards: &mut HazardFinder,
) -> Result<SqlStep, Vec<Problem>> {
    if let Some(place) = migration.opaque.as_ref().filter(|_| direction == Direction::Up) {
        return Err(vec![opaque(migration, place)]);
    }
    let Program { statements, problems } =
        program::build_given(body, input.read_include, input.variables);
    let errors: Vec<_> = problems.into_iter().filter(Problem::is_error).collect();
    if !errors.is_empty() {
        return Err(errors);
    }
    let label = migration.label();
    for statement in &statements {
        hazards.look_at(&label, statement);
    }
    let mut record = input.record_for(migration);
    record.next_rank += position;
    let creates = creates(&statements);
    let units = units_of(statements, migration.transaction).map_err(|problem| vec![problem])?;
    Ok(sql_step(input, direction, migration, units, &record, creates))
}

fn sql_step(
    input: &PlanInput<'_>,
    direction: Direction,
    migration: &Migration,
    units: Vec<Unit>,
    record: &RecordContext,
    creates: Vec<String>,
) -> SqlStep {
    let dialect = input.dialect;
    let up = direction == Direction::Up;
    SqlStep {
        version: migration.version.clone(),
        name: migration.name.clone(),
        label: migration.label(),
        file: display_path(input.root, &migration.file),
        size_bytes: migration.size_bytes,
        direction,
        record_started: if up { dialect.record_started(record, migration) } else { Vec::new() },
        record_done: if up {
            dialect.record_applied(record, migration)
        } else {
            dialect.record_reverted(record, migration)
        },
        record_failed: if up {
            dialect.record_failed(record, migration, FAILURE_MESSAGE_TEXT)
        } else {
            Vec::new()
        },
        units,
        creates,
    }
}

/// What statements create, for display.
pub(crate) fn creates(statements: &[Statement]) -> Vec<String> {
    let objects = statements.iter().flat_map(|statement| &statement.facts.creates);
    objects.map(|object| format!("{} {}", kind_name(object.kind), object.name)).collect()
}

/// `MaterializedView` → `materialized view`.
fn kind_name(kind: pgfleet_sql::ObjectKind) -> String {
    let mut name = String::new();
    for character in format!("{kind:?}").chars() {
        if character.is_ascii_uppercase() && !name.is_empty() {
            name.push(' ');
        }
        name.push(character.to_ascii_lowercase());
    }
    name
}

fn display_path(root: &str, file: &str) -> String {
    match root.trim_end_matches('/') {
        "" | "." => file.to_owned(),
        root => format!("{root}/{file}"),
    }
}

/// A step that is several units.
pub(super) fn no_transaction(step: &SqlStep) -> Hazard {
    Hazard {
        kind: HazardKind::NoTransaction,
        migration: step.label.clone(),
        place: Place::file(step.file.clone()),
        what: format!(
            "runs as {} separate units; a failure keeps those before it",
            step.units.len()
        ),
    }
}

/// Half of a migration is worse than none of it.
fn opaque(migration: &Migration, place: &Place) -> Problem {
    Problem::error(
        Code::CodeOpaque,
        format!("{} holds code that cannot be read as SQL", migration.label()),
    )
    .at(place.clone())
    .because("what it would run is known only when it is run, by the team's own tool")
    .fix("Write it as plain SQL calls with literal text, or apply it with its own tool.")
    .fix_with(
        "When its own tool has applied it, its history says so; else:",
        format!("pgfleet resolve --applied {}", migration.version),
    )
}

fn no_way_back(migration: &Migration, input: &PlanInput<'_>) -> Problem {
    if let Some(place) = &migration.opaque_down {
        return opaque(migration, place);
    }
    Problem::error(Code::NoWayBack, format!("{} has nothing that takes it back", migration.label()))
        .at(Place::file(display_path(input.root, &migration.file)))
        .because(format!("the {} folder holds no down part for it", input.dialect.format()))
        .fix("Write the down part, or name the objects to drop: pgfleet rollback --objects table,view")
}
