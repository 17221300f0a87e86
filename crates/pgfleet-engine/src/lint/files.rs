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
/// When a file cannot be read as text.
pub fn lint_files(project: &Project, files: &[PathBuf]) -> Result<LintOutcome, Box<Problem>> {
    let all = files.iter().flat_map(|file| match file.is_dir() {
        true => below(file),
        false => vec![file.clone()],
    });
    let migrations: Vec<Migration> = all.map(|file| read(&file)).collect::<Result<_, _>>()?;
    let linted = |migration| Linted {
        program: program::build(&Migration::clone(migration).up, &|_, _, _| None),
        texts: migration.up.chunks.clone(),
        migration,
        wanted: true,
    };
    let linted: Vec<_> = migrations.iter().map(linted).collect();
    let problems = linted.iter().flat_map(|one| one.program.problems.clone()).collect();
    let schema = project.settings.schema.as_deref().unwrap_or("public");
    let report = lint(LintInput {
        migrations: &linted,
        model: Model::empty(schema),
        has_target: false,
        settings: &project.settings.lint,
    });
    Ok(LintOutcome { report, server: None, problems })
}

/// SQL files in the order of their names.
fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    let found = paths.into_iter().flat_map(|path| match path.is_dir() {
        true => below(&path),
        false => vec![path],
    });
    found.filter(|path| path.extension().is_some_and(|extension| extension == "sql")).collect()
}

fn read(file: &Path) -> Result<Migration, Box<Problem>> {
    let shown = file.display().to_string();
    let refused = |code: Code, why: String| {
        let what = format!("{shown} cannot be read");
        Box::new(Problem::error(code, what).at(Place::file(shown.clone())).because(why))
    };
    let bytes = fs::read(file).map_err(|error| refused(Code::FileUnreadable, error.to_string()))?;
    let text = pgfleet_sql::decode(&bytes)
        .map_err(|error| refused(Code::FileNotText, error.to_string()))?;
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
