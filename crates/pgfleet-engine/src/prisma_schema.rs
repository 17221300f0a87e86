//! Finds and reads `schema.prisma`, or the folder of a schema of several files.
//!
//! Source of the places: Prisma's documentation, "Prisma schema: location".

use std::fs;
use std::path::{Path, PathBuf};

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::prisma::{Database, SchemaFile, read};

use crate::project::Project;

/// Files of a schema that are read at the most.
const FILES_MAX: usize = 10_000;

/// A schema that was found and read.
#[derive(Debug, Clone)]
pub struct PrismaSchema {
    /// The file or folder, as messages call it.
    pub shown: String,
    /// What it stands for.
    pub database: Database,
}

/// Reads the schema at `given`, else the one that belongs to the migration folder `migrations`.
///
/// # Errors
/// When there is none, or it is not valid.
pub fn read_schema(
    project: &Project,
    migrations: &str,
    given: Option<&Path>,
) -> Result<PrismaSchema, Vec<Problem>> {
    let shown = match given {
        Some(path) => path.to_owned(),
        None => find(project, migrations).ok_or_else(|| vec![missing(migrations)])?,
    };
    let path = if given.is_some() { shown.clone() } else { project.root.join(&shown) };
    let files = schema_files(&path, &shown).map_err(|error| vec![unreadable(&shown, &error)])?;
    if files.is_empty() {
        return Err(vec![missing(&shown.display().to_string())]);
    }
    Ok(PrismaSchema { shown: shown.display().to_string(), database: read(&files)? })
}

/// `package.json`'s `prisma.schema`, then beside the migrations, then the usual places.
fn find(project: &Project, migrations: &str) -> Option<PathBuf> {
    let beside = Path::new(migrations).parent().unwrap_or(Path::new(""));
    let usual = [
        beside.join("schema.prisma"),
        beside.join("schema"),
        PathBuf::from("prisma/schema.prisma"),
        PathBuf::from("prisma/schema"),
        PathBuf::from("schema.prisma"),
    ];
    let named = named_by_package(&project.root);
    named.into_iter().chain(usual).find(|path| {
        let path = project.root.join(path);
        path.is_file() || path.is_dir() && !prisma_files(&path).unwrap_or_default().is_empty()
    })
}

fn named_by_package(root: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(root.join("package.json")).ok()?;
    let package: serde_json::Value = serde_json::from_str(&text).ok()?;
    package.get("prisma")?.get("schema")?.as_str().map(PathBuf::from)
}

/// True for a folder that holds files of a Prisma schema.
pub(crate) fn is_schema_folder(path: &Path) -> bool {
    !prisma_files(path).unwrap_or_default().is_empty()
}

fn schema_files(path: &Path, shown: &Path) -> std::io::Result<Vec<SchemaFile>> {
    if path.is_file() {
        let path_shown = shown.display().to_string();
        return Ok(vec![SchemaFile { path: path_shown, text: fs::read_to_string(path)? }]);
    }
    let read = |file: PathBuf| {
        let relative = file.strip_prefix(path).unwrap_or(&file);
        let path = shown.join(relative).display().to_string();
        Ok(SchemaFile { path, text: fs::read_to_string(&file)? })
    };
    prisma_files(path)?.into_iter().map(read).collect()
}

/// In byte order of their paths.
fn prisma_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let (mut waiting, mut files) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() && path.file_name().is_none_or(|name| name != "node_modules") {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "prisma") {
                files.push(path);
            }
        }
        if files.len() > FILES_MAX {
            return Err(std::io::Error::other(format!("it holds more than {FILES_MAX} files")));
        }
    }
    files.sort();
    Ok(files)
}

fn missing(beside: &str) -> Problem {
    Problem::error(Code::PrismaSchemaMissing, format!("no schema.prisma was found beside {beside}"))
        .because("neither schema.prisma nor a folder schema/ is there, and package.json names none")
        .fix_with("Name it.", "pgfleet missing --schema path/to/schema.prisma")
}

fn unreadable(shown: &Path, error: &std::io::Error) -> Problem {
    Problem::error(Code::PrismaSchemaMissing, format!("{} cannot be read", shown.display()))
        .because(error.to_string())
        .fix_with("Name the schema.", "pgfleet missing --schema path/to/schema.prisma")
}
