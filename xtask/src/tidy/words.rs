//! Words that must not be in the tree: unfinished code, ignored tests, paths of one machine.

use std::path::Path;

use super::{Finding, Source};
use crate::checkout;

/// Joined here, so that this file does not hold them itself.
const UNFINISHED: [&str; 3] =
    [concat!("to", "do!("), concat!("un", "implemented!("), concat!("#[", "ignore")];

/// Home folders and the like; a path that is the same on every machine is none.
const MACHINE_PATHS: [&str; 3] =
    [concat!("/", "work/"), concat!("/", "root/"), concat!("/", "home/")];

/// Homebrew's prefix on Linux is the same everywhere.
const SAME_EVERYWHERE: [&str; 1] = [concat!("/", "home/linuxbrew/")];

pub(super) fn check(source: &Source) -> Vec<Finding> {
    let broken = source.numbered().filter_map(|(number, line)| {
        let word = UNFINISHED.iter().find(|word| line.contains(**word))?;
        Some(source.finding(number, format!("{word} is unfinished work")))
    });
    broken.collect()
}

/// Paths of one machine in any file that is text.
pub(super) fn check_paths() -> Vec<Finding> {
    let files = checkout::files_below("");
    files.iter().filter(|path| !is_private(path)).flat_map(|path| machine_paths(path)).collect()
}

/// A worktree's `.git` is a file with a path.
fn is_private(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == ".git")
}

fn machine_paths(path: &Path) -> Vec<Finding> {
    let text = checkout::text(path);
    let broken = (1..).zip(text.lines()).filter_map(|(line, text)| {
        let found = machine_path(text)?;
        let file = checkout::shown(path);
        Some(Finding { file, line, what: format!("{found} is a path of one machine") })
    });
    broken.collect()
}

fn machine_path(line: &str) -> Option<&'static str> {
    let starts = |at: usize| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '}' | '_' | '-' | '*'))
    };
    let is_ours = |at: usize| !SAME_EVERYWHERE.iter().any(|same| line[at..].starts_with(same));
    let here = |path: &&&str| line.match_indices(**path).any(|(at, _)| starts(at) && is_ours(at));
    MACHINE_PATHS.iter().find(here).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_only_at_its_beginning() {
        let (ours, everywhere) = (MACHINE_PATHS[0], SAME_EVERYWHERE[0]);
        assert_eq!(machine_path(&format!("see {ours}a")), Some(ours));
        assert_eq!(machine_path(&format!("./a{ours}b")), None);
        assert_eq!(machine_path(&format!("\"{everywhere}opt\"")), None);
    }
}
