//! Takes a split back: proves first that nothing is lost by it, then drops the databases that it
//! made and lifts the fence.
//!
//! Invariant: nothing is dropped before the source has been shown to hold everything that was
//! moved, and the databases to hold nothing that the source lacks, or consent was given.

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::split::Move;
use pgfleet_sql::quote_ident;
use serde::Serialize;

use crate::conduct::{Consent, Target};
use crate::connect::{Session, SessionError};
use crate::journal::literal;

use super::journal::{self, DURABLE, MadeDatabase, OpenSplit, cell};
use super::moving::SETTINGS;
use super::reconcile::{Sum, algorithm, sum, sum_since};
use super::run::{RunOptions, lock};
use super::{Family, Split, fence, plan};

/// What a rollback found, and did.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RollbackReport {
    /// The split.
    pub split_id: String,
    /// What was looked at, in words, and whether it is as it should be.
    pub conditions: Vec<Condition>,
    /// Databases that were dropped, or would be.
    pub databases: Vec<String>,
    /// What forbids it.
    pub problems: Vec<Problem>,
}

/// One condition of a rollback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// What was looked at.
    pub what: String,
    /// What was found.
    pub found: String,
    /// It is as it should be.
    pub ok: bool,
}

/// Looks whether the split that is under way, or done, can be taken back without loss.
///
/// # Errors
/// When there is none, or a database cannot be reached.
pub async fn validate_rollback(split: &Split) -> Result<RollbackReport, Vec<Problem>> {
    let source = split.source.connect().await.map_err(|problem| vec![*problem])?;
    let (report, _) = look(split, &source).await.map_err(|problem| vec![*problem])?;
    source.close().await;
    Ok(report)
}

async fn look(
    split: &Split,
    source: &Session,
) -> Result<(RollbackReport, OpenSplit), Box<Problem>> {
    let fails = |error: SessionError| split.source.session_problem(&error);
    source.batch(SETTINGS).await.map_err(fails)?;
    let open = journal::open_split(source).await.map_err(fails)?.ok_or_else(none_open)?;
    let made = journal::databases(source, &open.id).await.map_err(fails)?;
    let mut report = RollbackReport { split_id: open.id.clone(), ..RollbackReport::default() };
    for family in &split.families {
        let Some(database) = here(&made, family) else { continue };
        report.databases.push(database.database.clone());
        if open.state != "rolling back" {
            look_into(split, source, family, &open, &mut report).await?;
        }
    }
    report.problems = report.conditions.iter().filter(|c| !c.ok).map(unsafe_because).collect();
    Ok((report, open))
}

fn here<'m>(made: &'m [MadeDatabase], family: &Family) -> Option<&'m MadeDatabase> {
    made.iter().find(|made| made.family == family.name && made.state != "dropped")
}

fn none_open() -> Box<Problem> {
    Box::new(
        Problem::error(Code::SplitOtherRun, "no split of this source is under way")
            .because("none was begun, or it was finished or taken back"),
    )
}

fn unsafe_because(condition: &Condition) -> Problem {
    Problem::error(Code::SplitRollbackUnsafe, format!("{}: {}", condition.what, condition.found))
        .fix("Save those rows first.")
        .fix_with("Or let them go.", "pgfleet split rollback --allow-data-loss")
}

/// Both sides of a family's tables: the source still gives what was moved, and the table holds
/// nothing else.
async fn look_into(
    split: &Split,
    source: &Session,
    family: &Family,
    open: &OpenSplit,
    report: &mut RollbackReport,
) -> Result<(), Box<Problem>> {
    if !plan::exists(family).await? {
        return Ok(());
    }
    let session = family.target.connect().await?;
    let fails = |error: SessionError| family.target.session_problem(&error);
    session.batch(SETTINGS).await.map_err(fails)?;
    if journal::is_there(&session, "pgfleet.split_tables").await.map_err(fails)? {
        let algorithm = algorithm(source, &session);
        for step in open.plan.moves.iter().filter(|step| step.into.family == family.name) {
            let here = sum_since(&session, &open.id, step, algorithm).await.map_err(fails)?;
            let there = sum(source, &step.sum_sql(algorithm)).await;
            let there = there.map_err(|error| split.source.session_problem(&error))?;
            let moved = recorded(source, &open.id, step).await;
            let moved = moved.map_err(|error| split.source.session_problem(&error))?;
            report.conditions.push(compare(step, &here, &there, moved.as_ref()));
        }
    }
    session.close().await;
    Ok(())
}

fn compare(step: &Move, here: &Sum, there: &Sum, moved: Option<&Sum>) -> Condition {
    let what = step.into.to_string();
    let condition = |found: String, ok| Condition { what: what.clone(), found, ok };
    match moved {
        // Moved only in part: what is here came from the source, which nobody could write since.
        None => condition(
            format!("{} rows arrived so far; the source gives {}", here.rows, there.rows),
            true,
        ),
        Some(moved) if there != moved => condition(
            format!(
                "the source gives {} rows, when it was moved it gave {}, and they are not the same",
                there.rows, moved.rows
            ),
            false,
        ),
        Some(moved) if here != moved => condition(
            format!("rows were written since the split: {} then, {} now", moved.rows, here.rows),
            false,
        ),
        Some(_) => condition(format!("the source still gives all {} rows", there.rows), true),
    }
}

