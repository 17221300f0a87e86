//! Writes the files of a run under `.pgfleet/runs/<run id>/`, and lets go of the oldest runs. Logs of
//! other commands have their command behind the id, and each command has its own oldest: a look of
//! every minute takes no report of a migration away.
//!
//! Invariant: a run's folder is there with all its files or not at all; a reader never sees half.

use std::path::{Path, PathBuf};
use std::{fs, io};

use pgfleet_core::report::{
    CommandReport, FleetReport, RunReport, command_html, fleet_html, html, markdown,
};

use crate::own_folder::keep_out_of_git;

/// Why a report could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {path}: {source}", path = path.display())]
pub struct ReportError {
    /// The file or folder.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// Writes `report.json`, `report.md` and `report.html` of a run below `runs_dir`, and keeps only
/// the `keep` newest runs there (at least this one). Gives the run's folder.
///
/// # Errors
/// When the folder or a file cannot be written. Old runs that cannot be removed are left.
pub fn write_run(runs_dir: &Path, report: &RunReport, keep: usize) -> Result<PathBuf, ReportError> {
    let json = serde_json::to_vec_pretty(report);
    let files = [
        ("report.json", json.unwrap_or_default()),
        ("report.md", markdown(report).into_bytes()),
        ("report.html", html(report).into_bytes()),
    ];
    write_folder(runs_dir, &report.run_id, &files, keep)
}

/// The same for a command on many targets; there is no `report.md`.
///
/// # Errors
/// As [`write_run`].
pub fn write_fleet(
    runs_dir: &Path,
    report: &FleetReport,
    keep: usize,
) -> Result<PathBuf, ReportError> {
    let json = serde_json::to_vec_pretty(report);
    let files = [
        ("report.json", json.unwrap_or_default()),
        ("report.html", fleet_html(report).into_bytes()),
    ];
    write_folder(runs_dir, &report.run_id, &files, keep)
}

/// The same for what is no run of migrations, in `<run id>-<command>`: `report.txt` is what people
/// saw.
///
/// # Errors
/// As [`write_run`].
pub fn write_command(
    runs_dir: &Path,
    report: &CommandReport,
    keep: usize,
) -> Result<PathBuf, ReportError> {
    let json = serde_json::to_vec_pretty(report);
    let mut files = vec![
        ("report.json", json.unwrap_or_default()),
        ("report.txt", report.text.clone().into_bytes()),
        ("report.html", command_html(report).into_bytes()),
    ];
    files.extend(report.files.iter().map(|(name, text)| (*name, text.clone().into_bytes())));
    write_folder(runs_dir, &command_folder(&report.run_id, &report.command), &files, keep)
}

/// The name of a command's folder.
pub fn command_folder(run_id: &str, command: &str) -> String {
    folder_name(&format!("{run_id}-{command}"))
}

fn write_folder(
    runs_dir: &Path,
    run_id: &str,
    files: &[(&str, Vec<u8>)],
    keep: usize,
) -> Result<PathBuf, ReportError> {
    let name = folder_name(run_id);
    let (folder, draft) = (runs_dir.join(&name), runs_dir.join(format!(".{name}.draft")));
    create_empty(&draft)?;
    keep_out_of_git(runs_dir);
    for (name, contents) in files {
        write(&draft.join(name), contents)?;
    }
    // A run that is resumed under its own id replaces what it wrote before.
    remove(&folder)?;
    fs::rename(&draft, &folder).map_err(|error| failed(&folder, error))?;
    prune(runs_dir, &folder, keep);
    Ok(folder)
}

/// The id as a file name: whatever it holds, it stays one name below the folder.
fn folder_name(run_id: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' };
    let name: String = run_id.chars().map(safe).take(100).collect();
    if name.is_empty() { "run".to_owned() } else { name }
}

fn create_empty(folder: &Path) -> Result<(), ReportError> {
    remove(folder)?;
    fs::create_dir_all(folder).map_err(|error| failed(folder, error))
}

fn remove(folder: &Path) -> Result<(), ReportError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(folder, error)),
        _ => Ok(()),
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
    fs::write(path, bytes).map_err(|error| failed(path, error))
}

