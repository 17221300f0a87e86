//! `rollback --objects`: drops listed objects, dependents first.
//!
//! Invariant: nothing is dropped that was not listed. Whatever else depends on an object makes the
//! server refuse, and the whole is one transaction.

use std::sync::Arc;

use std::collections::{BTreeMap, BTreeSet};

use pgfleet_core::diagnose::{Code, Problem, closest_name};
use pgfleet_core::place::Place;
use pgfleet_core::plan::{
    Direction, Hazard, HazardKind, HistoryBase, PLAN_VERSION, Plan, PlanSource, PlannedStatement,
    SqlStep, Step, Unit, fingerprint_rows, hash_text,
};

use super::change::{ChangeError, Run, RunOutcome, run_plan};
use super::target::{Opened, Target};
use crate::connect::Session;
use crate::journal::literal;
use crate::state::TargetState;

/// An object as the catalog has it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    identity: String,
    /// As `DROP` wants it: TABLE, VIEW, FUNCTION …
    kind: String,
    /// Qualified and quoted; with arguments where it has some.
    name: String,
    holds_rows: bool,
}

/// Drops objects in reverse order of their dependencies.
///
/// # Errors
/// When a name is unknown or means several objects, consent is missing, or the lock is held.
pub async fn drop_objects(
    target: &Target,
    opened: &Opened,
    names: &[String],
    run: &Run<'_>,
) -> Result<RunOutcome, ChangeError> {
    let objects = find_all(target, &opened.session, names).await?;
    let edges = edges(target, &opened.session).await?;
    let ordered = dependents_first(objects, &edges);
    let make_plan = |state: &TargetState| Ok(Arc::new(plan(opened, state, &ordered)));
    run_plan(target, opened, run, &make_plan).await
}

async fn find_all(
    target: &Target,
    session: &Session,
    names: &[String],
) -> Result<Vec<Found>, ChangeError> {
    let (mut objects, mut problems) = (Vec::new(), Vec::new());
    for name in names {
        match find(target, session, name).await {
            Ok(found) => objects.push(found),
            Err(problem) => problems.push(*problem),
        }
    }
    if problems.is_empty() { Ok(objects) } else { Err(problems.into()) }
}

async fn find(target: &Target, session: &Session, name: &str) -> Result<Found, Box<Problem>> {
    let rows = session.query_text(&find_sql(name)).await;
    let rows = rows.map_err(|error| target.session_problem(&error))?;
    let text =
        |row: &[Option<String>], at: usize| row.get(at).cloned().flatten().unwrap_or_default();
    let mut found: Vec<_> = rows
        .iter()
        .map(|row| Found {
            identity: text(row, 0),
            kind: text(row, 1),
            name: text(row, 2),
            holds_rows: text(row, 3) == "t",
        })
        .collect();
    match (found.pop(), found.is_empty()) {
        (Some(only), true) => Ok(only),
        (None, _) => Err(Box::new(unknown(target, session, name).await)),
        (Some(last), false) => {
            found.push(last);
            Err(Box::new(ambiguous(name, &found)))
        }
    }
}

/// Relations, routines and types that are not a relation's own row type.
fn find_sql(name: &str) -> String {
    let name = literal(name);
    format!(
        "SELECT c.oid, CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' \
           WHEN 'S' THEN 'SEQUENCE' WHEN 'i' THEN 'INDEX' WHEN 'I' THEN 'INDEX' \
           WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END, \
           pg_catalog.format('%I.%I', n.nspname, c.relname), c.relkind IN ('r', 'p', 'm') \
         FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         WHERE c.oid = pg_catalog.to_regclass({name}) \
         UNION ALL \
         SELECT p.oid, CASE p.prokind WHEN 'p' THEN 'PROCEDURE' WHEN 'a' THEN 'AGGREGATE' ELSE 'FUNCTION' END, \
           pg_catalog.format('%I.%I(%s)', n.nspname, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid)), false \
         FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace \
         WHERE {name} IN (p.proname, n.nspname || '.' || p.proname, p.oid::pg_catalog.regprocedure::text) \
           AND n.nspname NOT IN ('pg_catalog', 'information_schema') \
         UNION ALL \
         SELECT t.oid, CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, \
           pg_catalog.format('%I.%I', n.nspname, t.typname), false \
         FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
         WHERE t.oid = pg_catalog.to_regtype({name}) AND t.typtype IN ('e', 'd', 'r') \
           AND n.nspname <> 'pg_catalog'"
    )
}

async fn unknown(target: &Target, session: &Session, name: &str) -> Problem {
    let sql = "SELECT c.relname FROM pg_catalog.pg_class c \
               JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
               WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND n.nspname !~ '^pg_' LIMIT 5000";
    let rows = session.query_text(sql).await.unwrap_or_default();
    let names: Vec<String> = rows.into_iter().filter_map(|row| row.into_iter().next()?).collect();
    let problem = Problem::error(Code::ObjectMissing, format!("there is no object {name:?}"))
        .in_target(&target.name);
    match closest_name(name, names.iter().map(String::as_str)) {
        Some(close) => problem.fix(format!("Did you mean {close}?")),
        None => problem.fix("Name it with its schema, and a function with its argument types."),
    }
}

