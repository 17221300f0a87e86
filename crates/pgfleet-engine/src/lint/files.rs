//! Files that belong to no migration folder.

use std::fs;
use std::path::{Path, PathBuf};

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::folder::{Migration, MigrationKind, SqlBody, TransactionMode};
use pgfleet_core::lint::{LintInput, Linted, Model, lint};
use pgfleet_core::place::Place;
use pgfleet_core::program;

use super::LintOutcome;
use crate::project::Project;

/// Looks at SQL files as they are, in the order given, without a database; of a directory, at all that
/// are below it. Includes are not followed.
///
/// # Errors
/// When a directory cannot be read, or a file not as text.
pub fn lint_files(project: &Project, files: &[PathBuf]) -> Result<LintOutcome, Box<Problem>> {
    let mut all = Vec::new();
    for file in files {
        match file.is_dir() {
            true => all.extend(below(file)?),
            false => all.push(file.clone()),
        }
    }
    let migrations: Vec<_> = all.iter().map(|file| read(file)).collect::<Result<_, _>>()?;
    let linted = |migration| Linted {
        program: program::build(&Migration::clone(migration).up, &|_, _, _| None),
        texts: migration.up.chunks.clone(),
        migration,
        wanted: true,
    };
    let linted: Vec<_> = migrations.iter().map(linted).collect();
    let schema = project.settings.schema.as_deref().unwrap_or("public");
    let report = lint(LintInput {
        migrations: &linted,
        model: Model::empty(schema),
        has_target: false,
        settings: &project.settings.lint,
    });
    Ok(LintOutcome { report, server: None, problems: Vec::new() })
}

/// SQL files in the order of their names.
fn below(folder: &Path) -> Result<Vec<PathBuf>, Box<Problem>> {
    let paths = fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>());
    let mut paths =
        paths.map_err(|error| refused(folder, Code::FileUnreadable, error.to_string()))?;
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            found.extend(below(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "sql") {
            found.push(path);
        }
    }
    Ok(found)
}

fn refused(path: &Path, code: Code, why: String) -> Box<Problem> {
    let shown = path.display().to_string();
    let what = format!("{shown} cannot be read");
    Box::new(Problem::error(code, what).at(Place::file(shown)).because(why))
}

fn read(file: &Path) -> Result<Migration, Box<Problem>> {
    let shown = file.display().to_string();
    let bytes =
        fs::read(file).map_err(|error| refused(file, Code::FileUnreadable, error.to_string()))?;
    let text = pgfleet_sql::decode(&bytes)
        .map_err(|error| refused(file, Code::FileNotText, error.to_string()))?;
    Ok(Migration {
        version: shown.clone(),
        name: String::new(),
        kind: MigrationKind::Versioned,
        size_bytes: bytes.len() as u64,
        up: SqlBody::verbatim(text.text, Place::at(shown.clone(), 1, 1)),
        file: shown,
        down: None,
        checksum: None,
        transaction: TransactionMode::Auto,
        opaque: None,
        opaque_down: None,
    })
}
