//! Why a migration's SQL could not be captured, and what to do.

use std::path::Path;
use std::time::Duration;

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::folder::Migration;
use pgfleet_core::place::Place;

use super::node::{Failure, FailureKind};

/// Lines of Node's standard error that are told.
const LINES_TOLD: usize = 8;

fn problem(what: impl Into<String>, place: Place) -> Problem {
    Problem::error(Code::CodeOpaque, what).at(place)
}

pub(super) fn node_missing(place: Place, error: &std::io::Error) -> Problem {
    problem("this code cannot be read as SQL, and Node, which could run it, is missing", place)
        .because(format!("node cannot be started: {error}"))
        .fix_with("Install Node …", "apt-get install nodejs npm")
        .fix_with("… and the project's own packages.", "npm ci")
        .fix("Or write the SQL itself: await queryRunner.query(`…`).")
}

pub(super) fn packages_missing(place: Place, missing: &[&str], package: &Path) -> Problem {
    let names = missing.join(" and ");
    problem("this code cannot be read as SQL, and TypeORM, which could run it, is missing", place)
        .because(format!("no node_modules upwards from the folder holds {names}"))
        .fix_with(
            "Install the project's own packages.",
            format!("cd {} && npm ci", package.display()),
        )
        .fix("Or write the SQL itself: await queryRunner.query(`…`).")
}

pub(super) fn too_long(migration: &Migration, place: Place, limit: Duration) -> Problem {
    let label = migration.label();
    problem(format!("{label} did not end within {} s on a scratch copy", limit.as_secs()), place)
        .because("it waits for something, or for a lock that another of its connections holds")
        .fix("Run its queries by the query runner that it is given, and await each of them.")
}

pub(super) fn no_answer(migration: &Migration, place: Place, stderr: &[u8]) -> Problem {
    let label = migration.label();
    let text = String::from_utf8_lossy(stderr);
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let told = lines[lines.len().saturating_sub(LINES_TOLD)..].iter();
    let problem = problem(format!("Node ended before {label} did"), place)
        .because("the code, or something that it imports, ends the process");
    told.fold(problem, |problem, line| problem.detail((*line).to_owned()))
        .fix("Import nothing into a migration that starts the application.")
}

pub(super) fn failed(migration: &Migration, place: Place, failure: &Failure) -> Problem {
    let (label, message) = (migration.label(), &failure.message);
    match failure.kind {
        FailureKind::Loader => no_loader(&label, place),
        FailureKind::Class => problem(message.clone(), place)
            .because("TypeORM runs exported classes only")
            .fix("Export the class."),
        FailureKind::Rows => depends_on_rows(migration, place, message),
        FailureKind::Caught => problem(format!("{label} goes on after {message}"), place)
            .because("what it would do on the target, where that may not fail, is not known")
            .fix("Write the condition as SQL: IF EXISTS, or a DO block."),
        FailureKind::Rollback => problem(format!("{label} rolls back its own transaction"), place)
            .because("when it does so depends on the database")
            .fix("Write the condition as SQL: IF EXISTS, or a DO block."),
        FailureKind::Connection => problem(format!("{label} opens a connection of its own"), place)
            .because("it would reach a database that it is not meant for")
            .fix("Run its queries by the query runner that it is given."),
        FailureKind::Threw => problem(format!("{label} failed on a scratch copy"), place)
            .because(message.clone())
            .detail("the scratch copy has the target's structure and none of its rows"),
    }
}

fn no_loader(label: &str, place: Place) -> Problem {
    problem(format!("{label} is TypeScript, and nothing that loads it is installed"), place)
        .because("neither tsx, ts-node, @swc-node/register nor typescript is in node_modules")
        .fix_with("Install one of them.", "npm install --save-dev tsx")
}

/// Captured statements would be those for empty tables.
fn depends_on_rows(migration: &Migration, place: Place, message: &str) -> Problem {
    let label = migration.label();
    problem(format!("what {label} does depends on rows: {message}"), place)
        .because("its SQL is captured on a scratch copy, which has none of the target's rows")
        .fix("Write the dependence as SQL: INSERT … SELECT, UPDATE … FROM, or a DO block.")
        .fix_with("Or apply those before it, let TypeORM run it, and go on.", {
            "npx typeorm migration:run -d data-source.js"
        })
}

pub(super) fn names_database(migration: &Migration, place: Place) -> Problem {
    problem(format!("{} asks for the database's name", migration.label()), place)
        .because("its SQL is captured on a scratch copy, which has another name")
        .fix("Let PostgreSQL ask: DO $$ BEGIN EXECUTE format('… %I', current_database()); END $$")
}

pub(super) fn parameter_missing(migration: &Migration, place: Place) -> Problem {
    problem(format!("{} sends a query with too few parameters", migration.label()), place)
        .because("its text names a parameter that has no value")
}

/// The statements that were run are known by their text; those that are left are not.
pub(super) fn interrupted(migration: &Migration, place: Place) -> Problem {
    let version = &migration.version;
    problem(format!("{} was interrupted, and it holds code", migration.label()), place)
        .because("run again, its code would find what it has done and send other statements")
        .fix_with("With the plan that was interrupted:", "pgfleet apply --plan plan.json")
        .fix_with(
            "Or finish it by hand, and say so.",
            format!("pgfleet resolve --applied {version}"),
        )
}