fn failed(path: &Path, source: io::Error) -> ReportError {
    ReportError { path: path.to_owned(), source }
}

/// What stands behind an id of the form `20261121T051722Z-1a2b3c4d`; empty for runs of migrations.
fn command_of(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    name.splitn(3, '-').nth(2).unwrap_or_default().to_owned()
}

/// Removes the oldest runs of the same command, and drafts of runs that were killed while writing.
fn prune(runs_dir: &Path, newest: &Path, keep: usize) {
    let Ok(entries) = fs::read_dir(runs_dir) else { return };
    let mut runs: Vec<_> = entries
        .flatten()
        .filter(|entry| entry.path() != newest && entry.path().join("report.json").exists())
        .filter(|entry| command_of(&entry.path()) == command_of(newest))
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    runs.sort_by(|a, b| b.cmp(a));
    for (_, path) in runs.into_iter().skip(keep.saturating_sub(1)) {
        // What cannot be removed now will be tried again after the next run.
        let _ = fs::remove_dir_all(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(run_id: &str) -> RunReport {
        RunReport {
            version: 1,
            run_id: run_id.to_owned(),
            target: "t".to_owned(),
            server: "s".to_owned(),
            command: "apply".to_owned(),
            started_at: "2026-01-02T03:04:05Z".to_owned(),
            elapsed_ms: 1.0,
            migrations: Vec::new(),
            problems: Vec::new(),
        }
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_run_is_written_whole_and_again() {
        let root = tempfile::tempdir().unwrap();
        let runs = root.path().join(".pgfleet/runs");
        for _ in 0..2 {
            let folder = write_run(&runs, &report("r1"), 5).unwrap();
            assert_eq!(names(&folder), ["report.html", "report.json", "report.md"]);
        }
        assert_eq!(names(&runs), ["r1"]);
    }

    #[test]
    fn only_the_newest_runs_are_kept_and_strangers_left_alone() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("notes")).unwrap();
        for run in ["a", "b", "c", "d"] {
            write_run(root.path(), &report(run), 2).unwrap();
            std::thread::sleep(std::time::Duration::from_millis(15));
        }
        assert_eq!(names(root.path()), ["c", "d", "notes"]);
        write_run(root.path(), &report("e"), 0).unwrap();
        assert_eq!(names(root.path()), ["e", "notes"]);
    }

    #[test]
    fn each_command_has_its_own_oldest_run() {
        let root = tempfile::tempdir().unwrap();
        let runs = root.path().join(".pgfleet/runs");
        write_run(&runs, &report("t1-aa"), 1).unwrap();
        for (run, command) in [("t2-aa", "monitor"), ("t3-aa", "split-run"), ("t4-aa", "monitor")] {
            let report = CommandReport {
                version: 1,
                run_id: run.to_owned(),
                command: command.to_owned(),
                started_at: String::new(),
                elapsed_ms: 1.0,
                exit: 0,
                targets: Vec::new(),
                problems: Vec::new(),
                text: "seen".to_owned(),
                tables: Vec::new(),
                files: vec![("further.toml", "x = 1\n".to_owned())],
            };
            let folder = write_command(&runs, &report, 1).unwrap();
            let all = ["further.toml", "report.html", "report.json", "report.txt"];
            assert_eq!(names(&folder), all);
        }
        assert_eq!(names(&runs), ["t1-aa", "t3-aa-split-run", "t4-aa-monitor"]);
        assert_eq!(names(&root.path().join(".pgfleet")), [".gitignore", "runs"]);
    }

    #[test]
    fn an_id_cannot_leave_the_folder() {
        let root = tempfile::tempdir().unwrap();
        let folder = write_run(root.path(), &report("../../x y"), 5).unwrap();
        assert_eq!(folder, root.path().join("------x-y"));
    }

    #[test]
    fn what_stands_in_the_way_is_named() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        fs::write(&file, "x").unwrap();
        let error = write_run(&file, &report("a"), 5).unwrap_err();
        assert!(error.to_string().contains("file/.a.draft"), "{error}");
    }
}
