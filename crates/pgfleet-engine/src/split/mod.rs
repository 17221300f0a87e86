//! Splits one database into several: creates and migrates them, moves the rows, proves that all
//! of them arrived, and takes it back.
//!
//! Invariant: the source is never written but for the fence and the journal, so until the split is
//! finished, taking it back loses nothing that the source holds. Every part of a table is one
//! transaction with its journal row in the database that it fills, so a run that was interrupted
//! anywhere is finished by running it again.

mod copy;
mod differing;
mod fence;
mod journal;
mod later;
mod moving;
mod plan;
mod reconcile;
mod reference;
mod rollback;
mod run;
mod shape;
mod space;
mod status;

use std::path::Path;
use std::sync::Arc;

use pgfleet_core::config::{FormatChoice, Settings};
use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::split::{SplitFile, expand_variables, parse};

use crate::conduct::Target;
use crate::project::Project;

pub use differing::{Differing, Rows as DifferingRows};
pub use plan::{Look, Trust, make_plan};
pub use reconcile::Reconciled;
pub use reference::check_references;
pub use rollback::{RollbackReport, finish, roll_back, validate_rollback};
pub use run::{PhaseTime, RunOptions, SplitReport, run};
pub use status::{SplitStatus, status};

/// A declared split, with where its databases are.
#[derive(Debug, Clone)]
pub struct Split {
    /// What `split.toml` says.
    pub file: SplitFile,
    /// The database to split.
    pub source: Target,
    /// The project that the command runs in.
    pub project: Project,
    /// The databases to fill, by name of their family.
    pub families: Vec<Family>,
}

/// One database to fill.
#[derive(Debug, Clone)]
pub struct Family {
    /// What `split.toml` calls it.
    pub name: String,
    /// Where it is, or will be.
    pub target: Target,
    /// The same project with the family's migration folder.
    pub project: Project,
}

/// The usual name of the declaration.
pub const SPLIT_NAME: &str = "split.toml";

impl Split {
    /// Reads a declaration; `file` is relative to the project's folder.
    ///
    /// # Errors
    /// Everything that is wrong with it, with variables and with URLs.
    pub fn open(project: &Project, file: &Path) -> Result<Self, Vec<Problem>> {
        let path = project.root.join(file);
        let text =
            std::fs::read_to_string(&path).map_err(|error| vec![unreadable(file, &error)])?;
        let file = parse(&text, &file.display().to_string())?;
        let source = source(project, &file).map_err(|problem| vec![*problem])?;
        let root = path.parent().map(Path::to_owned).unwrap_or_default();
        let mut families = Vec::new();
        let mut problems = Vec::new();
        for name in file.families.keys() {
            match family(project, &file, &source, &root, name) {
                Ok(family) => families.push(family),
                Err(problem) => problems.push(*problem),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self { file, source, project: project.clone(), families })
    }

    fn family(&self, name: &str) -> Option<&Family> {
        self.families.iter().find(|family| family.name == name)
    }
}

fn unreadable(file: &Path, error: &std::io::Error) -> Problem {
    Problem::error(Code::SplitInvalid, format!("{} cannot be read", file.display()))
        .because(error.to_string())
        .fix("docs/split.md shows a whole one.")
}

fn source(project: &Project, file: &SplitFile) -> Result<Target, Box<Problem>> {
    let settings = Settings { target: "source".to_owned(), ..(*project.settings).clone() };
    let spec = match &file.source.url {
        Some(url) => project.spec_of(&expanded(url, &settings, "[source] url")?)?,
        None => project.connect_spec()?,
    };
    Ok(Target::at("source", spec, &Arc::new(settings)))
}

fn family(
    project: &Project,
    file: &SplitFile,
    source: &Target,
    root: &Path,
    name: &str,
) -> Result<Family, Box<Problem>> {
    let section = &file.families[name];
    let database = expanded(&section.database, &project.settings, &format!("families.{name}"))?;
    let spec = match &section.url {
        Some(url) => project.spec_of(&expanded(url, &project.settings, "url")?)?,
        None => source.spec.clone(),
    };
    let settings = Arc::new(Settings {
        target: name.to_owned(),
        dir: Some(section.dir.clone()),
        dir_from_file: true,
        format: format(section.format.as_deref())?,
        history_table: None,
        environment: None,
        ..(*project.settings).clone()
    });
    let target = Target::at(name, spec.with_database(&database), &settings);
    let mut of_family = project.clone();
    (of_family.root, of_family.settings) = (root.to_owned(), settings);
    Ok(Family { name: name.to_owned(), target, project: of_family })
}

fn expanded(text: &str, settings: &Settings, what: &str) -> Result<String, Box<Problem>> {
    expand_variables(text, &settings.variables).map_err(|name| {
        Box::new(
            Problem::error(
                Code::VariableMissing,
                format!("the environment variable {name} is not set"),
            )
            .because(format!("{what} in the declaration of the split takes its value from it"))
            .fix_with("Set it, in the shell or in .env.", format!("export {name}=…")),
        )
    })
}

fn format(name: Option<&str>) -> Result<FormatChoice, Box<Problem>> {
    match name {
        None | Some("auto") => Ok(FormatChoice::Auto),
        Some(name) => name.parse().map(FormatChoice::Named).map_err(|_| {
            Box::new(Problem::error(Code::SplitInvalid, format!("no format is called {name:?}")))
        }),
    }
}
