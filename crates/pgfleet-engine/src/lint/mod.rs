//! `lint`: which migrations are looked at, beside what a target says about its tables.

mod files;
mod questions;
mod target;

use std::cell::RefCell;
use std::path::PathBuf;

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::folder::{Chunk, Migration, MigrationKind};
use pgfleet_core::history::{MigrationStatus, Verdict};
use pgfleet_core::lint::{LintInput, LintReport, Linted, Model, lint};
use pgfleet_core::place::Place;
use pgfleet_core::program;

use crate::conduct::{ChangeError, Target, open, read_include};
use crate::missing::current_schema;
use crate::project::{Folder, Project};

pub use files::lint_files;
use questions::answer;
use target::read_target;

/// Which migrations of a folder.
#[derive(Debug, Clone, Default)]
pub struct LintSelection {
    /// Those of these files and below these directories; empty for all.
    pub files: Vec<PathBuf>,
    /// Those after this version.
    pub since: Option<String>,
    /// With a target, those that are applied too.
    pub all: bool,
}

/// What lint looked at and found.
#[derive(Debug)]
pub struct LintOutcome {
    /// The findings; all questions are answered.
    pub report: LintReport,
    /// Where the target is, without secrets, when one was read.
    pub server: Option<String>,
    /// What is wrong with the folder.
    pub problems: Vec<Problem>,
}

/// Looks at a folder without a database.
///
/// # Errors
/// When the selection names what is not there.
pub fn lint_folder(
    project: &Project,
    folder: &Folder,
    selection: &LintSelection,
) -> Result<LintOutcome, Box<Problem>> {
    let chosen = choose(project, folder, selection)?;
    let model = Model::empty(project.settings.schema.as_deref().unwrap_or("public"));
    let report = walk(project, folder, &chosen, &|_| true, (model, false));
    Ok(LintOutcome { report, server: None, problems: problems_of(folder, &chosen) })
}

/// Looks at what is pending in a target, or at what was selected, with the target's own tables.
/// Changes nothing.
///
/// # Errors
/// When the target cannot be reached or read, or the selection names what is not there.
pub async fn lint_target(
    project: &Project,
    target: &Target,
    folder: Folder,
    selection: &LintSelection,
) -> Result<LintOutcome, ChangeError> {
    let opened = open(project, target, folder).await?;
    let outline = read_target(&opened.session).await;
    let outline = outline.map_err(|error| target.session_problem(&error))?;
    let mut chosen = choose(project, &opened.folder, selection)?;
    let is_pending = |migration: &Migration| is_pending(&opened.statuses, migration);
    if selection.files.is_empty() && selection.since.is_none() && !selection.all {
        chosen.retain(|at| is_pending(&opened.folder.set.migrations[*at]));
    }
    let migrations = &opened.folder.set.migrations;
    let only_pending = chosen.iter().all(|at| is_pending(&migrations[*at]));
    let schema = current_schema(&opened);
    // The target's tables are the beginning only of what is not applied yet.
    let report = match only_pending {
        true => {
            let begin = (Model::of_target(&outline, schema), true);
            walk(project, &opened.folder, &chosen, &is_pending, begin)
        }
        false => {
            let begin = (Model::with_sizes_of(&outline, schema), true);
            walk(project, &opened.folder, &chosen, &|_| true, begin)
        }
    };
    let report = answer(&opened.session, report).await;
    let problems = problems_of(&opened.folder, &chosen);
    opened.session.close().await;
    Ok(LintOutcome { report, server: Some(target.spec.redacted()), problems })
}

fn is_pending(statuses: &[MigrationStatus], migration: &Migration) -> bool {
    let status = statuses.iter().find(|status| status.file.as_ref() == Some(&migration.file));
    let pending =
        |verdict| matches!(verdict, Verdict::Pending | Verdict::OutOfOrder | Verdict::Failed);
    migration.kind != MigrationKind::Baseline && status.is_some_and(|one| pending(one.verdict))
}

/// The places in the set of the migrations that are looked at.
fn choose(
    project: &Project,
    folder: &Folder,
    selection: &LintSelection,
) -> Result<Vec<usize>, Box<Problem>> {
    let set = &folder.set;
    let from = match &selection.since {
        None => 0,
        Some(since) => {
            let named = |m: &Migration| m.version == *since || m.label() == *since;
            set.migrations.iter().position(named).ok_or_else(|| unknown_version(since))? + 1
        }
    };
    let all = (from..set.migrations.len())
        .filter(|at| set.migrations[*at].kind != MigrationKind::Baseline);
    if selection.files.is_empty() {
        return Ok(all.collect());
    }
    let (root, _) = project.folder_path()?;
    let wanted: Vec<_> = selection.files.iter().filter_map(|f| f.canonicalize().ok()).collect();
    let is_wanted = |at: &usize| {
        let file = root.join(&set.migrations[*at].file).canonicalize();
        file.is_ok_and(|file| wanted.iter().any(|one| file.starts_with(one)))
    };
    Ok(all.filter(is_wanted).collect())
}

fn unknown_version(version: &str) -> Box<Problem> {
    Box::new(
        Problem::error(Code::VersionUnknown, format!("no migration has the version {version:?}"))
            .fix_with("See the versions.", "pgfleet check --output json"),
    )
}

/// Walks over the migrations that may come after the beginning; the chosen ones are reported.
fn walk(
    project: &Project,
    folder: &Folder,
    chosen: &[usize],
    comes_after: &dyn Fn(&Migration) -> bool,
    (model, has_target): (Model, bool),
) -> LintReport {
    let versioned = folder.set.migrations.iter().enumerate();
    let walked =
        versioned.filter(|(_, one)| one.kind != MigrationKind::Baseline && comes_after(one));
    let migrations: Vec<_> =
        walked.map(|(at, migration)| linted(folder, migration, chosen.contains(&at))).collect();
    lint(LintInput { migrations: &migrations, model, has_target, settings: &project.settings.lint })
}

fn linted<'a>(folder: &Folder, migration: &'a Migration, wanted: bool) -> Linted<'a> {
    let texts = RefCell::new(migration.up.chunks.clone());
    let read = |path: &str, relative: bool, including: &str| {
        let found = read_include(&folder.tree, path, relative, including);
        if let Some((file, sql)) = &found {
            let place = Place::at(file.clone(), 1, 1);
            texts.borrow_mut().push(Chunk { sql: sql.clone(), place, verbatim: true });
        }
        found
    };
    let program = program::build(&migration.up, &read);
    Linted { migration, program, texts: texts.into_inner(), wanted }
}

/// What is wrong with the folder or with a chosen file of it.
fn problems_of(folder: &Folder, chosen: &[usize]) -> Vec<Problem> {
    let files: Vec<_> =
        chosen.iter().map(|at| folder.tree.display(&folder.set.migrations[*at].file)).collect();
    let concerns = |problem: &&Problem| match &problem.place {
        Some(place) => problem.is_error() || files.contains(&place.file),
        None => true,
    };
    folder.set.problems.iter().filter(concerns).cloned().collect()
}
