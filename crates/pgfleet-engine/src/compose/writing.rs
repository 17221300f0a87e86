//! Writes the files of new migrations, all or none.
//!
//! Invariant: what is to be written stands on disk as a whole, in [`JOURNAL`], before the first file
//! gets its name, and each file gets its name when all of its text is there. So a run that was killed
//! at any moment has written nothing, or left a journal that the next run finishes; until then the
//! folder is refused.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use pgfleet_core::diagnose::{Code, Problem};
use pgfleet_core::folder::compose::NewFile;
use serde::{Deserialize, Serialize};

/// In the migration folder. Hidden, and no folder, so that no team's tool takes it for a migration.
const JOURNAL: &str = ".pgfleet-generate.json";
/// Layout of the journal.
const VERSION: u32 = 1;

/// What is to be written.
#[derive(Debug, Serialize, Deserialize)]
struct Journal {
    version: u32,
    files: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    /// Below the folder, with `/`.
    path: String,
    text: String,
    /// What it replaces; nothing when it is new.
    before: Option<String>,
}

/// What cannot be divided.
#[derive(Debug)]
enum Step {
    /// Text under a name that nobody reads, in folders that are made.
    Draft(PathBuf, String),
    /// The name that counts.
    Name(PathBuf),
    /// The end.
    Forget(PathBuf),
}

/// Writes new files below a folder, which is made when it is not there.
///
/// # Errors
/// When a file cannot be written, or is there already and not to be replaced: then none is.
pub fn write_files(folder: &Path, files: &[NewFile]) -> Result<(), Box<Problem>> {
    if files.is_empty() {
        return Ok(());
    }
    let journal = journal_of(folder, files)?;
    run_steps(&all_steps(folder, &journal))
}

/// Finishes what a killed run began in a folder, and gives the paths of its files.
///
/// # Errors
/// [`Code::GenerateConflict`] when one of them was changed since, or the journal is not one.
pub fn finish_files(folder: &Path) -> Result<Vec<String>, Box<Problem>> {
    // A journal that has no name yet has done nothing; mostly there is none.
    let _ = fs::remove_file(draft(&folder.join(JOURNAL)));
    let Some(journal) = read_journal(folder)? else { return Ok(Vec::new()) };
    let mut steps = Vec::new();
    for entry in &journal.files {
        let path = folder.join(&entry.path);
        let there = fs::read_to_string(&path).ok();
        if there.as_ref() == Some(&entry.text) {
            continue;
        }
        if there != entry.before {
            let what = format!("{} is not as the killed run left it", path.display());
            return Err(conflict(folder, what));
        }
        steps.extend(file_steps(path, &entry.text));
    }
    steps.push(Step::Forget(folder.join(JOURNAL)));
    run_steps(&steps)?;
    Ok(journal.files.into_iter().map(|entry| entry.path).collect())
}

/// What a killed run left in a folder that nothing else may read until it is finished.
pub fn unfinished(folder: &Path, shown: &str) -> Option<Box<Problem>> {
    if !folder.join(JOURNAL).exists() {
        return None;
    }
    let what = format!("a new migration in {shown} is half written");
    let mut problem = Problem::error(Code::GenerateUnfinished, what)
        .because(format!("the run that wrote it was killed; {shown}/{JOURNAL} holds its files"));
    if let Ok(Some(journal)) = read_journal(folder) {
        problem = journal.files.iter().fold(problem, |p, entry| p.detail(entry.path.clone()));
    }
    Some(Box::new(problem.fix_with("Finish it.", "pgfleet generate NAME")))
}

fn journal_of(folder: &Path, files: &[NewFile]) -> Result<Journal, Box<Problem>> {
    let mut entries = Vec::new();
    for file in files {
        let path = folder.join(&file.path);
        let before = file.replaces.then(|| fs::read_to_string(&path)).transpose();
        let before = before.map_err(|error| unwritable(&path, &error))?;
        if before.is_none() && path.exists() {
            return Err(unwritable(&path, &io::ErrorKind::AlreadyExists.into()));
        }
        entries.push(Entry { path: file.path.clone(), text: file.text.clone(), before });
    }
    Ok(Journal { version: VERSION, files: entries })
}

fn all_steps(folder: &Path, journal: &Journal) -> Vec<Step> {
    let path = folder.join(JOURNAL);
    let text = serde_json::to_string_pretty(journal).unwrap_or_default();
    let mut steps = Vec::from(file_steps(path.clone(), &text));
    let files = journal.files.iter();
    steps.extend(files.flat_map(|entry| file_steps(folder.join(&entry.path), &entry.text)));
    steps.push(Step::Forget(path));
    steps
}

fn file_steps(path: PathBuf, text: &str) -> [Step; 2] {
    [Step::Draft(path.clone(), text.to_owned()), Step::Name(path)]
}

fn run_steps(steps: &[Step]) -> Result<(), Box<Problem>> {
    steps.iter().try_for_each(|step| step.run().map_err(|error| unwritable(step.path(), &error)))
}

impl Step {
    fn path(&self) -> &Path {
        match self {
            Self::Draft(path, _) | Self::Name(path) | Self::Forget(path) => path,
        }
    }

    fn run(&self) -> io::Result<()> {
        match self {
            Self::Draft(path, text) => {
                fs::create_dir_all(parent(path))?;
                let mut file = File::create(draft(path))?;
                file.write_all(text.as_bytes())?;
                file.sync_all()
            }
            Self::Name(path) => {
                fs::rename(draft(path), path)?;
                sync_folder(path)
            }
            Self::Forget(path) => fs::remove_file(path),
        }
    }
}

