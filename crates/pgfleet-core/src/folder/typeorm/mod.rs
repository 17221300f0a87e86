//! TypeORM folders: TypeScript or JavaScript classes with `up` and `down`.
//!
//! Invariant: either a migration's SQL is known completely, or the migration is marked as opaque
//! with the first place that could not be read. Source of what the calls mean:
//! `PostgresQueryRunner.js`, `DefaultNamingStrategy.js` and `MigrationExecutor.js` of the npm package
//! typeorm, 1.1.

mod builder;
mod naming;
mod parameters;
mod script;
mod table;
mod value;

use super::reading::Reading;
use super::{Chunk, FileTree, Format, Migration, MigrationSet, SqlBody, TransactionMode};
use crate::diagnose::{Code, Problem};
use crate::place::Place;
use script::{Body, Class};

pub use naming::{constraint_name, version_of_class};
pub use parameters::fill_texts as fill_parameters;

const ENDINGS: [&str; 6] = [".ts", ".js", ".mts", ".cts", ".mjs", ".cjs"];

/// Reads a folder of TypeORM migrations.
pub fn read(tree: &FileTree) -> MigrationSet {
    let mut reading = Reading::new(tree, Format::Typeorm);
    for path in reading.paths().filter(|path| is_code(path)) {
        read_file(&mut reading, path);
    }
    reading.migrations.sort_by(|a, b| a.version.cmp(&b.version));
    supply_uuid_extension(&mut reading);
    reading.finish(|a, b| a.version.cmp(&b.version))
}

/// Declarations hold no code; a source map's or a test's neighbour is no migration.
fn is_code(path: &str) -> bool {
    ENDINGS.iter().any(|ending| path.ends_with(ending))
        && ![".d.ts", ".d.mts", ".d.cts"].iter().any(|ending| path.ends_with(ending))
}

fn read_file(reading: &mut Reading<'_>, path: &str) {
    let Some(text) = reading.text(path) else { return };
    let shown = reading.tree.display(path);
    match script::read_classes(&text, path, &shown) {
        Ok(classes) => {
            for class in classes {
                add_class(reading, path, class);
            }
        }
        Err(refusal) => reading.problems.push(
            Problem::error(Code::CodeOpaque, format!("{shown} is not valid code: {}", refusal.why))
                .at(refusal.place),
        ),
    }
}

fn add_class(reading: &mut Reading<'_>, path: &str, class: Class) {
    let Some((version, name)) = version_of_class(&class.name) else {
        return report_untimed(reading, class);
    };
    let mut migration = reading.migration(version, name, path, SqlBody::default());
    if class.without_transaction {
        migration.transaction = TransactionMode::Never;
    }
    fill_up(reading, &mut migration, class.up);
    if let Some(body) = class.down {
        fill_down(reading, &mut migration, body);
    }
    reading.migrations.push(migration);
}

fn fill_up(reading: &mut Reading<'_>, migration: &mut Migration, body: Body) {
    if let Some(refusal) = &body.opaque {
        migration.opaque = Some(refusal.place.clone());
        reading.problems.push(opaque(&refusal.why, refusal.place.clone(), false));
    } else if body.chunks.is_empty() {
        reading.report_empty(&migration.file);
    }
    migration.up = SqlBody { chunks: body.chunks };
}

/// What takes a migration back must be known completely, or there is no way back.
fn fill_down(reading: &mut Reading<'_>, migration: &mut Migration, body: Body) {
    if let Some(refusal) = body.opaque {
        migration.opaque_down = Some(refusal.place.clone());
        reading.problems.push(opaque(&refusal.why, refusal.place, true));
    } else if !body.chunks.is_empty() {
        migration.down = Some(SqlBody { chunks: body.chunks });
    }
}

fn opaque(why: &str, place: Place, down: bool) -> Problem {
    let what = format!("this code cannot be read as SQL: {why}");
    if down {
        return Problem::warning(Code::CodeOpaque, what)
            .at(place)
            .because("What takes this back is known only when TypeORM runs it.");
    }
    Problem::warning(Code::CodeOpaque, what)
        .at(place)
        .because("Its SQL is known only when it runs.")
        .fix("Install Node and the project's packages, so that pgfleet can run it with TypeORM.")
        .fix("Or write the SQL itself: await queryRunner.query(`…`).")
}

fn report_untimed(reading: &mut Reading<'_>, class: Class) {
    let what = format!("the name {:?} does not end with a timestamp", class.name);
    reading.problems.push(
        Problem::error(Code::FileUnplaced, what)
            .at(class.place)
            .because("TypeORM orders migrations by the 13 digits at the end of their names.")
            .fix("Add the time of creation in milliseconds to the class's name."),
    );
}

/// On connecting, TypeORM creates the extension that its generated migrations use, so those
/// migrations do not ("`PostgresDriver.enableExtensions`").
fn supply_uuid_extension(reading: &mut Reading<'_>) {
    let mentions = |migration: &Migration, word: &str| {
        migration.up.chunks.iter().any(|chunk| chunk.sql.contains(word))
    };
    let all = &reading.migrations;
    if all.iter().any(|migration| mentions(migration, "uuid-ossp")) {
        return;
    }
    let Some(first) = all.iter().position(|migration| mentions(migration, "uuid_generate_v4()"))
    else {
        return;
    };
    let place = Place::file(reading.tree.display(&reading.migrations[first].file));
    let sql = "CREATE EXTENSION IF NOT EXISTS \"uuid-ossp\"".to_owned();
    let chunk = Chunk { sql, place: place.clone(), verbatim: false };
    reading.migrations[first].up.chunks.insert(0, chunk);
    reading.problems.push(
        Problem::note(
            Code::ObjectTooEarly,
            "the extension uuid-ossp is created before its first use",
        )
        .at(place)
        .because("TypeORM creates it when it connects."),
    );
}
