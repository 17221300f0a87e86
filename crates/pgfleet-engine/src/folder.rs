//! Reads a migration folder from disk.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::folder::{FileTree, LargeFile, LargeReader, NEIGHBOURS};

/// Files below a folder that are read at the most; more means that the folder is not what the
/// user meant.
const FILES_MAX: usize = 50_000;

/// A script above this size is read piece by piece.
const LARGE_BYTES: u64 = 256 * 1024;

/// How much of a large file is held at a time.
const PIECE_BYTES: usize = 256 * 1024;

/// How many folders above the migration folder are looked at for hints.
const NEIGHBOURS_UP: usize = 3;

/// A larger file beside the folder is no hint.
const NEIGHBOUR_MAX_BYTES: u64 = 1024 * 1024;

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
    let mut tree =
        FileTree { root: shown.to_owned(), location: root.to_owned(), ..FileTree::default() };
    tree.neighbours = read_neighbours(root);
    let mut waiting = vec![PathBuf::new()];
    let mut read = HashSet::new();
    while let Some(folder) = waiting.pop() {
        // Links are followed, but not in a circle.
        if !root.join(&folder).canonicalize().is_ok_and(|place| read.insert(place)) {
            continue;
        }
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
        if is_no_ones(&entry.file_name().to_string_lossy()) {
            continue;
        }
        if entry.file_name().to_str().is_none() {
            // Two such names may look the same, and no history could record either.
            tree.unreadable.insert(slashed(&path), "its name is not UTF-8, rename it".to_owned());
            continue;
        }
        match fs::metadata(root.join(&path)) {
            Ok(found) if found.is_dir() => {
                if !SKIPPED.iter().any(|name| entry.file_name() == *name) {
                    tree.directories.insert(slashed(&path));
                    waiting.push(path);
                }
            }
            Ok(found) => read_file(root, &path, found.len(), tree),
            Err(error) => {
                tree.unreadable.insert(slashed(&path), error.to_string());
            }
        }
    }
}

/// What editors and desktops leave: locks (`.#name`), macOS's attributes (`._name`), swap files.
fn is_no_ones(name: &str) -> bool {
    name.starts_with(".#")
        || name.starts_with("._")
        || (name.starts_with('.') && name.ends_with(".swp"))
}

/// Files beside the folder and above it that may tell which tool runs it.
fn read_neighbours(root: &Path) -> Vec<(String, String)> {
    let Ok(root) = root.canonicalize() else { return Vec::new() };
    let mut found = Vec::new();
    for folder in root.ancestors().take(NEIGHBOURS_UP + 1) {
        for name in NEIGHBOURS {
            let file = folder.join(name);
            let Ok(metadata) = fs::metadata(&file) else { continue };
            let readable = metadata.is_file() && metadata.len() <= NEIGHBOUR_MAX_BYTES;
            let content = readable.then(|| fs::read_to_string(&file).unwrap_or_default());
            // Supabase's and sqlx's are known by where they are.
            let parent = folder.file_name().filter(|_| *name == "config.toml");
            let shown = parent.map_or_else(
                || (*name).to_owned(),
                |parent| format!("{}/{name}", parent.to_string_lossy()),
            );
            found.push((shown, content.unwrap_or_default()));
        }
        if folder.join(".git").exists() {
            break;
        }
    }
    found
}

fn read_file(root: &Path, path: &Path, size: u64, tree: &mut FileTree) {
    let (file, name) = (root.join(path), slashed(path));
    let is_sql = name.to_ascii_lowercase().ends_with(".sql") && !name.contains(['\n', '\r']);
    let read = if is_sql && size > LARGE_BYTES {
        read_large(&file, &name, size)
            .map(|(script, large)| tree.insert_large(&name, script, large))
    } else {
        fs::read(file).map(|contents| {
            tree.files.insert(name.clone(), contents);
        })
    };
    if let Err(error) = read {
        tree.unreadable.insert(name, error.to_string());
    }
}

/// Reads a script piece by piece, so that the rows of its COPY statements are never held.
fn read_large(file: &Path, name: &str, size: u64) -> io::Result<(String, LargeFile)> {
    let mut file = fs::File::open(file)?;
    let mut piece = vec![0; PIECE_BYTES];
    let mut length = read_full(&mut file, &mut piece)?;
    let mut reader = LargeReader::new(name, &piece[..length], size);
    while length > 0 {
        reader.push(&piece[..length]);
        length = read_full(&mut file, &mut piece)?;
    }
    Ok(reader.finish())
}

/// Fills the buffer as far as the file goes.
fn read_full(file: &mut fs::File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(length) => filled += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
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