async fn recorded(source: &Session, id: &str, step: &Move) -> Result<Option<Sum>, SessionError> {
    let sql = format!(
        "SELECT rows, checksum FROM pgfleet.split_sums WHERE split_id = {} AND into_table = {}",
        literal(id),
        literal(&step.into.to_string())
    );
    let rows = source.query_text(&sql).await?;
    let sum = |row: &Vec<Option<String>>| Sum {
        rows: cell(row, 0).parse().unwrap_or(-1),
        checksum: cell(row, 1),
    };
    Ok(rows.first().map(sum))
}

/// Takes the split back.
///
/// # Errors
/// When it would lose something without consent, or a server refuses. Running it again goes on.
pub async fn roll_back(
    split: &Split,
    consent: Consent,
    options: &RunOptions<'_>,
) -> Result<RollbackReport, Vec<Problem>> {
    let source = split.source.connect().await.map_err(|problem| vec![*problem])?;
    let done = take_back(split, consent, options, &source).await;
    source.close().await;
    done
}

async fn take_back(
    split: &Split,
    consent: Consent,
    options: &RunOptions<'_>,
    source: &Session,
) -> Result<RollbackReport, Vec<Problem>> {
    let one = |problem: Box<Problem>| vec![*problem];
    let fails = |error: SessionError| one(split.source.session_problem(&error));
    lock(split, source, options).await.map_err(one)?;
    let (mut report, open) = look(split, source).await.map_err(one)?;
    if !report.problems.is_empty() && !consent.data_loss && open.state != "rolling back" {
        return Err(report.problems);
    }
    report.problems.clear();
    journal::set_state(source, &open.id, "rolling back").await.map_err(fails)?;
    let made = journal::databases(source, &open.id).await.map_err(fails)?;
    for family in &split.families {
        let Some(database) = here(&made, family) else { continue };
        drop_database(family, database).await.map_err(one)?;
        let dropped =
            journal::set_database(source, &open.id, &family.name, &database.database, "dropped");
        dropped.await.map_err(fails)?;
    }
    fence::lift(source).await.map_err(fails)?;
    journal::set_state(source, &open.id, "rolled back").await.map_err(fails)?;
    Ok(report)
}

/// Sessions that use it keep a database from being dropped; they are not thrown out.
async fn drop_database(family: &Family, made: &MadeDatabase) -> Result<(), Box<Problem>> {
    let server: Target = family.target.with_database("postgres");
    let session = server.connect().await?;
    let sql = format!("DROP DATABASE IF EXISTS {}", quote_ident(&made.database));
    let dropped = session.batch(&sql).await;
    session.close().await;
    dropped.map_err(|error| {
        let in_use = error.server().is_some_and(|error| error.sqlstate == "55006");
        let problem = *server.session_problem(&error);
        Box::new(match in_use {
            true => problem
                .because("sessions use it; they are not thrown out")
                .fix("Stop the application that is connected to it.")
                .fix_with("Then go on.", "pgfleet split rollback"),
            false => problem,
        })
    })
}

/// Ends a split that is done: the journal is taken out of the new databases, and, unless it is to
/// stay, the fence is lifted. Afterwards it cannot be taken back.
///
/// # Errors
/// When the split is not done, or a server refuses.
pub async fn finish(
    split: &Split,
    keep_fence: bool,
    options: &RunOptions<'_>,
) -> Result<String, Vec<Problem>> {
    let one = |problem: Box<Problem>| vec![*problem];
    let source = split.source.connect().await.map_err(one)?;
    let fails = |error: SessionError| one(split.source.session_problem(&error));
    lock(split, &source, options).await.map_err(one)?;
    let open =
        journal::open_split(&source).await.map_err(fails)?.ok_or_else(|| one(none_open()))?;
    if open.state != "done" {
        let problem = Problem::error(Code::SplitOtherRun, format!("the split is {}", open.state))
            .because("only a split whose rows were all proven can be finished")
            .fix_with("Run it to its end.", "pgfleet split run");
        return Err(vec![problem]);
    }
    for family in &split.families {
        let session = family.target.connect().await.map_err(one)?;
        let sql = "DROP TABLE IF EXISTS pgfleet.split_tables, pgfleet.split_parts, \
                   pgfleet.split_later, pgfleet.split_marks";
        let dropped = session.batch(&format!("{DURABLE}; {sql}")).await;
        session.close().await;
        dropped.map_err(|error| one(family.target.session_problem(&error)))?;
    }
    if !keep_fence {
        fence::lift(&source).await.map_err(fails)?;
    }
    journal::set_state(&source, &open.id, "finished").await.map_err(fails)?;
    source.close().await;
    Ok(open.id)
}