fn read_journal(folder: &Path) -> Result<Option<Journal>, Box<Problem>> {
    let text = match fs::read_to_string(folder.join(JOURNAL)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(conflict(folder, format!("{JOURNAL}: {error}"))),
        Ok(text) => text,
    };
    let journal: Journal = serde_json::from_str(&text)
        .map_err(|error| conflict(folder, format!("{JOURNAL} is not a journal: {error}")))?;
    let leads_out = |entry: &Entry| {
        !Path::new(&entry.path).components().all(|part| matches!(part, Component::Normal(_)))
    };
    if journal.version != VERSION || journal.files.iter().any(leads_out) {
        let what = format!("{JOURNAL} is of another version, or names files outside of the folder");
        return Err(conflict(folder, what));
    }
    Ok(Some(journal))
}

fn parent(path: &Path) -> &Path {
    path.parent().unwrap_or_else(|| Path::new("."))
}

/// Hidden, so that no reader takes it for a migration.
fn draft(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.pgfleet-new"))
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(parent(path))?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

fn unwritable(path: &Path, error: &io::Error) -> Box<Problem> {
    let what = format!("{} cannot be written", path.display());
    Box::new(Problem::error(Code::FolderMissing, what).because(error.to_string()))
}

fn conflict(folder: &Path, what: String) -> Box<Problem> {
    let problem = Problem::error(Code::GenerateConflict, what)
        .because("a killed run was writing a migration, and the rest of it does not fit any more");
    let fix = format!(
        "Remove {} and those files that it lists which are not to stay, and generate again.",
        folder.join(JOURNAL).display()
    );
    Box::new(problem.fix(fix))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Vec<NewFile> {
        let file = |path: &str, text: &str, replaces| NewFile {
            path: path.to_owned(),
            text: text.to_owned(),
            replaces,
        };
        vec![
            file("2_b.down.sql", "DROP TABLE b;", false),
            file("2_b.up.sql", "CREATE TABLE b ();", false),
            file("meta/_journal.json", "[1, 2]", true),
            file("3_c/up.sql", "CREATE TABLE c ();", false),
        ]
    }

    fn folder() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("meta")).unwrap();
        fs::write(dir.path().join("meta/_journal.json"), "[1]").unwrap();
        dir
    }

    /// Every file that readers see, with whether it is as wanted.
    fn written(folder: &Path) -> Vec<bool> {
        let as_wanted = |file: &NewFile| match fs::read_to_string(folder.join(&file.path)) {
            Ok(text) if text == file.text => true,
            Ok(text) => {
                assert_eq!(text, "[1]", "half of {}", file.path);
                false
            }
            Err(_) => false,
        };
        files().iter().map(as_wanted).collect()
    }

    #[test]
    fn a_kill_before_any_step_leaves_all_or_none() {
        let count = all_steps(Path::new("x"), &Journal { version: 1, files: Vec::new() }).len();
        let count = count + 2 * files().len();
        for kept in 0..=count {
            let dir = folder();
            let steps = all_steps(dir.path(), &journal_of(dir.path(), &files()).unwrap());
            assert_eq!(steps.len(), count);
            steps[..kept].iter().for_each(|step| step.run().unwrap());
            let some = written(dir.path()).contains(&true);
            let refused = unfinished(dir.path(), "migrations").is_some();
            assert!(refused || !some || kept == count, "{kept}: read as if it were whole");
            let finished = finish_files(dir.path()).unwrap();
            assert_eq!(finished.len(), if refused { files().len() } else { 0 }, "{kept}");
            let all = written(dir.path());
            assert!(all.iter().all(|is| *is == all[0]), "{kept}: {all:?}");
            assert!(unfinished(dir.path(), "migrations").is_none(), "{kept}");
            if !all[0] {
                write_files(dir.path(), &files()).unwrap();
            }
            assert_eq!(written(dir.path()), [true; 4], "{kept}");
        }
    }

    #[test]
    fn half_a_draft_is_nothing() {
        let dir = folder();
        let steps = all_steps(dir.path(), &journal_of(dir.path(), &files()).unwrap());
        steps[..4].iter().for_each(|step| step.run().unwrap());
        fs::write(draft(&dir.path().join("2_b.up.sql")), "CREATE TA").unwrap();
        finish_files(dir.path()).unwrap();
        assert_eq!(written(dir.path()), [true; 4]);
    }

    #[test]
    fn what_somebody_changed_since_is_left() {
        let dir = folder();
        let steps = all_steps(dir.path(), &journal_of(dir.path(), &files()).unwrap());
        steps[..4].iter().for_each(|step| step.run().unwrap());
        fs::write(dir.path().join("meta/_journal.json"), "[1, 9]").unwrap();
        let problem = finish_files(dir.path()).unwrap_err();
        assert_eq!(problem.code, Code::GenerateConflict);
        assert_eq!(fs::read_to_string(dir.path().join("meta/_journal.json")).unwrap(), "[1, 9]");
        assert!(!dir.path().join("2_b.up.sql").exists());
    }

    #[test]
    fn a_journal_writes_nothing_outside() {
        for path in ["../x.sql", "/x.sql", "a/../../x.sql"] {
            let dir = folder();
            let text = format!(
                r#"{{"version":1,"files":[{{"path":"{path}","text":"x","before":null}}]}}"#
            );
            fs::write(dir.path().join(JOURNAL), text).unwrap();
            assert_eq!(finish_files(dir.path()).unwrap_err().code, Code::GenerateConflict);
        }
    }

    #[test]
    fn a_file_that_is_there_stops_it_before_anything_is_written() {
        let dir = folder();
        fs::write(dir.path().join("2_b.up.sql"), "mine").unwrap();
        write_files(dir.path(), &files()).unwrap_err();
        assert!(!dir.path().join("2_b.down.sql").exists());
        assert!(unfinished(dir.path(), "migrations").is_none());
    }
}
