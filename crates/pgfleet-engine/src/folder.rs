//! Reads a migration folder from disk.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::folder::FileTree;

/// Files below a folder that are read at the most; more means that the folder is not what the
/// user meant.
const FILES_MAX: usize = 50_000;

/// Directories that never hold migrations and may be huge.
const SKIPPED: &[&str] = &[".git", "node_modules", "target", ".pgfleet"];

/// Reads all files below `root`; `shown` is how messages call it.
///
/// # Errors
/// When the folder does not exist, is not a folder, or holds too many files. A file that cannot be
/// read is noted in the tree, for the format's reader to tell.
pub fn read_tree(root: &Path, shown: &str) -> Result<FileTree, Box<Problem>> {
    let metadata = fs::metadata(root).map_err(|error| Box::new(missing(shown, &error)))?;
    if !metadata.is_dir() {
        return Err(Box::new(not_a_folder(shown)));
    }
    let mut tree = FileTree { root: shown.to_owned(), ..FileTree::default() };
    let mut waiting = vec![PathBuf::new()];
    while let Some(folder) = waiting.pop() {
        read_folder(root, &folder, &mut tree, &mut waiting);
        if tree.files.len() > FILES_MAX {
            return Err(Box::new(too_many(shown)));
        }
    }
    Ok(tree)
}

fn read_folder(root: &Path, folder: &Path, tree: &mut FileTree, waiting: &mut Vec<PathBuf>) {
    let entries = match fs::read_dir(root.join(folder)) {
        Ok(entries) => entries,
        Err(error) => {
            tree.unreadable.insert(slashed(folder), error.to_string());
            return;
        }
    };
    for entry in entries.flatten() {
        let path = folder.join(entry.file_name());
        match fs::metadata(root.join(&path)) {
            Ok(found) if found.is_dir() => {
                if !SKIPPED.iter().any(|name| entry.file_name() == *name) {
                    tree.directories.insert(slashed(&path));
                    waiting.push(path);
                }
            }
            Ok(_) => read_file(root, &path, tree),
            Err(error) => {
                tree.unreadable.insert(slashed(&path), error.to_string());
            }
        }
    }
}

fn read_file(root: &Path, path: &Path, tree: &mut FileTree) {
    match fs::read(root.join(path)) {
        Ok(contents) => {
            tree.files.insert(slashed(path), contents);
        }
        Err(error) => {
            tree.unreadable.insert(slashed(path), error.to_string());
        }
    }
}

fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    parts.join("/")
}

fn missing(shown: &str, error: &io::Error) -> Problem {
    Problem::error(Code::FolderMissing, format!("the migration folder {shown:?} cannot be read"))
        .because(error.to_string())
        .fix_with("Name the folder.", "pgfleet status --dir path/to/migrations")
}

fn not_a_folder(shown: &str) -> Problem {
    Problem::error(Code::FolderMissing, format!("{shown:?} is a file, not a folder"))
        .fix("Name the folder that holds the migrations.")
}

fn too_many(shown: &str) -> Problem {
    Problem::error(Code::FolderMissing, format!("{shown:?} holds more than {FILES_MAX} files"))
        .because("a migration folder of that size is not likely")
        .fix("Name the folder that holds the migrations themselves.")
}
