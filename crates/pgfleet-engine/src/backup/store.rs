//! Where backups are: one folder for each target, in it one folder for each backup.
//!
//! Invariant: a folder without `.partial` at its end holds every file of its backup, written to
//! disk before the folder got its name. Whoever writes a partial one holds a lock in it, which ends
//! with the process, so that what a killed run left is told from what is being written.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use pgfleet_core::backup::{
    BackupFile, BackupState, Kept, MANIFEST_VERSION, Manifest, Verification, expired,
};
use pgfleet_core::diagnose::{Code, Problem};
use sha2::{Digest, Sha256};

use crate::conduct::Target;
use crate::connect::Host;

/// What a backup says about itself.
pub const MANIFEST: &str = "manifest.json";
/// What became of the last attempt to restore it.
pub const VERIFIED: &str = "verified.json";
const LOCK: &str = "lock";
const PARTIAL: &str = ".partial";
/// How long a folder may be without its lock before it is taken for abandoned.
const UNLOCKED_FOR: Duration = Duration::from_secs(60);

/// The folder of a target's backups.
#[derive(Debug, Clone)]
pub struct Store {
    dir: PathBuf,
}

/// A backup in a [`Store`].
#[derive(Debug, Clone)]
pub struct StoredBackup {
    /// Its name.
    pub id: String,
    /// Its folder.
    pub path: PathBuf,
    /// How far it can be trusted.
    pub state: BackupState,
    /// Its manifest, when that can be read.
    pub manifest: Option<Manifest>,
    /// The last attempt to restore it.
    pub verification: Option<Verification>,
}

/// A backup that is being written. Dropped before it is finished, its files are removed.
#[derive(Debug)]
pub struct Draft {
    folder: PathBuf,
    finished: PathBuf,
    done: bool,
    _lock: File,
}

impl Store {
    /// The folder of a target below the root of all backups. Without a name in the configuration
    /// it is called by database and host.
    pub fn of(root: &Path, target: &Target) -> Self {
        Self { dir: root.join(target_folder_name(target)) }
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Every backup, the oldest first; none when there is no folder.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn list(&self) -> Result<Vec<StoredBackup>, Box<Problem>> {
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(|error| unusable(&self.dir, &error))?,
        };
        let folders = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir());
        let mut backups: Vec<_> = folders.filter_map(|path| read_backup(&path)).collect();
        backups.sort_by(|a, b| a.began().cmp(b.began()));
        Ok(backups)
    }

    /// The backup with this name, or the newest complete one; a path to a backup's folder is taken
    /// as it is.
    ///
    /// # Errors
    /// [`Code::BackupUnknown`] with the names that there are.
    pub fn find(&self, name: Option<&str>) -> Result<StoredBackup, Box<Problem>> {
        if let Some(backup) = name.map(Path::new).filter(|p| p.components().count() > 1) {
            return read_backup(backup).ok_or_else(|| self.unknown(name, &[]));
        }
        let backups = self.list()?;
        let complete = |backup: &&StoredBackup| backup.state != BackupState::Partial;
        let found = match name {
            Some(name) => backups.iter().find(|backup| backup.id == name),
            None => backups.iter().rev().find(complete),
        };
        found.cloned().ok_or_else(|| self.unknown(name, &backups))
    }

    fn unknown(&self, name: Option<&str>, backups: &[StoredBackup]) -> Box<Problem> {
        let what = match name {
            Some(name) => format!("there is no backup {name:?}"),
            None => "there is no backup yet".to_owned(),
        };
        let known: Vec<_> = backups.iter().map(|backup| backup.id.as_str()).collect();
        let mut problem = Problem::error(Code::BackupUnknown, what)
            .detail(format!("looked in {}", self.dir.display()));
        if !known.is_empty() {
            problem = problem.detail(format!("backups there: {}", known.join(", ")));
        }
        Box::new(problem.fix_with("Make one.", "pgfleet backup --verify"))
    }

    /// Begins a backup.
    ///
    /// # Errors
    /// [`Code::BackupExists`] when the name is taken, finished or not.
    pub fn begin(&self, id: &str) -> Result<Draft, Box<Problem>> {
        if file_name(id) != id || id.ends_with(PARTIAL) {
            return Err(Box::new(bad_name(id)));
        }
        let finished = self.dir.join(id);
        let folder = self.dir.join(format!("{id}{PARTIAL}"));
        create_private(&self.dir).map_err(|error| unusable(&self.dir, &error))?;
        if finished.exists() {
            return Err(Box::new(exists(&finished)));
        }
        match create_one(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(Box::new(exists(&folder)))
            }
            Err(error) => Err(unusable(&folder, &error)),
            Ok(()) => {
                let lock = File::create(folder.join(LOCK)).and_then(|f| f.lock().map(|()| f));
                let lock = lock.map_err(|error| unusable(&folder, &error))?;
                Ok(Draft { folder, finished, done: false, _lock: lock })
            }
        }
    }

    /// Removes what killed runs left; gives the names.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn sweep(&self) -> Result<Vec<String>, Box<Problem>> {
        let partial = |backup: &StoredBackup| backup.state == BackupState::Partial;
        let mut swept = Vec::new();
        for backup in self.list()?.into_iter().filter(partial) {
            if is_abandoned(&backup.path) && fs::remove_dir_all(&backup.path).is_ok() {
                swept.push(backup.id);
            }
        }
        Ok(swept)
    }

    /// Removes backups that have `keep` newer good ones; gives the names.
    ///
    /// # Errors
    /// When a folder cannot be read or removed.
    pub fn retain(&self, keep: usize) -> Result<Vec<String>, Box<Problem>> {
        let backups = self.list()?;
        let kept: Vec<_> = backups.iter().filter_map(kept).collect();
        let gone = expired(&kept, keep);
        for id in &gone {
            // Without its name first: half a backup must not look like one.
            let (path, leaving) = (self.dir.join(id), self.dir.join(format!("{id}{PARTIAL}")));
            fs::rename(&path, &leaving)
                .and_then(|()| fs::remove_dir_all(&leaving))
                .map_err(|error| unusable(&path, &error))?;
        }
        Ok(gone)
    }
}

