//! A folder as data: what the engine read from disk, for the readers to look at.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use pgfleet_sql::{DecodeError, Newlines, SourceText, decode};

use super::LargeFile;

/// Files and directories below a folder. Paths are relative, with `/`, in byte order.
#[derive(Debug, Clone, Default)]
pub struct FileTree {
    /// The folder as the user named it; messages put it before a relative path.
    pub root: String,
    /// Contents by relative path.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Relative paths of directories, empty ones too (Prisma refuses those).
    pub directories: BTreeSet<String>,
    /// Of files in `files` that were too large to be held whole: `files` has their script without
    /// the rows of its COPY statements.
    pub large: BTreeMap<String, LargeFile>,
    /// Where the folder is on this machine; empty for folders that are not on disk.
    pub location: PathBuf,
    /// Files beside the folder and above it that may tell which tool runs it, the nearest first: what
    /// messages call them, and their text.
    pub neighbours: Vec<(String, String)>,
    /// Files that could not be read, and what the operating system said.
    pub unreadable: BTreeMap<String, String>,
}

impl FileTree {
    /// A tree from literal contents: for tests, and for folders that are not on disk.
    pub fn from_files<'a>(root: &str, files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut tree = Self { root: root.to_owned(), ..Self::default() };
        for (path, contents) in files {
            tree.insert(path, contents.as_bytes().to_vec());
        }
        tree
    }

    /// Adds a file and the directories above it.
    pub fn insert(&mut self, path: &str, contents: Vec<u8>) {
        let parents = path.match_indices('/').map(|(at, _)| path[..at].to_owned());
        self.directories.extend(parents);
        self.files.insert(path.to_owned(), contents);
    }

    /// Adds a file whose rows were left in it.
    pub fn insert_large(&mut self, path: &str, script: String, file: LargeFile) {
        self.insert(path, script.into_bytes());
        self.large.insert(path.to_owned(), file);
    }

    /// Whether a directory holds a file, however deep.
    pub fn holds_files(&self, directory: &str) -> bool {
        let inside = format!("{directory}/");
        let next = self.files.range(inside.clone()..).next();
        next.is_some_and(|(path, _)| path.starts_with(&inside))
    }

    /// A file's text, with one line for each stretch of rows that was left in the file; `None` when
    /// there is no such file.
    ///
    /// # Errors
    /// When the file is not text.
    pub fn text(&self, path: &str) -> Option<Result<SourceText, DecodeError>> {
        let bytes = self.files.get(path)?;
        let Some(large) = self.large.get(path) else { return Some(decode(bytes)) };
        if let Some(error) = &large.not_text {
            return Some(Err(error.clone()));
        }
        let text = String::from_utf8_lossy(bytes).into_owned();
        let newlines = Newlines::of(&text);
        Some(Ok(SourceText { text, encoding: large.encoding, newlines }))
    }

    /// The path as the user would type it.
    pub fn display(&self, path: &str) -> String {
        match self.root.trim_end_matches('/') {
            "" | "." => path.to_owned(),
            root => format!("{root}/{path}"),
        }
    }
}