fn ambiguous(name: &str, found: &[Found]) -> Problem {
    let mut problem =
        Problem::error(Code::ObjectMissing, format!("{name:?} means several objects"));
    for object in found {
        problem = problem.detail(format!("{} {}", object.kind.to_lowercase(), object.name));
    }
    problem.fix("Name the one that is meant, with its schema or argument types.")
}

/// Pairs of a dependent and what it depends on. A view depends through its rule, a table through
/// its constraints, defaults and columns, a trigger through its table.
async fn edges(target: &Target, session: &Session) -> Result<Vec<(String, String)>, ChangeError> {
    let sql = "SELECT DISTINCT COALESCE(r.ev_class, k.conrelid, t.tgrelid, a.adrelid, d.objid), d.refobjid \
         FROM pg_catalog.pg_depend d \
         LEFT JOIN pg_catalog.pg_rewrite r ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND r.oid = d.objid \
         LEFT JOIN pg_catalog.pg_constraint k ON d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND k.oid = d.objid \
         LEFT JOIN pg_catalog.pg_trigger t ON d.classid = 'pg_catalog.pg_trigger'::pg_catalog.regclass AND t.oid = d.objid \
         LEFT JOIN pg_catalog.pg_attrdef a ON d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND a.oid = d.objid \
         WHERE d.deptype IN ('n', 'a') AND d.objid >= 16384 AND d.refobjid >= 16384";
    let rows = session.query_text(sql).await.map_err(|error| target.session_problem(&error))?;
    let pair = |row: Vec<Option<String>>| {
        let mut cells = row.into_iter();
        Some((cells.next()??, cells.next()??))
    };
    Ok(rows.into_iter().filter_map(pair).collect())
}

/// An order in which nothing is dropped before what depends on it; a circle (two tables that
/// refer to each other) is left for the server to refuse.
fn dependents_first(objects: Vec<Found>, edges: &[(String, String)]) -> Vec<Found> {
    let listed: BTreeSet<&str> = objects.iter().map(|object| object.identity.as_str()).collect();
    let mut dependents: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (dependent, on) in edges.iter().filter(|(a, b)| a != b) {
        if listed.contains(dependent.as_str()) && listed.contains(on.as_str()) {
            dependents.entry(on).or_default().insert(dependent);
        }
    }
    let (mut ordered, mut done) = (Vec::new(), BTreeSet::new());
    let mut waiting: Vec<&Found> = objects.iter().collect();
    while !waiting.is_empty() {
        let is_free = |object: &&&Found| {
            let on_it = dependents.get(object.identity.as_str());
            on_it.is_none_or(|on_it| on_it.iter().all(|dependent| done.contains(dependent)))
        };
        let next = waiting.iter().position(|object| is_free(&object)).unwrap_or(0);
        let object = waiting.remove(next);
        done.insert(object.identity.as_str());
        ordered.push(object.clone());
    }
    ordered
}

fn plan(opened: &Opened, state: &TargetState, objects: &[Found]) -> Plan {
    let label = "listed objects".to_owned();
    let place = Place::file("--objects");
    let statement = |object: &Found| PlannedStatement {
        sql: format!("DROP {} {};", object.kind, object.name),
        label: format!("DROP {}", object.kind),
        place: place.clone(),
        verbatim: false,
        copy_data: None,
        if_not_exists: None,
        sets_session: false,
    };
    let statements: Vec<_> = objects.iter().map(statement).collect();
    let hazards = objects.iter().filter(|object| object.holds_rows).map(|object| Hazard {
        kind: HazardKind::DataLoss,
        migration: label.clone(),
        place: place.clone(),
        what: format!("drops {} and every row in it", object.name),
    });
    let text: String = statements.iter().map(|statement| statement.sql.as_str()).collect();
    Plan {
        version: PLAN_VERSION,
        source: PlanSource::Folder(HistoryBase {
            format: opened.dialect.format(),
            history_table: state.table.to_string(),
            base: fingerprint_rows(&state.rows),
        }),
        fingerprint: hash_text(&text),
        setup: Vec::new(),
        hazards: hazards.collect(),
        steps: vec![Step::Sql(SqlStep {
            version: label.clone(),
            name: String::new(),
            label: label.clone(),
            file: "--objects".to_owned(),
            size_bytes: 0,
            direction: Direction::Down,
            units: vec![Unit::Transaction { statements }],
            record_started: Vec::new(),
            record_done: Vec::new(),
            record_failed: Vec::new(),
            creates: Vec::new(),
        })],
        location: std::path::PathBuf::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependents_are_dropped_first() {
        let object = |identity: &str| Found {
            identity: identity.to_owned(),
            kind: "TABLE".to_owned(),
            name: identity.to_owned(),
            holds_rows: true,
        };
        let edge = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let edges = [edge("3", "2"), edge("2", "1"), edge("9", "1"), edge("1", "1")];
        let ordered = dependents_first(vec![object("1"), object("2"), object("3")], &edges);
        let names: Vec<_> = ordered.iter().map(|object| object.name.as_str()).collect();
        assert_eq!(names, ["3", "2", "1"]);
    }
}