impl Draft {
    /// The folder to write to.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes the manifest, waits until everything is on disk, and gives the backup its name.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn finish(mut self, manifest: &Manifest) -> Result<PathBuf, Box<Problem>> {
        let failed = |error: io::Error| unusable(&self.folder, &error);
        let text = serde_json::to_string_pretty(manifest).map_err(|e| failed(e.into()))? + "\n";
        fs::write(self.folder.join(MANIFEST), text).map_err(failed)?;
        sync(&self.folder).map_err(failed)?;
        fs::rename(&self.folder, &self.finished).map_err(failed)?;
        self.done = true;
        // Only now: a partial folder without it is not known to be abandoned. One that stays in a
        // finished backup means nothing.
        fs::remove_file(self.finished.join(LOCK)).map_err(failed)?;
        if let Some(parent) = self.finished.parent() {
            File::open(parent).and_then(|dir| dir.sync_all()).map_err(failed)?;
        }
        Ok(self.finished.clone())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.done {
            // What cannot be removed now is swept by the next backup.
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

impl StoredBackup {
    /// The manifest.
    ///
    /// # Errors
    /// [`Code::BackupUnreadable`] without one.
    pub fn manifest(&self) -> Result<&Manifest, Box<Problem>> {
        self.manifest.as_ref().ok_or_else(|| {
            let what = format!("the backup {} has no manifest that can be read", self.id);
            let problem = Problem::error(Code::BackupUnreadable, what);
            Box::new(match self.state {
                BackupState::Partial => problem
                    .because("the run that was writing it has not ended, or was killed")
                    .fix_with("Make another; what was killed is removed then.", "pgfleet backup"),
                _ => problem
                    .because(format!("{MANIFEST} is missing, damaged or of another version"))
                    .fix_with("See which backups are good.", "pgfleet backup list"),
            })
        })
    }

    /// Records what a restore found.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn record(&self, verification: &Verification) -> Result<(), Box<Problem>> {
        let failed = |error: io::Error| unusable(&self.path, &error);
        let text = serde_json::to_string_pretty(verification).map_err(|e| failed(e.into()))?;
        let draft = self.path.join(format!(".{VERIFIED}"));
        fs::write(&draft, text + "\n").map_err(failed)?;
        File::open(&draft).and_then(|file| file.sync_all()).map_err(failed)?;
        fs::rename(&draft, self.path.join(VERIFIED)).map_err(failed)
    }

    /// When it began, as far as that can be told.
    fn began(&self) -> &str {
        self.manifest.as_ref().map_or("", |manifest| manifest.started_at.as_str())
    }

    /// Bytes of all its files.
    pub fn bytes(&self) -> u64 {
        let files = self.manifest.iter().flat_map(|manifest| &manifest.files);
        files.map(|file| file.bytes).sum()
    }
}

/// What the folder of a target's files is called: its name in the configuration, else database and
/// host.
pub fn target_folder_name(target: &Target) -> String {
    let spec = &target.spec;
    let host = spec.endpoints.first().map(|endpoint| match &endpoint.host {
        Host::Tcp(name) => format!("{name}-{}", endpoint.port),
        Host::Unix(_) => format!("local-{}", endpoint.port),
    });
    match target.name.as_str() {
        "database" => file_name(&format!("{}@{}", spec.database, host.unwrap_or_default())),
        name => file_name(name),
    }
}

/// How long ago a backup's snapshot was taken; none when its time cannot be read.
pub fn age_s(manifest: &Manifest) -> Option<i64> {
    let taken: jiff::Timestamp = manifest.started_at.parse().ok()?;
    Some(jiff::Timestamp::now().as_second() - taken.as_second())
}

/// Every file below a folder but manifest, lock and verification, with its SHA-256.
///
/// # Errors
/// When a file cannot be read.
pub fn hash_files(folder: &Path) -> io::Result<Vec<BackupFile>> {
    let mut files = Vec::new();
    for path in files_below(folder)? {
        let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        if ![LOCK, MANIFEST, VERIFIED].contains(&name.as_str()) {
            let (bytes, sha256) = hash_file(&path)?;
            files.push(BackupFile { path: name, bytes, sha256 });
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// Length and SHA-256 of a file.
///
/// # Errors
/// When it cannot be read.
pub fn hash_file(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok((bytes, hex(&hash.finalize())));
        }
        bytes += count as u64;
        hash.update(&buffer[..count]);
    }
}

/// SHA-256 of a backup's manifest as it is now.
pub fn manifest_sha256(folder: &Path) -> String {
    hash_file(&folder.join(MANIFEST)).map(|(_, hash)| hash).unwrap_or_default()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn files_below(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { files.extend(files_below(&path)?) } else { files.push(path) }
    }
    Ok(files)
}

/// Waits until files and folders are on disk.
fn sync(folder: &Path) -> io::Result<()> {
    for file in files_below(folder)? {
        File::open(file)?.sync_all()?;
    }
    File::open(folder)?.sync_all()
}

fn read_backup(path: &Path) -> Option<StoredBackup> {
    let id = path.file_name()?.to_string_lossy().into_owned();
    let partial = id.ends_with(PARTIAL);
    if !partial && !path.join(MANIFEST).is_file() && !path.join(VERIFIED).is_file() {
        // Some other folder.
        return None;
    }
    let manifest = read_json::<Manifest>(&path.join(MANIFEST));
    let manifest = manifest.filter(|manifest| manifest.version == MANIFEST_VERSION);
    let verification = read_json::<Verification>(&path.join(VERIFIED));
    let state = match (partial, &manifest, &verification) {
        (true, ..) => BackupState::Partial,
        (_, None, _) => BackupState::Damaged,
        (_, Some(_), None) => BackupState::Unverified,
        (_, Some(_), Some(verified)) => state_of(path, verified),
    };
    let manifest = manifest.filter(|_| !partial);
    Some(StoredBackup { id, path: path.to_owned(), state, manifest, verification })
}

fn kept(backup: &StoredBackup) -> Option<Kept> {
    let manifest = backup.manifest.as_ref()?;
    Some(Kept {
        id: backup.id.clone(),
        started_at: manifest.started_at.clone(),
        kind: manifest.kind,
        state: backup.state,
    })
}

fn state_of(path: &Path, verified: &Verification) -> BackupState {
    if verified.manifest_sha256 != manifest_sha256(path) {
        return BackupState::Damaged;
    }
    if verified.differences.is_empty() { BackupState::Good } else { BackupState::Bad }
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// Nobody holds its lock.
fn is_abandoned(partial: &Path) -> bool {
    match OpenOptions::new().write(true).open(partial.join(LOCK)) {
        Ok(lock) => !matches!(lock.try_lock(), Err(TryLockError::WouldBlock)),
        // Killed before the lock was there, or while old backups were removed; or just about to
        // make the lock.
        Err(_) => age(partial).is_none_or(|age| age > UNLOCKED_FOR),
    }
}

fn age(path: &Path) -> Option<Duration> {
    fs::metadata(path).ok()?.modified().ok()?.elapsed().ok()
}

/// Only the owner may look: a dump holds all rows.
fn create_private(dir: &Path) -> io::Result<()> {
    builder().recursive(true).create(dir)?;
    crate::own_folder::keep_out_of_git(dir);
    Ok(())
}

fn create_one(dir: &Path) -> io::Result<()> {
    builder().create(dir)
}

fn builder() -> fs::DirBuilder {
    use std::os::unix::fs::DirBuilderExt;
    let mut builder = fs::DirBuilder::new();
    builder.mode(0o700);
    builder
}

/// A name as that of a file: whatever it holds, it stays one name below the folder.
fn file_name(name: &str) -> String {
    let safe = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '@' | '.');
    let name: String = name.chars().map(|c| if safe(c) { c } else { '-' }).take(100).collect();
    if name.is_empty() || name.starts_with('.') { format!("-{name}") } else { name }
}

fn bad_name(id: &str) -> Problem {
    Problem::error(Code::Usage, format!("{id:?} cannot be the name of a backup"))
        .because("it is the name of a folder: letters, digits, - _ @ . and no . in front")
}

fn exists(path: &Path) -> Problem {
    Problem::error(Code::BackupExists, format!("{} is there already", path.display()))
        .because("a backup is never overwritten")
        .fix("Give the new one another --name, or none: it is named by its time then.")
}

/// A folder or file of backups that cannot be used.
pub(super) fn unusable(path: &Path, error: &io::Error) -> Box<Problem> {
    let what = format!("the backup folder {} cannot be used", path.display());
    Box::new(
        Problem::error(Code::BackupUnreadable, what)
            .because(error.to_string())
            .fix_with("Name another.", "pgfleet backup --backup-dir /mnt/backups"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let root = tempfile::tempdir().unwrap();
        let store = Store { dir: root.path().join("shop") };
        (root, store)
    }

    #[test]
    fn a_name_is_taken_once_and_a_dropped_draft_leaves_nothing() {
        let (_root, store) = store();
        let draft = store.begin("a").unwrap();
        assert_eq!(store.begin("a").unwrap_err().code, Code::BackupExists);
        drop(draft);
        assert!(store.list().unwrap().is_empty());
    }

    #[test]
    fn what_is_being_written_is_not_swept_and_what_was_killed_is() {
        let (_root, store) = store();
        let draft = store.begin("a").unwrap();
        fs::create_dir(store.dir.join("b.partial")).unwrap();
        fs::write(store.dir.join("b.partial").join(LOCK), "").unwrap();
        assert_eq!(store.sweep().unwrap(), ["b.partial"]);
        assert_eq!(store.list().unwrap()[0].state, BackupState::Partial);
        drop(draft);
    }

    #[test]
    fn names_stay_below_the_folder() {
        assert_eq!(file_name("../x/y"), "-..-x-y");
        assert_eq!(file_name(""), "-");
        assert_eq!(file_name("shop@db.example.com-5432"), "shop@db.example.com-5432");
    }
}
