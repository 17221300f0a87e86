//! A project folder for one test: migrations, configuration, and pgfleet run inside.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::{
    cli::Cli,
    migrations::{Change, Format, render},
};

/// A temporary folder, removed with the value.
#[derive(Debug)]
pub struct Project {
    dir: TempDir,
}

impl Default for Project {
    fn default() -> Self {
        Self::new()
    }
}

impl Project {
    /// An empty project.
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a temporary project") }
    }

    /// A project with these files.
    pub fn with<P: AsRef<Path>, C: AsRef<[u8]>>(files: impl IntoIterator<Item = (P, C)>) -> Self {
        let project = Self::new();
        for (path, content) in files {
            project.write(path, content);
        }
        project
    }

    /// A project in `format` that holds these changes.
    pub fn of(format: Format, changes: &[Change]) -> Self {
        Self::with(render(format, changes))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Writes a file, and the folders above it.
    pub fn write(&self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(path);
        let folder = path.parent().unwrap_or(self.path());
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, content))
            .unwrap_or_else(|error| panic!("write {}: {error}", path.display()));
        path
    }

    /// What a file holds.
    pub fn read(&self, path: impl AsRef<Path>) -> String {
        let path = self.path().join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// pgfleet in this project.
    pub fn pgfleet<A: AsRef<str>>(&self, args: impl IntoIterator<Item = A>) -> Cli {
        Cli::new(self.path()).args(args)
    }
}
